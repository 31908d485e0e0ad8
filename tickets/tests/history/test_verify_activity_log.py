"""verify_activity_log: finds whatever was changed behind the pipe."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import QuerySet

from accounts.actor import acting_as
from tickets.models import Attachment, Ticket
from tickets.tests.factories import category, make_ticket, status, upload

pytestmark = pytest.mark.django_db


def verify() -> str:
    said = io.StringIO()
    call_command("verify_activity_log", stdout=said, stderr=said)
    return said.getvalue()


def complaint() -> str:
    said = io.StringIO()
    with pytest.raises(CommandError):
        call_command("verify_activity_log", stdout=said, stderr=said)
    return said.getvalue()


def sql(statement: str, *values) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


@pytest.fixture
def ticket(alice, ann):
    ticket = make_ticket(alice)
    Attachment.attach([upload()], ticket=ticket, uploader=alice)
    with acting_as(ann):
        ticket.assign(ann)
        ticket.set_status(status("waiting"))
        ticket.category = category("Email Support")
        ticket.save()
        ticket.close()
    return ticket


def test_everything_through_the_pipe_is_explained(ticket, alice):
    make_ticket(alice).delete()
    assert "explains everything" in verify()


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("UPDATE tickets_ticket SET subject = 'quietly' WHERE id = %s", "subject is 'quietly', but the log"),
        ("UPDATE tickets_ticket SET assignee_id = NULL WHERE id = %s", "assignee is None, but the log"),
        ("DELETE FROM tickets_attachment WHERE ticket_id = %s", "it is gone, but the log does not say so"),
        ("UPDATE tickets_attachment SET name = 'other.png' WHERE ticket_id = %s", "name is 'other.png'"),
        ("DELETE FROM tickets_activitylog WHERE ticket_id = %s AND verb = 'assigned'", "assignee is"),
        (
            "DELETE FROM tickets_activitylog WHERE ticket_id = %s AND verb = 'created'",
            "where there is nothing",
        ),
    ],
)
def test_raw_sql_is_reported(ticket, statement, message):
    sql("UPDATE tickets_notification SET activity_id = NULL")
    sql(statement, ticket.pk)
    assert message in complaint()


def test_ticket_without_log_is_reported(ticket):
    sql("UPDATE tickets_notification SET activity_id = NULL")
    sql("DELETE FROM tickets_activitylog")
    said = complaint()
    assert f"#{ticket.pk} is there, but not in the log." in said
    file = ticket.attachments.get()
    assert f"File {file.key} of #{ticket.pk} is there, but not in the log." in said


def test_each_ticket_without_log_is_reported(ticket, alice):
    first, second, third = (make_ticket(alice) for _number in range(3))
    sql("UPDATE tickets_notification SET activity_id = NULL")
    sql("DELETE FROM tickets_activitylog WHERE ticket_id IN (%s, %s)", first.pk, third.pk)
    said = complaint()
    for one in (first, third):
        assert f"#{one.pk} is there, but not in the log." in said
    for one in (ticket, second):
        assert f"#{one.pk} is there" not in said
        assert f"#{one.pk}:" not in said


def test_ticket_that_vanished_is_reported(ticket):
    for table in ("attachment", "searchdocument", "ticket"):
        sql(f"DELETE FROM tickets_{table}")
    assert f"#{ticket.pk}: it is gone, but the log does not say so." in complaint()


def test_log_of_a_deleted_ticket_that_is_back_is_reported(ticket):
    copy = Ticket.objects.get(pk=ticket.pk)
    ticket.delete()
    QuerySet(Ticket).bulk_create([copy])
    assert "the log says that it is deleted, but it is there" in complaint()
