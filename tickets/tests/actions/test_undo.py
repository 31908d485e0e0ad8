"""A change of details can be undone for ten seconds: everything is as before, and nobody is emailed."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from accounts.actor import acting_as
from accounts.models import User
from accounts.roles import Role
from tickets.actions import conversation, undoing
from tickets.actions.conversation import Message
from tickets.history import timeline, verification
from tickets.mail.sending.delivery import deliver_due
from tickets.models import ActivityLog, Category, Notification, Status, Ticket
from tickets.reports import figures
from tickets.reports.periods import DAY, Span
from tickets.rules.waiting import Wait
from tickets.tests.factories import category, make_ticket, status

pytestmark = pytest.mark.django_db
NOW = timezone.now().replace(microsecond=0)
UNDO = "/admin/tickets/ticket/undo/"
TOO_LATE = "Too late to undo: the email has already been sent."
CHANGED_AGAIN = "Not undone: the ticket was changed again meanwhile."
# Only these differ after an undo: it is a change too, and lists show that something happened.
MOVES_ON = ("version", "updated_at", "public_at")


def after(seconds: float):
    return time_machine.travel(NOW + timedelta(seconds=seconds), tick=False)


def fields(ticket: Ticket) -> dict:
    values = Ticket.objects.filter(pk=ticket.pk).values().get()
    return {name: value for name, value in values.items() if name not in MOVES_ON}


def details(ticket: Ticket, **changes) -> dict:
    """What the page sends when a detail is changed."""
    ticket = Ticket.objects.get(pk=ticket.pk)
    return {
        "version": ticket.version,
        "status": ticket.status_id,
        "waiting_for": ticket.waiting_for,
        "wakes_on": ticket.wakes_on or "",
        "assignee": ticket.assignee_id or "",
        "priority": ticket.priority,
        "category": ticket.category_id,
        "subject": ticket.subject,
        "description": ticket.description,
        **changes,
    }


def change(client, ticket: Ticket, **changes) -> str:
    """Saves details as the page's script does. Returns what its button "Undo" sends."""
    url, data = f"/admin/tickets/ticket/{ticket.pk}/change/", details(ticket, **changes)
    response = client.post(url, data, headers={"X-Saves-Details": "yes"})
    assert response.status_code == 200, response.content.decode()
    return "".join(re.findall(r'name="undo" value="([^"]+)"', response.content.decode()))


def undo(client, text: str) -> tuple[int, str]:
    response = client.post(UNDO, {"undo": text}, headers={"X-Undo": "details"})
    return response.status_code, response.json()["said"]


@pytest.fixture
def client(client_of, ann):
    return client_of(ann)


@pytest.fixture
def ticket(alice, sam):
    with after(-3600):
        ticket = make_ticket(alice, assignee=sam)
    Notification.objects.all().delete()
    return ticket


# The ten seconds
def test_change_of_details_is_emailed_after_ten_seconds(mailgun, client, ticket):
    with after(0):
        change(client, ticket, priority="high")
    with after(9.9):
        assert deliver_due() == 0
    with after(10):
        assert deliver_due() == 2


@pytest.mark.parametrize("name", ["assign_to", "set_status", "set_priority"])
def test_change_in_the_row_waits_as_long(client, ann, ticket, name):
    values = {"assign_to": ann.pk, "set_status": status("active").pk, "set_priority": "high"}
    seen = {"assign_to": ticket.assignee_id, "set_status": ticket.status_id, "set_priority": "normal"}
    data, before = {"value": values[name], "seen": seen[name]}, fields(ticket)
    url = f"/admin/tickets/ticket/{ticket.pk}/set/{name}/"
    with after(0):
        response = client.post(url, data, headers={"X-Row-Change": "yes"})
        assert set(Notification.objects.values_list("next_try_at", flat=True)) == {
            NOW + timedelta(seconds=10)
        }
        assert undo(client, response.json()["undo"]) == (200, f"#{ticket.pk}: change undone.")
    assert fields(ticket) == before
    assert not Notification.objects.exists()


def test_taking_a_ticket_can_be_undone(client, ann, ticket, mailgun):
    before = fields(ticket)
    with after(0):
        data = {"seen": ticket.assignee_id}
        page = client.post(f"/admin/tickets/ticket/{ticket.pk}/take/", data, follow=True).content.decode()
        (text,) = re.findall(r'name="undo" value="([^"]+)"', page)
        undo(client, text)
    assert fields(ticket) == before
    with after(60):
        assert deliver_due() == 0


def test_other_changes_are_emailed_at_once(ticket, ann):
    """By an email, a job, a reply: nobody is offered to undo those."""
    with after(0), acting_as(ann):
        ticket.set_priority("high")
    assert set(Notification.objects.values_list("next_try_at", flat=True)) == {NOW}


def test_reply_of_the_composer_keeps_its_own_time(client, ticket):
    with after(0):
        data = {"body": "Solved.", "status": status("done").pk}
        client.post(f"/admin/tickets/ticket/{ticket.pk}/reply/", data)
        assert "Undo send" in client.get(f"/admin/tickets/ticket/{ticket.pk}/change/").content.decode()
    assert not ActivityLog.objects.filter(verb="undone").exists()


# As before
def waiting(ticket: Ticket) -> None:
    ticket.set_status(status("waiting"), Wait("requester", (NOW + timedelta(days=5)).date()))
    ticket.remind()


def solved(ticket: Ticket) -> None:
    ticket.close()
    ticket.confirm()


def moved_by_default(ticket: Ticket) -> None:
    """Sam has it, because he is the default assignee of its category."""
    Category.objects.filter(pk=ticket.category_id).update(default_assignee=ticket.assignee_id)
    ticket.assign(ticket.assignee, because="default")


def unassigned_by_hand(ticket: Ticket) -> None:
    """Its category has a default assignee, whom somebody removed."""
    Category.objects.filter(pk=ticket.category_id).update(default_assignee=ticket.assignee_id)
    ticket.assign(None)


def of_a_former_colleague(ticket: Ticket) -> None:
    ticket.close()
    ticket.assignee.set_role(Role.REQUESTER)


def to(phase: str, **values):
    return lambda ticket: {"status": Status.objects.default_for(phase).pk, **values}


def to_other_category(ticket: Ticket) -> dict:
    other = category("Network")
    Category.objects.filter(pk=other.pk).update(default_assignee=User.objects.get(full_name="Ann Weber"))
    return {"category": other.pk}


@pytest.mark.parametrize(
    ("begin", "changes"),
    [
        (None, to("active")),
        (None, to("done")),
        (None, to("waiting", waiting_for="date", wakes_on="2027-06-01")),
        (waiting, to("active")),
        (waiting, to("done")),
        (waiting, lambda ticket: {"waiting_for": "supplier"}),
        (waiting, lambda ticket: {"wakes_on": ""}),
        (solved, to("active")),
        (solved, to("waiting", waiting_for="supplier")),
        (of_a_former_colleague, to("active")),
        (None, lambda ticket: {"assignee": ""}),
        (None, lambda ticket: {"assignee": User.objects.get(full_name="Ann Weber").pk}),
        (moved_by_default, lambda ticket: {"assignee": User.objects.get(full_name="Ann Weber").pk}),
        (moved_by_default, to_other_category),
        (unassigned_by_hand, to_other_category),
        (unassigned_by_hand, lambda ticket: {"category": category("Nobody's").pk}),
        (None, lambda ticket: {"priority": "urgent"}),
        (None, lambda ticket: {"subject": "Another subject", "description": "Another text"}),
        (None, lambda ticket: {**to("done")(ticket), "priority": "low", "assignee": ""}),
    ],
)
def test_everything_is_as_before_and_nobody_is_emailed(mailgun, client, ticket, begin, changes):
    """With what followed from it: when it was solved and confirmed, since when it waits, the reminder, who has it."""
    if begin:
        with after(-1800), acting_as(None):
            begin(Ticket.objects.get(pk=ticket.pk))
        Notification.objects.all().delete()
    before = fields(ticket)
    with after(0):
        text = change(client, ticket, **changes(ticket))
        assert fields(ticket) != before
    with after(9):
        assert undo(client, text) == (200, f"#{ticket.pk}: change undone.")
    assert fields(ticket) == before
    assert not Notification.objects.exists()
    with after(60):
        assert deliver_due() == 0
    assert list(verification.problems()) == []


def test_other_changes_and_their_emails_stay(client, ticket, sam):
    with after(0):
        text = change(client, ticket, priority="high")
    with after(1), acting_as(sam):
        ticket.refresh_from_db()
        ticket.close()
    with after(5):
        assert undo(client, text)[0] == 200
    ticket.refresh_from_db()
    assert (ticket.priority, ticket.phase) == ("normal", "done")
    assert ticket.done_at == NOW + timedelta(seconds=1)
    assert set(Notification.objects.values_list("kind", flat=True)) == {"status_changed"}


def test_search_finds_the_old_words(client, ticket):
    with after(0):
        text = change(client, ticket, subject="Xylophone")
        undo(client, text)
    page = client.get("/admin/tickets/ticket/?q=xylophone").content.decode()
    assert "No tickets match." in page


def test_undo_without_a_change_is_not_offered(client, ticket):
    assert change(client, ticket) == ""


# Refused, in words
def test_it_is_too_late_when_the_email_has_left(mailgun, client, ticket):
    with after(0):
        text = change(client, ticket, priority="high")
    with after(10):
        deliver_due()
    before = fields(ticket)
    with after(11):
        assert undo(client, text) == (409, TOO_LATE)
    assert fields(ticket) == before


@pytest.mark.parametrize("state", ["sending", "sent", "delivered", "bounced", "failed"])
def test_what_a_worker_has_taken_is_not_undone(client, ticket, unchanged, state):
    with after(0):
        text = change(client, ticket, priority="high")
        first = Notification.objects.first()
        Notification.objects.filter(pk=first.pk).update(state=state)
        with unchanged():
            assert undo(client, text) == (409, TOO_LATE)


def test_while_no_email_has_left_it_can_be_undone(client, ticket):
    """Whoever needs longer to reach the button is not punished: what counts is that nobody was told."""
    with after(0):
        text = change(client, ticket, priority="high")
    with after(300):
        assert undo(client, text)[0] == 200


def test_what_somebody_changed_since_stays(client, ticket, sam, unchanged):
    with after(0):
        text = change(client, ticket, priority="high")
    with after(1), acting_as(sam):
        Ticket.objects.get(pk=ticket.pk).set_priority("urgent")
        Ticket.objects.get(pk=ticket.pk).set_priority("high")
    with after(2), unchanged():
        assert undo(client, text) == (409, CHANGED_AGAIN)


def test_status_that_somebody_has_answered_stays(client, ticket, alice):
    with after(-60), acting_as(None):
        ticket.set_status(status("waiting"), Wait("requester"))
    with after(0):
        text = change(client, ticket, status=status("active").pk)
    with after(1), acting_as(alice):
        conversation.reply(ticket, Message(author=alice, body="Here it is."))
    with after(2):
        assert undo(client, text) == (409, CHANGED_AGAIN)


def test_note_does_not_stop_it(client, ticket, sam):
    with after(0):
        text = change(client, ticket, status=status("active").pk)
        with acting_as(sam):
            conversation.note(ticket, Message(author=sam, body="I ask the supplier."))
        assert undo(client, text)[0] == 200


def test_merged_ticket_is_not_opened(client, alice, ticket, unchanged):
    with after(0):
        text = change(client, ticket, status=status("done").pk)
        target = make_ticket(alice)
        with acting_as(None):
            merged = Ticket.objects.get(pk=ticket.pk)
            merged.merged_into = target
            merged.save()
        with unchanged():
            code, words = undo(client, text)
    assert (code, "so it stays solved" in words) == (409, True)


def test_ticket_does_not_go_back_to_a_person_who_stopped_working(client, ticket, ann, sam):
    with after(0):
        text = change(client, ticket, assignee=ann.pk)
        sam.set_role(Role.REQUESTER)
        assert undo(client, text) == (409, "Sam Lindqvist does not work on tickets. Choose someone else.")
    ticket.refresh_from_db()
    assert ticket.assignee == ann


def test_who_may_not_work_any_more_undoes_nothing(client, ticket, ann, unchanged):
    with after(0):
        text = change(client, ticket, priority="high")
    ann.set_role(Role.REQUESTER)
    with after(1), unchanged():
        assert client.post(UNDO, {"undo": text}).status_code == 302
    ticket.refresh_from_db()
    assert ticket.priority == "high"


@pytest.mark.parametrize("make", [str.upper, lambda text: "", lambda text: "a:b:c", lambda text: text + "\0"])
def test_text_that_is_not_ours_is_not_found(client, ticket, unchanged, make):
    with after(0):
        text = make(change(client, ticket, priority="high"))
        with unchanged():
            assert client.post(UNDO, {"undo": text}).status_code == 404


def test_nobody_undoes_what_another_changed(client_of, sam, client, ticket, unchanged):
    with after(0):
        text = change(client, ticket, priority="high")
        other = client_of(sam)
        with unchanged():
            assert other.post(UNDO, {"undo": text}).status_code == 404


def test_deleted_ticket_is_not_found(client, ticket):
    with after(0):
        text = change(client, ticket, priority="high")
        with acting_as(None):
            Ticket.objects.get(pk=ticket.pk).delete()
        assert client.post(UNDO, {"undo": text}).status_code == 404


def test_undoing_twice_does_nothing_more(client, ticket, unchanged):
    with after(0):
        text = change(client, ticket, priority="high")
        undo(client, text)
        with unchanged():
            assert undo(client, text)[0] == 200


# Without a script
def test_message_has_the_button_and_leads_back(client, ticket):
    url = f"/admin/tickets/ticket/{ticket.pk}/change/?_changelist_filters=phase%3Dopen"
    with after(0):
        page = client.post(url, details(ticket, priority="high"), follow=True).content.decode()
        (text,) = re.findall(r'name="undo" value="([^"]+)"', page)
        (action,) = re.findall(rf'formaction="({UNDO}[^"]*)"', page)
        response = client.post(action.replace("&amp;", "&"), {"undo": text}, follow=True)
    assert response.redirect_chain == [(url, 302)]
    assert f"#{ticket.pk}: change undone." in response.content.decode()
    ticket.refresh_from_db()
    assert ticket.priority == "normal"


def test_from_the_queue_it_leads_back_to_the_queue(client, ticket):
    url = f"/admin/tickets/ticket/{ticket.pk}/set/set_priority/?_changelist_filters=phase%3Dopen"
    with after(0):
        page = client.post(url, {"value": "high", "seen": "normal"}, follow=True).content.decode()
        (text,) = re.findall(r'name="undo" value="([^"]+)"', page)
        (action,) = re.findall(rf'formaction="({UNDO}[^"]*)"', page)
        response = client.post(action.replace("&amp;", "&"), {"undo": text})
    assert response.url == "/admin/tickets/ticket/?phase=open"


# The history
def test_history_tells_both_in_one_entry(client, ticket, ann, alice):
    with after(0):
        text = change(client, ticket, status=status("waiting").pk, waiting_for="supplier")
        undo(client, text)
    for reader, name in ((ann, "You"), (alice, "Ann Weber")):
        (_filed, entry) = timeline.entries_for(ticket, reader)
        assert entry.sentences[0] == f"{name} changed the status from Submitted to On Hold."
        assert entry.sentences[-1] == f"{name} undid a change: status."
    row = ActivityLog.objects.get(verb="undone")
    assert row.batch == ActivityLog.objects.get(verb="status_changed").batch
    assert (row.actor, row.source) == (ann, "admin")


def test_why_it_has_its_assignee_is_said_as_before(client, ticket, ann, sam, root):
    with after(-60), acting_as(root):
        Ticket.objects.get(pk=ticket.pk).assign(ann)
        Ticket.objects.get(pk=ticket.pk).assign(sam)
    with after(0):
        undo(client, change(client, ticket, assignee=ann.pk))
        page = client.get(f"/admin/tickets/ticket/{ticket.pk}/change/").content.decode()
    assert "Root Admin assigned this to Sam Lindqvist." in page
    assert ActivityLog.objects.last_assignment(ticket).actor == root


def test_reports_count_no_reopening_that_was_undone(client, ticket):
    with after(-60), acting_as(None):
        ticket.close()
    with after(0):
        text = change(client, ticket, status=status("active").pk)
        span = Span(NOW.date() - DAY, NOW.date() + DAY)
        assert figures.reopened_numbers(span).count() == 1
        undo(client, text)
    assert figures.reopened_numbers(span).count() == 0


def test_only_what_the_page_or_a_row_changes_is_offered(ticket, ann):
    with acting_as(ann):
        ticket.set_priority("high")
    assert ticket.undo == ""
    with acting_as(ann), undoing.undoable(ticket, person=ann):
        ticket.set_priority("low")
    assert [one.ticket_id for one in undoing.read(ticket.undo, person=ann)] == [ticket.pk]
