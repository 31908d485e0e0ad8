"""The search on pages: passages with the words marked, best match, wrong filters, what may have been meant."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from accounts.actor import acting_as
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.search import finding, passages
from tickets.search.asking import runs_wanted
from tickets.search.marking import marked, passage, spans
from tickets.search.query import parse
from tickets.tests.factories import make_ticket, upload

SITE, QUEUE = "/tickets/", "/admin/tickets/ticket/"


def marks(text: str, typed: str) -> str:
    return marked(text, [span for span, _number in spans(text, runs_wanted(parse(typed).terms))])


@pytest.mark.parametrize(
    ("text", "typed", "shown"),
    [
        ("The printer", "PRINTER", "The <mark>printer</mark>"),
        ("The printers", "print", "The <mark>printers</mark>"),
        ("Printing a print", "print it", "Printing a <mark>print</mark>"),
        ("A paper jam", '"paper jam"', "A <mark>paper jam</mark>"),
        ("A paper, jam", "paper jam", "A <mark>paper</mark>, <mark>jam</mark>"),
        ("Straße, Café, mu\u0308ller", "strasse cafe müller", "<mark>Straße</mark>, <mark>Café</mark>, <mark>mu\u0308ller</mark>"),
        ("the wi-fi is", "wi-fi", "the <mark>wi-fi</mark> is"),
        ("東京都の", "京都", "東<mark>京都</mark>の"),
        ("<b>printer</b>", "printer", "&lt;b&gt;<mark>printer</mark>&lt;/b&gt;"),
        ("a jam", "-jam", "a jam"),
        ("a jam", "is:open", "a jam"),
        ("a  b\nc", "b", "a <mark>b</mark> c"),
    ],
)  # fmt: skip
def test_what_is_marked(text, typed, shown):
    assert marks(text, typed) == shown


def test_passage_is_where_most_of_it_stands():
    text = "Paper here. " + "x " * 300 + "A paper jam in the <tray> of it. " + "y " * 300
    shown = passage(text, spans(text, runs_wanted(parse("paper jam tray").terms)))
    assert "<mark>paper</mark> <mark>jam</mark> in the &lt;<mark>tray</mark>&gt;" in shown
    assert shown.startswith("… ")
    assert shown.endswith(" …")
    assert len(shown) < 300


@given(st.text(max_size=400), st.text(max_size=50))
def test_passages_of_anything_are_escaped(text, typed):
    asked = runs_wanted(parse(typed).terms)
    found = spans(text, asked)
    for html in (marked(text, [span for span, _number in found]), passage(text, found) if found else ""):
        bare = html.replace("<mark>", "").replace("</mark>", "")
        assert not set(bare) & set("<>\"'")
        assert html.count("<mark>") == html.count("</mark>")


@pytest.fixture
def rows(client_of):
    """function(user, **query) -> {subject: passage} of the site's list."""

    def ask(user, **query):
        found = client_of(user).get(SITE, query).context["rows"]
        shown = {row.subject: getattr(row, "passage", None) for row in found}
        return {subject: passage and passage.text for subject, passage in shown.items()}

    return ask


@pytest.mark.django_db
def test_passages_come_from_what_one_may_read(rows, alice, ann, client_of):
    ticket = make_ticket(alice, subject="Printer", description="Nothing of it")
    with acting_as(ann):
        conversation.note(
            ticket, Message(author=ann, body="A pelican in a note", files=[upload("walrus.png")])
        )
        conversation.reply(ticket, Message(author=ann, body="It is fixed, printer and all."))
    assert rows(alice, q="printer") == {"Printer": "It is fixed, <mark>printer</mark> and all."}
    assert rows(ann, q="pelican") == {"Printer": "A <mark>pelican</mark> in a note"}
    assert rows(ann, q="walrus") == {"Printer": "<mark>walrus</mark>.png"}
    assert rows(alice, q="pelican") == rows(alice, q="walrus") == {}
    assert "Internal note:" in client_of(ann).get(SITE, {"q": "pelican"}).content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("url", [SITE, QUEUE + "?phase=all"])
def test_queries_do_not_grow_with_what_is_found(client_of, alice, ann, url):
    def count():
        with CaptureQueriesContext(connection) as queries:
            client.get(url, {"q": "printer", "phase": "all", "sort": "best"})
        return len(queries)

    client = client_of(ann)

    def add(number):
        for _number in range(number):
            ticket = make_ticket(alice, subject="Mouse", description="Nothing")
            with acting_as(ann):
                conversation.reply(ticket, Message(author=ann, body="See the printer.", files=[upload()]))

    add(2)
    few = count()
    add(10)
    assert count() == few <= 20


@pytest.mark.django_db
def test_best_match_first(rows, alice, ann):
    make_ticket(alice, subject="Paper jam in the printer")
    make_ticket(alice, subject="Mouse", description="Beside the printer with the paper jam")
    make_ticket(alice, subject="Printer", description="Paper jam")
    assert list(rows(alice, q="paper jam")) == ["Printer", "Mouse", "Paper jam in the printer"]
    assert list(rows(alice, q="paper jam", sort="best")) == ["Paper jam in the printer", "Printer", "Mouse"]
    assert list(rows(ann, q="paper jam", sort="nonsense")) == ["Printer", "Mouse", "Paper jam in the printer"]


@pytest.mark.django_db
@pytest.mark.parametrize("place", ["", "&after=1764000000000000&after=5", "&p=1"])
def test_best_match_first_in_the_queue(client_of, alice, ann, place):
    make_ticket(alice, subject="Paper jam in the printer", priority="low")
    make_ticket(
        alice, subject="Mouse", description="Beside the printer with the paper jam", priority="urgent"
    )
    make_ticket(alice, subject="Printer", description="Paper jam")
    client = client_of(ann)

    def subjects(sort: str) -> list[str]:
        page = client.get(f"{QUEUE}?q=paper+jam&sort={sort}{place}").context["cl"]
        return [ticket.subject for ticket in page.result_list]

    assert subjects("best") == ["Paper jam in the printer", "Printer", "Mouse"]
    if not place.startswith("&after"):
        assert subjects("newest") == ["Printer", "Mouse", "Paper jam in the printer"]
    assert client.get(f"{QUEUE}?q=paper+jam&sort=best&o=8{place}").status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("chosen", "words", "subjects"),
    [
        ({"with_requester": "alice"}, "requester:alice", ["Printer"]),
        ({"with_assignee": "ann example.com", "q": "mouse"}, 'mouse assignee:"ann example.com"', ["Mouse"]),
        ({"with_status": "Done"}, "status:Done", ["Old"]),
        ({"with_status": 'D"one'}, 'status:"D one"', []),
        ({"with_before": "2026-01-01"}, "before:2026-01-01", []),
        ({"with_has": "file"}, "has:file", []),
        ({"with_has": "", "q": "printer"}, "printer", ["Printer"]),
        ({"with_requester": "\0"}, None, None),
    ],
)
def test_more_filters_of_the_queue_become_words(client_of, alice, bob, ann, chosen, words, subjects):
    make_ticket(alice, subject="Printer")
    make_ticket(bob, subject="Mouse", assignee=ann)
    make_ticket(bob, subject="Old", phase="done")
    page = client_of(ann).get(QUEUE, chosen, follow=True)
    assert page.status_code == 200
    if words is not None:
        assert page.context["cl"].query == words
        assert [ticket.subject for ticket in page.context["cl"].result_list] == subjects


@pytest.mark.django_db
def test_best_match_leads_through_the_queue(client_of, alice, ann):
    tickets = [make_ticket(alice, subject=f"Paper jam {number}") for number in range(3)]
    page = client_of(ann).get(f"{QUEUE}{tickets[1].pk}/change/?_changelist_filters=q%3Djam%26sort%3Dbest")
    assert page.status_code == 200
    assert f"/ticket/{tickets[0].pk}/change/" in page.content.decode()


@pytest.mark.django_db
def test_too_many_to_be_weighed_stay_in_their_order(rows, alice, monkeypatch):
    monkeypatch.setattr(finding, "MOST_FETCHED", 1)
    make_ticket(alice, subject="Paper jam in the printer")
    make_ticket(alice, subject="Mouse", description="A paper jam")
    assert list(rows(alice, q="paper", sort="best")) == ["Mouse", "Paper jam in the printer"]


@pytest.mark.django_db
def test_a_filter_of_phases_is_looked_for_in_all_of_them(rows, alice):
    make_ticket(alice, subject="Old", phase="done")
    assert list(rows(alice, q="is:done")) == ["Old"]
    assert list(rows(alice, q="old")) == ["Old"]
    assert list(rows(alice, q="old", phase="open")) == []
    assert list(rows(alice, q="is:done", phase="open")) == []


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["#{}", "{}", " {} "])
def test_a_number_jumps(client_of, alice, bob, ann, typed):
    ticket = make_ticket(alice, phase="done")
    typed = typed.format(ticket.pk)
    assert client_of(alice).get(SITE, {"q": typed}).url == ticket.get_absolute_url()
    assert client_of(bob).get(SITE, {"q": typed}).status_code == 200
    assert f"/ticket/{ticket.pk}/change/" in client_of(ann).get(QUEUE, {"q": typed}).url


@pytest.mark.django_db
@pytest.mark.parametrize(
    "typed",
    [
        "[#{}] Printer", "Re: [#{}] something else", "Ticket #{}", "ticket {}", "(#{}", "#{} Printer", "#{} Prin",
        "https://helpdesk.example.com/tickets/{}/", "helpdesk.example.com/tickets/{}", "/tickets/{}/edit/",
        "https://helpdesk.example.com/admin/tickets/ticket/{}/change/?_changelist_filters=q%3Da#end",
        "https://localhost/admin/tickets/ticket/{}/change/?" + "x" * 300, "#00{}",
    ],
)  # fmt: skip
def test_what_the_helpdesk_calls_a_ticket_leads_to_it(client_of, alice, bob, ann, typed):
    ticket = make_ticket(alice, subject="Printer", phase="done")
    typed = typed.format(ticket.pk).removeprefix("(")
    assert client_of(alice).get(SITE, {"q": typed}).url == ticket.get_absolute_url()
    assert f"/ticket/{ticket.pk}/change/" in client_of(ann).get(QUEUE, {"q": typed}).url
    assert client_of(bob).get(SITE, {"q": typed}).status_code == 200


@pytest.mark.django_db
def test_address_elsewhere_that_a_ticket_tells_of_finds_that_ticket(client_of, alice, settings):
    make_ticket(alice, subject="First")
    number = make_ticket(alice, subject="Vendor").pk
    address = f"https://vendor.example/tickets/{number}/"
    make_ticket(alice, subject="Third", description=f"See {address}")
    page = client_of(alice).get(SITE, {"q": address})
    assert [row.subject for row in page.context["rows"]] == ["Third"]
    here = f"{settings.SITE_URL}/tickets/{number}/"
    make_ticket(alice, subject="Fourth", description=f"See {here}")
    assert client_of(alice).get(SITE, {"q": here}).url == f"/tickets/{number}/"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "subject",
    [
        "Status: offline", "status:offline", "error:5", "is:broken", "before:lunch", "Category: unknown thing",
        "assignee:", "Priority: very high", "has:problems", '19" monitor', "after:2026-02-31", "Note: call 0042",
    ],
)  # fmt: skip
@pytest.mark.parametrize("url", [SITE, QUEUE])
def test_pasted_subject_is_found_though_it_looks_like_a_filter(client_of, alice, ann, url, subject):
    ticket = make_ticket(alice, subject=subject, phase="done")
    make_ticket(alice, subject="Another")
    page = client_of(ann).get(url, {"q": subject})
    found = page.context["cl"].result_list if url == QUEUE else page.context["rows"]
    assert [row.subject for row in found] == [ticket.subject]


@pytest.mark.django_db
def test_new_words_are_asked_of_all_whatever_tab_was_open(client_of, alice):
    make_ticket(alice, subject="Old", phase="done")

    def subjects(query: str) -> list[str]:
        return [row.subject for row in client_of(alice).get(f"{SITE}?{query}").context["rows"]]

    assert subjects("q=old&phase=open&within=") == ["Old"]
    assert subjects("q=old&phase=open&within=new") == ["Old"]
    assert subjects("q=old&phase=open&within=old") == subjects("q=old&phase=open") == []
    assert subjects("q=&phase=done&within=old") == ["Old"]


@pytest.mark.django_db
def test_search_of_the_queue_forgets_the_view_that_was_open(client_of, alice, ann, sam):
    make_ticket(alice, subject="Old printer", phase="done", assignee=sam)
    client = client_of(ann)
    form = client.get(f"{QUEUE}?who=ours&priority=high").content.decode()
    form = form.partition('id="changelist-search"')[2].partition("</form>")[0]
    assert 'type="hidden"' not in form
    page = client.get(QUEUE, {"q": "printer"})
    assert [ticket.subject for ticket in page.context["cl"].result_list] == ["Old printer"]
    assert page.context["cl"].clear_all_filters_qs == "?"
    assert not client.get(QUEUE, {"q": "printer", "phase": "open"}).context["cl"].result_list
    assert client.get(QUEUE, {"q": " "}).url == QUEUE


@pytest.mark.django_db
@pytest.mark.parametrize("typed", ["0815", '"{}"', "{} printer", "#99999999999999999999"])
def test_what_is_no_number_of_a_ticket_is_searched(client_of, alice, ann, typed):
    ticket = make_ticket(alice, subject="Error 0815 of the printer")
    for client, url in ((client_of(alice), SITE), (client_of(ann), QUEUE)):
        assert client.get(url, {"q": typed.format(ticket.pk)}).status_code == 200


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["alice", "ann"])
@pytest.mark.parametrize("url", [SITE, QUEUE])
def test_a_wrong_filter_says_so_and_keeps_what_was_typed(request, client_of, who, url):
    user = request.getfixturevalue(who)
    if url == QUEUE and who == "alice":
        return
    content = client_of(user).get(url, {"q": "printer stauts:waiting"}).content.decode()
    assert "There is no filter “stauts:”. Did you mean status:waiting?" in content
    assert 'value="printer stauts:waiting"' in content


@pytest.mark.django_db
@pytest.mark.parametrize("url", [SITE, QUEUE])
def test_misspelt_words_find_what_was_meant(client_of, alice, ann, url):
    make_ticket(alice, subject="The printer is broken")
    content = client_of(ann).get(url, {"q": "pritner is:open"}).content.decode()
    assert "Did you mean" in content
    assert ">printer is:open</a>?" in content
    assert "Did you mean" not in client_of(ann).get(url, {"q": "zzzzzz"}).content.decode()


@pytest.mark.django_db
def test_nobody_learns_words_of_foreign_subjects(client_of, alice, bob):
    make_ticket(alice, subject="Redundancies")
    assert "Did you mean" in client_of(alice).get(SITE, {"q": "redundancis"}).content.decode()
    assert "Did you mean" not in client_of(bob).get(SITE, {"q": "redundancis"}).content.decode()


@pytest.mark.django_db
def test_what_is_read_for_passages_has_an_end(rows, alice, ann, monkeypatch):
    monkeypatch.setattr(passages, "MOST_READ", 10)
    ticket = make_ticket(alice, subject="Mouse", description="Nothing")
    with acting_as(ann):
        conversation.reply(ticket, Message(author=ann, body="A long answer"))
        conversation.reply(ticket, Message(author=ann, body="Pelican"))
    assert rows(alice, q="pelican") == {"Mouse": None}


@pytest.mark.django_db
def test_the_box_offers_its_words(client_of, alice, ann):
    for user, url, offered in ((alice, SITE, False), (ann, SITE, True), (ann, QUEUE, True)):
        content = client_of(user).get(url).content.decode()
        assert 'list="search-words"' in content
        assert '<option value="status:waiting">' in content
        assert '<option value="category:&quot;Email Support&quot;">' in content
        assert ('<option value="assignee:me">' in content) == offered


@pytest.mark.django_db
@pytest.mark.parametrize("query", ["q=printer", "q=-mouse"])
def test_tabs_of_very_many_matches_have_no_counts(client_of, alice, ann, monkeypatch, query):
    monkeypatch.setattr(finding, "MOST_FETCHED", 1)
    for _number in range(2):
        make_ticket(alice, subject="Printer")
    counted = ">Open <span>2</span></a>"
    assert counted in client_of(alice).get(f"{SITE}?{query}").content.decode()
    page = client_of(ann).get(f"{SITE}?{query}").content.decode()
    assert ">Open </a>" in page
    assert "<span>" not in page.partition('id="tabs"')[2].partition("</nav>")[0]


@pytest.mark.django_db
def test_more_filters_of_the_queue_keep_what_is_chosen_already(client_of, ann):
    page = client_of(ann).get(f"{QUEUE}?q=printer&priority=urgent&who=all").content.decode()
    form = page.partition('<details class="more-filters">')[2].partition("</details>")[0]
    for name, value in (("q", "printer"), ("priority", "urgent"), ("who", "all")):
        assert f'<input type="hidden" name="{name}" value="{value}">' in form
