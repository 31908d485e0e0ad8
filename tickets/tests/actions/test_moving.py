"""A ticket that moves to another category: whose it is then, and who is told (specs/teams-and-levels.md 1.5)."""

import pytest

from accounts.actor import acting_as
from accounts.roles import Role
from accounts.tests.cast import make_person
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.history import owner_words, timeline, verification
from tickets.mail.sending import delivery
from tickets.models import Because, Notification, Ticket
from tickets.tests.factories import category, make_ticket

pytestmark = pytest.mark.django_db
OLD, NEW = "Email Support", "Website Support"


@pytest.fixture
def kim(roles):
    return make_person("Kim Sato", role=Role.AGENT)


@pytest.fixture
def ben(roles):
    return make_person("Ben Adler", role=Role.AGENT)


def default(name: str, person) -> None:
    box = category(name)
    box.default_assignee = person
    box.save()


def move(ticket, by, **others) -> Ticket:
    Notification.objects.all().delete()
    ticket = Ticket.objects.get(pk=ticket.pk)
    ticket.category = category(NEW)
    for name, value in others.items():
        setattr(ticket, name, value)
    with acting_as(by):
        ticket.save()
    return Ticket.objects.get(pk=ticket.pk)


def notified() -> set[tuple[str, str, str]]:
    return set(Notification.objects.values_list("person__full_name", "kind", "reason"))


def staff_notified() -> set[tuple[str, str, str]]:
    return {row for row in notified() if row[2] != "requester"}


# Whose it is
def test_nobodys_ticket_gets_the_default_assignee_of_the_new_category(alice, kim, sam):
    ticket = make_ticket(alice, category=category(OLD))
    default(NEW, kim)
    ticket = move(ticket, sam)
    assert (ticket.assignee, ticket.assigned_because) == (kim, Because.DEFAULT)
    assert list(verification.problems()) == []


def test_default_assignee_who_never_acted_gives_it_on(alice, kim, ben, sam):
    default(OLD, kim)
    default(NEW, ben)
    ticket = make_ticket(alice, category=category(OLD))
    ticket = move(ticket, sam)
    assert (ticket.assignee, ticket.assigned_because) == (ben, Because.DEFAULT)
    assert staff_notified() == {
        ("Ben Adler", "edited", "assignee"),
        ("Ben Adler", "assigned", "assignee"),
        ("Kim Sato", "edited", "former"),
    }


def test_or_to_nobody_where_there_is_no_other(alice, kim, sam):
    default(OLD, kim)
    ticket = make_ticket(alice, category=category(OLD))
    ticket = move(ticket, sam)
    assert (ticket.assignee, ticket.assigned_because) == (None, Because.MOVED)
    assert staff_notified() == {("Kim Sato", "edited", "former")}
    assert owner_words.why_assigned(ticket, reader=sam) == "Moved to Website Support."


KEPT = {
    "acted": lambda ticket, kim, sam: conversation.note(ticket, Message(author=kim, body="Hm")),
    "by hand": lambda ticket, kim, sam: (ticket.assign(None), ticket.assign(kim)),
    "took": lambda ticket, kim, sam: (ticket.assign(None), ticket.assign(kim, because=Because.TOOK)),
}


@pytest.mark.parametrize("before", KEPT.values(), ids=KEPT.keys())
def test_who_acted_or_was_chosen_keeps_it(alice, kim, ben, sam, before):
    default(OLD, kim)
    default(NEW, ben)
    ticket = make_ticket(alice, category=category(OLD))
    with acting_as(kim if before is KEPT["acted"] else sam):
        before(ticket, kim, sam)
    assert move(ticket, sam).assignee == kim


def test_an_assignee_chosen_in_the_same_act_wins(alice, kim, ben, ann, sam):
    default(OLD, kim)
    default(NEW, ben)
    ticket = make_ticket(alice, category=category(OLD))
    ticket = move(ticket, sam, assignee=ann)
    assert (ticket.assignee, ticket.assigned_because) == (ann, "")
    ticket = make_ticket(alice, category=category(OLD))
    assert move(ticket, sam, assignee=None).assignee is None


def test_a_done_ticket_stays_whose_it_is_and_is_no_news(alice, kim, ben, sam):
    default(OLD, kim)
    default(NEW, ben)
    category(NEW).people.add(ben)
    ticket = make_ticket(alice, category=category(OLD))
    ticket.close()
    assert move(ticket, sam).assignee == kim
    assert staff_notified() == {("Kim Sato", "edited", "assignee")}


def test_a_default_assignee_who_left_gets_nothing(alice, kim, sam):
    ticket = make_ticket(alice, category=category(OLD))
    default(NEW, kim)
    kim.is_active = False
    kim.save()
    assert move(ticket, sam).assignee is None


# Who is told
def test_people_of_the_new_category_are_notified_as_of_a_new_ticket(alice, kim, ben, ann, sam, mailoutbox):
    category(OLD).people.add(kim, ann)
    category(NEW).people.add(ben, ann, sam)
    ticket = make_ticket(alice, category=category(OLD), subject="Old phone number")
    move(ticket, sam)
    assert staff_notified() == {("Ben Adler", "edited", "category")}  # ann was told when it was filed
    delivery.deliver_due()
    (mail,) = (mail for mail in mailoutbox if mail.to == [ben.email])
    assert "A ticket from Alice Moreau was moved here from Email Support." in mail.body
    assert ticket.description in mail.body


def test_requester_who_moves_it_tells_the_same(alice, ben):
    category(NEW).people.add(ben)
    ticket = make_ticket(alice, category=category(OLD))
    move(ticket, alice)
    assert notified() == {("Ben Adler", "edited", "category")}


def test_supervisors_are_notified_where_nobody_of_the_new_category_is_left(alice, kim, ann, sam):
    category(NEW).people.add(kim)
    ticket = make_ticket(alice, category=category(OLD))
    kim.is_active = False
    kim.save()
    move(ticket, ann)
    assert staff_notified() == {("Sam Lindqvist", "edited", "fallback")}


def test_wishes_about_new_tickets_decide(alice, ben, sam):
    from_mail = Notification.objects
    category(NEW).people.add(ben)
    ben.mail_preferences = None
    ticket = make_ticket(alice, category=category(OLD))
    move(ticket, sam)
    assert from_mail.get(person=ben).reason == "category"


# Why
def test_sentences_say_why_it_is_whose(alice, kim, ben, sam):
    default(OLD, kim)
    ticket = make_ticket(alice, category=category(OLD))
    assert (
        owner_words.why_assigned(ticket, reader=sam)
        == "New tickets in Email Support are assigned to Kim Sato."
    )
    with acting_as(sam):
        ticket.assign(ben)
    assert owner_words.why_assigned(ticket, reader=ben) == "Sam Lindqvist assigned this to you."
    assert owner_words.why_assigned(ticket, reader=sam) == "You assigned this to Ben Adler."
    with acting_as(kim):
        ticket.assign(kim, because=Because.TOOK)
    assert owner_words.why_assigned(ticket, reader=sam) == "Self-assigned."
    ticket.assign(ben, because=Because.left(kim.pk))
    assert owner_words.why_assigned(ticket, reader=sam) == "From Kim Sato, who has left."
    ticket.assign(None)
    assert owner_words.why_assigned(ticket, reader=sam) == ""


def test_who_filed_it_did_not_choose_the_assignee_of_before_there_were_reasons(alice, kim, sam):
    ticket = make_ticket(alice, assignee=kim)
    assert owner_words.why_assigned(ticket, reader=sam) == ""


def test_page_and_mail_of_staff_say_it_and_nothing_of_requesters(client_of, alice, kim, ben, sam, mailoutbox):
    ticket = make_ticket(alice, assignee=kim)
    Notification.objects.all().delete()
    with acting_as(sam):
        ticket.assign(ben, because=Because.left(kim.pk))
    page = client_of(sam).get(f"/admin/tickets/ticket/{ticket.pk}/change/").content.decode()
    assert "From Kim Sato, who has left" in page
    assert "has left" not in client_of(alice).get(ticket.get_absolute_url()).content.decode()
    delivery.deliver_due()
    bodies = {mail.to[0]: mail.body for mail in mailoutbox}
    assert "From Kim Sato, who has left." in bodies[ben.email]
    assert "Kim" not in bodies[alice.email]


def test_story_tells_that_somebody_left_to_staff_alone(alice, kim, ben, sam):
    ticket = make_ticket(alice, assignee=kim)
    with acting_as(sam):
        ticket.assign(None, because=Because.left(kim.pk))
    entries = {reader: timeline.entries_for(ticket, reader)[-1].sentences for reader in (alice, ben)}
    assert entries[ben] == ["Unassigned automatically, because Kim Sato has left."]
    assert entries[alice] == ["The ticket is now unassigned."]
