"""What hangs on people who left all the same is found and handed over (specs/teams-and-levels.md 1.3, T10)."""

from datetime import timedelta

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from accounts.roles import Role
from accounts.tests.cast import make_person
from tickets import jobs
from tickets.actions import conversation, handing_over, ownership_check
from tickets.actions.conversation import Message
from tickets.history import verification
from tickets.models import Category, Handover, Notification, NotStaff, Ticket
from tickets.tests.factories import category, make_ticket

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def kim(roles):
    return make_person("Kim Sato", role=Role.AGENT)


@pytest.fixture
def ben(roles):
    return make_person("Ben Adler", role=Role.AGENT)


def sql(text: str, *values) -> None:
    with connection.cursor() as cursor:
        cursor.execute(text, values)


def given_by_raw_sql(ticket, person, *, ago: timedelta) -> None:
    text = "UPDATE tickets_ticket SET assignee_id = %s, updated_at = %s WHERE id = %s"
    sql(text, person.pk, timezone.now() - ago, ticket.pk)


def gone(person) -> None:
    """Deactivated long ago by raw SQL, so that nothing was asked for."""
    sql("UPDATE accounts_user SET is_active = %s WHERE id = %s", False, person.pk)


def test_T10_raw_sql_is_found_named_handed_over_and_gone(alice, kim, capsys, caplog):
    ticket, other = make_ticket(alice), make_ticket(alice)
    gone(kim)
    given_by_raw_sql(ticket, kim, ago=20 * MINUTE)
    with pytest.raises(CommandError, match="Found 1 and reassigned them"):
        call_command("check_ownership")
    named = f"Ticket #{ticket.pk} is assigned to Kim Sato, who does not work on tickets."
    assert capsys.readouterr().err.strip() == named
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [named]
    ticket.refresh_from_db()
    assert (ticket.assignee, ticket.assigned_because) == (None, f"left:{kim.pk}")
    other.refresh_from_db()
    assert other.assigned_because == ""
    call_command("check_ownership")
    assert "No open ticket" in capsys.readouterr().out


def test_default_assignee_is_found_too(kim, capsys):
    box = category()
    box.default_assignee = kim
    box.save()
    gone(kim)
    with pytest.raises(CommandError):
        call_command("check_ownership")
    assert "New tickets in Other would be assigned to Kim Sato" in capsys.readouterr().err
    box.refresh_from_db()
    assert box.default_assignee is None


def test_what_is_about_to_be_handed_over_is_no_violation(alice, kim):
    ticket = make_ticket(alice, assignee=kim)
    Ticket.objects.filter(pk=ticket.pk).update(first_replied_at=None)
    with time_machine.travel(timezone.now() + timedelta(days=3), tick=False):
        kim.is_active = False
        kim.save()
        assert ownership_check.violations() == []
    with time_machine.travel(timezone.now() + timedelta(days=3, minutes=11), tick=False):
        assert len(ownership_check.violations()) == 1


def test_done_tickets_and_people_who_work_are_none(alice, kim, ann):
    make_ticket(alice, assignee=ann)
    make_ticket(alice, assignee=kim, phase="done")
    gone(kim)
    assert ownership_check.violations(older_than=timedelta()) == []


def test_job_runs_once_a_day():
    (job,) = (job for job in jobs.JOBS if job.name == "check_ownership")
    assert (job.interval, job.run) == (timedelta(days=1), ownership_check.check)


def test_start_page_says_so_while_there_are_any(client_of, ann, alice, kim):
    make_ticket(alice, assignee=kim)
    client = client_of(ann)
    assert "Tickets of people who left" not in client.get("/admin/").content.decode()
    gone(kim)
    assert "Tickets of people who left: 1." in client.get("/admin/").content.decode()


def test_looking_for_them_reads_no_ticket_while_all_assignees_work(
    alice, kim, ann, django_assert_num_queries
):
    for person in (kim, ann):
        make_ticket(alice, assignee=person)
    with django_assert_num_queries(1):  # who the assignees are
        assert handing_over.left_open().count() == 0


# By hand
def test_command_hands_over_before_somebody_leaves(alice, kim, ben, capsys):
    box = category()
    box.default_assignee = kim
    box.save()
    ticket = make_ticket(alice)
    Notification.objects.all().delete()
    call_command("hand_over", "kim@example.com", "--to", "BEN@example.com")
    assert "Reassigned 1 open ticket and 1 category of Kim Sato: Ben Adler." in capsys.readouterr().out
    ticket.refresh_from_db()
    box.refresh_from_db()
    assert (ticket.assignee, ticket.assigned_because, box.default_assignee) == (ben, "", ben)
    assert {row.person for row in Notification.objects.all()} == {ben}


def test_command_of_who_has_left_gives_to_nobody(alice, kim):
    ticket = make_ticket(alice, assignee=kim)
    gone(kim)
    call_command("hand_over", kim.email)
    ticket.refresh_from_db()
    assert (ticket.assignee, ticket.assigned_because) == (None, f"left:{kim.pk}")


@pytest.mark.parametrize(
    ("email", "to"),
    [("nobody@example.com", None), ("kim@example.com", "alice@example.com"), ("kim@example.com", "no@no.no"),
     ("kim@example.com", "kim@example.com")],
)  # fmt: skip
def test_command_that_cannot_says_why(alice, kim, email, to):
    ticket = make_ticket(alice, assignee=kim)
    with pytest.raises(CommandError):
        call_command("hand_over", email, *(["--to", to] if to else []))
    ticket.refresh_from_db()
    assert ticket.assignee == kim
    assert not Handover.objects.exists()


# Whatever happens
ACTS = st.lists(
    st.tuples(
        st.sampled_from(["off", "on", "demote", "promote", "assign", "reply", "close", "reopen", "move",
                         "default", "file", "raw off", "raw assign", "job"]),
        st.integers(0, 2),
        st.integers(0, 2),
    ),
    min_size=1,
    max_size=12,
)  # fmt: skip


def act(name: str, person, ticket, box, alice) -> None:
    match name:
        case "off" | "on":
            person.is_active = name == "on"
            person.save()
        case "demote":
            person.set_role(Role.REQUESTER)
        case "promote":
            person.set_role(Role.AGENT)
        case "assign":
            ticket.assign(person)
        case "reply":
            conversation.reply(ticket, Message(author=alice, body="Any news?"))
        case "close":
            ticket.close()
        case "reopen":
            ticket.reopen()
        case "move":
            ticket.category = box
            ticket.save()
        case "default":
            box.default_assignee = person
            box.save()
        case "file":
            make_ticket(alice, category=box)
        case "raw off":
            gone(person)
        case "raw assign":
            given_by_raw_sql(ticket, person, ago=MINUTE)
        case "job":
            handing_over.hand_over()


@settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(acts=ACTS)
def test_after_any_acts_and_a_run_of_the_jobs_nothing_hangs_on_who_left(roles, alice, kim, ben, ann, acts):
    with transaction.atomic():
        do_all(acts, [kim, ben, ann], alice)
        with time_machine.travel(timezone.now() + 11 * MINUTE, tick=False):
            handing_over.hand_over()
            ownership_check.check()
            assert ownership_check.violations(older_than=timedelta()) == []
        assert not handing_over.left_open().exists()
        if not any(name == "raw assign" for name, _who, _what in acts):
            assert list(verification.problems()) == []
        transaction.set_rollback(True)


def do_all(acts: list, people: list, alice) -> None:
    boxes = [category(name) for name in ("Other", "Email Support", "Website Support")]
    tickets = [make_ticket(alice, category=box) for box in boxes]
    for name, who, what in acts:
        person, ticket = User.objects.get(pk=people[who].pk), Ticket.objects.get(pk=tickets[what].pk)
        try:
            act(name, person, ticket, Category.objects.get(pk=boxes[what].pk), alice)
        except NotStaff:
            assert not person.works
