"""What a person who stops working leaves is handed over (specs/teams-and-levels.md 1.2 to 1.4, T01 to T09)."""

import pytest
from django.contrib.auth.models import Group
from django.db import transaction

from accounts import actor
from accounts.actor import acting_as
from accounts.events import rights_changed
from accounts.models import User
from accounts.roles import Role
from accounts.tests.cast import make_person
from tickets import jobs
from tickets.actions import conversation, handing_over
from tickets.actions.conversation import Message
from tickets.history import verification
from tickets.mail.sending import delivery
from tickets.models import ActivityLog, Because, Handover, MailPreferences, Notification, Ticket
from tickets.models.notification import HANDED_OVER
from tickets.tests.factories import category, make_ticket, status

pytestmark = pytest.mark.django_db
Wish = MailPreferences.Wish


@pytest.fixture
def kim(roles):
    return make_person("Kim Sato", role=Role.AGENT)


@pytest.fixture
def ben(roles):
    return make_person("Ben Adler", role=Role.AGENT)


def stop(person) -> None:
    person.is_active = False
    person.save()


def rename(group) -> None:
    group.name = "former agents"
    group.save()


def notified() -> set[tuple[str, str, str]]:
    return set(Notification.objects.values_list("person__full_name", "kind", "reason"))


def staff_notified() -> set[tuple[str, str, str]]:
    return {row for row in notified() if row[2] != "requester"}


def run_job() -> None:
    (job,) = (job for job in jobs.JOBS if job.name == "hand_over")
    assert job.interval.total_seconds() <= 60
    job.run()


# Filing
def test_T01_nothing_configured_asks_and_mails_nobody(alice, ann, sam, django_assert_num_queries):
    box = category()
    with django_assert_num_queries(11):  # no more than before anybody could leave, and one for mailboxes
        ticket = make_ticket(alice, category=box)
    assert ticket.assignee is None
    assert staff_notified() == set()


# A person stops working
LEAVING = {
    "save": stop,
    "update_fields": lambda person: (setattr(person, "is_active", False), person.save(update_fields=["is_active"])),
    "set_role": lambda person: person.set_role(Role.REQUESTER),
    "groups.set": lambda person: person.groups.set([]),
    "groups.remove": lambda person: person.groups.remove(Group.objects.get(name="agent")),
    "groups.clear": lambda person: person.groups.clear(),
    "reverse remove": lambda person: Group.objects.get(name="agent").user_set.remove(person),
    "reverse clear": lambda person: Group.objects.get(name="agent").user_set.clear(),
    "the group": lambda person: Group.objects.get(name="agent").delete(),
    "the group's name": lambda person: rename(Group.objects.get(name="agent")),
    "update": lambda person: User.objects.filter(pk=person.pk).update(is_active=False),
    "update of all": lambda person: User.objects.exclude(is_superuser=True).update(is_active=False),
    "bulk_update": lambda person: (
        setattr(person, "is_active", False), User.objects.bulk_update([person], ["is_active"])
    ),
}  # fmt: skip


@pytest.mark.parametrize("leave", LEAVING.values(), ids=LEAVING.keys())
def test_every_way_to_stop_working_asks_for_a_handover_once(alice, kim, leave):
    ticket = make_ticket(alice, assignee=kim)
    leave(User.objects.get(pk=kim.pk))
    handover = Handover.objects.get()
    assert (handover.person, handover.asked_by, handover.to, handover.done_at) == (kim, None, None, None)
    run_job()
    ticket.refresh_from_db()
    assert (ticket.assignee, ticket.assigned_because) == (None, f"left:{kim.pk}")


@pytest.mark.parametrize("way", ["save", "update"])
def test_superuser_without_a_staff_role_stops_working(root, way):
    if way == "update":
        User.objects.filter(pk=root.pk).update(is_superuser=False)
    else:
        root.is_superuser = False
        root.save()
    assert Handover.objects.get().person == root


KEPT = {
    "supervisor": lambda person: person.set_role(Role.SUPERVISOR),
    "groups.set": lambda person: person.groups.set([Group.objects.get(name="supervisor")]),
    "superuser": lambda person: (setattr(person, "is_superuser", True), person.save(), person.groups.clear()),
    "another name": lambda person: (setattr(person, "full_name", "Kim S."), person.save()),
    "off and on": lambda person: (stop(person), setattr(person, "is_active", True), person.save()),
    "update": lambda person: User.objects.filter(pk=person.pk).update(is_active=True, full_name="Kim S."),
    "group is saved": lambda person: Group.objects.get(name="agent").save(),
}  # fmt: skip


@pytest.mark.parametrize("change", KEPT.values(), ids=KEPT.keys())
def test_who_still_works_leaves_nothing(alice, kim, change):
    ticket = make_ticket(alice, assignee=kim)
    change(User.objects.get(pk=kim.pk))
    assert not Handover.objects.exists()
    run_job()
    ticket.refresh_from_db()
    assert ticket.assignee == kim


def test_requesters_leave_nothing(alice, bob):
    stop(alice)
    bob.set_role(Role.REQUESTER)
    bob.groups.clear()
    assert not Handover.objects.exists()


def test_rights_changed_is_rung_with_the_person(alice, kim):
    heard = []

    def listen(sender, person, worked, **kwargs):
        heard.append((person.pk, worked and not person.works))

    rights_changed.connect(listen)
    try:
        stop(kim)
        alice.set_role(Role.AGENT)
    finally:
        rights_changed.disconnect(listen)
    assert heard[0] == (kim.pk, True)
    assert set(heard[1:]) == {(alice.pk, False)}


def test_stopping_that_is_rolled_back_leaves_nothing(kim):
    with pytest.raises(RuntimeError), transaction.atomic():
        stop(kim)
        assert Handover.objects.exists()
        raise RuntimeError
    assert not Handover.objects.exists()


def test_person_without_tickets_can_still_be_deleted(kim):
    kim.delete()
    assert not Handover.objects.exists()
    ben = make_person("Ben Adler", role=Role.AGENT)
    stop(ben)
    User.objects.filter(pk=ben.pk).delete()
    assert not Handover.objects.exists()


# The handover
def test_T03_from_a_shell_the_job_gives_everything_to_nobody(alice, kim):
    box = category()
    box.default_assignee = kim
    box.save()
    open_ones = [make_ticket(alice) for _number in range(6)]
    done = [make_ticket(alice, phase="done", assignee=kim) for _number in range(3)]
    stop(kim)
    assert Ticket.objects.filter(assignee=kim).count() == 9  # it is not delayed, and not done in the save
    run_job()
    for ticket in open_ones:
        ticket.refresh_from_db()
        assert (ticket.assignee, ticket.assigned_because) == (None, Because.left(kim.pk))
    for ticket in done:
        ticket.refresh_from_db()
        assert ticket.assignee == kim
    box.refresh_from_db()
    assert box.default_assignee is None
    handover = Handover.objects.get()
    assert handover.done_at is not None
    assert (handover.tickets, handover.categories) == (6, 1)
    rows = ActivityLog.objects.filter(verb="assigned")
    assert {(row.actor, row.source) for row in rows} == {(None, "system")}
    assert {row.batch for row in rows} == {handover.batch}
    assert list(verification.problems()) == []


def test_handover_to_somebody_mails_that_person_once(alice, bob, kim, ben, sam):
    tickets = [make_ticket(person, assignee=kim) for person in (alice, bob, alice)]
    Notification.objects.all().delete()
    with acting_as(sam, source=actor.ADMIN):
        stop(kim)
    Handover.objects.update(to=ben)
    run_job()
    assert set(Ticket.objects.values_list("assignee", flat=True)) == {ben.pk}
    assert notified() == {("Ben Adler", HANDED_OVER, "assignee")}
    assert {row.actor for row in ActivityLog.objects.filter(verb="assigned")} == {sam}
    run_job()
    assert Notification.objects.count() == 1
    assert len(tickets) == Handover.objects.get().tickets


@pytest.mark.parametrize(
    ("who", "why"),
    [
        ("assignee", "because these tickets are now assigned to you."),
        ("category", "because you are notified about new tickets in their categories."),
        ("fallback", "because no one else is notified about their categories."),
    ],
)
def test_the_mail_says_why(alice, kim, ben, sam, mailoutbox, who, why):
    for _number in range(2):
        make_ticket(alice, assignee=kim)
    category().people.add({"assignee": sam, "category": ben, "fallback": kim}[who])
    Notification.objects.all().delete()
    stop(kim)
    if who == "assignee":
        Handover.objects.update(to=ben)
    run_job()
    delivery.deliver_due()
    (mail,) = mailoutbox
    assert mail.to == [{"fallback": sam}.get(who, ben).email]
    assert f"You are receiving this email {why}" in mail.body


def test_the_mail_lists_the_tickets(alice, kim, ben, mailoutbox):
    tickets = [make_ticket(alice, assignee=kim, subject=f"Number {number}") for number in range(30)]
    Notification.objects.all().delete()
    stop(kim)
    Handover.objects.update(to=ben)
    run_job()
    delivery.deliver_due()
    (mail,) = mailoutbox
    assert mail.to == [ben.email]
    assert mail.subject == "30 tickets from Kim Sato are now assigned to you"
    assert "Kim Sato has left. 30 tickets are now assigned to you:" in mail.body
    assert f"#{tickets[0].pk} Number 0" in mail.body
    assert "5 more tickets are in the queue." in mail.body
    assert "/admin/tickets/ticket/?phase=open&who=mine" in mail.body


def test_what_falls_to_nobody_notifies_the_people_of_the_categories_once(alice, kim, ben, sam, mailoutbox):
    category("Email Support").people.add(sam, kim)
    category("Other").people.add(sam, ben)
    for name in ("Email Support", "Email Support", "Other", "Website Support"):
        make_ticket(alice, assignee=kim, category=category(name))
    Notification.objects.all().delete()
    stop(kim)
    run_job()
    assert notified() == {
        ("Sam Lindqvist", HANDED_OVER, "category"),
        ("Ben Adler", HANDED_OVER, "category"),
    }
    delivery.deliver_due()
    subjects = {mail.to[0]: mail.subject for mail in mailoutbox}
    assert subjects == {
        sam.email: "3 tickets from Kim Sato are now unassigned",
        ben.email: "1 ticket from Kim Sato is now unassigned",
    }


def test_wishes_and_the_own_act_are_heeded(alice, kim, ben, sam):
    box = category()
    box.people.add(sam, ben)
    make_ticket(alice, assignee=kim)
    Notification.objects.all().delete()
    MailPreferences.objects.create(person=ben, new_tickets=Wish.OFF)
    with acting_as(sam, source=actor.ADMIN):
        stop(kim)
    run_job()
    assert notified() == set()


def test_daily_mail_waits_for_its_hour(alice, kim, ben):
    make_ticket(alice, assignee=kim)
    Notification.objects.all().delete()
    MailPreferences.objects.create(person=ben, assignments=Wish.DIGEST)
    stop(kim)
    Handover.objects.update(to=ben)
    run_job()
    row = Notification.objects.get()
    assert not row.is_digest
    assert row.next_try_at > row.created_at


def test_who_was_chosen_and_left_too_gets_nothing(alice, kim, ben):
    ticket = make_ticket(alice, assignee=kim)
    stop(kim)
    Handover.objects.filter(person=kim).update(to=ben, default_to=ben)
    stop(ben)
    run_job()
    ticket.refresh_from_db()
    assert ticket.assignee is None


def test_who_is_back_before_it_began_keeps_the_tickets(alice, kim):
    """Raw SQL brought the person back, so nobody took the handover back."""
    ticket = make_ticket(alice, assignee=kim)
    stop(kim)
    User.objects.filter(pk=kim.pk).update(is_active=True)
    run_job()
    ticket.refresh_from_db()
    assert ticket.assignee == kim
    assert Handover.objects.get().done_at is not None


def test_nothing_returns_by_itself(alice, kim):
    ticket = make_ticket(alice, assignee=kim)
    stop(kim)
    run_job()
    kim.is_active = True
    kim.save()
    run_job()
    ticket.refresh_from_db()
    assert ticket.assignee is None
    stop(kim)
    assert Handover.objects.count() == 2


def test_notices_and_watching_are_kept_unless_that_was_chosen(alice, kim, ann):
    category().people.add(kim)
    ticket = make_ticket(alice)
    conversation.watch(ticket, kim)
    stop(kim)
    run_job()
    assert list(category().people.all()) == [kim]
    assert ticket.watchers.count() == 1
    kim.is_active = True
    kim.save()
    stop(kim)
    Handover.objects.open().update(ends_notices=True)
    run_job()
    assert not category().people.exists()
    assert not ticket.watchers.exists()
    assert list(verification.problems()) == []


def test_it_goes_on_where_the_time_was_over(alice, kim, ben, monkeypatch):
    monkeypatch.setattr(handing_over, "BATCH", 2)
    for _number in range(5):
        make_ticket(alice, assignee=kim)
    Notification.objects.all().delete()
    stop(kim)
    Handover.objects.update(to=ben)
    clock = iter(range(5))  # asked before each batch and after each ticket
    monkeypatch.setattr(handing_over.time, "monotonic", lambda: next(clock, 99))
    assert handing_over.hand_over(kim, seconds=10) == 3
    assert Handover.objects.get().done_at is None
    assert not Notification.objects.exists()
    monkeypatch.undo()
    assert handing_over.hand_over() == 2
    assert Handover.objects.get().tickets == 5
    assert notified() == {("Ben Adler", HANDED_OVER, "assignee")}
    assert ActivityLog.objects.filter(verb="assigned").values("batch").distinct().count() == 1


def test_a_ticket_given_while_the_person_was_leaving_is_handed_over_too(alice, kim):
    """Another transaction did not see yet that the person stops working."""
    ticket = make_ticket(alice)
    stop(kim)
    run_job()
    with transaction.atomic():
        sql = "UPDATE tickets_ticket SET assignee_id = %s WHERE id = %s"
        transaction.get_connection().cursor().execute(sql, [kim.pk, ticket.pk])
    run_job()
    ticket.refresh_from_db()
    assert ticket.assignee is None
    assert Handover.objects.count() == 2


# Mail while it waits
def test_T05_before_the_job_ran_a_reply_notifies_the_people_of_the_category(alice, kim, sam):
    category().people.add(sam)
    ticket = make_ticket(alice, assignee=kim)
    stop(kim)
    Notification.objects.all().delete()
    with acting_as(alice):
        conversation.reply(ticket, Message(author=alice, body="Any news?"))
    assert notified() == {("Sam Lindqvist", "replied", "unclaimed")}


def test_T06_who_left_loses_a_done_ticket_when_it_is_reopened_by_a_reply(alice, kim):
    ticket = make_ticket(alice, assignee=kim)
    ticket.close()
    stop(kim)
    run_job()
    ticket.refresh_from_db()
    assert ticket.assignee == kim
    with acting_as(alice):
        conversation.reply(ticket, Message(author=alice, body="It is back"))
    ticket.refresh_from_db()
    assert (ticket.phase, ticket.assignee, ticket.assigned_because) == ("active", None, f"left:{kim.pk}")


def test_T07_supervisors_are_notified_where_nobody_of_the_category_is_left(alice, ann, sam, root):
    category().people.add(ann)
    stop(ann)
    make_ticket(alice)
    assert staff_notified() == {("Sam Lindqvist", "created", "fallback")}


def test_T08_superusers_where_no_supervisor_is_left(alice, ann, sam, root):
    category().people.add(ann)
    stop(ann)
    stop(sam)
    make_ticket(alice)
    assert staff_notified() == {("Root Admin", "created", "fallback")}


def test_T09_people_who_want_no_mail_count_as_notified(alice, ben, sam):
    category().people.add(ben)
    MailPreferences.objects.create(person=ben, new_tickets=Wish.OFF)
    make_ticket(alice)
    assert staff_notified() == set()


@pytest.mark.parametrize("acts", ["reply", "note"])
def test_fallback_is_notified_of_replies_of_the_requester_only(alice, ann, ben, sam, acts):
    category().people.add(ann)
    ticket = make_ticket(alice)
    stop(ann)
    Notification.objects.all().delete()
    if acts == "reply":
        with acting_as(alice):
            conversation.reply(ticket, Message(author=alice, body="Any news?"))
        assert notified() == {("Sam Lindqvist", "replied", "fallback")}
    else:
        with acting_as(ben):
            conversation.note(ticket, Message(author=ben, body="Hm"))
            conversation.reply(ticket, Message(author=ben, body="Soon"))
        assert staff_notified() == set()


def test_no_fallback_where_somebody_has_the_ticket(alice, ann, ben, sam):
    category().people.add(ann)
    stop(ann)
    make_ticket(alice, assignee=ben)
    assert staff_notified() == {("Ben Adler", "created", "assignee")}


def test_default_assignee_who_left_counts_as_configured(alice, kim, sam):
    box = category()
    box.default_assignee = kim
    box.save()
    stop(kim)
    make_ticket(alice)
    assert staff_notified() == {("Sam Lindqvist", "created", "fallback")}


def test_a_watcher_who_left_is_not_notified(alice, kim):
    ticket = make_ticket(alice)
    conversation.watch(ticket, kim)
    stop(kim)
    Notification.objects.all().delete()
    ticket.set_status(status("active"))
    assert {name for name, _kind, _reason in notified()} == {"Alice Moreau"}
