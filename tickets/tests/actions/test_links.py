"""Links between tickets: said by staff, read from both sides."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tickets.actions import conversation
from tickets.models import ActivityLog, TicketLink
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db


def body(response) -> str:
    return response.content.decode()


def page(ticket) -> str:
    return f"/admin/tickets/ticket/{ticket.pk}/change/"


def link(client, ticket, number, kind="relates"):
    return client.post(f"/admin/tickets/ticket/{ticket.pk}/links/", {"kind": kind, "number": number})


@pytest.fixture
def ticket(alice):
    return make_ticket(alice, subject="No sound")


@pytest.fixture
def other(bob):
    return make_ticket(bob, subject="No network")


@pytest.mark.parametrize(
    ("kind", "here", "there"),
    [
        ("relates", "relates to", "relates to"),
        ("blocks", "blocks", "is blocked by"),
        ("blocked", "is blocked by", "blocks"),
        ("duplicate", "is a duplicate of", "has the duplicate"),
    ],
)
def test_link_is_read_from_both_sides(client_of, ann, ticket, other, kind, here, there):
    client = client_of(ann)
    assert link(client, ticket, f"#{other.pk}", kind).url == page(ticket)
    seen = [
        [(one["how"], one["other"]) for one in client.get(page(side)).context["ticket_links"]]
        for side in (ticket, other)
    ]
    assert seen == [[(here, other)], [(there, ticket)]]
    assert ActivityLog.objects.filter(verb="linked", actor=ann).count() == 1


def test_link_is_removed_from_either_side(client_of, ann, ticket, other):
    client = client_of(ann)
    for side in (ticket, other):
        link(client, ticket, other.pk)
        pk = TicketLink.objects.get().pk
        assert client.post(f"/admin/tickets/ticket/{side.pk}/links/{pk}/remove/").url == page(side)
        assert not TicketLink.objects.exists()
        assert client.post(f"/admin/tickets/ticket/{side.pk}/links/{pk}/remove/").status_code == 404
    assert ActivityLog.objects.filter(verb="unlinked").count() == 2


def test_what_came_by_itself_stays(client_of, ann, ticket, other):
    kept = TicketLink.objects.create(ticket=ticket, target=other, kind="split")
    client = client_of(ann)
    address = f"/admin/tickets/ticket/{ticket.pk}/links/{kept.pk}/remove/"
    assert address not in body(client.get(page(ticket)))
    assert client.post(address).status_code == 404


def test_link_of_other_tickets_is_not_there(client_of, ann, alice, ticket, other):
    foreign = TicketLink.objects.create(ticket=ticket, target=other)
    third = make_ticket(alice)
    address = f"/admin/tickets/ticket/{third.pk}/links/{foreign.pk}/remove/"
    assert client_of(ann).post(address).status_code == 404


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("", "Enter a ticket number."),
        ("999999", "There is no ticket with this number."),
        ("9" * 30, "Enter a number like 1042"),
        ("9" * 5000, "at most 200 characters"),
        ("x", "Enter a number like 1042"),
        ("\0", "Null characters are not allowed."),
        ("itself", "This is the same ticket."),
        ("twice", "already linked this way"),
    ],
)
def test_odd_number_is_refused_at_its_field(client_of, ann, ticket, other, unchanged, number, words):
    client = client_of(ann)
    TicketLink.objects.create(ticket=other, target=ticket)
    number = {"itself": str(ticket.pk), "twice": str(other.pk)}.get(number, number)
    with unchanged():
        response = link(client, ticket, number)
    assert response.status_code == 200
    assert words in " ".join(response.context["link_form"].errors["number"])
    assert words in body(response)


@pytest.mark.parametrize("kind", ["", "split", "follows", "x", "\0"])
def test_odd_kind_is_refused(client_of, ann, ticket, other, unchanged, kind):
    client = client_of(ann)
    with unchanged():
        response = link(client, ticket, other.pk, kind)
    assert response.context["link_form"].errors["kind"]


def test_requester_sees_links_to_tickets_that_he_may_know_of(client_of, ann, alice, ticket, other):
    link(client_of(ann), ticket, other.pk, "blocks")
    client = client_of(alice)
    assert "No network" not in body(client.get(f"/tickets/{ticket.pk}/"))
    conversation.watch(other, alice)
    assert "No network" in body(client.get(f"/tickets/{ticket.pk}/"))


def test_queries_do_not_grow_with_links(client_of, ann, alice, ticket):
    client = client_of(ann)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(page(ticket))
        return len(queries)

    for _number in range(2):
        TicketLink.objects.create(ticket=ticket, target=make_ticket(alice))
    few = count()
    for _number in range(10):
        TicketLink.objects.create(ticket=ticket, target=make_ticket(alice))
    assert count() == few
