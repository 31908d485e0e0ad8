"""Filing a ticket: what is refused keeps what was typed, what is sent twice makes one (THREATS 2.2)."""

import uuid

import pytest

from accounts.tests.cast import PASSWORD
from tickets.models import Category, Draft, Notification, Ticket
from tickets.tests.factories import category, upload

pytestmark = pytest.mark.django_db
URL = "/tickets/new/"


def form(**fields) -> dict:
    data = {
        "subject": "No sound",
        "description": "The speakers are silent",
        "category": category().pk,
        "priority": "normal",
        "submission_key": str(uuid.uuid4()),
    }
    return {**data, **fields}


def test_filed_ticket_has_its_number_its_receipt_and_its_story(client_of, alice):
    client = client_of(alice)
    response = client.post(URL, form(attachments=[upload()]), follow=True)
    ticket = Ticket.objects.get()
    assert response.redirect_chain == [(f"/tickets/{ticket.pk}/", 302)]
    content = response.content.decode()
    assert f"Ticket #{ticket.pk} submitted. We&#x27;ll email alice@example.com." in content
    assert "The speakers are silent" in content
    assert "screenshot.png" in content
    assert (ticket.requester, ticket.phase, ticket.source) == (alice, "new", "web")
    assert [row.kind for row in Notification.objects.all()] == ["created"]


BLANK = "\u200b \u2060\u00a0"
BAD = {
    "1 no subject": ({"subject": ""}, "Enter a subject."),
    "1 no category": ({"category": ""}, "Choose a category."),
    "1 no description": ({"description": ""}, "Enter a description."),
    "2 spaces only": ({"subject": "   "}, "Enter a subject."),
    "2 invisible subject": ({"subject": BLANK}, "Enter a subject."),
    "2 invisible description": ({"description": BLANK}, "Enter a description."),
    "3 subject too long": ({"subject": "x" * 151}, "at most 150 characters (it has 151)"),
    "4 description too long": ({"description": "x" * 20_001}, "at most 20000 characters (it has 20001)"),
    "6 NUL": ({"subject": "a\0b"}, "Null characters are not allowed."),
    "6 NUL below": ({"description": "a\0b"}, "Null characters are not allowed."),
    "14 line break": ({"subject": "a\r\nb"}, "Line breaks are not allowed here."),
    "21 unknown category": ({"category": "999999"}, "Select a valid choice."),
    "21 category is no number": ({"category": "x"}, "Select a valid choice."),
    "21 huge category": ({"category": "9" * 30}, "Select a valid choice."),
    "21 unknown priority": ({"priority": "at once"}, "Select a valid choice."),
    "key is no UUID": ({"submission_key": "x"}, "Enter a valid UUID."),
}


@pytest.mark.parametrize(("fields", "message"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused_at_its_field_and_typed_text_stays(client_of, alice, unchanged, fields, message):
    """THREATS 1 to 6, 14, 21."""
    client = client_of(alice)
    data = form(**{"subject": "typed subject", "description": "typed description", **fields})
    with unchanged():
        response = client.post(URL, data)
    content = response.content.decode()
    assert response.status_code == 200
    assert message in content
    for name in ("subject", "description"):
        if name not in fields:
            assert f"typed {name}" in content


def test_category_that_is_switched_off_is_like_one_that_does_not_exist(client_of, alice, unchanged):
    """THREATS 23."""
    off = Category.objects.create(name="Old", is_active=False)
    client = client_of(alice)
    with unchanged():
        response = client.post(URL, form(category=off.pk))
    assert "Select a valid choice." in response.content.decode()


@pytest.mark.parametrize(
    "text",
    [
        "👩‍💻" * 30,
        "Grüße, çà et là, 日本語",
        "{{ 7*7 }} {% debug %} %(x)s {0}",
        "<b>bold</b>",
        "=1+1",
        "a\u200db",
    ],
)
def test_text_is_stored_as_typed(client_of, alice, text):
    """THREATS 5, 16, 18."""
    client_of(alice).post(URL, form(subject=text, description=text))
    ticket = Ticket.objects.get()
    assert (ticket.subject, ticket.description) == (text, text)


def test_twenty_thousand_emoji_are_stored(client_of, alice):
    """THREATS 5."""
    client_of(alice).post(URL, form(description="😀" * 20_000))
    assert Ticket.objects.get().description == "😀" * 20_000


def test_browsers_line_ends_count_once(client_of, alice):
    """A text area sends CRLF for each line end, but counts it as one character (HTML, 4.10.11)."""
    typed = "x\r\n" * 10_000
    assert client_of(alice).post(URL, form(description=typed)).status_code == 302
    assert Ticket.objects.get().description == ("x\n" * 10_000).strip()


def test_extra_fields_are_ignored(client_of, alice, bob):
    """THREATS 22: status, owner and the rest come from us."""
    extra = {"requester": bob.pk, "status": 4, "id": 7, "version": 9, "assignee": bob.pk, "source": "admin"}
    client_of(alice).post(URL, form(**extra))
    ticket = Ticket.objects.get()
    assert (ticket.requester, ticket.phase, ticket.version, ticket.assignee, ticket.source) == (
        alice,
        "new",
        1,
        None,
        "web",
    )


def test_category_gives_the_ticket_its_default_assignee(client_of, alice, ann):
    other = category()
    other.default_assignee = ann
    other.save()
    client_of(alice).post(URL, form())
    assert Ticket.objects.get().assignee == ann


def test_form_sent_twice_makes_one_ticket(client_of, alice):
    """THREATS 36."""
    client, data = client_of(alice), form()
    first, second = client.post(URL, data), client.post(URL, data)
    assert first.status_code == second.status_code == 302
    assert first.url == second.url
    assert Ticket.objects.count() == Notification.objects.count() == 1


def test_each_form_has_a_key_of_its_own(client_of, alice):
    client = client_of(alice)
    keys = {client.get(URL).context["form"]["submission_key"].value() for _time in range(3)}
    assert len(keys) == 3


def test_somebody_elses_key_makes_a_ticket_of_its_own(client_of, alice, bob):
    data = form()
    client_of(alice).post(URL, data)
    client_of(bob).post(URL, data)
    assert Ticket.objects.count() == 2


def test_too_large_body_is_refused(client_of, alice, unchanged):
    """THREATS 20: 3 MB of text."""
    client = client_of(alice)
    with unchanged():
        response = client.post(URL, form(description="x" * 3_000_000))
    assert response.status_code == 400
    assert "Bad request" in response.content.decode()


@pytest.mark.parametrize("count", ["1,002 fields", "21 files"])
def test_too_many_parts_are_refused(client_of, alice, unchanged, count):
    """THREATS 19."""
    if count == "21 files":
        data = form(attachments=[upload(f"{number}.png") for number in range(21)])
    else:
        data = form(**{f"field{number}": "x" for number in range(1_002)})
    client = client_of(alice)
    with unchanged():
        assert client.post(URL, data).status_code == 400


@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [("multipart/form-data", b"x", 400), ("multipart/form-data; boundary=x", b"--x\r\nContent-", 200)],
    ids=["no boundary", "cut off"],
)
def test_broken_multipart_is_answered(client_of, alice, unchanged, content_type, body, status):
    """THREATS 12."""
    client = client_of(alice)
    with unchanged():
        response = client.post(URL, body, content_type=content_type)
    assert response.status_code == status


def test_text_survives_the_end_of_the_session(client_of, alice, unchanged):
    """PRODUCT 7. It waits behind the login, without the files, and is gone once the ticket is filed."""
    browser = client_of(alice)
    browser.session.flush()
    typed = form(priority="high", attachments=[upload()], typed_by=alice.pk)
    with unchanged():
        refused = browser.post(URL, typed)
    assert refused.url == "/accounts/login/?next=/tickets/new/"
    assert "What you typed is kept, but no files." in browser.get(refused.url).content.decode()
    login = browser.post(refused.url, {"login": alice.email, "password": PASSWORD})
    page = browser.get(login.url)
    shown = {name: page.context["form"][name].value() for name in ("subject", "description", "priority")}
    assert shown == {name: typed[name] for name in shown}
    assert browser.session.get_expiry_age() > 13 * 24 * 3600
    browser.post(URL, form())
    assert browser.get(URL).context["form"]["subject"].value() is None


def test_text_of_an_ended_session_is_not_for_the_next_at_this_computer(client_of, alice, bob):
    browser = client_of(alice)
    assert f'name="typed_by" value="{alice.pk}"' in browser.get(URL).content.decode()
    browser.session.flush()
    browser.post(URL, form(subject="My salary", typed_by=alice.pk))
    browser.force_login(bob)
    assert "My salary" not in browser.get(URL).content.decode()


@pytest.mark.parametrize(
    "text", ["\0", "x" * 1_000_000, "<script>", "😀" * 20_001], ids=["NUL", "1 MB", "tag", "emoji"]
)
def test_odd_text_of_a_visitor_breaks_nothing(client, client_of, alice, text):
    typed = {"subject": text, "category": text, "typed_by": text[:1000]}
    client.force_login(alice)
    client.session.flush()
    assert client.post(URL, typed).status_code == 302
    client.force_login(alice)
    assert client.get(URL).status_code == 200
    assert all(len(draft.fields["subject"]) <= 20_000 for draft in Draft.objects.all())


def test_visitor_who_sends_nothing_gets_no_session(client):
    client.post(URL, {"other": "x"})
    assert "sessionid" not in client.cookies


def test_filing_takes_few_queries(client_of, alice, ann, django_assert_max_num_queries):
    category().people.add(ann)
    client = client_of(alice)
    with django_assert_max_num_queries(26):
        client.post(URL, form())
