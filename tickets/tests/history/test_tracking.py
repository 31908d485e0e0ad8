"""The pipe's first hop: whatever changes a tracked field is logged, and what could not be raises."""

import io
import threading
from contextlib import contextmanager
from operator import itemgetter

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import ProtectedError, Value
from django.template import Context, Template
from django.test.utils import CaptureQueriesContext

from accounts import actor
from accounts.actor import acting_as
from tickets.history import recording
from tickets.models import ActivityLog, AppendOnly, Attachment, Notification, Ticket, tracking
from tickets.models.tracking import UnloggedWrite
from tickets.notifications import outbox
from tickets.tests.factories import category, make_ticket, status, upload

pytestmark = pytest.mark.django_db


class ProxyTicket(Ticket):
    class Meta:
        proxy = True
        app_label = "tickets"


@pytest.fixture
def ticket(alice):
    return make_ticket(alice)


def log(ticket_id: int) -> list[tuple[str, dict]]:
    """The log after the filing."""
    rows = ActivityLog.objects.filter(ticket_id=ticket_id).order_by("pk").values_list("verb", "changes")
    return list(rows)[1:]


# What is logged
def test_filing_logs_every_tracked_field_with_actor_and_source(ticket, alice):
    row = ActivityLog.objects.get()
    assert (row.verb, row.actor, row.actor_name, row.source) == ("created", alice, "Alice Moreau", "web")
    assert row.changes["subject"] == [None, ticket.subject]
    empty = {"assignee", "assigned_because", "confirmed_at", "not_fixed_at", "feedback", "merged_into"}
    empty |= {*Ticket.WAITING_FIELDS}
    assert set(row.changes) == set(Ticket.TRACKED) - empty


def test_each_kind_of_change_is_a_verb_of_its_own(ticket, ann):
    ticket.status, ticket.assignee, ticket.priority = status("active"), ann, "high"
    with acting_as(ann) as act:
        ticket.save()
    assert dict(log(ticket.pk)) == {
        "status_changed": {"status": [status("new").pk, status("active").pk]},
        "assigned": {"assignee": [None, ann.pk]},
        "edited": {"priority": ["normal", "high"]},
    }
    assert {row.batch for row in ActivityLog.objects.exclude(verb="created")} == {act.batch}


def test_proxy_model_is_logged(ticket):
    """Trap: a receiver with sender=Ticket would be deaf to it."""
    proxy = ProxyTicket.objects.get(pk=ticket.pk)
    proxy.priority = "high"
    proxy.save()
    assert log(ticket.pk) == [("edited", {"priority": ["normal", "high"]})]


@pytest.mark.parametrize("field", ["assignee", "assignee_id"])
def test_update_fields_logs_either_spelling(ticket, ann, field):
    """Trap: update_fields=["assignee_id"] spells a tracked field another way."""
    ticket.assignee = ann
    ticket.save(update_fields=[field])
    assert log(ticket.pk) == [("assigned", {"assignee": [None, ann.pk]})]
    ticket.refresh_from_db()
    assert ticket.version == 2


def test_field_outside_update_fields_is_not_logged(ticket):
    ticket.subject, ticket.priority = "Not saved", "high"
    ticket.save(update_fields=["priority"])
    assert log(ticket.pk) == [("edited", {"priority": ["normal", "high"]})]


def test_old_values_are_the_stored_ones(ticket):
    """Trap: values remembered at load time are wrong when somebody else has saved since."""
    stale = Ticket.objects.get(pk=ticket.pk)
    ticket.set_priority("high")
    stale.priority = "urgent"
    stale.save()
    assert log(ticket.pk)[-1] == ("edited", {"priority": ["high", "urgent"]})


def test_saving_without_a_change_leaves_no_trace(ticket):
    before = Ticket.objects.values().get()
    ticket.save()
    Ticket.objects.get(pk=ticket.pk).save()
    assert log(ticket.pk) == []
    assert Ticket.objects.values().get() == before


def test_stale_save_never_turns_the_version_back(ticket):
    stale = Ticket.objects.get(pk=ticket.pk)
    ticket.set_priority("high")
    stale.priority = "high"
    stale.save(update_fields=["priority"])
    ticket.refresh_from_db()
    assert ticket.version == 2


def test_stale_save_of_one_field_turns_back_no_other(ticket, ann):
    """Trap: save() adds the assignee to update_fields, because a change of the category may set it."""
    stale = Ticket.objects.get(pk=ticket.pk)
    ticket.assign(ann)
    stale.priority = "high"
    stale.save(update_fields=["priority"])
    assert log(ticket.pk)[-1] == ("edited", {"priority": ["normal", "high"]})
    ticket.refresh_from_db()
    assert ticket.assignee == ann


def test_value_is_compared_as_it_will_be_stored(ticket):
    """A subject is stored without characters that nobody sees."""
    ticket.subject = f"{ticket.subject}\u202e"
    ticket.save()
    assert log(ticket.pk) == []
    ticket.refresh_from_db()
    assert ticket.version == 1


def test_deferred_fields_are_logged_rightly(ticket):
    for loaded in (Ticket.objects.only("subject"), Ticket.objects.defer("description")):
        one = loaded.get(pk=ticket.pk)
        one.subject += "."
        one.save()
    assert [verb for verb, _changes in log(ticket.pk)] == ["edited", "edited"]
    ticket.refresh_from_db()
    assert (ticket.subject[-2:], ticket.version) == ("..", 3)


def test_update_or_create_and_get_or_create_are_logged(ticket):
    Ticket.objects.update_or_create(pk=ticket.pk, defaults={"priority": "low"})
    Ticket.objects.get_or_create(pk=ticket.pk, defaults={"priority": "high"})
    assert log(ticket.pk) == [("edited", {"priority": ["normal", "low"]})]


def test_change_saves_many_like_single_acts(alice, ann):
    tickets = [make_ticket(alice) for _number in range(3)]
    with acting_as(ann):
        assert Ticket.objects.all().change(priority="high") == 3
    assert all(log(one.pk) == [("edited", {"priority": ["normal", "high"]})] for one in tickets)
    assert Notification.objects.filter(kind="edited").count() == 3


def test_change_of_many_is_whole_or_not_at_all(alice, bob, monkeypatch):
    first, second = make_ticket(alice), make_ticket(bob)
    save = Ticket.save

    def fail(ticket, **options):
        if ticket.pk == second.pk:
            raise RuntimeError("injected")
        save(ticket, **options)

    monkeypatch.setattr(Ticket, "save", fail)
    with pytest.raises(RuntimeError):
        Ticket.objects.order_by("pk").change(priority="high")
    assert set(Ticket.objects.values_list("priority", flat=True)) == {"normal"}
    assert log(first.pk) == log(second.pk) == []


def test_rows_are_loaded_with_their_log_or_not_at_all(alice):
    rows = [Ticket(requester=alice, subject="x", category=category(), status=status("new"))]

    def fail(created):
        raise RuntimeError("injected")

    with pytest.raises(RuntimeError):
        Ticket.objects.bulk_load(rows, record=fail)
    assert not Ticket.objects.exists()


def test_no_template_changes_rows(ticket):
    page = Template("[{{ tickets.update }}{{ tickets.change }}]")
    assert page.render(Context({"tickets": Ticket.objects.all()})) == "[]"


# Rows that are locked
@contextmanager
def locked(*tickets):
    with transaction.atomic(), tracking.locked(tickets):
        yield


def test_locked_row_is_not_read_again(ticket):
    with locked(ticket), CaptureQueriesContext(connection) as queries:
        ticket.set_priority("high")
        ticket.set_priority("urgent")
    assert [sql for sql in map(itemgetter("sql"), queries) if is_read_of_ticket(sql)] == []
    assert log(ticket.pk) == [
        ("edited", {"priority": ["normal", "high"]}),
        ("edited", {"priority": ["high", "urgent"]}),
    ]
    ticket.refresh_from_db()
    assert ticket.version == 3


def test_row_that_is_not_locked_is_read_also_beside_others(ticket, alice):
    other = make_ticket(alice)
    stale = Ticket.objects.get(pk=ticket.pk)
    ticket.set_priority("high")
    with locked(other):
        stale.priority = "urgent"
        stale.save()
    assert log(ticket.pk)[-1] == ("edited", {"priority": ["high", "urgent"]})


def test_rows_are_read_again_when_the_lock_has_ended(ticket):
    stale = Ticket.objects.get(pk=ticket.pk)
    with pytest.raises(ZeroDivisionError), locked(stale):
        raise ZeroDivisionError
    ticket.set_priority("high")
    stale.priority = "urgent"
    stale.save()
    assert log(ticket.pk)[-1] == ("edited", {"priority": ["high", "urgent"]})


def is_read_of_ticket(sql: str) -> bool:
    return sql.startswith("SELECT") and 'FROM "tickets_ticket"' in sql and '"version"' in sql


def test_deleting_many_logs_each(alice):
    numbers = [make_ticket(alice).pk for _number in range(3)]
    Ticket.objects.filter(pk__in=numbers).delete()
    assert [log(number)[-1][0] for number in numbers] == ["deleted"] * 3


def test_deleting_a_ticket_logs_its_files_and_removes_them(
    ticket, alice, attachments_dir, django_capture_on_commit_callbacks
):
    Attachment.attach([upload()], ticket=ticket, uploader=alice)
    assert [path for path in attachments_dir.rglob("*") if path.is_file()]
    number = ticket.pk
    with django_capture_on_commit_callbacks(execute=True):
        ticket.delete()
    assert {verb for verb, _changes in log(number)} == {"file_added", "file_removed", "deleted"}
    assert not [path for path in attachments_dir.rglob("*") if path.is_file()]


# What raises
@pytest.mark.parametrize(
    "write",
    [
        lambda ticket, ann: Ticket.objects.update(assignee=ann),
        lambda ticket, ann: Ticket.objects.update(assignee_id=ann.pk),
        lambda ticket, ann: Ticket.objects.filter(pk=ticket.pk).update(subject="x", version=9),
        lambda ticket, ann: Ticket.objects.bulk_update([ticket], ["priority"]),
        lambda ticket, ann: Ticket.objects.bulk_update([ticket], ["version", "assignee_id"]),
        lambda ticket, ann: Ticket.objects.bulk_create([Ticket(subject="x")]),
        lambda ticket, ann: ann.assigned_tickets.add(ticket),
        lambda ticket, ann: ann.assigned_tickets.set([ticket]),
        lambda ticket, ann: category("Email Support").tickets.add(ticket),
        lambda ticket, ann: status("done").tickets.set([ticket]),
        lambda ticket, ann: Ticket._base_manager.update(priority="low"),
        lambda ticket, ann: Attachment.objects.update(name="x"),
    ],
    ids=[
        "update", "update by column", "update among others", "bulk_update", "bulk_update by column",
        "bulk_create", "reverse add", "reverse set", "category add", "status set", "base manager",
        "attachment",
    ],
)  # fmt: skip
def test_bypassing_save_raises_and_names_the_method(ticket, ann, write):
    with pytest.raises(UnloggedWrite, match=r"change\(\)"), transaction.atomic():
        write(ticket, ann)
    assert log(ticket.pk) == []


def test_removing_from_a_reverse_relation_raises(ticket, ann):
    ticket.assign(ann)
    with pytest.raises(UnloggedWrite):
        ann.assigned_tickets.clear()


def test_untracked_fields_may_be_updated(ticket):
    assert Ticket.objects.update(first_replied_at=None) == 1


def test_person_with_tickets_cannot_be_deleted(ticket, alice):
    """THREATS 120. Trap: on_delete=SET_NULL would edit silently; every tracked relation protects."""
    with pytest.raises(ProtectedError):
        alice.delete()
    fields = [Ticket._meta.get_field(name) for name in Ticket.TRACKED]
    relations = [field.remote_field for field in fields if field.remote_field]
    assert {relation.on_delete.__name__ for relation in relations} == {"PROTECT"}


def test_expression_on_a_tracked_field_is_logged_by_its_result(ticket):
    ticket.priority = Value("high")
    ticket.save()
    assert log(ticket.pk) == [("edited", {"priority": ["normal", "high"]})]
    ticket.refresh_from_db()
    with locked(ticket):
        ticket.priority = Value("low")
        ticket.save()
        ticket.priority = "urgent"
        ticket.save()
    assert [changes["priority"] for _verb, changes in log(ticket.pk)[1:]] == [
        ["high", "low"],
        ["low", "urgent"],
    ]


def test_loaded_fixture_is_not_logged_again(ticket, tmp_path):
    """Trap: loaddata (raw=True) brings its log along."""
    path = tmp_path / "ticket.json"
    call_command("dumpdata", "tickets.ticket", output=str(path))
    before = ActivityLog.objects.count()
    call_command("loaddata", str(path), verbosity=0, stdout=io.StringIO())
    assert ActivityLog.objects.count() == before


# The same transaction
@pytest.mark.parametrize("step", ["log", "outbox", "outbox of the file"])
def test_fault_at_any_step_leaves_nothing(alice, attachments_dir, monkeypatch, step):
    """I4: ticket, file, log and outbox stand or fall together."""
    calls = []

    def fail(*args, **kwargs):
        calls.append(1)
        if step != "outbox of the file" or len(calls) == 2:
            raise RuntimeError("injected")

    if step == "log":
        monkeypatch.setattr(recording.ActivityLog, "save", fail)
    else:
        monkeypatch.setattr(outbox, "enqueue", fail)
    with pytest.raises(RuntimeError, match="injected"), transaction.atomic():
        ticket = make_ticket(alice)
        Attachment.attach([upload()], ticket=ticket, uploader=alice)
    assert not Ticket.objects.exists()
    assert not ActivityLog.objects.exists()
    assert not Notification.objects.exists()
    assert not [path for path in attachments_dir.rglob("*") if path.is_file()]


# The log
@pytest.mark.parametrize(
    "write",
    [
        lambda row: row.save(),
        lambda row: row.delete(),
        lambda row: ActivityLog.objects.update(verb="edited"),
        lambda row: ActivityLog.objects.all().delete(),
        lambda row: ActivityLog.objects.bulk_update([row], ["verb"]),
        lambda row: ActivityLog._base_manager.filter(pk=row.pk).delete(),
    ],
    ids=["save", "delete", "update", "delete many", "bulk_update", "base manager"],
)
def test_log_is_append_only(ticket, write):
    with pytest.raises(AppendOnly):
        write(ActivityLog.objects.get())


def test_log_outlives_ticket_and_person(bob, alice, sam):
    ticket = make_ticket(alice)
    with acting_as(bob):
        ticket.set_priority("low")
    number = ticket.pk
    with acting_as(sam):
        ticket.delete()
    bob.delete()
    rows = ActivityLog.objects.filter(ticket_id=number).order_by("pk")
    assert [row.actor_name for row in rows] == ["Alice Moreau", "Bob Ortiz", "Sam Lindqvist"]
    assert rows[2].verb == "deleted"


# The actor
def test_acting_as_nests_and_ends_even_with_an_error(alice, ann):
    with acting_as(alice) as outer:
        with pytest.raises(ValueError, match="x"), acting_as(ann) as inner:
            assert actor.current() is inner
            raise ValueError("x")
        assert actor.current() is outer
        assert inner.batch != outer.batch
    assert actor.current().user is None


def test_new_thread_starts_without_an_actor(alice):
    """Trap: a ContextVar is not handed to threads."""
    seen = []
    with acting_as(alice):
        thread = threading.Thread(target=lambda: seen.append(actor.current().user))
        thread.start()
        thread.join()
    assert seen == [None]


def test_requests_are_acts_of_their_own(client_of, alice, ann):
    ticket = make_ticket(alice)
    client = client_of(ann)
    client.post(f"/tickets/{ticket.pk}/close/")
    client.post(f"/tickets/{ticket.pk}/reopen/")
    rows = ActivityLog.objects.filter(ticket_id=ticket.pk).order_by("pk")[1:]
    assert [(row.actor, row.source) for row in rows] == [(ann, "web")] * 2
    assert rows[0].batch != rows[1].batch
    assert actor.current().user is None
