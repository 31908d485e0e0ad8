"""Saved replies: whose they are, what their variables become, and how they come into a reply."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actor import acting_as
from tickets.actions.saved_replies import fill
from tickets.models import Draft, Macro, SavedReply
from tickets.tests.factories import category, make_ticket, status

pytestmark = pytest.mark.django_db
LIST = "/admin/tickets/savedreply/"


@pytest.fixture
def ticket(alice):
    with acting_as(alice):
        return make_ticket(alice, category=category("Email Support"))


def body(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


def found(client, ticket, words: str = "") -> list[str]:
    content = body(client.get(f"/admin/tickets/ticket/{ticket.pk}/saved-replies/", {"q": words}))
    return re.findall(r'<b dir="auto">(.*?)</b>', content)


# Variables
def test_variables_are_filled_for_the_ticket(ticket, ann):
    text = "Hello {first_name} ({requester}), {ticket} in {category} is mine, {agent}"
    assert fill(text, ticket=ticket, agent=ann) == (
        f"Hello Alice (Alice Moreau), #{ticket.pk} in Email Support is mine, Ann Weber"
    )


@pytest.mark.parametrize(
    "text",
    ["{}", "{0}", "{nobody}", "{ticket.pk}", "{ticket!r}", "{ticket:>99}", "{{7*7}}", "%(agent)s", "{", "}"],
)
def test_what_is_no_variable_stays_as_typed(ticket, ann, text):
    """THREATS 16: no format string of somebody else is ever evaluated."""
    assert fill(text, ticket=ticket, agent=ann) == text


def test_value_that_looks_like_a_variable_is_not_filled_again(ticket, alice, ann):
    ticket.requester.full_name = "{agent} {ticket}"
    assert fill("{requester} {agent}", ticket=ticket, agent=ann) == "{agent} {ticket} Ann Weber"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("Hi {requestor}", "{requestor} does not exist. Did you mean {requester}?"),
        ("Hi {Requester}", "{Requester} does not exist. Did you mean {requester}?"),
        ("Hi {xyzzy}", "{xyzzy} does not exist. You can use {first_name}, {requester},"),
    ],
)
def test_unknown_variable_is_refused_and_the_right_one_named(client_of, ann, unchanged, text, error):
    client = client_of(ann)
    with unchanged():
        response = client.post(f"{LIST}add/", {"title": "Greeting", "body": text})
    content = body(response)
    assert error in content
    assert text in content


def test_braces_that_are_no_variable_may_be_saved(client_of, ann):
    text = 'Put {"proxy": {}} into the file, and {{ this }} too.'
    client_of(ann).post(f"{LIST}add/", {"title": "Proxy", "body": text})
    assert SavedReply.objects.get().body == text


# Whose they are
def test_agent_keeps_own_ones(client_of, ann):
    client = client_of(ann)
    client.post(f"{LIST}add/", {"title": "Greeting", "body": "Hello {first_name}"})
    reply = SavedReply.objects.get()
    assert reply.owner == ann
    client.post(f"{LIST}{reply.pk}/change/", {"title": "Greeting", "body": "Good day"})
    reply.refresh_from_db()
    assert (reply.body, reply.owner) == ("Good day", ann)
    client.post(f"{LIST}{reply.pk}/delete/", {"post": "yes"})
    assert not SavedReply.objects.exists()


def test_agent_cannot_share_even_by_an_extra_field(client_of, ann):
    client = client_of(ann)
    assert "All staff" not in body(client.get(f"{LIST}add/"))
    client.post(f"{LIST}add/", {"title": "Greeting", "body": "Hello", "audience": "all", "owner": ""})
    assert SavedReply.objects.get().owner == ann


def test_agent_reads_what_is_shared_and_changes_nothing_of_it(client_of, ann, unchanged):
    shared, client = SavedReply.objects.create(title="Greeting", body="Hello"), client_of(ann)
    content = body(client.get(f"{LIST}{shared.pk}/change/"))
    assert "All staff" in content
    assert 'name="title"' not in content
    with unchanged():
        changed = client.post(f"{LIST}{shared.pk}/change/", {"title": "Mine", "body": "Mine"})
        deleted = client.post(f"{LIST}{shared.pk}/delete/", {"post": "yes"})
    assert (changed.status_code, deleted.status_code) == (403, 403)


def test_supervisor_shares_and_takes_back(client_of, sam):
    client = client_of(sam)
    client.post(f"{LIST}add/", {"title": "Greeting", "body": "Hello", "audience": "all"})
    reply = SavedReply.objects.get()
    assert reply.is_shared
    assert re.search(r'value="all"[^>]*checked', body(client.get(f"{LIST}{reply.pk}/change/")))
    client.post(f"{LIST}{reply.pk}/change/", {"title": "Greeting", "body": "Hello", "audience": "me"})
    reply.refresh_from_db()
    assert reply.owner == sam


@pytest.mark.parametrize("shown", ["change", "delete", "history"])
def test_somebody_elses_does_not_exist(client_of, ann, sam, root, unchanged, shown):
    reply = SavedReply.objects.create(title="Secret", body="Hello", owner=ann)
    for person in (sam, root):
        client = client_of(person)
        with unchanged():
            url = f"{LIST}{reply.pk}/{shown}/"
            assert client.get(url).status_code == 404
            assert client.post(url, {"title": "x", "body": "x", "post": "yes"}).status_code == 404
        assert "Secret" not in body(client.get(LIST))


@pytest.mark.parametrize("number", ["0", "999999", "9" * 30, "x", "_00"])
def test_odd_number_is_not_there(client_of, root, number):
    assert client_of(root).get(f"{LIST}{number}/change/").status_code == 404


def test_list_can_be_narrowed_to_mine_or_shared(client_of, ann):
    SavedReply.objects.create(title="My greeting", body="Hello", owner=ann)
    SavedReply.objects.create(title="Our greeting", body="Hello")
    client = client_of(ann)
    for query, titles in {
        "": (1, 1),
        "?whose=mine": (1, 0),
        "?whose=shared": (0, 1),
        "?whose=x": (1, 1),
    }.items():
        content = body(client.get(f"{LIST}{query}"))
        assert ("My greeting" in content, "Our greeting" in content) == tuple(map(bool, titles)), query


def test_list_and_page_cost_the_same_with_many(client_of, ann, ticket):
    client = client_of(ann)
    addresses = [LIST, "/admin/tickets/macro/", f"/admin/tickets/ticket/{ticket.pk}/change/"]
    for address in addresses:
        client.get(address)  # what Django keeps in memory from the first page on
    counts = []
    for _round in range(2):
        for number in range(10):
            SavedReply.objects.create(title=f"Greeting {number}", body="Hi", owner=ann)
            Macro.objects.create(title=f"Macro {number}", status=status("done"), category=category())
        with CaptureQueriesContext(connection) as queries:
            for address in addresses:
                body(client.get(address))
        counts.append(len(queries))
    assert counts[0] == counts[1]


# On the ticket's page
def test_chooser_finds_own_and_shared_by_title_and_text(client_of, ann, sam, ticket):
    SavedReply.objects.create(title="Printer", body="Paper jam", owner=ann)
    SavedReply.objects.create(title="Restart", body="Then the printer works")
    SavedReply.objects.create(title="Printer of sam", body="x", owner=sam)
    client = client_of(ann)
    assert found(client, ticket) == ["Printer", "Restart"]
    assert found(client, ticket, "PRINTER") == ["Printer", "Restart"]
    assert found(client, ticket, "jam paper") == ["Printer"]
    for words in ("xyzzy", "a\0b", "%", "_", "'", "x" * 10_000):
        assert found(client, ticket, words) == [], words


def test_chooser_gives_the_filled_text_escaped(client_of, alice, ann, ticket):
    alice.full_name = '<b>"Alice"</b>'
    alice.save()
    SavedReply.objects.create(title="Greeting", body="Hello {requester}\n\n<i>", owner=ann)
    content = body(client_of(ann).get(f"/admin/tickets/ticket/{ticket.pk}/saved-replies/"))
    assert 'data-text="Hello &lt;b&gt;&quot;Alice&quot;&lt;/b&gt;\n\n&lt;i&gt;"' in content


def test_chooser_says_when_there_are_more(client_of, ann, ticket):
    SavedReply.objects.bulk_create(SavedReply(title=f"No {n:02}", body="x", owner=ann) for n in range(13))
    client = client_of(ann)
    assert len(found(client, ticket)) == 12
    assert "There are more." in body(client.get(f"/admin/tickets/ticket/{ticket.pk}/saved-replies/"))


def test_without_javascript_the_text_comes_behind_what_is_typed(client_of, ann, ticket, unchanged):
    reply, client = SavedReply.objects.create(title="Greeting", body="Bye, {agent}"), client_of(ann)
    with unchanged():
        response = client.post(
            f"/admin/tickets/ticket/{ticket.pk}/saved-replies/",
            {"saved_reply": reply.pk, "body": "Half a sente"},
        )
    content = body(response)
    assert "Half a sente\n\nBye, Ann Weber</textarea>" in content
    assert 'id="id_status"' in content  # the whole page


def test_without_javascript_a_button_shows_the_select_and_keeps_what_is_typed(
    client_of, ann, ticket, unchanged
):
    SavedReply.objects.create(title="Greeting", body="Hello")
    client, address = client_of(ann), f"/admin/tickets/ticket/{ticket.pk}/saved-replies/"
    content = body(client.get(f"/admin/tickets/ticket/{ticket.pk}/change/"))
    assert re.search(rf'form="reply-form"\s+formaction="{address}\?#reply"\s*>Show saved replies', content)
    assert "Greeting" not in content
    with unchanged():
        content = body(client.post(address, {"body": "Half"}))
    assert "Half</textarea>" in content
    assert "Choose a saved reply first." not in content
    assert re.search(r'<select[^>]*name="saved_reply" form="reply-form">\s*<option[^>]*>Greeting', content)
    assert re.search(r'<form id="reply-form"', content)


@pytest.mark.parametrize("number", ["", "0", "x", "9" * 40, "foreign"])
def test_choice_that_is_not_there_keeps_what_is_typed(client_of, ann, sam, ticket, unchanged, number):
    foreign = SavedReply.objects.create(title="Secret", body="Secret text", owner=sam)
    client = client_of(ann)
    number = foreign.pk if number == "foreign" else number
    with unchanged():
        response = client.post(
            f"/admin/tickets/ticket/{ticket.pk}/saved-replies/",
            {"saved_reply": number, "body": "Half", "status": "9" * 40},
        )
    content = body(response)
    assert "Half</textarea>" in content
    assert "Choose a saved reply first." in content
    assert "Secret" not in content


def test_list_says_whether_none_exists_or_none_matches(client_of, ann, ticket):
    client, address = client_of(ann), f"/admin/tickets/ticket/{ticket.pk}/saved-replies/"
    assert "No saved replies yet." in body(client.get(address))
    assert "No saved replies yet." in body(client.post(address))
    assert "No saved replies match." in body(client.get(address, {"q": "greeting"}))


def test_draft_is_left_alone_by_looking_for_a_text(client_of, ann, ticket):
    Draft.objects.keep(person=ann, ticket=ticket, kind="reply", body="Half")
    SavedReply.objects.create(title="Greeting", body="Hello")
    assert found(client_of(ann), ticket) == ["Greeting"]
    assert Draft.objects.get().body == "Half"
