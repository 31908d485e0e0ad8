"""The story in plain words, for whoever reads it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actor import acting_as
from tickets.history import timeline
from tickets.models import Attachment, Status, Ticket
from tickets.tests.factories import category, make_ticket, status, upload

pytestmark = pytest.mark.django_db


def sentences(ticket, reader) -> list[str]:
    return [sentence for entry in timeline.entries_for(ticket, reader) for sentence in entry.sentences]


def changed(ticket, **fields) -> None:
    for name, value in fields.items():
        setattr(ticket, name, value)
    ticket.save()


ACTS = {
    "status": (
        lambda ticket, people: ticket.set_status(status("active")),
        "{actor} changed the status from Submitted to In Progress.",
    ),
    "taken": (lambda ticket, people: ticket.assign(people["ann"]), "{actor} self-assigned this."),
    "given": (
        lambda ticket, people: ticket.assign(people["sam"]),
        "{actor} assigned this to Sam Lindqvist.",
    ),
    "subject": (
        lambda ticket, people: changed(ticket, subject="Now"),
        "{actor} changed the subject from “No sound” to “Now”.",
    ),
    "description": (
        lambda ticket, people: changed(ticket, description="Longer"),
        "{actor} changed the description.",
    ),
    "category": (
        lambda ticket, people: changed(ticket, category=category("Email Support")),
        "{actor} changed the category from Other to Email Support.",
    ),
    "priority": (
        lambda ticket, people: ticket.set_priority("urgent"),
        "{actor} changed the priority from Normal to Urgent.",
    ),
    "requester": (
        lambda ticket, people: changed(ticket, requester=people["bob"]),
        "{actor} changed the requester from Alice Moreau to Bob Ortiz.",
    ),
    "file": (
        lambda ticket, people: Attachment.attach([upload()], ticket=ticket, uploader=people["ann"]),
        "{actor} added the file “screenshot.png”.",
    ),
}


@pytest.mark.parametrize(("act", "sentence"), ACTS.values(), ids=ACTS.keys())
def test_each_change_is_a_sentence(alice, bob, ann, sam, charlie, act, sentence):
    ticket = make_ticket(alice, subject="No sound")
    with acting_as(ann):
        act(ticket, {"ann": ann, "sam": sam, "bob": bob})
    assert sentences(ticket, charlie)[1:] == [sentence.format(actor="Ann Weber")]
    assert sentences(ticket, ann)[1].startswith("You ")


def test_reader_is_addressed_as_you(alice, ann, sam):
    ticket = make_ticket(alice)
    with acting_as(sam):
        ticket.assign(ann)
    assert sentences(ticket, ann)[1] == "Sam Lindqvist assigned this to you."
    assert sentences(ticket, alice)[0] == "You submitted the ticket."


def test_putting_back_says_that_nobody_takes_care(alice, ann, sam):
    ticket = make_ticket(alice, assignee=ann)
    with acting_as(ann):
        ticket.assign(None)
        ticket.assign(ann)
    with acting_as(sam):
        ticket.assign(None)
    assert sentences(ticket, alice)[1] == "Automatically assigned to Ann Weber."
    assert sentences(ticket, alice)[2] == "Ann Weber removed the assignee."
    assert sentences(ticket, alice)[4] == ("Sam Lindqvist removed the assignee Ann Weber.")


def test_filing_for_somebody_else_is_shown(alice, ann, charlie):
    with acting_as(ann):
        ticket = Ticket.objects.create(
            requester=alice, subject="x", description="y", category=category(), status=status("new")
        )
    assert sentences(ticket, charlie) == ["Ann Weber submitted the ticket for Alice Moreau."]
    assert sentences(ticket, alice) == ["Ann Weber submitted the ticket for you."]
    assert timeline.entries_for(ticket, alice)[0].kind == "change"


def test_what_is_gone_has_a_name_still(alice, ann):
    blocked = Status.objects.create(name="Blocked", phase="waiting")
    ticket = make_ticket(alice)
    with acting_as(ann):
        ticket.set_status(blocked)
        ticket.set_status(status("waiting"))
    blocked.delete()
    assert sentences(ticket, alice)[1] == "Ann Weber changed the status from Submitted to a deleted status."


def test_system_has_a_name(alice):
    ticket = make_ticket(alice)
    ticket.close()
    assert sentences(ticket, alice)[1] == "The helpdesk changed the status from Submitted to Done."


def test_one_act_is_one_entry(alice, ann):
    ticket = make_ticket(alice)
    with acting_as(ann):
        ticket.assign(ann)
        ticket.set_priority("high")
    entries = timeline.entries_for(ticket, alice)
    assert [entry.kind for entry in entries] == ["filed", "change"]
    assert len(entries[1].sentences) == 2
    assert entries[0].is_you


def test_queries_do_not_grow_with_the_story(alice, ann):
    ticket = make_ticket(alice)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            timeline.entries_for(ticket, alice)
        return len(queries)

    with acting_as(ann):
        ticket.assign(ann)
        ticket.set_status(status("active"))
    count()  # the reader's role is asked for once
    few = count()
    for number in range(100):
        with acting_as(ann):
            ticket.set_priority("high" if number % 2 else "low")
    assert count() == few
