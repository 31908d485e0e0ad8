"""Why somebody is the assignee, in one sentence for staff."""

import pytest

from accounts.actor import acting_as
from accounts.roles import Role
from accounts.tests.cast import make_person
from tickets.actions import merging
from tickets.history import owner_words, timeline
from tickets.history.owner_words import why_assigned
from tickets.models import Category, Ticket
from tickets.tests.factories import category, make_ticket, status

pytestmark = pytest.mark.django_db


@pytest.fixture
def kim(roles):
    return make_person("Kim Sato", role=Role.AGENT)


def why(ticket, reader) -> str:
    return why_assigned(Ticket.objects.get(pk=ticket.pk), reader=reader)


def because(ticket, code: str) -> None:
    with acting_as(None):
        Ticket.objects.filter(pk=ticket.pk).change(assigned_because=code)


def test_nothing_is_known_of_a_ticket_that_nobody_ever_had(alice, sam):
    assert why(make_ticket(alice), sam) == ""


def test_somebody_assigned_it(alice, ann, kim, sam):
    ticket = make_ticket(alice)
    with acting_as(ann):
        ticket.assign(kim)
    assert why(ticket, sam) == "Ann Weber assigned this to Kim Sato."
    assert why(ticket, ann) == "You assigned this to Kim Sato."
    assert why(ticket, kim) == "Ann Weber assigned this to you."


def test_last_assignment_counts_and_only_that_of_this_ticket(alice, ann, kim, sam):
    ticket, other = make_ticket(alice), make_ticket(alice)
    for person in (ann, sam):
        with acting_as(person):
            ticket.assign(kim if person == sam else sam)
    with acting_as(ann):
        other.assign(ann)
        ticket.set_priority("high")
    assert why(ticket, ann) == "Sam Lindqvist assigned this to Kim Sato."


def test_page_finds_the_assignment_among_all_that_happened(alice, ann, kim, sam):
    """Also on tickets that were merged into it, and after it."""
    ticket, merged = make_ticket(alice), make_ticket(alice)
    with acting_as(sam):
        ticket.assign(kim)
    with acting_as(ann):
        merged.assign(ann)
        merging.merge(merged, ticket)
        ticket = Ticket.objects.get(pk=ticket.pk)
        ticket.set_priority("high")
    ticket = Ticket.objects.get(pk=ticket.pk)
    story, words = timeline.read(ticket, ann)
    assert {row.ticket_id for row in story.rows} == {ticket.pk, merged.pk}
    assert owner_words.why(ticket, story.rows, words) == "Sam Lindqvist assigned this to Kim Sato."


def test_who_took_it_assigned_it_to_nobody_else(alice, ann, sam):
    ticket = make_ticket(alice)
    with acting_as(ann):
        ticket.assign(ann)
    assert why(ticket, sam) == "Self-assigned."


def test_who_filed_for_somebody_else_chose_the_assignee(alice, ann, kim, sam):
    with acting_as(ann):
        ticket = Ticket.objects.create(
            requester=alice,
            subject="x",
            description="y",
            category=category(),
            status=status("new"),
            assignee=kim,
            assigned_because="",
        )
    because(ticket, "")
    assert why(ticket, sam) == "Ann Weber assigned this to Kim Sato."


def test_who_filed_the_own_ticket_chose_nobody(alice, kim, sam):
    ticket = make_ticket(alice, assignee=kim)
    because(ticket, "")
    assert why(ticket, sam) == ""


def test_system_chose_for_no_reason_that_can_be_named(alice, kim, sam):
    ticket = make_ticket(alice)
    with acting_as(None):
        ticket.assign(kim)
    because(ticket, "")
    assert why(ticket, sam) == ""


def test_default_assignee_of_the_category(alice, ann, kim, sam):
    Category.objects.filter(pk=category().pk).update(default_assignee=kim)
    ticket = make_ticket(alice, category=category())
    assert why(ticket, sam) == "New tickets in Other are assigned to Kim Sato."
    Category.objects.filter(pk=category().pk).update(default_assignee=ann)
    assert why(ticket, sam) == "Automatically assigned to Kim Sato."


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("moved", "Moved to Other."),
        ("reply", "Self-assigned by replying."),
        ("took", "Self-assigned."),
    ],
)
def test_reason_that_is_stored_is_said(alice, ann, kim, sam, code, sentence):
    ticket = make_ticket(alice)
    with acting_as(ann):
        ticket.assign(kim)
    because(ticket, code)
    assert why(ticket, sam) == sentence


def test_who_left_is_named_also_where_nobody_has_it_now(alice, kim, sam):
    ticket = make_ticket(alice, assignee=kim)
    with acting_as(None):
        Ticket.objects.filter(pk=ticket.pk).change(assignee=None, assigned_because=f"left:{kim.pk}")
    assert why(ticket, sam) == "From Kim Sato, who has left."
