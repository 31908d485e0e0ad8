"""What staff alone may know of reaches no requester: page, live list, count, order, email or time.

A ticket has two moments: `updated_at` moves with everything, `public_at` only with what its requester may see.
"""

from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace

import pytest
import time_machine
from django.apps import apps
from django.db import connection
from django.utils import timezone

from accounts.actor import acting_as
from accounts.roles import Role
from accounts.tests.cast import make_person
from tickets.actions import conversation, merging
from tickets.actions.conversation import Message
from tickets.history import recording, timeline, verification
from tickets.history.live import list_state
from tickets.history.recording import PastAct
from tickets.mail.addresses import reply_address
from tickets.mail.sending.delivery import deliver_due
from tickets.mail.writing import messages
from tickets.models import ActivityLog, Attachment, Comment, MailPreferences, Notification, Ticket, TicketLink
from tickets.rules.events import EVENTS, Audience, Event, Verb
from tickets.tests.factories import make_ticket, status, upload
from tickets.tests.house.test_internal_marker import comparable, readable

pytestmark = pytest.mark.django_db
LATER = timedelta(minutes=4)  # before a session is renewed, which sets a cookie
ESCALATED = "escalated"
SAID = "The supervisors are told."
# Besides each address as it is
ASKED = [{"after": "0"}, {"q": "printer"}, {"q": "printer", "sort": "best", "phase": "all"}, {"phase": "all"}]


@pytest.fixture
def ticket(alice, bob, sam):
    """The older of Alice's two tickets, assigned to Sam; Bob and an agent watch it."""
    ticket = make_ticket(alice, assignee=sam)
    make_ticket(alice, subject="The printer is loud")
    make_ticket(bob, subject="The printer is slow")
    with acting_as(sam):
        conversation.watch(ticket, bob)
        conversation.watch(ticket, make_person("Wanda Watcher", role=Role.AGENT))
        conversation.reply(ticket, Message(author=sam, body="Please restart it."))
    Notification.objects.all().delete()
    return ticket


@pytest.fixture
def describe(monkeypatch):
    """describe(is_public=...): from now on a change of `assigned_because` is an event of its own."""

    def describe(*, is_public: bool) -> None:
        event = Event(
            label="escalated",
            is_public=is_public,
            fields=("assigned_because",),
            audiences={Audience.ASSIGNEE: "statuses", Audience.WATCHER: "statuses"},
            sentence=SAID,
        )
        monkeypatch.setitem(EVENTS, ESCALATED, event)
        monkeypatch.setitem(EVENTS, Verb.ASSIGNED, replace(EVENTS[Verb.ASSIGNED], companions=()))
        monkeypatch.setattr(Ticket, "INTERNAL_FIELDS", frozenset())

    return describe


def escalate(ticket: Ticket, by, **changes) -> None:
    ticket = Ticket.objects.get(pk=ticket.pk)
    for name, value in {"assigned_because": "rule:7", **changes}.items():
        setattr(ticket, name, value)
    with acting_as(by):
        ticket.save()


def moments(ticket: Ticket) -> dict:
    return Ticket.objects.values("updated_at", "public_at", "version").get(pk=ticket.pk)


def notified() -> set[str]:
    return set(Notification.objects.values_list("person__full_name", flat=True))


class Reader:
    """Everything that a requester gets, at one moment: {(address, query): bytes}."""

    def __init__(self, client, ticket: Ticket, moment):
        self.client, self.moment = client, moment
        with time_machine.travel(moment, tick=False):
            self.addresses = readable(client)
            state = client.get("/tickets/").context["state"]
            last = client.get(ticket.get_absolute_url()).context["last_number"]
        self.queries = [{}, {"state": state}, {"after": str(last)}, *ASKED]

    def answers(self) -> dict:
        with time_machine.travel(self.moment, tick=False):
            return {
                (url, *query.items()): comparable(self.client.get(url, query))
                for url in self.addresses
                for query in self.queries
            }


def changed(before: dict, after: dict) -> set[str]:
    return {key[0] for key in before if before[key] != after[key]}


@pytest.mark.parametrize("who", ["alice", "bob"])
def test_internal_event_changes_no_byte_that_a_requester_gets(
    client_of, describe, ticket, alice, bob, ann, who
):
    describe(is_public=False)
    moment = timezone.now() + LATER
    reader, was = Reader(client_of({"alice": alice, "bob": bob}[who]), ticket, moment), moments(ticket)
    before = reader.answers()
    assert {"/", "/tickets/", ticket.get_absolute_url()} <= set(reader.addresses)
    with time_machine.travel(moment, tick=False):
        escalate(ticket, ann)
    assert changed(before, reader.answers()) == set()
    assert notified() == {"Sam Lindqvist", "Wanda Watcher"}
    assert ActivityLog.objects.filter(verb=ESCALATED).count() == 1
    assert moments(ticket) == {**was, "updated_at": moment}
    assert list(verification.problems()) == []


def test_the_same_event_in_public_changes_list_page_and_live_state(client_of, describe, ticket, alice, ann):
    """The counterproof: the bytes are compared where they would differ."""
    describe(is_public=True)
    reader = Reader(client_of(alice), ticket, timezone.now() + LATER)
    before = reader.answers()
    with time_machine.travel(reader.moment, tick=False):
        escalate(ticket, ann)
    url = ticket.get_absolute_url()
    after = reader.answers()
    assert {"/", "/tickets/", url, f"{url}timeline/", f"{url}edit/"} <= changed(before, after)
    assert notified() == {"Sam Lindqvist", "Wanda Watcher", "Bob Ortiz"}
    state = ("/tickets/", *reader.queries[1].items())
    assert before[state].startswith(b"204")
    assert after[state].startswith(b"200")


def test_link_and_its_removal_change_no_byte_either(client_of, ticket, alice, charlie, ann):
    other = make_ticket(charlie, subject="Nobody sees this")
    reader = Reader(client_of(alice), ticket, timezone.now() + LATER)
    before = reader.answers()
    with time_machine.travel(reader.moment, tick=False), acting_as(ann):
        link = TicketLink.objects.create(ticket=ticket, target=other)
        linked = reader.answers()
        link.delete()
    assert changed(before, linked) == changed(before, reader.answers()) == set()


def test_staff_are_notified_of_the_internal_event(client_of, describe, ticket, sam, ann):
    describe(is_public=False)
    newer = Ticket.objects.exclude(pk=ticket.pk).latest("pk")
    with time_machine.travel(timezone.now() + LATER, tick=False):
        escalate(ticket, ann)
        page = client_of(sam).get(ticket.get_absolute_url()).content.decode()
        rows = client_of(sam).get("/tickets/?phase=all").context["rows"]
    assert SAID in page
    assert [row.pk for row in rows].index(ticket.pk) < [row.pk for row in rows].index(newer.pk)


@pytest.mark.parametrize("wish", ["now", "digest"])
def test_email_of_one_act_tells_requesters_its_public_part(describe, mailgun, ticket, alice, sam, ann, wish):
    """The act sets the priority, which everybody may know, and escalates."""
    describe(is_public=False)
    for person in (alice, sam):
        MailPreferences.objects.create(person=person, edits=wish, statuses=wish)
    escalate(ticket, ann, priority="high")
    with time_machine.travel(timezone.now() + timedelta(days=2)):
        while Notification.objects.due(timezone.now()).exists():
            deliver_due()
    texts = {mail["to"]: str(mail) for mail in mailgun.mails}
    assert "the priority from Normal to High" in texts[alice.email]
    assert SAID not in texts[alice.email]
    assert SAID in texts[sam.email]
    (entry,) = timeline.entries_for(ticket, alice)[-1:]
    assert [sentence for sentence in entry.sentences if "supervisors" in sentence] == []


def test_internal_fields_of_a_public_event_stay_internal(monkeypatch, ticket, alice, bob, sam):
    monkeypatch.setattr(Ticket, "INTERNAL_FIELDS", frozenset({"waiting_for", "wakes_on"}))
    with acting_as(sam):
        Ticket.objects.get(pk=ticket.pk).set_status(status("waiting"))
    was, state = moments(ticket), list_state(alice).text
    seen = len(timeline.entries_for(ticket, alice))
    Notification.objects.all().delete()
    with acting_as(make_person("Max Master", role=Role.SUPERVISOR)):
        one = Ticket.objects.get(pk=ticket.pk)
        one.waiting_for = Ticket.WaitingFor.SUPPLIER
        one.save()
    assert notified() == {"Sam Lindqvist", "Wanda Watcher"}
    assert list_state(alice).text == state
    assert len(timeline.entries_for(ticket, alice)) == seen
    now = moments(ticket)
    assert now["updated_at"] > was["updated_at"]
    assert now == {**was, "updated_at": now["updated_at"]}


def test_sentence_of_an_internal_field_is_left_out_beside_public_ones(monkeypatch, ticket, alice, sam):
    monkeypatch.setattr(Ticket, "INTERNAL_FIELDS", frozenset({"priority"}))
    with acting_as(sam):
        one = Ticket.objects.get(pk=ticket.pk)
        one.subject, one.priority = "Another subject", "high"
        one.save()
    row = ActivityLog.objects.get(verb=Verb.EDITED)
    assert len(timeline.sentences([row], reader=sam)) == 2
    (sentence,) = timeline.sentences([row], reader=alice)
    assert "Another subject" in sentence


def test_internal_event_of_a_file_stays_internal(monkeypatch, ticket, alice, sam):
    """A file that came later stands by itself on the timeline."""
    with acting_as(sam):
        Attachment.attach([upload("plan.png")], ticket=ticket, uploader=sam)
    shown = [entry.sentences for entry in timeline.entries_for(ticket, alice)]
    monkeypatch.setitem(EVENTS, Verb.FILE_ADDED, replace(EVENTS[Verb.FILE_ADDED], is_public=False))
    ticket = Ticket.objects.get(pk=ticket.pk)
    assert [entry.sentences for entry in timeline.entries_for(ticket, alice)] == shown[:-1]
    assert "plan.png" in timeline.entries_for(ticket, sam)[-1].sentences[0]


def test_page_of_a_conflict_never_names_who_did_something_internal(
    client_of, describe, ticket, alice, sam, ann
):
    describe(is_public=False)
    stale = {"version": ticket.version, "category": ticket.category_id, "description": "It is dark."}
    with acting_as(ann):
        Ticket.objects.get(pk=ticket.pk).set_priority("high")
    escalate(ticket, sam)
    response = client_of(alice).post(f"{ticket.get_absolute_url()}edit/", {**stale, "subject": "Mine"})
    assert response.status_code == 409
    assert "Ann Weber saved changes while you were editing." in response.content.decode()


def test_answer_to_the_email_of_an_internal_event_is_a_note(settings, describe, ticket, sam, ann):
    settings.INBOUND_DOMAIN = "in.example.com"
    describe(is_public=False)
    escalate(ticket, ann)
    row = Notification.objects.get(person=sam)
    (address,) = messages.build([row]).reply_to
    assert address == reply_address(ticket.pk, sam.pk, internal=True)


# Who moves which moment
@pytest.mark.parametrize(
    ("act", "moved"),
    [
        (
            lambda ticket, ann: conversation.reply(ticket, Message(author=ann, body="Soon.")),
            {"updated_at", "public_at"},
        ),
        (
            lambda ticket, ann: conversation.note(ticket, Message(author=ann, body="Ask them.")),
            {"updated_at"},
        ),
        (lambda ticket, ann: ticket.set_priority("high"), {"updated_at", "public_at", "version"}),
        (lambda ticket, ann: ticket.close(), {"updated_at", "public_at", "version"}),
        (
            lambda ticket, ann: merging.merge(make_ticket(ticket.requester), ticket),
            {"updated_at", "public_at"},
        ),
    ],
    ids=["reply", "note", "edit", "status", "merge"],
)
def test_moments_that_an_act_moves(ticket, ann, act, moved):
    was = moments(ticket)
    with time_machine.travel(timezone.now() + LATER, tick=False), acting_as(ann):
        act(Ticket.objects.get(pk=ticket.pk), ann)
    now = moments(ticket)
    assert {name for name in now if now[name] != was[name]} == moved


def test_undone_merge_moves_both_moments_of_both(ticket, alice, ann):
    other = make_ticket(alice)
    with acting_as(ann):
        merging.merge(other, ticket)
    moment = timezone.now() + LATER
    with time_machine.travel(moment, tick=False), acting_as(ann):
        merging.undo(Ticket.objects.get(pk=other.pk))
    for one in (ticket, other):
        assert {moments(one)[name] for name in ("updated_at", "public_at")} == {moment}


def test_history_from_elsewhere_sets_both_moments(alice, ann):
    ticket = Ticket(requester=alice, status=status("new"), subject="No sound", created_at=timezone.now())
    fields, start = recording.snapshot_of(ticket), timezone.now()
    note = Comment(author=ann, body="Ask them.", is_public=False)
    reply = Comment(author=ann, body="Soon.", is_public=True)
    acts = [
        PastAct(start, alice, "web", fields),
        PastAct(start + timedelta(hours=1), ann, "admin", fields, reply),
        PastAct(start + timedelta(hours=2), ann, "admin", fields, note),
        PastAct(start + timedelta(hours=3), ann, "admin", {**fields, "assigned_because": "took"}),
    ]
    recording.stamp_from(ticket, acts)
    assert ticket.updated_at == start + timedelta(hours=3)
    assert ticket.public_at == start + timedelta(hours=1)
    last = PastAct(start + timedelta(hours=4), ann, "admin", {**fields, "priority": "high"}, note)
    recording.stamp_from(ticket, [*acts, last])
    assert ticket.public_at == start + timedelta(hours=4)


# The migration
def test_tickets_of_before_get_the_time_of_their_last_change(alice, bob, monkeypatch):
    filling = import_module("tickets.migrations.0131_public_at_of_before")
    monkeypatch.setattr(filling, "ROWS", 2)
    moment = timezone.now() - timedelta(days=9)
    numbers = [make_ticket(alice).pk for _number in range(5)]
    Ticket.objects.update(updated_at=moment)
    filling.fill(apps, SimpleNamespace(connection=connection))
    assert list(Ticket.objects.filter(pk__in=numbers).values_list("public_at", flat=True)) == [moment] * 5
