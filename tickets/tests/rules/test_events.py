"""The one table of events: complete, true, and the only one."""

import ast
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings

from accounts.actor import acting_as
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.history import timeline
from tickets.history.sentences import FIELDS, WORDINGS
from tickets.mail.writing import messages
from tickets.models import ActivityLog, Comment, Notification, Ticket
from tickets.rules.events import (
    CHOICES,
    EVENTS,
    Audience,
    Event,
    Thing,
    UndescribedEvent,
    Verb,
    folder_for,
    validate,
    verbs,
    verbs_of_fields,
)
from tickets.tests.factories import make_ticket

TABLE = Path(settings.BASE_DIR, "tickets/rules/events.py")


# Complete
def test_every_verb_has_an_event_and_a_label_in_the_order_of_verbs():
    assert set(EVENTS) == set(Verb)
    assert [value for value, _label in CHOICES] == [verb.value for verb in Verb]
    assert all(str(event.label) for event in EVENTS.values())


def test_public_is_said_of_each_event_and_has_no_default():
    with pytest.raises(TypeError, match="is_public"):
        Event(label="escalated")


def test_a_verb_without_an_event_stops_the_start():
    with pytest.raises(UndescribedEvent, match="merged"):
        validate(type(EVENTS)((verb, event) for verb, event in EVENTS.items() if verb != Verb.MERGED))


def test_no_field_belongs_to_two_events():
    twice = type(EVENTS)(EVENTS) | {Verb.EDITED: replace(EVENTS[Verb.EDITED], fields=("assignee",))}
    with pytest.raises(ValueError, match="assignee"):
        validate(twice)


def test_internal_event_never_tells_the_requester():
    with pytest.raises(ValueError, match="requester"):
        Event(label="escalated", is_public=False, audiences={Audience.REQUESTER: "edits"})


@pytest.mark.django_db
def test_event_that_nobody_described_cannot_happen(alice, ann, monkeypatch):
    ticket = make_ticket(alice)
    monkeypatch.delitem(EVENTS, Verb.NOTED)
    rows = ActivityLog.objects.count(), Notification.objects.count()
    with acting_as(ann), pytest.raises(UndescribedEvent, match="noted"):
        conversation.note(ticket, Message(author=ann, body="Ask the supplier."))
    assert (ActivityLog.objects.count(), Notification.objects.count()) == rows
    assert not Comment.objects.exists()


# True
@pytest.mark.parametrize("verb", Verb)
def test_each_email_has_its_folder(verb):
    event = EVENTS[verb]
    for folder in {event.folder, *event.folders.values()} if event.audiences else ():
        assert Path(settings.BASE_DIR, "templates/emails", folder, "body.txt").exists()


@pytest.mark.parametrize("verb", Verb)
def test_each_event_has_its_sentence(verb):
    assert EVENTS[verb].sentence or EVENTS[verb].wording in WORDINGS


def test_each_tracked_field_has_its_sentence():
    assert list(FIELDS) == list(Ticket.TRACKED)


def test_a_wording_and_a_thing_that_nothing_uses_is_gone():
    assert {event.wording for event in EVENTS.values() if not event.sentence} == set(WORDINGS)
    assert {event.thing for event in EVENTS.values()} == set(Thing)


def test_fields_of_events_are_tracked():
    named = {name for event in EVENTS.values() for name in (*event.fields, *event.companions, *event.emptied)}
    assert named <= set(Ticket.TRACKED)


@pytest.mark.parametrize(
    ("changed", "emptied", "expected"),
    [
        (["subject", "status"], [], {"subject": Verb.EDITED, "status": Verb.STATUS_CHANGED}),
        (["reminded_at", "closes_at"], [], {"reminded_at": Verb.REMINDED, "closes_at": Verb.REMINDED}),
        (
            ["reminded_at", "closes_at"],
            ["reminded_at", "closes_at"],
            {"reminded_at": Verb.STATUS_CHANGED, "closes_at": Verb.STATUS_CHANGED},
        ),
        (["closes_at"], [], {"closes_at": Verb.REMINDED}),
        (["closes_at"], ["closes_at"], {"closes_at": Verb.STATUS_CHANGED}),
        (["assigned_because"], ["assigned_because"], {"assigned_because": Verb.ASSIGNED}),
        (["assignee"], ["assignee"], {"assignee": Verb.ASSIGNED}),
        (["merged_into"], [], {"merged_into": Verb.MERGED}),
        (["merged_into"], ["merged_into"], {"merged_into": Verb.UNMERGED}),
        (["confirmed_at"], ["confirmed_at"], {"confirmed_at": Verb.STATUS_CHANGED}),
    ],
)
def test_verb_of_a_field(changed, emptied, expected):
    assert verbs_of_fields(changed, emptied) == expected


@pytest.mark.parametrize(
    ("happened", "audience", "folder"),
    [
        ({Verb.STATUS_CHANGED, Verb.REPLIED}, Audience.REQUESTER, "said"),
        ({Verb.CREATED, Verb.FILE_ADDED}, Audience.REQUESTER, "receipt"),
        ({Verb.CREATED, Verb.FILE_ADDED}, Audience.CATEGORY, "filed"),
        ({Verb.EDITED}, Audience.FALLBACK, "moved"),
        ({Verb.EDITED, Verb.ASSIGNED}, Audience.ASSIGNEE, "changed"),
        ({Verb.REMINDED, Verb.STATUS_CHANGED}, Audience.REQUESTER, "reminder"),
    ],
)
def test_first_event_with_a_folder_of_its_own_chooses_the_email(happened, audience, folder):
    assert folder_for(happened, audience) == folder


def test_what_staff_alone_learn_of():
    internal = {Verb.NOTED, Verb.TAKEN_BACK, Verb.LINKED, Verb.UNLINKED, Verb.FEEDBACK}
    assert set(verbs(lambda event: not event.is_public)) == internal


@pytest.mark.django_db
def test_new_notification_is_its_event_and_its_template_folder(
    alice, ann, sam, monkeypatch, settings, tmp_path
):
    folder = tmp_path / "emails" / "escalated"
    folder.mkdir(parents=True)
    folder.joinpath("subject.txt").write_text("Ticket escalated")
    folder.joinpath("body.txt").write_text("It waits for a supervisor.")
    folder.joinpath("button.txt").write_text("Look at it")
    (engine,) = settings.TEMPLATES
    settings.TEMPLATES = [{**engine, "DIRS": [tmp_path, *engine["DIRS"]]}]
    event = Event(
        label="escalated",
        is_public=False,
        fields=("assigned_because",),
        audiences={Audience.ASSIGNEE: "statuses"},
        folder="escalated",
        sentence="%(actor)s escalated it.",
    )
    monkeypatch.setitem(EVENTS, Verb.ASSIGNED, replace(EVENTS[Verb.ASSIGNED], companions=()))
    monkeypatch.setitem(EVENTS, "escalated", event)
    ticket = make_ticket(alice, assignee=sam)
    Notification.objects.all().delete()
    ticket.assigned_because = "rule:7"
    with acting_as(ann):
        ticket.save()
    row = Notification.objects.get()
    mail = messages.build([row])
    assert (row.kind, row.person) == ("escalated", sam)
    assert "It waits for a supervisor." in mail.body
    assert timeline.sentences([row.activity], reader=sam) == ["Ann Weber escalated it."]


# The only one
def is_verb(node) -> bool:
    return isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Verb"


def members(node) -> list:
    """What a table could hold a verb as: a key, a member, a case."""
    if isinstance(node, ast.Dict):
        return node.keys
    if isinstance(node, ast.Set | ast.Tuple | ast.List):
        return node.elts
    return [node.value] if isinstance(node, ast.MatchValue) else []


def unpacks(node: ast.Assign) -> bool:
    """Whether it gives several names a value each, like `title, verb = "Confirmed", Verb.CONFIRMED`."""
    return isinstance(node.targets[0], ast.Tuple)


def tables_of_verbs(text: str) -> list[int]:
    """The lines of literals and cases that hold verbs."""
    nodes = list(ast.walk(ast.parse(text)))
    unpacked = [node.value for node in nodes if isinstance(node, ast.Assign) and unpacks(node)]
    found = (member for node in nodes if node not in unpacked for member in members(node))
    return sorted({member.lineno for member in found if is_verb(member)})


def modules() -> list[Path]:
    paths = [
        path
        for app in ("accounts", "helpdesk", "tickets")
        for path in Path(settings.BASE_DIR, app).rglob("*.py")
    ]
    return [path for path in paths if not {"tests", "migrations"} & set(path.parts) and path != TABLE]


def test_no_other_table_of_verbs_stands_anywhere():
    found = {str(path): lines for path in modules() if (lines := tables_of_verbs(path.read_text()))}
    assert not found


@pytest.mark.parametrize(
    "text",
    [
        "HOLD = {Verb.REPLIED: 3}",
        "SAID = {Verb.REPLIED}",
        "MERGES = (Verb.MERGED, Verb.UNMERGED)",
        "is_file = verb in [Verb.FILE_ADDED]",
        "match verb:\n    case Verb.CREATED | Verb.DELETED:\n        pass",
    ],
)
def test_a_table_of_verbs_would_be_found(text):
    assert tables_of_verbs(text)


def test_a_comparison_with_one_verb_is_no_table():
    assert not tables_of_verbs("kind, verb = 'note', Verb.NOTED")
    assert not tables_of_verbs("is_new = row.verb == Verb.CREATED\nrows.filter(verb=Verb.CREATED)")
