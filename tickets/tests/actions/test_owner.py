"""An open ticket belongs to nobody, or to somebody who works (THREATS 144; specs/teams-and-levels.md 1.1)."""

import pytest
from django.core.exceptions import ValidationError

from accounts.actor import acting_as
from accounts.models import User
from accounts.roles import Role
from accounts.tests.cast import make_person
from tickets.actions import conversation, macros, merging, silence
from tickets.actions.conversation import Message
from tickets.history import verification
from tickets.models import ActivityLog, Because, Macro, NotStaff, Ticket
from tickets.rules.calendar import today
from tickets.tests.factories import category, make_ticket, status

pytestmark = pytest.mark.django_db

STOPS = {
    "switched off": lambda person: User.objects.filter(pk=person.pk).update(is_active=False),
    "demoted": lambda person: User.groups.through.objects.filter(user=person).delete(),
}


@pytest.fixture
def kim(roles):
    return make_person("Kim Sato", role=Role.AGENT)


def leaves(person) -> None:
    """The person stops working, and nothing of it is noticed: whatever is due has still to happen."""
    User.objects.filter(pk=person.pk).update(is_active=False)


def log_of(ticket) -> list[tuple[str, dict]]:
    rows = ActivityLog.objects.filter(ticket_id=ticket.pk).order_by("pk")
    return list(rows.values_list("verb", "changes"))[1:]


# Who works
def test_works_agrees_with_the_staff_that_the_database_has(alice, ann, sam, root, kim):
    leaves(kim)
    gone = make_person("Uma Root", is_superuser=True)
    leaves(gone)
    people = list(User.objects.all())
    assert {person.pk for person in people if person.works} == set(
        User.objects.staff().values_list("pk", flat=True)
    )
    assert {person.pk for person in people if person.works} == {ann.pk, sam.pk, root.pk}


def test_a_person_who_is_read_again_has_the_role_of_now(ann):
    assert ann.works
    User.groups.through.objects.filter(user=ann).delete()
    ann.refresh_from_db()
    assert not ann.works


# Assigning
@pytest.mark.parametrize("stops", STOPS.values(), ids=STOPS.keys())
def test_an_open_ticket_is_not_given_to_somebody_who_stopped_working(alice, kim, stops):
    """Also where the person was read before: the database is asked."""
    ticket = make_ticket(alice)
    stops(kim)
    with pytest.raises(NotStaff):
        ticket.assign(kim)
    assert log_of(ticket) == []
    assert Ticket.objects.get().assignee is None


def test_T11_assigning_to_a_requester_in_a_shell_saves_and_logs_nothing(alice, bob):
    ticket = make_ticket(alice)
    before = Ticket.objects.values().get()
    with pytest.raises(NotStaff, match="Bob Ortiz"):
        ticket.assign(bob)
    assert Ticket.objects.values().get() == before
    assert log_of(ticket) == []


def test_a_ticket_is_not_filed_for_somebody_who_does_not_work(alice, bob):
    with pytest.raises(NotStaff):
        make_ticket(alice, assignee=bob)
    assert not Ticket.objects.exists()


def test_a_full_save_and_change_are_refused_alike(alice, bob):
    ticket = make_ticket(alice)
    ticket.assignee = bob
    with pytest.raises(NotStaff):
        ticket.save()
    with pytest.raises(NotStaff):
        Ticket.objects.all().change(assignee=bob)
    assert Ticket.objects.get().assignee is None


def test_the_form_says_it_at_the_field(alice, bob):
    ticket = make_ticket(alice)
    ticket.assignee = bob
    with pytest.raises(ValidationError) as refused:
        ticket.full_clean()
    assert list(refused.value.message_dict) == ["assignee"]
    assert "Bob Ortiz" in refused.value.message_dict["assignee"][0]


def test_what_is_done_may_name_anybody(alice, kim):
    ticket = make_ticket(alice, phase="done")
    leaves(kim)
    ticket.assign(kim)
    assert Ticket.objects.get().assignee == kim


def test_a_ticket_that_somebody_left_behind_can_be_edited(alice, ann, kim):
    """The present assignee is no new one; the hand-over takes the ticket from him."""
    ticket = make_ticket(alice, assignee=kim)
    leaves(kim)
    ticket = Ticket.objects.get()
    ticket.priority = "high"
    ticket.full_clean()
    ticket.save()
    assert Ticket.objects.get().priority == "high"


def test_a_macro_that_takes_the_ticket_for_somebody_who_left_changes_nothing(alice, kim, ann):
    ticket = make_ticket(alice)
    macro = Macro.objects.create(title="Mine", priority="high", assigns_to_me=True, owner=ann)
    leaves(kim)
    with pytest.raises(ValidationError):
        macros.apply(macro, ticket, agent=kim, key=ticket.submission_key)
    assert Ticket.objects.get().priority == "normal"


# The default assignee
def test_default_assignee_is_given_and_the_reason_is_kept(alice, kim):
    box = category()
    box.default_assignee = kim
    box.save()
    ticket = make_ticket(alice)
    assert (ticket.assignee, ticket.assigned_because) == (kim, Because.DEFAULT)
    changes = ActivityLog.objects.get(verb="created").changes
    assert (changes["assignee"], changes["assigned_because"]) == ([None, kim.pk], [None, "default"])


@pytest.mark.parametrize("stops", STOPS.values(), ids=STOPS.keys())
def test_default_assignee_who_does_not_work_gets_nothing(alice, kim, stops):
    box = category()
    box.default_assignee = kim
    box.save()
    stops(kim)
    ticket = make_ticket(alice)
    assert (ticket.assignee, ticket.assigned_because) == (None, "")


# Open again
REOPENED = {
    "by reply": lambda ticket, alice, ann: conversation.reply(
        ticket, Message(author=alice, body="It is back")
    ),
    "reopen": lambda ticket, alice, ann: ticket.reopen(),
    "status": lambda ticket, alice, ann: ticket.set_status(status("waiting")),
    "full save": lambda ticket, alice, ann: _save_open(ticket),
    "update_fields": lambda ticket, alice, ann: _save_open(ticket, update_fields=["status"]),
    "macro": lambda ticket, alice, ann: macros.apply(
        Macro.objects.create(title="Go on", status=status("active"), owner=ann),
        ticket,
        agent=ann,
        key=ticket.submission_key,
    ),
}


def _save_open(ticket, **kwargs) -> None:
    ticket.status = status("active")
    ticket.save(**kwargs)


@pytest.mark.parametrize("act", REOPENED.values(), ids=REOPENED.keys())
def test_who_left_loses_the_ticket_in_the_act_that_opens_it_again(alice, ann, kim, act):
    ticket = make_ticket(alice, assignee=kim)
    ticket.close()
    leaves(kim)
    with acting_as(alice):
        act(Ticket.objects.get(), alice, ann)
    ticket = Ticket.objects.get()
    assert not ticket.is_done
    assert (ticket.assignee, ticket.assigned_because) == (None, Because.left(kim.pk))
    moved, given = ActivityLog.objects.filter(verb__in=["status_changed", "assigned"]).order_by("-pk")[:2]
    assert moved.batch == given.batch
    assert list(verification.problems()) == []


def test_who_works_keeps_it_when_it_opens_again(alice, kim):
    ticket = make_ticket(alice, assignee=kim)
    ticket.close()
    ticket.reopen()
    assert Ticket.objects.get().assignee == kim


def test_unmerging_opens_it_again(alice, ann, kim):
    ticket, target = make_ticket(alice, assignee=kim), make_ticket(alice)
    with acting_as(ann):
        merging.merge(ticket, target)
    leaves(kim)
    with acting_as(ann):
        merging.undo(Ticket.objects.get(pk=ticket.pk))
    ticket.refresh_from_db()
    assert not ticket.is_done
    assert ticket.assignee is None
    assert list(verification.problems()) == []


def test_waking_up_changes_nothing_for_who_left(alice, kim):
    """It was open all the time: the hand-over takes it, not the alarm clock."""
    ticket = make_ticket(alice, assignee=kim, phase="waiting", waiting_for="date", wakes_on=today())
    leaves(kim)
    assert silence.wake() == 1
    assert Ticket.objects.get(pk=ticket.pk).assignee == kim


# The reason
def test_reason_lives_no_longer_than_its_assignment(alice, ann, kim):
    ticket = make_ticket(alice)
    ticket.assign(ann, because=Because.TOOK)
    assert log_of(ticket)[-1] == (
        "assigned",
        {"assignee": [None, ann.pk], "assigned_because": [None, "took"]},
    )
    ticket.assign(kim)
    assert Ticket.objects.get().assigned_because == ""
    ticket.assign(ann, because=Because.TOOK)
    ticket.assign(kim, because=Because.TOOK)
    assert Ticket.objects.get().assigned_because == "took"
    ticket = Ticket.objects.get()
    ticket.assignee = ann
    ticket.save()
    assert Ticket.objects.get().assigned_because == ""
    assert list(verification.problems()) == []


def test_a_save_of_something_else_leaves_owner_and_reason(alice, ann, kim):
    """Trap: the fields that a save may change by itself are not written from a stale instance."""
    stale = make_ticket(alice)
    Ticket.objects.get().assign(ann, because=Because.TOOK)
    stale.set_priority("high")
    stale.set_status(status("active"))
    ticket = Ticket.objects.get()
    assert (ticket.assignee, ticket.assigned_because) == (ann, "took")
    assert list(verification.problems()) == []


def test_reason_alone_is_no_change_that_others_notice(alice, ann):
    ticket = make_ticket(alice, assignee=ann)
    before = Ticket.objects.values("public_at", "version").get()
    ticket.assigned_because = Because.REPLY
    ticket.save()
    assert Ticket.objects.values("public_at", "version").get() == before
    assert Ticket.objects.filter(updated_at__gt=before["public_at"]).exists()  # for staff
    assert log_of(ticket) == [("assigned", {"assigned_because": [None, "reply"]})]
    assert list(verification.problems()) == []


def test_ticket_that_was_loaded_in_part_keeps_the_rule(alice, kim):
    ticket = make_ticket(alice, assignee=kim)
    ticket.close()
    leaves(kim)
    part = Ticket.objects.only("status").get()
    part.status = status("active")
    part.save()
    ticket.refresh_from_db()
    assert (ticket.assignee, ticket.version) == (None, 3)
    assert list(verification.problems()) == []


def test_who_leaves_between_the_check_and_the_saving_is_refused_at_the_field(
    client_of, alice, ann, kim, monkeypatch
):
    ticket = make_ticket(alice)
    check, tries = Ticket._validate_owner, []

    def leave_after_the_first(self, stored):
        """In the transaction of the save, which is rolled back: the second time it is so from the start."""
        tries.append(1)
        leaves(kim)
        if len(tries) > 1:
            check(self, stored)

    monkeypatch.setattr(Ticket, "_validate_owner", leave_after_the_first)
    data = {
        "subject": ticket.subject,
        "description": ticket.description,
        "category": ticket.category_id,
        "priority": "high",
        "status": ticket.status_id,
        "assignee": kim.pk,
        "version": 1,
    }
    page = client_of(ann).post(f"/admin/tickets/ticket/{ticket.pk}/change/", data)
    assert page.status_code == 200
    assert "Kim Sato" in page.content.decode()
    assert Ticket.objects.get().priority == "normal"
