"""What a ticket's page learns with the ticket, so that it asks for nothing that is not there."""

import pytest

from accounts.actor import acting_as
from accounts.models import User
from accounts.roles import Role
from accounts.tests.cast import make_person
from tickets import conversation, merging
from tickets.models import Draft, Ticket, TicketLink
from tickets.querysets import POSSESSIONS
from tickets.tests.factories import make_ticket, upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(alice, ann):
    return make_ticket(alice, assignee=ann)


@pytest.fixture
def other(alice):
    return make_ticket(alice)


GIVEN = {
    "has_merged": lambda ticket, other, bob: merging.merge(other, ticket),
    "has_files": lambda ticket, other, bob: conversation.reply(
        ticket, author=ticket.requester, body="See", files=[upload()]
    ),
    "has_watchers": lambda ticket, other, bob: conversation.watch(ticket, bob),
    "has_links": lambda ticket, other, bob: TicketLink.objects.create(ticket=other, target=ticket),
    "has_drafts": lambda ticket, other, bob: Draft.objects.keep(
        person=ticket.requester, ticket=ticket, kind="reply", body="It"
    ),
    "has_muted": lambda ticket, other, bob: conversation.mute(ticket, bob),
}


@pytest.mark.parametrize("name", POSSESSIONS)
def test_ticket_says_what_it_has(alice, bob, ticket, other, name):
    def has(number: int) -> bool:
        return bool(getattr(Ticket.objects.saying_what_they_have().get(pk=number), name))

    assert not has(ticket.pk)
    with acting_as(alice):
        GIVEN[name](ticket, other, bob)
    assert has(ticket.pk)
    assert not has(make_ticket(bob).pk)


def test_link_is_had_by_both_ends(ticket, other):
    TicketLink.objects.create(ticket=other, target=ticket)
    assert Ticket.objects.saying_what_they_have("has_links").get(pk=other.pk).has_links


@pytest.mark.parametrize("name", POSSESSIONS)
def test_where_nobody_asked_it_may_have_all(ticket, name):
    assert getattr(Ticket.objects.get(pk=ticket.pk), name)


@pytest.mark.parametrize(("who", "most"), [("alice", 7), ("ann", 9)])
def test_bare_ticket_costs_few_queries(
    client_of, alice, ann, ticket, django_assert_max_num_queries, who, most
):
    with acting_as(ann):
        conversation.reply(ticket, author=ann, body="Hello")
    client = client_of({"alice": alice, "ann": ann}[who])
    with django_assert_max_num_queries(most):  # session, person, groups; ticket, log, replies, people
        client.get(ticket.get_absolute_url())


# What is asked in a shorter way says the same as the long one
def test_one_is_visible_to_the_same_people_as_all(alice, bob, charlie, ann, sam, root, ticket):
    conversation.watch(ticket, bob)
    conversation.watch(ticket, alice)
    for person in (alice, bob, charlie, ann, sam, root):
        is_visible = Ticket.objects.visible_to(person).filter(pk=ticket.pk).exists()
        assert (Ticket.objects.visible_one(ticket.pk, person) == ticket) is is_visible
        assert Ticket.objects.visible_one(ticket.pk + 1000, person) is None


@pytest.mark.parametrize(
    "roles_given", [(), (Role.REQUESTER,), (Role.AGENT,), (Role.SUPERVISOR, Role.AGENT), tuple(Role)]
)
def test_role_is_the_same_when_it_is_asked_for_many(alice, roles, roles_given):
    person = make_person("Dora Many")
    person.groups.set(alice.groups.model.objects.filter(name__in=roles_given))
    asked_alone = User.objects.get(pk=person.pk)
    assert User.objects.with_role().get(pk=person.pk).role == asked_alone.role
    assert User.objects.with_role().get(pk=person.pk).is_staff == asked_alone.is_staff
