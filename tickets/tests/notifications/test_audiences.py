"""Whom an event means, and who of them may know: audiences asked directly, one answer for each rule."""

import pytest

from accounts.actor import acting_as
from accounts.models import User
from accounts.roles import Role
from accounts.tests.cast import make_person
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.models import ActivityLog, Category, MailPreferences, MutedTicket
from tickets.notifications import audiences
from tickets.notifications.audiences import Facts, kinds_for, may_still_be_notified, recipients
from tickets.rules.events import Audience, Verb
from tickets.tests.factories import category, make_ticket, status

pytestmark = pytest.mark.django_db
REQUESTER, ASSIGNEE, CATEGORY = Audience.REQUESTER, Audience.ASSIGNEE, Audience.CATEGORY
UNCLAIMED, WATCHER, FORMER, FALLBACK = (
    Audience.UNCLAIMED, Audience.WATCHER, Audience.FORMER, Audience.FALLBACK,
)  # fmt: skip


@pytest.fixture
def kim(roles):
    """The assignee."""
    return make_person("Kim Sato", role=Role.AGENT)


@pytest.fixture
def lee(roles):
    """Told about new tickets of the category "Other"."""
    lee = make_person("Lee Park", role=Role.AGENT)
    category().people.add(lee)
    return lee


@pytest.fixture
def ticket(alice, lee):
    return make_ticket(alice)


def asked(verb, ticket, actor, **changes) -> dict:
    """{first name: audience}"""
    facts = {"requester": ticket.requester_id, "assignee": ticket.assignee_id, "category": ticket.category_id}
    facts = Facts(ticket.pk, **(facts | changes))
    return by_name(recipients(verb, actor_id=actor and actor.pk, facts=facts))


def by_name(notified: dict) -> dict:
    return {person.full_name.split()[0]: audience for person, audience in notified.items()}


def leave(person) -> None:
    User.objects.filter(pk=person.pk).update(is_active=False)


def test_who_files_gets_the_receipt_and_who_files_for_another_does_not(ticket, alice, ann):
    assert asked(Verb.CREATED, ticket, alice) == {"Alice": REQUESTER, "Lee": CATEGORY}
    assert asked(Verb.CREATED, ticket, ann) == {"Alice": REQUESTER, "Lee": CATEGORY}
    assert asked(Verb.CREATED, ticket, ann, assignee=ann.pk) == {"Alice": REQUESTER, "Lee": CATEGORY}
    assert asked(Verb.CREATED, ticket, None) == {"Alice": REQUESTER, "Lee": CATEGORY}


def test_new_ticket_with_an_assignee_tells_both(ticket, alice, kim):
    notified = asked(Verb.CREATED, ticket, alice, assignee=kim.pk)
    assert notified == {"Alice": REQUESTER, "Kim": ASSIGNEE, "Lee": CATEGORY}


def test_who_is_notified_for_two_reasons_is_notified_for_the_first(ticket, alice, lee):
    assert asked(Verb.CREATED, ticket, alice, assignee=lee.pk) == {"Alice": REQUESTER, "Lee": ASSIGNEE}


def test_where_nobody_of_the_category_works_supervisors_are_notified(ticket, alice, kim, lee, sam):
    leave(lee)
    assert asked(Verb.CREATED, ticket, alice) == {"Alice": REQUESTER, "Sam": FALLBACK}
    assert asked(Verb.CREATED, ticket, alice, assignee=kim.pk) == {"Alice": REQUESTER, "Kim": ASSIGNEE}
    assert asked(Verb.REPLIED, ticket, alice) == {"Sam": FALLBACK}
    assert asked(Verb.REPLIED, ticket, alice, assignee=lee.pk) == {"Sam": FALLBACK}


def test_one_who_works_is_enough(ticket, alice, ann, lee, sam):
    leave(lee)
    category().people.add(ann)
    assert asked(Verb.CREATED, ticket, alice) == {"Alice": REQUESTER, "Ann": CATEGORY}


def test_default_assignee_who_works_is_enough(ticket, alice, kim, lee, sam):
    leave(lee)
    Category.objects.filter(pk=ticket.category_id).update(default_assignee=kim)
    assert asked(Verb.CREATED, ticket, alice) == {"Alice": REQUESTER}


def test_category_that_names_nobody_has_nobody_to_stand_in_for(alice, sam):
    ticket = make_ticket(alice, category=category("Email Support"))
    assert asked(Verb.CREATED, ticket, alice) == {"Alice": REQUESTER}


def test_reply_of_the_requester(ticket, alice, bob, kim):
    conversation.watch(ticket, bob)
    assert asked(Verb.REPLIED, ticket, alice) == {"Bob": WATCHER, "Lee": UNCLAIMED}
    assert asked(Verb.REPLIED, ticket, alice, assignee=kim.pk) == {"Kim": ASSIGNEE, "Bob": WATCHER}
    assert asked(Verb.REPLIED, ticket, bob) == {"Alice": REQUESTER, "Lee": UNCLAIMED}


def test_reply_of_staff_is_no_news_for_who_wait_for_one(ticket, ann, lee):
    assert asked(Verb.REPLIED, ticket, ann) == {"Alice": REQUESTER}
    leave(lee)
    assert asked(Verb.REPLIED, ticket, ann) == {"Alice": REQUESTER}


def test_staff_on_their_own_ticket_are_requesters(ann, lee):
    assert asked(Verb.REPLIED, make_ticket(ann), ann) == {"Lee": UNCLAIMED}


def test_assignee_who_works_no_more_is_stood_in_for(ticket, alice, kim):
    kim.set_role(Role.REQUESTER)
    assert asked(Verb.REPLIED, ticket, alice, assignee=kim.pk) == {"Lee": UNCLAIMED}


def test_note_reaches_staff_alone(ticket, ann, bob, kim):
    for person in (bob, kim):
        conversation.watch(ticket, person)
    assert asked(Verb.NOTED, ticket, ann) == {"Kim": WATCHER, "Lee": UNCLAIMED}
    assert asked(Verb.NOTED, ticket, ann, assignee=kim.pk) == {"Kim": ASSIGNEE}


def test_change_of_status_reaches_watchers_and_an_edit_does_not(ticket, ann, bob):
    conversation.watch(ticket, bob)
    assert asked(Verb.STATUS_CHANGED, ticket, ann) == {"Alice": REQUESTER, "Bob": WATCHER}
    assert asked(Verb.EDITED, ticket, ann) == {"Alice": REQUESTER}


def test_move_tells_who_did_not_know_of_it(ticket, alice, ann, kim, sam):
    mail = category("Email Support")
    mail.people.add(kim)
    moved = {"category": mail.pk, "former_category": ticket.category_id, "former_assignee": sam.pk}
    assert asked(Verb.EDITED, ticket, ann, **moved) == {
        "Alice": REQUESTER, "Sam": FORMER, "Kim": CATEGORY,
    }  # fmt: skip
    category().people.add(kim)
    assert asked(Verb.EDITED, ticket, ann, **moved) == {"Alice": REQUESTER, "Sam": FORMER}


def test_move_to_a_category_where_nobody_works_notifies_once(ticket, ann, kim, lee, sam):
    mail = category("Email Support")
    mail.people.add(kim)
    leave(kim)
    moved = {"category": mail.pk, "former_category": ticket.category_id}
    assert asked(Verb.EDITED, ticket, ann, **moved) == {"Alice": REQUESTER, "Sam": FALLBACK}
    leave(lee)
    assert asked(Verb.EDITED, ticket, ann, **moved) == {"Alice": REQUESTER}


@pytest.mark.parametrize(
    ("phase", "notified"), [("active", {"Alice", "Lee", "Sam"}), ("done", {"Alice", "Sam"})]
)
def test_move_of_a_ticket_that_is_done_is_quiet(alice, ann, lee, sam, phase, notified):
    ticket = make_ticket(alice, category=category("Email Support"), phase=phase, assignee=sam)
    ticket.category = category()
    with acting_as(ann):
        ticket.save()
    activity = ActivityLog.objects.filter(verb=Verb.EDITED).first()
    assert set(by_name(audiences.recipients_for(activity))) == notified


def test_nobody_is_notified_that_nobody_is_assigned(alice, ann, kim):
    ticket = make_ticket(alice, assignee=kim)
    with acting_as(ann):
        ticket.assign(None)
    activity = ActivityLog.objects.filter(verb=Verb.ASSIGNED).first()
    assert audiences.recipients_for(activity) == {}
    facts = [Facts(ticket.pk, alice.pk, None, None), Facts(ticket.pk, alice.pk, kim.pk, None)]
    none, both = audiences.recipients_of_many(Verb.ASSIGNED, facts, actor=ann)
    assert (none, by_name(both)) == ({}, {"Alice": REQUESTER, "Kim": ASSIGNEE})


def test_muted_ticket_and_a_wish_for_none_tell_nobody(ticket, alice, ann, bob):
    conversation.watch(ticket, bob)
    MutedTicket.objects.create(ticket=ticket, person=bob)
    assert asked(Verb.STATUS_CHANGED, ticket, ann) == {"Alice": REQUESTER}
    MailPreferences.objects.create(person=alice, statuses=MailPreferences.Wish.OFF)
    assert asked(Verb.STATUS_CHANGED, ticket, ann) == {}
    assert asked(Verb.REPLIED, ticket, ann) == {"Alice": REQUESTER}


def test_people_who_are_gone_are_not_notified(ticket, alice, ann, kim):
    leave(alice)
    assert asked(Verb.EDITED, ticket, ann, assignee=kim.pk) == {"Kim": ASSIGNEE}
    kim.set_role(Role.REQUESTER)
    assert asked(Verb.EDITED, ticket, ann, assignee=kim.pk) == {}


def test_requester_of_another_ticket_is_no_requester(ticket, alice, bob):
    """may_be_told() looks at the ticket as it is now."""
    facts = Facts(ticket.pk, alice.pk, None, None)
    assert audiences.may_be_notified(alice, REQUESTER, verb=Verb.REPLIED, facts=facts)
    assert not audiences.may_be_notified(bob, REQUESTER, verb=Verb.REPLIED, facts=facts)
    assert not audiences.may_be_notified(alice, REQUESTER, verb=Verb.NOTED, facts=facts)
    assert not audiences.may_be_notified(alice, ASSIGNEE, verb=Verb.REPLIED, facts=facts)


def test_what_is_handed_over_notifies_assignees_and_categories(ticket, ann, kim, lee):
    given = {"assignees": [kim.pk, ann.pk], "categories": [ticket.category_id]}
    notified = audiences.recipients_of_handover(**given, actor=None)
    assert by_name(notified) == {"Kim": ASSIGNEE, "Ann": ASSIGNEE, "Lee": CATEGORY}
    assert by_name(audiences.recipients_of_handover(**given, actor=ann)) == {"Kim": ASSIGNEE, "Lee": CATEGORY}
    notified = audiences.recipients_of_handover(**given | {"assignees": [lee.pk]}, actor=None)
    assert by_name(notified) == {"Lee": ASSIGNEE}


def test_handover_counts_on_nobody_who_leaves(ticket, ann, lee, sam):
    given = {"assignees": [], "categories": [ticket.category_id]}
    assert by_name(audiences.recipients_of_handover(**given, actor=ann, leaver=lee)) == {"Sam": FALLBACK}


def test_follow_up_is_a_new_ticket_of_its_category(ticket, alice, kim):
    assert by_name(audiences.recipients_of_follow_up(ticket, actor=alice)) == {
        "Alice": REQUESTER, "Lee": CATEGORY,
    }  # fmt: skip
    ticket.category.default_assignee = kim
    notified = audiences.recipients_of_follow_up(ticket, actor=alice)
    assert by_name(notified) == {"Alice": REQUESTER, "Kim": ASSIGNEE, "Lee": CATEGORY}


def test_follow_up_that_staff_file_for_its_requester(ticket, alice, ann):
    notified = audiences.recipients_of_follow_up(ticket, actor=ann, requester=alice)
    assert by_name(notified) == {"Alice": REQUESTER, "Lee": CATEGORY}


def test_who_is_left_out_by_the_author_is_not_notified(ticket, alice, bob, ann):
    conversation.watch(ticket, bob)
    with acting_as(ann):
        conversation.reply(ticket, Message(author=ann, body="Soon.", not_emailed=[alice]))
    activity = ActivityLog.objects.get(verb=Verb.REPLIED)
    assert activity.changes["not_emailed"] == [None, [alice.pk]]
    assert by_name(audiences.recipients_for(activity)) == {"Bob": WATCHER}


def test_acts_on_many_tickets_notify_as_each_alone(ticket, alice, bob, ann, kim):
    other = make_ticket(bob, assignee=kim)
    with acting_as(ann):
        for one in (ticket, other):
            conversation.note(one, Message(author=ann, body="Ask the supplier."))
            one.assign(None)
            one.assign(kim)
            one.set_status(status("active"))
    gone = make_ticket(alice)
    with acting_as(ann):
        gone.delete()
    rows = list(ActivityLog.objects.filter(actor=ann).order_by("pk"))
    each = [by_name(audiences.recipients_for(row)) for row in rows]
    assert [by_name(notified) for notified in audiences.recipients_for_all(rows)] == each
    assert {"Alice": REQUESTER, "Kim": ASSIGNEE} in each
    assert {} in each


def test_kinds_are_those_that_a_person_can_get(alice, ann):
    assert kinds_for(ann) == list(MailPreferences.KINDS)
    assert set(MailPreferences.KINDS) - set(kinds_for(alice)) == {"notes", "new_tickets"}


# Asked again when the email leaves
def test_watcher_who_watches_no_more_may_not_be_notified(ticket, ann, bob):
    conversation.watch(ticket, bob)
    with acting_as(ann):
        ticket.set_status(status("waiting"))
    activity = ActivityLog.objects.filter(verb=Verb.STATUS_CHANGED).first()
    assert may_still_be_notified(bob, WATCHER, activity)
    assert may_still_be_notified(ann, WATCHER, activity)
    ticket.watchers.get(person=bob).delete()
    assert not may_still_be_notified(bob, WATCHER, activity)


def test_who_was_staff_may_not_be_notified_of_a_note(ticket, ann, kim):
    conversation.watch(ticket, kim)
    conversation.note(ticket, Message(author=ann, body="Ask the supplier."))
    activity = ActivityLog.objects.filter(verb=Verb.NOTED).first()
    assert may_still_be_notified(kim, WATCHER, activity)
    kim.set_role(Role.REQUESTER)
    assert not may_still_be_notified(User.objects.get(pk=kim.pk), WATCHER, activity)


def test_deleted_ticket_notifies_its_last_people(ticket, alice, bob, sam):
    with acting_as(sam):
        ticket.delete()
    activity = ActivityLog.objects.filter(verb=Verb.DELETED).first()
    assert by_name(audiences.recipients_for(activity)) == {"Alice": REQUESTER}
    assert may_still_be_notified(alice, REQUESTER, activity)
    assert not may_still_be_notified(bob, REQUESTER, activity)
    earlier = ActivityLog.objects.filter(verb=Verb.CREATED).first()
    assert may_still_be_notified(alice, REQUESTER, earlier)
    leave(alice)
    assert not may_still_be_notified(User.objects.get(pk=alice.pk), REQUESTER, earlier)
