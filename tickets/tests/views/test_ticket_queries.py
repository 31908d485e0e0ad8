"""What a ticket's page learns with the ticket, so that it asks for nothing that is not there."""

import pytest

from accounts.actor import acting_as
from accounts.models import User
from accounts.roles import Role
from accounts.tests.cast import make_person
from tickets.actions import conversation, merging
from tickets.actions.conversation import Message
from tickets.models import Draft, InboundEmail, Mention, Ticket, TicketLink
from tickets.models.ticket_belongings import Belongings, belongings
from tickets.tests.factories import held_mail, make_ticket, upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def ticket(alice, ann):
    return make_ticket(alice, assignee=ann)


@pytest.fixture
def other(alice):
    return make_ticket(alice)


GIVEN = {
    "watchers": lambda ticket, other, bob: conversation.watch(ticket, bob),
    "watchers_as_staff": lambda ticket, other, bob: (
        bob.set_role(Role.AGENT),
        conversation.watch(ticket, User.objects.get(pk=bob.pk)),
    ),
    "mentioned": lambda ticket, other, bob: Mention.objects.create(ticket=ticket, person=bob),
    "muted_by": lambda ticket, other, bob: conversation.mute(ticket, bob),
    "drafts_of": lambda ticket, other, bob: Draft.objects.keep(
        person=bob, ticket=ticket, kind="reply", body="It"
    ),
    "files": lambda ticket, other, bob: conversation.reply(
        ticket, Message(author=ticket.requester, body="See", files=[upload()])
    ),
    "links": lambda ticket, other, bob: TicketLink.objects.create(ticket=other, target=ticket),
    "merged": lambda ticket, other, bob: merging.merge(other, ticket),
    "held_mails": lambda ticket, other, bob: InboundEmail.objects.filter(pk=held_mail().pk).update(
        ticket=ticket
    ),
}


@pytest.mark.parametrize("name", Belongings._fields)
def test_ticket_knows_its_belongings(alice, bob, ticket, other, name):
    assert getattr(belongings(ticket.pk), name) == []
    with acting_as(alice):
        GIVEN[name](ticket, other, bob)
    (number,) = getattr(belongings(ticket.pk), name)
    if name in ("watchers", "watchers_as_staff", "mentioned", "muted_by", "drafts_of"):
        assert number == bob.pk
    assert getattr(make_ticket(bob).belongings, name) == []


def test_link_is_had_by_both_ends(ticket, other):
    link = TicketLink.objects.create(ticket=other, target=ticket)
    for end in (ticket, other):
        assert end.belongings.links == [link.pk]


def test_oldest_watcher_comes_first(ticket, bob, charlie, ann):
    for person in (charlie, ann, bob):
        conversation.watch(ticket, person)
    assert ticket.belongings.watchers == [charlie.pk, ann.pk, bob.pk]


def test_merged_or_not_is_said_alone(ticket, other):
    merging.merge(other, ticket)
    tickets = Ticket.objects.with_has_merged()
    assert tickets.get(pk=ticket.pk).has_merged
    assert not tickets.get(pk=other.pk).has_merged


@pytest.mark.parametrize(("who", "most"), [("alice", 8), ("ann", 10)])
def test_bare_ticket_costs_few_queries(
    client_of, alice, ann, ticket, django_assert_max_num_queries, who, most
):
    with acting_as(ann):
        conversation.reply(ticket, Message(author=ann, body="Hello"))
    client = client_of({"alice": alice, "ann": ann}[who])
    with django_assert_max_num_queries(
        most
    ):  # session, person, groups; ticket, what it has, log, replies, people
        client.get(ticket.get_absolute_url())


# What is asked in a shorter way says the same as the long one
def test_one_is_visible_to_the_same_people_as_all(alice, bob, charlie, ann, sam, root, ticket):
    conversation.watch(ticket, bob)
    conversation.watch(ticket, alice)
    for person in (alice, bob, charlie, ann, sam, root):
        is_visible = Ticket.objects.visible_to(person).filter(pk=ticket.pk).exists()
        assert (Ticket.objects.get_visible(ticket.pk, person) == ticket) is is_visible
        assert Ticket.objects.get_visible(ticket.pk + 1000, person) is None


@pytest.mark.parametrize(
    "roles_given", [(), (Role.REQUESTER,), (Role.AGENT,), (Role.SUPERVISOR, Role.AGENT), tuple(Role)]
)
def test_role_is_the_same_when_it_is_asked_for_many(alice, roles, roles_given):
    person = make_person("Dora Many")
    person.groups.set(alice.groups.model.objects.filter(name__in=roles_given))
    asked_alone = User.objects.get(pk=person.pk)
    assert User.objects.with_role().get(pk=person.pk).role == asked_alone.role
    assert User.objects.with_role().get(pk=person.pk).is_staff == asked_alone.is_staff
