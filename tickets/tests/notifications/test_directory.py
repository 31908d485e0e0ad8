"""Who is who for audiences: the same answers, whether asked one by one, for one page or for many tickets."""

from collections.abc import Callable

import pytest

from accounts.models import User
from accounts.roles import Role
from accounts.tests.cast import make_person
from tickets.actions import conversation
from tickets.models import Category, Mention, MutedTicket, Ticket
from tickets.notifications import audiences
from tickets.notifications.audiences import Facts
from tickets.notifications.directory import Directory, FullDirectory, OneTicketDirectory, named_in
from tickets.rules.events import Verb
from tickets.tests.factories import category, make_ticket

pytestmark = pytest.mark.django_db
AskedOf = Callable[[Ticket], Directory]


@pytest.fixture
def kim(roles):
    return make_person("Kim Sato", role=Role.AGENT)


@pytest.fixture
def ticket(alice, bob, ann, kim):
    """Of alice; bob and ann watch it, kim is told of its category, and ann's are its new tickets."""
    category().people.add(kim)
    ticket = make_ticket(alice)
    Category.objects.filter(pk=ticket.category_id).update(default_assignee=ann)
    for person in (bob, ann):
        conversation.watch(ticket, person)
    return Ticket.objects.get(pk=ticket.pk)


def facts_of(ticket) -> Facts:
    return Facts(ticket.pk, ticket.requester_id, ticket.assignee_id, ticket.category_id)


@pytest.fixture(params=["one by one", "for a page", "for many tickets"])
def asked_of(request, alice) -> AskedOf:
    return {
        "one by one": lambda ticket: Directory(),
        "for a page": lambda ticket: OneTicketDirectory(ticket, alice),
        "for many tickets": lambda ticket: FullDirectory([facts_of(ticket)], actor_id=alice.pk),
    }[request.param]


def test_people_by_number(asked_of: AskedOf, ticket, alice, sam):
    directory = asked_of(ticket)
    nobody = User.objects.latest("pk").pk + 1
    assert directory.people([alice.pk, sam.pk, nobody], ticket.pk) == {alice.pk: alice, sam.pk: sam}
    assert directory.people([sam.pk], ticket.pk) == {sam.pk: sam}


def test_watchers_in_the_order_in_which_they_came(asked_of: AskedOf, ticket, bob, ann):
    assert list(asked_of(ticket).watchers(ticket.pk)) == [bob.pk, ann.pk]


def test_who_watches_as_staff_and_works_no_more_is_no_watcher(asked_of: AskedOf, ticket, bob, ann):
    assert ticket.watchers.get(person=ann).as_staff
    ann.set_role(Role.REQUESTER)
    assert list(asked_of(ticket).watchers(ticket.pk)) == [bob.pk]


def test_who_wants_no_mail_about_the_ticket(asked_of: AskedOf, ticket, alice, bob):
    other = make_ticket(alice)
    MutedTicket.objects.create(ticket=ticket, person=bob)
    MutedTicket.objects.create(ticket=other, person=alice)
    directory = asked_of(ticket)
    people = directory.people([alice.pk, bob.pk], ticket.pk)
    assert set(directory.muted(people, ticket.pk)) == {bob.pk}


def test_who_was_mentioned_in_the_order_of_the_mentions(asked_of: AskedOf, ticket, alice, ann, kim):
    Mention.objects.create(ticket=make_ticket(alice), person=ann)
    for person in (kim, ann):
        Mention.objects.create(ticket=ticket, person=person)
    assert list(asked_of(ticket).mentioned(ticket.pk)) == [kim.pk, ann.pk]


def test_who_is_named_in_a_category(asked_of: AskedOf, ticket, ann, kim):
    directory = asked_of(ticket)
    assert list(directory.notified_of(ticket.category_id)) == [kim.pk]
    assert list(directory.configured(ticket.category_id)) == [kim.pk, ann.pk]
    elsewhere = category("Email Support").pk
    assert list(directory.notified_of(elsewhere)) == list(directory.configured(elsewhere)) == []
    assert list(directory.notified_of(None)) == list(directory.configured(None)) == []


def test_last_resort_is_supervisors_and_else_superusers(asked_of: AskedOf, ticket, sam, root):
    assert asked_of(ticket).last_resort() == [sam.pk]
    sam.set_role(Role.AGENT)
    assert asked_of(ticket).last_resort() == [root.pk]


def test_who_leaves_counts_for_nobody(ticket, ann, sam, root):
    assert Directory().last_resort(without=sam.pk) == [root.pk]
    many = FullDirectory([facts_of(ticket)], actor_id=None, without=sam.pk)
    assert many.last_resort() == [root.pk]
    assert many.people([sam.pk, ann.pk]) == {ann.pk: ann}


def test_categories_are_named_apart(ticket, ann, kim, sam):
    mail = category("Email Support")
    mail.people.add(sam, ann)
    named = named_in([ticket.category_id, mail.pk])
    assert {number: (set(one.notified), one.default) for number, one in named.items()} == {
        ticket.category_id: ({kim.pk}, ann.pk),
        mail.pk: ({sam.pk, ann.pk}, None),
    }


def test_each_category_is_asked_once(ticket, django_assert_num_queries):
    directory = Directory()
    with django_assert_num_queries(1):
        for _time in range(2):
            directory.notified_of(ticket.category_id)
            directory.configured(ticket.category_id)


def test_page_finds_all_whom_it_may_mean_at_once(ticket, alice, bob, ann, kim, django_assert_num_queries):
    here = OneTicketDirectory(ticket, alice)
    assert here.watchers(ticket.pk)
    with django_assert_num_queries(0):
        here.people([alice.pk, bob.pk, ann.pk, kim.pk], ticket.pk)
        here.attach_people()
        assert (ticket.requester, ticket.assignee, ticket.watching) == (alice, None, [bob, ann])


def test_page_of_a_ticket_that_somebody_has_looks_for_nobody_else(ticket, alice, kim, sam):
    ticket.assign(sam)
    here = OneTicketDirectory(ticket, alice)
    here.attach_people()
    assert ticket.assignee == sam
    assert kim.pk not in here._people


@pytest.mark.parametrize("verb", [Verb.REPLIED, Verb.NOTED, Verb.STATUS_CHANGED, Verb.DELETED])
def test_audiences_are_the_same(asked_of: AskedOf, ticket, sam, verb):
    asked = {"actor_id": sam.pk, "facts": facts_of(ticket)}
    found = audiences.recipients(verb, **asked, directory=asked_of(ticket))
    assert found
    assert found == audiences.recipients(verb, **asked)
