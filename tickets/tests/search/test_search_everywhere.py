"""Words look through everything that the person may see, in every list; what narrows them is shown and comes off."""

import pytest

from accounts.actor import acting_as
from tickets.actions import conversation, merging
from tickets.mail.addresses import reply_address
from tickets.models import SavedView, Ticket
from tickets.tests.factories import category, make_ticket

pytestmark = pytest.mark.django_db
SITE, QUEUE = "/tickets/", "/admin/tickets/ticket/"


def found(client, url: str, query: str | dict) -> list[str]:
    page = client.get(url, query) if isinstance(query, dict) else client.get(f"{url}?{query}")
    rows = page.context["cl"].result_list if url == QUEUE else page.context["rows"]
    return sorted(row.subject for row in rows)


@pytest.fixture
def pelicans(alice, bob, ann, sam):
    """One ticket in each phase, of different people and categories, one watched by bob, one merged."""
    for number, phase in enumerate(("new", "active", "waiting", "done")):
        ticket = make_ticket(
            alice, subject=f"Pelican {phase}", phase=phase, category=category(("Other", "Email Support")[number % 2]),
            assignee=(None, ann, sam, sam)[number], priority=("low", "normal", "high", "urgent")[number],
        )  # fmt: skip
    conversation.watch(ticket, bob)
    merged = make_ticket(bob, subject="Pelican merged")
    with acting_as(ann):
        merging.merge(merged, Ticket.objects.get(subject="Pelican done"))
    return merged


ALL = ["Pelican active", "Pelican done", "Pelican new", "Pelican waiting"]


def test_requester_and_watcher_find_what_is_theirs_in_every_phase(pelicans, client_of, alice, bob, charlie):
    assert found(client_of(alice), SITE, {"q": "pelican"}) == ALL
    assert found(client_of(bob), SITE, {"q": "pelican"}) == ["Pelican done", "Pelican merged"]
    assert found(client_of(charlie), SITE, {"q": "pelican"}) == []


def test_staff_find_all_of_them_on_the_site_and_in_the_queue(pelicans, client_of, ann):
    for url in (SITE, QUEUE):
        assert found(client_of(ann), url, {"q": "pelican"}) == sorted([*ALL, "Pelican merged"])


@pytest.mark.parametrize(
    "view",
    [
        "",
        "who=ours",
        "phase=waiting",
        "who=mine&phase=active",
        "priority=urgent",
        "phase=done&period=today",
        "o=3",
    ],
)
def test_words_typed_in_any_view_of_the_queue_forget_it(pelicans, client_of, ann, view):
    SavedView.objects.create(name="Odd", owner=ann, query=view)
    client = client_of(ann)
    page = client.get(f"{QUEUE}?{view}").content.decode()
    form = page.partition('id="changelist-search"')[2].partition("</form>")[0]
    assert form.count("name=") == 1
    assert found(client, QUEUE, {"q": "pelican"}) == sorted([*ALL, "Pelican merged"])


def test_filter_chosen_after_the_words_narrows_them_and_clearing_clears(pelicans, client_of, ann):
    client = client_of(ann)
    page = client.get(QUEUE, {"q": "pelican"})
    links = {
        choice["display"]: choice["query_string"]
        for spec in page.context["cl"].filter_specs for choice in spec.choices(page.context["cl"])
    }  # fmt: skip
    assert found(client, QUEUE, links["Waiting"].removeprefix("?")) == ["Pelican waiting"]
    assert found(client, QUEUE, links["Mine"].removeprefix("?")) == ["Pelican active"]
    cleared = client.get(QUEUE + page.context["cl"].clear_all_filters_qs)
    assert cleared.context["cl"].query == ""


def counts(client, query: str) -> dict:
    cl = client.get(f"{QUEUE}?{query}").context["cl"]
    (phases,) = (spec for spec in cl.filter_specs if spec.parameter_name == "phase")
    return {
        str(choice["display"]): choice["count"]
        for choice in phases.choices(cl)
        if choice["count"] is not None
    }


def test_phases_of_the_queue_show_counts_of_what_was_found(
    pelicans, client_of, ann, django_assert_num_queries
):
    make_ticket(pelicans.requester, subject="Walrus")
    client = client_of(ann)
    everything = {"Open": "3", "New": "1", "Active": "1", "Waiting": "1", "Done": "2", "All": "5"}
    assert counts(client, "q=pelican") == counts(client, "q=pelican&phase=waiting") == everything
    assert counts(client, "q=pelican&priority=urgent") == {
        "Open": "0", "New": "0", "Active": "0", "Waiting": "0", "Done": "1", "All": "1",
    }  # fmt: skip
    assert counts(client, "q=zebra") == dict.fromkeys(everything, "0")
    assert counts(client, "q=is:waiting")["All"] == "1"
    assert counts(client, "") == counts(client, "phase=open") == {}
    page = client.get(QUEUE, {"q": "pelican"}).content.decode()
    assert "Waiting <span>1</span></a>" in page


def test_too_many_to_be_counted_have_no_counts(pelicans, client_of, ann, monkeypatch):
    monkeypatch.setattr("tickets.search.finding.MOST_FETCHED", 1)
    assert counts(client_of(ann), "q=pelican") == {}


def test_empty_search_says_so_and_leads_to_all(pelicans, client_of, ann):
    client = client_of(ann)
    page = client.get(QUEUE, {"q": "pelican new", "phase": "done"}).content.decode()
    assert "No tickets match." in page
    assert 'href="?q=pelican%20new">Search all tickets</a>' in page
    page = client.get(QUEUE, {"q": "zebra"}).content.decode()
    assert "No tickets match." in page
    assert "Search all tickets" not in page
    assert "No tickets match." in client.get(QUEUE, {"phase": "new", "who": "mine"}).content.decode()


SUBJECTS = [
    "Status: offline", "priority: what now", "from: bob", "Category: none", "is: this broken?", "before: after",
    "Requester: unknown caller", "assignee: who?", "has: no sound", "Re: status:offline again", "status: waiting room",
    "to: all", "subject: is:important", "AW: priority:asap", "error: before:noon", "after:work party",
]  # fmt: skip


@pytest.mark.parametrize("subject", SUBJECTS)
def test_pasted_subject_is_words(client_of, alice, ann, subject):
    make_ticket(alice, subject=subject, phase="done")
    make_ticket(alice, subject="Another")
    for user, url in ((alice, SITE), (ann, SITE), (ann, QUEUE)):
        assert found(client_of(user), url, {"q": subject}) == [subject]


MARKS = [
    "[#{}] Printer", "AW: [#{}] Printer", "Ticket #{}", "ticket #{}:", "Ticket {}", "#{}", "# {}", "Ticket: #{}", "Ticket #{}: Printer",
    "#{} Printer", "#{}: Printer", "#{} – Printer", "#{} Printer · Helpdesk", "Ticket #{} Printer on the second",
    "{site}/tickets/{}/", "{site}/tickets/{}/#comment-7", "<{site}/tickets/{}/>", "{site}/admin/tickets/ticket/{}/change/",
    "{address}", "<{address}>", "mailto:{address}", "Helpdesk <{address}>", "{unsigned}", "{capitals}",
]  # fmt: skip


@pytest.mark.parametrize("mark", MARKS)
def test_what_names_a_ticket_leads_to_it(client_of, alice, charlie, ann, settings, mark):
    settings.INBOUND_DOMAIN = "in.example.com"
    make_ticket(alice, subject="First")
    ticket = make_ticket(alice, subject="Printer on the second floor", phase="done")
    address = reply_address(ticket.pk, alice.pk)
    names = {"site": settings.SITE_URL, "address": address, "capitals": address.upper()}
    names["unsigned"] = f"support+{ticket.pk}@in.example.com"
    typed = mark.format(ticket.pk, **names)
    if "Helpdesk" in mark and "·" in mark:
        typed = f"#{ticket.pk} {ticket.subject} · Helpdesk"
    assert client_of(alice).get(SITE, {"q": typed}).url == ticket.get_absolute_url()
    assert f"/ticket/{ticket.pk}/change/" in client_of(ann).get(QUEUE, {"q": typed}).url
    assert client_of(charlie).get(SITE, {"q": typed}).status_code == 200


@pytest.mark.parametrize(
    "typed",
    ["0042", "#{} Scanner", "Ticket #{}: Scanner", "support+{}@elsewhere.example", "write support+{}@in.example.com", "{} Printer", "x#{}", "[{}]"],
)  # fmt: skip
def test_what_only_looks_like_it_is_words(client_of, alice, settings, typed):
    settings.INBOUND_DOMAIN = "in.example.com"
    ticket = make_ticket(alice, subject="Printer")
    assert client_of(alice).get(SITE, {"q": typed.format(ticket.pk)}).status_code == 200


def test_address_for_new_tickets_is_words(client_of, alice, settings):
    settings.INBOUND_DOMAIN = "in.example.com"
    make_ticket(alice, subject="Mail to support@in.example.com came back")
    assert found(client_of(alice), SITE, {"q": "support@in.example.com"}) != []


def test_number_with_zeros_is_a_word(client_of, alice, ann):
    for number in range(1, 43):
        ticket = make_ticket(alice, subject=f"Number {number}")
    assert ticket.pk >= 42
    make_ticket(alice, subject="Room 0042")
    for user, url in ((alice, SITE), (ann, QUEUE)):
        assert found(client_of(user), url, {"q": "0042"}) == ["Room 0042"]
