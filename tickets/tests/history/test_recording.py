"""What the log holds of values, and of histories that happened elsewhere."""

import uuid
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from accounts import actor
from accounts.actor import acting_as
from tickets.history import recording, verification
from tickets.history.recording import PastAct, diff, raw
from tickets.models import ActivityLog, Comment, Notification, Ticket
from tickets.rules.events import UndescribedEvent, Verb
from tickets.tests.factories import category, make_ticket, status

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)
KEY = uuid.UUID("12345678-1234-4234-8234-123456789abc")


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (NOON, "2026-07-01T12:00:00+00:00"),
        (NOON.astimezone(timezone(timedelta(hours=2))), "2026-07-01T12:00:00+00:00"),
        (date(2026, 7, 1), "2026-07-01"),
        (KEY, "12345678-1234-4234-8234-123456789abc"),
        ("", None),
        (None, None),
        ("0", "0"),
        (0, 0),
        (False, False),
    ],
)
def test_value_as_json_keeps_it(value, kept):
    assert raw(value) == kept
    assert type(raw(value)) is type(kept)


def test_difference_names_what_came_changed_and_went():
    assert diff({"a": 1, "b": 2, "c": 3}, {"b": 2, "c": 4, "d": 5}) == {
        "a": [1, None],
        "c": [3, 4],
        "d": [None, 5],
    }
    assert diff({}, {}) == {}


def test_fields_of_one_act_belong_to_their_events():
    changes = {
        "status": [1, 2],
        "wakes_on": ["2026-07-01", None],
        "assignee": [None, 5],
        "priority": ["low", "high"],
    }
    assert recording.verbs_for(changes) == {
        "status_changed": {"status": [1, 2], "wakes_on": ["2026-07-01", None]},
        "assigned": {"assignee": [None, 5]},
        "edited": {"priority": ["low", "high"]},
    }
    assert recording.verbs_for({}) == {}


def test_row_that_somebody_else_has_deleted_is_not_logged_twice(alice):
    ticket = make_ticket(alice)
    before = ActivityLog.objects.count()
    recording.record(ticket, before=None, after=None)
    assert ActivityLog.objects.count() == before


def test_event_that_nobody_described_is_not_logged(alice, monkeypatch):
    monkeypatch.setattr(Ticket, "ADDED", "teleported")
    with pytest.raises(UndescribedEvent):
        make_ticket(alice)
    assert not ActivityLog.objects.exists()


def test_rows_of_one_save_know_all_that_it_changed(alice, ann, monkeypatch):
    ticket, seen = make_ticket(alice), []
    monkeypatch.setattr(
        recording.activity_recorded,
        "send",
        lambda sender, activities: seen.extend((row.verb, row.together) for row in activities),
    )
    ticket.assignee, ticket.priority = ann, "high"
    with acting_as(ann):
        ticket.save()
    together = {"assignee": [None, ann.pk], "priority": ["normal", "high"]}
    assert dict(seen) == {"assigned": together, "edited": together}


def test_imported_tickets_were_filed_when_they_say(alice):
    ticket = Ticket(
        requester=alice,
        subject="x",
        description="y",
        category=category(),
        status=status("new"),
        created_at=NOON,
    )
    with acting_as(alice):
        Ticket.objects.bulk_load([ticket], record=recording.record_bulk)
    row = ActivityLog.objects.get()
    assert (row.verb, row.actor, row.source, row.recorded_at) == (Verb.CREATED, alice, actor.IMPORT, NOON)
    assert row.changes["subject"] == [None, "x"]
    assert not Notification.objects.exists()
    assert list(verification.problems()) == []


@pytest.fixture
def filed(alice) -> Ticket:
    return Ticket(
        requester=alice,
        subject="x",
        description="y",
        category=category(),
        status=status("new"),
        created_at=NOON,
    )


def test_history_from_elsewhere_is_the_log_that_it_would_have_left(alice, ann, filed):
    fields = recording.snapshot_of(filed)
    reply = Comment(author=ann, body="Soon.", is_public=True, key=KEY)
    later = {**fields, "status": status("active").pk, "priority": "high"}
    acts = [
        PastAct(NOON, alice, actor.EMAIL, fields),
        PastAct(NOON + timedelta(hours=1), ann, actor.ADMIN, later, reply),
        PastAct(NOON + timedelta(hours=2), None, actor.SYSTEM, {**later, "priority": "low"}),
    ]
    rows = list(recording.history(7, acts))
    assert [(row.verb, row.actor, row.actor_name, row.source, row.recorded_at) for row in rows] == [
        ("created", alice, "Alice Moreau", "email", NOON),
        ("replied", ann, "Ann Weber", "admin", NOON + timedelta(hours=1)),
        ("status_changed", ann, "Ann Weber", "admin", NOON + timedelta(hours=1)),
        ("edited", ann, "Ann Weber", "admin", NOON + timedelta(hours=1)),
        ("edited", None, "", "system", NOON + timedelta(hours=2)),
    ]
    assert {row.ticket_id for row in rows} == {7}
    assert rows[0].changes["subject"] == [None, "x"]
    assert rows[1].changes == {"key": [None, str(KEY)], "body": [None, "Soon."], "is_public": [None, True]}
    assert rows[-1].changes == {"priority": ["high", "low"]}
    batches = [row.batch for row in rows]
    assert batches[1] == batches[2] == batches[3]
    assert len(set(batches)) == 3


def test_history_from_elsewhere_stamps_its_ticket(alice, ann, filed):
    fields = recording.snapshot_of(filed)
    note = Comment(author=ann, body="Ask them.", is_public=False)
    acts = [
        PastAct(NOON, alice, actor.WEB, fields),
        PastAct(NOON + timedelta(hours=1), ann, actor.ADMIN, fields, note),
        PastAct(NOON + timedelta(hours=2), ann, actor.ADMIN, {**fields, "assigned_because": "took"}),
    ]
    recording.stamp_from(filed, acts)
    assert (filed.version, filed.updated_at, filed.public_at) == (3, NOON + timedelta(hours=2), NOON)
