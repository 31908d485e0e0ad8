"""Any form that is sent too late comes back with what was typed: after a session's end, after a second login."""

import re
import uuid
from datetime import timedelta
from html import unescape
from html.parser import HTMLParser

import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from accounts.tests.cast import PASSWORD
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.models import Comment, Draft, SavedReply, Ticket
from tickets.tests.browser.pages import pages
from tickets.tests.factories import category, make_ticket, status, upload

pytestmark = pytest.mark.django_db
OURS = {"HTTP_ORIGIN": "http://testserver"}


@pytest.fixture
def ticket(alice, ann):
    return make_ticket(alice, assignee=ann, subject="No sound", description="Silence")


@pytest.fixture
def said(ticket, alice):
    return conversation.reply(ticket, Message(author=alice, body="And my screen is dark"))


def places(ticket, said, person) -> dict[str, tuple[str, dict, str]]:
    """By name: the page, what is typed there beside what it holds, and where the page shows it."""
    reply = SavedReply.objects.create(title="Hello", body="Hello {requester}", owner=person)
    text = "  typed words\nof two lines"
    one_line = "typed words"
    return {
        "edit": (f"/tickets/{ticket.pk}/edit/", {"subject": one_line, "description": text}),
        "profile": ("/accounts/profile/", {"full_name": one_line, "department": "IT"}),
        "new for somebody": (
            "/admin/tickets/ticket/add/",
            {"requester_email": "nora@example.com", "subject": one_line, "description": text},
        ),
        "saved reply": (f"/admin/tickets/savedreply/{reply.pk}/change/", {"title": one_line, "body": text}),
        "new saved reply": ("/admin/tickets/savedreply/add/", {"title": one_line, "body": text}),
        "macro": ("/admin/tickets/macro/add/", {"title": one_line, "body": text}),
        "split": (f"/admin/tickets/ticket/{ticket.pk}/split/{said.pk}/", {"subject": one_line}),
        "details": (f"/admin/tickets/ticket/{ticket.pk}/change/", {"subject": one_line, "description": text}),
    }


PLACES = (
    "edit", "profile", "new for somebody", "saved reply", "new saved reply", "macro", "split", "details",
)  # fmt: skip


def form_of(response):
    context = response.context
    return context["adminform"].form if "adminform" in context else context["form"]


def filled(page) -> dict:
    """What a browser sends of the page's main form."""
    form = form_of(page)
    values = {name: form[name].value() for name in form.fields}
    data = {name: value for name, value in values.items() if value not in (None, False, "", [])}
    html = page.content.decode()
    for name in ("typed_by", "draft_key", "restored", "key"):
        if found := re.findall(f'name="{name}" value="([^"]*)"', html):
            data[name] = found[-1]
    return data


def shown(client, path) -> dict:
    form = form_of(client.get(path))
    return {name: form[name].value() for name in form.fields}


@pytest.mark.parametrize("name", PLACES)
def test_form_sent_after_the_session_ended_comes_back_after_the_login(client_of, ann, ticket, said, name):
    path, typed = places(ticket, said, ann)[name]
    client = client_of(ann)
    data = filled(client.get(path)) | typed
    Session.objects.all().delete()
    before = (Ticket.objects.count(), SavedReply.objects.count())
    refused = client.post(path, data)
    assert "Log in again. What you typed is kept" in client.get(refused.url).content.decode()
    login = client.post(refused.url, {"login": ann.email, "password": PASSWORD})
    assert login.url == path
    page = client.get(path)
    assert {key: form_of(page)[key].value() for key in typed} == typed
    assert re.search(
        r"data-restored[^>]*>Restored your changes from \d\d:\d\d\. Not saved yet: ", page.content.decode()
    )
    assert (Ticket.objects.count(), SavedReply.objects.count()) == before


@pytest.mark.parametrize("name", PLACES)
def test_form_that_is_older_than_the_login_comes_back(client_of, ann, ticket, said, name):
    """A login in another tab replaces the CSRF token."""
    path, typed = places(ticket, said, ann)[name]
    client = Client(enforce_csrf_checks=True)
    client.force_login(ann)
    data = filled(client.get(path)) | typed | {"csrfmiddlewaretoken": "x" * 64}
    refused = client.post(path, data, **OURS)
    assert (refused.status_code, refused.url) == (303, path)
    page = client.get(path)
    assert {key: form_of(page)[key].value() for key in typed} == typed
    assert "You logged in again since this page was opened" in page.content.decode()


@pytest.mark.parametrize("kind", ["reply", "note"])
@pytest.mark.parametrize("place", ["/tickets/{}/", "/admin/tickets/ticket/{}/"])
def test_words_of_a_page_older_than_the_login_come_back_on_the_tickets_page(ann, ticket, kind, place):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ann)
    data = {"body": "typed words", "typed_by": ann.pk, "key": str(uuid.uuid4()), "csrfmiddlewaretoken": "x"}
    data |= {"attachments": upload()}
    refused = client.post(f"{place.format(ticket.pk)}{kind}/", data, **OURS)
    page = client.get(refused.url)
    assert page.context[f"{kind}_form"]["body"].value() == "typed words"
    assert "Your files were not saved. Choose them again." in page.content.decode()
    assert not Comment.objects.exists()


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "http://testserver.evil.example"])
def test_form_of_another_site_leaves_nothing(ann, ticket, unchanged, origin):
    """Else it could write a draft that the person sends without a look."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(ann)
    data = {"body": "words of somebody else", "typed_by": ann.pk, "key": str(uuid.uuid4())}
    sent = {"HTTP_ORIGIN": origin} if origin else {}
    with unchanged():
        for path in (f"/tickets/{ticket.pk}/reply/", f"/tickets/{ticket.pk}/draft/"):
            refused = client.post(path, data | {"kind": "reply"}, **sent)
            assert refused.status_code == 403
            assert "words of somebody else" not in refused.content.decode()


def test_who_is_another_person_now_gets_the_words_to_copy(ann, alice, ticket):
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    data = {"body": "Words of Ann <b>", "typed_by": ann.pk, "csrfmiddlewaretoken": "x", "password": "a b c"}
    refused = client.post(f"/tickets/{ticket.pk}/reply/", data, **OURS)
    assert refused.status_code == 403
    assert "Words of Ann <b>" in unescape(
        re.search(r"(?s)<textarea.*?</textarea>", refused.content.decode()).group()
    )
    assert "a b c" not in refused.content.decode()
    assert not Draft.objects.exists()


@pytest.mark.parametrize("path", ["/tickets/drafts/", "/tickets/{}/draft/"])
def test_draft_is_saved_with_an_old_token_by_who_typed_it_only(ann, alice, ticket, path):
    client = Client(enforce_csrf_checks=True)
    client.force_login(ann)
    kind = "form" if "drafts" in path else "reply"
    data = {"kind": kind, "key": str(uuid.uuid4()), "body": "typed", "field-subject": "typed", "place": "/x/"}
    data |= {"csrfmiddlewaretoken": "x"}
    path = path.format(ticket.pk)
    other = client.post(path, data | {"typed_by": alice.pk}, **OURS)
    assert (other.status_code, Draft.objects.count()) == (409, 0)
    assert "Someone else is logged in here now." in other.content.decode()
    assert client.post(path, data | {"typed_by": ann.pk}, **OURS).status_code == 204
    assert Draft.objects.get().person == ann


def test_draft_saved_without_a_session_waits_for_the_login(client_of, alice, ticket):
    client = client_of(alice)
    Session.objects.all().delete()
    data = {"kind": "reply", "key": str(uuid.uuid4()), "body": "typed", "typed_by": alice.pk}
    for text in ("typed", "typed on"):
        answer = client.post(f"/tickets/{ticket.pk}/draft/", data | {"body": text})
        assert answer.status_code == 200
        assert "You are logged out. What you typed is kept for an hour" in answer.content.decode()
    assert not Draft.objects.exists()
    client.post("/accounts/login/", {"login": alice.email, "password": PASSWORD})
    assert Draft.objects.get().body == "typed on"


def test_older_save_without_a_session_that_arrives_last_changes_nothing(client_of, alice, ticket):
    client = client_of(alice)
    Session.objects.all().delete()
    data = {"kind": "reply", "key": str(uuid.uuid4()), "typed_by": alice.pk}
    for number in (1, 3, 2):
        sent = data | {"body": f"typed {number}", "save": f"1764.5:{number}"}
        assert client.post(f"/tickets/{ticket.pk}/draft/", sent).status_code == 200
    client.post("/accounts/login/", {"login": alice.email, "password": PASSWORD})
    client.post(f"/tickets/{ticket.pk}/draft/", data | {"body": "typed 2", "save": "1764.5:2"})
    assert Draft.objects.get().body == "typed 3"


def test_who_types_for_a_day_stays_logged_in(client_of, ann, ticket):
    """Staff who are away for 8 hours are logged out; a draft that is saved says that somebody is there."""
    with time_machine.travel(timezone.now(), tick=False) as traveller:
        client, key = client_of(ann), str(uuid.uuid4())
        for number in range(4):
            traveller.shift(timedelta(hours=7))
            data = {"kind": "reply", "key": key, "body": f"typed {number}", "typed_by": ann.pk}
            assert client.post(f"/tickets/{ticket.pk}/draft/", data).status_code == 204
        assert client.get("/tickets/").status_code == 200


def test_heading_of_refused_details_is_what_is_stored(client_of, ann, ticket):
    client, path = client_of(ann), f"/admin/tickets/ticket/{ticket.pk}/change/"
    data = filled(client.get(path)) | {"subject": "Typed", "priority": "urgent", "category": "x"}
    page = client.post(path, data)
    assert page.status_code == 200
    heading = re.search(r"<h1[^>]*>(.*?)</h1>", page.content.decode(), re.S).group(1)
    assert "No sound" in heading and "Typed" not in heading
    assert form_of(page)["subject"].value() == "Typed"
    assert (page.context["ticket"].subject, page.context["ticket"].priority) == ("No sound", "normal")


def test_draft_of_somebody_who_never_had_a_session_is_not_kept(alice, ticket):
    answer = Client().post(
        f"/tickets/{ticket.pk}/draft/", {"kind": "reply", "body": "typed", "typed_by": alice.pk}
    )
    assert (answer.status_code, Session.objects.count()) == (401, 0)


def test_draft_of_any_form_is_shown_until_it_is_saved(client_of, alice, ticket):
    client, path, key = client_of(alice), f"/tickets/{ticket.pk}/edit/", str(uuid.uuid4())
    draft = {"kind": "form", "place": path, "key": key, "field-subject": "Typed", "field-version": 1}
    assert client.post("/tickets/drafts/", draft).status_code == 204
    page = client.get(path)
    assert form_of(page)["subject"].value() == "Typed"
    assert form_of(page)["description"].value() == "Silence"
    assert "Not saved yet: Subject." in page.content.decode()
    assert client.post(path, filled(page)).status_code == 302
    ticket.refresh_from_db()
    assert ticket.subject == "Typed"
    assert not Draft.objects.exists()
    assert "data-restored" not in client.get(path).content.decode()


def test_refused_form_keeps_its_draft_and_says_what_is_stored(client_of, alice, ticket):
    client, path = client_of(alice), f"/tickets/{ticket.pk}/edit/"
    data = filled(client.get(path))
    draft = {"kind": "form", "place": path, "key": data["draft_key"], "field-subject": ""}
    client.post("/tickets/drafts/", draft)
    refused = client.post(path, data | {"subject": ""})
    assert refused.status_code == 200
    assert f'value="{data["draft_key"]}"' in refused.content.decode()
    assert 'data-stored="[&quot;No sound&quot;]"' in refused.content.decode()
    assert Draft.objects.count() == 1


def test_two_tabs_have_two_drafts_and_both_are_offered(client_of, alice, ticket):
    client, path = client_of(alice), f"/tickets/{ticket.pk}/edit/"
    keys = [str(uuid.uuid4()) for _number in range(2)]
    for key, text in zip(keys, ("First", "Second"), strict=True):
        draft = {"kind": "form", "place": path, "key": key, "field-subject": text}
        client.post("/tickets/drafts/", draft)
    page = client.get(path)
    assert form_of(page)["subject"].value() == "Second"
    assert "“First”" in page.content.decode()
    assert form_of(client.get(f"{path}?draft={keys[0]}"))["subject"].value() == "First"
    client.post(path, filled(page))
    assert [draft.fields["subject"] for draft in Draft.objects.all()] == ["First"]


def test_restored_words_do_not_replace_what_somebody_saved_since(client_of, alice, ann, ticket):
    client, path = client_of(alice), f"/tickets/{ticket.pk}/edit/"
    draft = {"kind": "form", "place": path, "key": str(uuid.uuid4()), "field-subject": "Mine"}
    client.post("/tickets/drafts/", draft | {"field-version": ticket.version})
    client_of(ann).post(path, filled(client_of(ann).get(path)) | {"subject": "Theirs"})
    conflict = client.post(path, filled(client.get(path)))
    assert conflict.status_code == 409
    content = conflict.content.decode()
    assert "Theirs" in content and "Mine" in content
    assert Draft.objects.count() == 1


def test_nobody_else_sees_a_draft(client_of, alice, ann, ticket):
    path = f"/tickets/{ticket.pk}/edit/"
    draft = {"kind": "form", "place": path, "key": str(uuid.uuid4()), "field-subject": "Mine"}
    client_of(alice).post("/tickets/drafts/", draft)
    assert form_of(client_of(ann).get(path))["subject"].value() == "No sound"


@pytest.mark.parametrize(
    "fields",
    [
        {"field-category": "x"},
        {"field-category": "9" * 40},
        {"field-category": ["1", "2"]},
        {"field-version": "x"},
        {"field-subject": ["a", "b"]},
        {"field-odd": "x"},
        {"field-*": "x"},
    ],
)
@pytest.mark.parametrize(
    "path", ["/admin/tickets/ticket/add/", "/tickets/{}/edit/", "/admin/tickets/macro/add/"]
)
def test_odd_drafts_break_no_page(client_of, ann, ticket, path, fields):
    client, path = client_of(ann), path.format(ticket.pk)
    draft = {"kind": "form", "place": path, "key": str(uuid.uuid4()), **fields}
    assert client.post("/tickets/drafts/", draft).status_code == 204
    assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    "fields", [{"field-a": "x" * 25_001}, {"field-a": "nul\0"}, {f"field-{n}": "x" for n in range(101)}]
)
def test_what_is_too_much_is_not_kept(client_of, alice, fields):
    draft = {"kind": "form", "place": "/accounts/profile/", "key": str(uuid.uuid4()), **fields}
    assert client_of(alice).post("/tickets/drafts/", draft).status_code == 400
    assert not Draft.objects.exists()


def test_password_is_never_kept(client_of, alice):
    client = client_of(alice)
    Session.objects.all().delete()
    data = {
        "draft_key": str(uuid.uuid4()),
        "typed_by": alice.pk,
        "full_name": "A",
        "password1": "secret phrase",
    }
    client.post("/accounts/profile/", data)
    assert "secret phrase" not in str([session.get_decoded() for session in Session.objects.all()])


def test_past_the_most_drafts_the_oldest_goes_and_a_line_says_so(client_of, alice, monkeypatch):
    monkeypatch.setattr(Draft, "MOST", 3)
    client = client_of(alice)
    for number in range(4):
        draft = {"kind": "ticket", "key": str(uuid.uuid4()), "body": f"Text {number}"}
        answer = client.post("/tickets/drafts/", draft)
    assert answer.status_code == 200
    assert answer.content.decode() == "Draft saved. You can keep 3 drafts, so your oldest draft was deleted."
    assert not Draft.objects.filter(body="Text 0").exists()


def test_new_ticket_for_somebody_is_filed_once_for_each_content(client_of, ann, alice):
    client, path = client_of(ann), "/admin/tickets/ticket/add/"
    data = filled(client.get(path)) | {"requester": alice.pk, "subject": "No sound", "description": "Silence"}
    data |= {"category": category().pk, "status": status("new").pk}
    for _time in range(2):
        assert client.post(path, data).status_code == 302
    assert Ticket.objects.count() == 1
    for _time in range(2):
        assert client.post(path, data | {"description": "Something else"}).status_code == 302
    assert set(Ticket.objects.values_list("description", flat=True)) == {"Silence", "Something else"}
    assert Ticket.objects.count() == 2


def test_somebody_new_gets_one_ticket_by_two_clicks(client_of, ann):
    client, path = client_of(ann), "/admin/tickets/ticket/add/"
    data = filled(client.get(path)) | {"requester_email": "nora@example.com", "requester_name": "Nora"}
    data |= {"subject": "x", "description": "x", "category": category().pk, "status": status("new").pk}
    for _time in range(2):
        assert client.post(path, data).status_code == 302
    assert Ticket.objects.get().requester.email == "nora@example.com"


class Forms(HTMLParser):
    """The forms of a page that are sent, as their action and the names and types of their fields."""

    def __init__(self, html: str):
        super().__init__()
        self.found, self.is_open = [], False
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        if tag == "form":
            self.is_open = attributes.get("method") == "post"
            if self.is_open:
                self.found.append((attributes.get("action", ""), {}))
        elif self.is_open and tag in ("input", "textarea"):
            kind = "textarea" if tag == "textarea" else attributes.get("type", "text")
            self.found[-1][1][attributes.get("name")] = kind

    def handle_endtag(self, tag):
        self.is_open = self.is_open and tag != "form"


# One line that is typed in a moment: an address, a number, the name of a view
MOMENTS = (
    "/watchers/",
    "/links/",
    "/decide/",
    "/save-view/",
    "/accounts/email/",
    "/accounts/password/reset/",
)


def test_every_form_with_free_text_keeps_it(client_of, alice, ann, sam, ticket, said):
    """The kind: a new page with a form takes part too, or is named above."""
    done = make_ticket(alice, phase="done")
    cast, left = {"requester": alice, "agent": ann, "supervisor": sam}, []
    browsers = {name: client_of(person) for name, person in cast.items()}
    split = {"split": ("agent", f"/admin/tickets/ticket/{ticket.pk}/split/{said.pk}/")}
    for name, (who, path) in (pages({"new": ticket, "done": done}) | split).items():
        if who is None:
            continue
        page = browsers[who].get(path)
        for action, fields in Forms(page.content.decode()).found if page.status_code == 200 else ():
            is_text = {"text", "textarea", "email", "search"} & set(fields.values())
            is_kept = "typed_by" in fields and fields.keys() & {"draft_key", "submission_key", "key"}
            if is_text and "password" not in fields.values() and not is_kept and not action.endswith(MOMENTS):
                left.append((name, action, sorted(filter(None, fields))))
    assert not left, left
