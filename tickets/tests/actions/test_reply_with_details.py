"""Without JavaScript a reply and changed details are sent in one submit: both are saved, or none and both stay."""

import re
import uuid
from html.parser import HTMLParser

import pytest
from django.contrib.sessions.models import Session

from accounts.actor import acting_as
from accounts.tests.cast import PASSWORD
from tickets.actions import conversation, merging
from tickets.actions.conversation import Message
from tickets.models import ActivityLog, Comment, Draft, Macro, Notification, SavedReply, Ticket
from tickets.tests.factories import make_ticket, status

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(alice, ann):
    with acting_as(alice):
        return make_ticket(alice, assignee=ann, description="It is broken.\nSince Monday.")


class Controls(HTMLParser):
    """The controls of a form as a browser without JavaScript sends them: its own, and those that name it."""

    def __init__(self, form: str, page: str):
        super().__init__()
        self.form, self.place, self.sent, self.buttons = form, None, {}, []
        self.select = self.area = None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        at = dict(attrs)
        if tag == "form":
            self.place = at.get("id")
        if tag == "option" and self.select and ("selected" in at or self.select not in self.sent):
            self.sent[self.select] = at.get("value", "")
        if at.get("form", self.place) != self.form:
            return
        if tag == "button":
            self.buttons.append(at)
        elif tag == "input" and at.get("type") not in ("file", "radio") and "name" in at:
            is_box = at.get("type") == "checkbox"
            if not is_box or "checked" in at:
                self.sent[at["name"]] = at.get("value", "on" if is_box else "")
        elif tag == "select":
            self.select = at["name"]
        elif tag == "textarea":
            self.area = at["name"]
            self.sent[self.area] = ""

    def handle_data(self, data):
        if self.area:
            self.sent[self.area] += data

    def handle_endtag(self, tag):
        if tag == "form":
            self.place = None
        elif tag == "select":
            self.select = None
        elif tag == "textarea" and self.area:
            self.sent[self.area] = self.sent[self.area].removeprefix("\n").replace("\n", "\r\n")
            self.area = None


def shown(response) -> dict:
    """What the reply's form on the page would send."""
    return Controls("reply-form", response.content.decode()).sent


def address(ticket, act: str = "change") -> str:
    return f"/admin/tickets/ticket/{ticket.pk}/{act}/"


def opened(client, ticket) -> dict:
    return shown(client.get(address(ticket)))


def stored(ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def test_one_submit_saves_both_in_one_act_and_one_email(client_of, ann, alice, ticket):
    client = client_of(ann)
    form = opened(client, ticket) | {"priority": "high", "body": "On it."}
    assert client.post(address(ticket, "reply"), form).status_code == 302
    assert (stored(ticket).priority, Comment.objects.get().body) == ("high", "On it.")
    rows = ActivityLog.objects.filter(actor=ann)
    assert {row.verb for row in rows} == {"replied", "edited"}
    assert len({row.batch for row in rows}) == 1
    assert len(set(Notification.objects.filter(person=alice, activity__in=rows).values_list("batch"))) == 1
    assert not Draft.objects.exists()


def test_details_that_were_left_alone_are_not_written(client_of, ann, sam, ticket):
    """The kind: somebody else changes the ticket while the reply is typed."""
    client = client_of(ann)
    form = opened(client, ticket) | {"body": "On it."}
    with acting_as(sam):
        stored(ticket).set_priority("urgent")
    assert client.post(address(ticket, "reply"), form).status_code == 302
    assert (stored(ticket).priority, Comment.objects.count()) == ("urgent", 1)
    assert not ActivityLog.objects.filter(actor=ann).exclude(verb="replied").exists()


def test_reply_alone_still_starts_work_on_a_new_ticket(client_of, ann, alice):
    """The status in the details is not the status that the reply sets."""
    fresh, client = make_ticket(alice), client_of(ann)
    form = opened(client, fresh) | {"body": "On it."}
    client.post(address(fresh, "reply"), form)
    assert (stored(fresh).phase, stored(fresh).assignee) == ("active", ann)


def test_chosen_way_to_send_follows_the_details(client_of, ann, ticket):
    client = client_of(ann)
    form = opened(client, ticket) | {"priority": "low", "body": "Done.", "then": "solved"}
    client.post(address(ticket, "reply"), form)
    assert (stored(ticket).priority, stored(ticket).phase) == ("low", "done")


@pytest.mark.parametrize(
    "wrong", [{"subject": " "}, {"status": "999999"}, {"status": "x"}, {"wakes_on": "x"}]
)
def test_refused_details_keep_everything(client_of, ann, ticket, unchanged, wrong):
    client = client_of(ann)
    form = opened(client, ticket) | {"priority": "high", "body": "On it.", **wrong}
    with unchanged():
        response = client.post(address(ticket, "reply"), form)
    assert response.status_code == 200
    assert response.context["adminform"].form.errors
    again = shown(response)
    assert (again["priority"], again["body"]) == ("high", "On it.")
    assert not response.context["reply_form"].errors
    assert client.post(address(ticket, "reply"), again | {name: form_of(ticket)[name] for name in wrong}).url
    assert (stored(ticket).priority, Comment.objects.get().body) == ("high", "On it.")


def form_of(ticket) -> dict:
    return {"subject": ticket.subject, "status": ticket.status_id, "wakes_on": ""}


def test_refused_reply_keeps_the_details(client_of, ann, ticket, unchanged):
    client = client_of(ann)
    form = opened(client, ticket) | {"priority": "high", "subject": "Better", "body": " "}
    with unchanged():
        response = client.post(address(ticket, "reply"), form)
    again = shown(response)
    assert (again["priority"], again["subject"]) == ("high", "Better")
    assert response.context["reply_form"].errors
    assert f"#{ticket.pk} {ticket.subject} · " in response.content.decode()  # the head says what is stored
    client.post(address(ticket, "reply"), again | {"body": "Now."})
    assert (stored(ticket).priority, stored(ticket).subject) == ("high", "Better")


def test_reply_that_asks_first_keeps_the_details(client_of, ann, sam, ticket):
    client = client_of(ann)
    form = opened(client, ticket) | {"priority": "high", "body": "On it."}
    with acting_as(sam):
        conversation.reply(stored(ticket), Message(author=sam, body="I was faster."))
    response = client.post(address(ticket, "reply"), form)
    assert response.status_code == 409
    assert stored(ticket).priority == "normal"
    again = shown(response)
    assert (again["priority"], again["body"]) == ("high", "On it.")
    assert client.post(address(ticket, "reply"), again).status_code == 302
    assert stored(ticket).priority == "high"


def test_detail_that_others_changed_too_shows_both_and_loses_nothing(client_of, ann, sam, ticket):
    client = client_of(ann)
    form = opened(client, ticket) | {"priority": "high", "body": "On it."}
    with acting_as(sam):
        stored(ticket).set_priority("urgent")
    response = client.post(address(ticket, "reply"), form)
    assert response.status_code == 409
    assert [conflict.label for conflict in response.context["conflicts"]] == ["Priority"]
    assert not Comment.objects.exists()
    assert opened(client, ticket)["body"] == "On it."  # "Discard my changes"
    mine = {name: value for name, value in response.context["typed"] if name != "csrfmiddlewaretoken"}
    assert client.post(address(ticket, "reply"), mine).status_code == 302
    assert (stored(ticket).priority, Comment.objects.get().body) == ("high", "On it.")


def test_twice_sent_is_once_said(client_of, ann, ticket):
    client = client_of(ann)
    form = opened(client, ticket) | {"priority": "high", "body": "On it."}
    for _time in range(2):
        assert client.post(address(ticket, "reply"), form).status_code == 302
    assert Comment.objects.count() == 1


def test_save_changes_keeps_the_reply(client_of, ann, ticket):
    client = client_of(ann)
    page = client.get(address(ticket)).content.decode()
    button = next(one for one in Controls("reply-form", page).buttons if one.get("name") == "_save")
    form = opened(client, ticket) | {"priority": "high", "body": "Half a"}
    response = client.post(button["formaction"], form, follow=True)
    assert stored(ticket).priority == "high"
    assert shown(response)["body"] == "Half a"
    assert not Comment.objects.exists()
    refused = client.post(button["formaction"], shown(response) | {"subject": " "})
    assert refused.context["adminform"].form.errors
    assert shown(refused)["body"] == "Half a"


def test_macro_and_saved_reply_keep_the_details(client_of, ann, ticket):
    client = client_of(ann)
    greeting = SavedReply.objects.create(owner=ann, title="Greeting", body="Hello")
    form = opened(client, ticket) | {"priority": "high", "saved_reply": greeting.pk}
    again = shown(client.post(address(ticket, "saved-replies"), form))
    assert (again["priority"], again["body"]) == ("high", "Hello")
    macro = Macro.objects.create(owner=ann, title="Solve", status=status("done"))
    client.post(address(ticket, "macro"), again | {"macro": macro.pk})
    draft = Draft.objects.get(kind="details")
    assert draft.fields == {"priority": "high"}
    assert stored(ticket).phase == "done"
    assert opened(client, ticket)["priority"] == "high"


def test_draft_of_the_details_ends_with_the_reply(client_of, ann, ticket):
    client, other = client_of(ann), uuid.uuid4()
    Draft.objects.keep(person=ann, ticket=ticket, kind="details", body="", fields={"priority": "high"})
    form = opened(client, ticket) | {"body": "On it."}
    Draft.objects.keep(
        person=ann, ticket=ticket, kind="details", body="", fields={"priority": "low"}, key=other
    )
    assert form["priority"] == "high"
    client.post(address(ticket, "reply"), form)
    assert stored(ticket).priority == "high"
    assert [draft.key for draft in Draft.objects.all()] == [other]


def test_after_the_session_both_wait_for_the_login(client_of, ann, ticket):
    client = client_of(ann)
    form = opened(client, ticket) | {"priority": "high", "body": "On it."}
    Session.objects.all().delete()
    refused = client.post(address(ticket, "reply"), form)
    login = client.post(refused.url, {"login": ann.email, "password": PASSWORD})
    again = shown(client.get(login.url))
    assert (again["priority"], again["body"]) == ("high", "On it.")
    assert not Comment.objects.exists()


@pytest.mark.parametrize("mark", ["", "priority", "priority:zz nonsense:1 :", "\0", "x" * 10_000])
def test_odd_marks_break_nothing(client_of, ann, ticket, mark):
    form = opened(client_of(ann), ticket) | {"details_shown": mark, "body": "On it."}
    assert client_of(ann).post(address(ticket, "reply"), form).status_code == 302
    assert Comment.objects.count() == 1


def test_requester_and_outsider_change_no_details(client_of, alice, charlie, ann, ticket):
    form = opened(client_of(ann), ticket) | {"priority": "high", "body": "Hello"}
    for person in (alice, charlie):
        client_of(person).post(address(ticket, "reply"), form)
        client_of(person).post(f"/tickets/{ticket.pk}/reply/", form)
    assert stored(ticket).priority == "normal"


def test_merged_ticket_has_a_form_of_its_own(client_of, ann, alice, ticket):
    with acting_as(ann):
        merging.merge(ticket, make_ticket(alice))
    page = client_of(ann).get(address(ticket)).content.decode()
    assert 'form="reply-form"' not in re.sub(r'<input type="hidden" name="seen"[^>]*>', "", page)


def test_details_on_the_page_of_a_refused_reply_have_their_own_address(client_of, ann, ticket):
    page = client_of(ann).post(address(ticket, "reply"), {"body": ""}).content.decode()
    assert re.search(rf'id="ticket_form" novalidate\s+action="{address(ticket)}', page)
