"""import_tickets: all or nothing, and every problem names its line and column."""

import gzip
import io
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.core.management import CommandError, call_command

from accounts.actor import acting_as
from accounts.models import User
from accounts.roles import Role
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.models import (
    ActivityLog,
    Category,
    Comment,
    Notification,
    SearchDocument,
    Status,
    Ticket,
)
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(tmp_path):
    """run(content, *options): imports a file of this content; returns what the command said."""

    def import_file(content: bytes | str, *options: str, name: str = "tickets.csv", said=None) -> str:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        said = said or io.StringIO()
        call_command("import_tickets", str(path), *options, stdout=said, stderr=said)
        return said.getvalue()

    return import_file


def test_every_column_is_taken_over(run, alice, ann):
    run(
        "subject,description,category,status,priority,requester,assignee,created_at,done_at\n"
        "No sound,The speakers are silent,Other,Done,high,ALICE@example.com,ann@example.com,"
        "2026-03-01 08:00,2026-03-02T09:30:00+01:00\n"
    )
    ticket = Ticket.objects.get()
    assert (ticket.subject, ticket.description, ticket.category.name) == (
        "No sound",
        "The speakers are silent",
        "Other",
    )
    assert (ticket.phase, ticket.priority, ticket.requester, ticket.assignee) == ("done", "high", alice, ann)
    assert ticket.created_at.isoformat() == "2026-03-01T08:00:00+00:00"
    assert ticket.done_at.isoformat() == "2026-03-02T08:30:00+00:00"
    assert ticket.source == "import"


def test_import_is_logged_once_a_ticket_and_mails_nobody(run, alice):
    said = run("description\nthe screen flickers\nthe mouse is gone\n", "--requester", alice.email)
    assert "2 tickets are imported." in said
    assert list(ActivityLog.objects.values_list("verb", "source")) == [("created", "import")] * 2
    assert not Notification.objects.exists()
    call_command("verify_activity_log", stdout=io.StringIO())


def test_missing_subject_is_made_of_the_first_words(run, alice):
    words = "the printer on the second floor does not print since the last update and nobody knows why at all"
    run(f"description\n{words}\nshort one\n", "--requester", alice.email)
    long, short = Ticket.objects.order_by("pk")
    assert long.subject == "the printer on the second floor does not print since the last update and nobody …"
    assert short.subject == "short one"


def test_columns_of_another_name_are_mapped(run, alice):
    run(
        "Betreff;x,Text\nA,B\n",
        "--map",
        "subject=Betreff;x",
        "--map",
        "description=Text",
        "--requester",
        alice.email,
    )
    assert Ticket.objects.get().subject == "A"


def test_compressed_file_with_byte_order_mark_is_read(run, alice):
    content = gzip.compress("\ufeffsubject\nGrüße aus Köln\n".encode())
    run(content, "--requester", alice.email, name="tickets.csv.gz")
    assert Ticket.objects.get().subject == "Grüße aus Köln"


def test_new_categories_are_made_when_asked_for(run, alice):
    run("subject,category\nA,Hardware\nB,hardware\n", "--requester", alice.email, "--create-categories")
    assert Category.objects.filter(name="Hardware").count() == 1


def test_dry_run_keeps_nothing(run, alice):
    said = run(
        "subject,category\nA,New one\n", "--requester", alice.email, "--create-categories", "--dry-run"
    )
    assert "1 tickets would be imported" in said
    assert not Ticket.objects.exists()
    assert not Category.objects.filter(name="New one").exists()


# There and back
TEXTS = (
    ("=HYPERLINK(1)", "  indented\n- x\n\n\ttab;semicolon,comma"),
    ("'=quoted already", "\"quotes\" and 'apostrophes'"),
    ("'plain apostrophe", "+49 30 1234"),
    ("Grüße 😀 ; , \" '", "-1\n\n\n2\u2028three"),
    ("@home", "x" * 20_000),
)


@pytest.fixture
def there_and_back(tmp_path, run):
    """Exports all tickets, empties the helpdesk, and imports them again."""

    def go(file_format: str, *options: str) -> str:
        path = tmp_path / "all.csv"
        call_command("export_tickets", "--format", file_format, out=str(path), stdout=io.StringIO())
        for model in (SearchDocument, Comment, Notification, Ticket):
            model._base_manager.all()._raw_delete(using="default")
        ActivityLog._base_manager.all()._raw_delete(using="default")
        User.objects.all().delete()
        Category.objects.filter(name="Hardware").delete()
        Status.objects.filter(name="With the supplier").delete()
        return run(path.read_bytes(), "--people", "--create-categories", "--create-statuses", *options)

    return go


@pytest.mark.parametrize("file_format", ["csv", "excel"])
def test_what_is_exported_comes_back(settings, there_and_back, alice, bob, ann, sam, file_format):
    hardware = Category.objects.create(name="Hardware")
    supplier = Status.objects.create(name="With the supplier", phase="waiting", position=9)
    filed = datetime(2026, 3, 1, 8, 0, 59, tzinfo=UTC)
    for number, (subject, description) in enumerate(TEXTS):
        with time_machine.travel(filed + timedelta(hours=number), tick=False):
            ticket = make_ticket(
                (alice, bob)[number % 2],
                subject=subject,
                description=description,
                category=hardware,
                priority=("low", "urgent")[number % 2],
                assignee=(ann, sam, None)[number % 3],
            )
        with time_machine.travel(filed + timedelta(days=number, seconds=7), tick=False), acting_as(ann):
            if number == 0:
                conversation.reply(ticket, Message(author=ann, body="Look at it."), status=supplier)
            if number in (1, 2):
                ticket.close()

    def everything() -> list[tuple]:
        people = ("requester__email", "requester__full_name", "assignee__email", "assignee__full_name")
        texts = ("subject", "description", "category__name", "status__name", "status__phase", "priority")
        dates = ("created_at", "first_replied_at", "done_at", "updated_at", "public_at")
        return list(Ticket.objects.order_by("pk").values_list(*texts, *people, *dates))

    before = everything()
    said = there_and_back(file_format)
    assert everything() == before
    assert len(before) == len(TEXTS)
    assert "5 tickets are imported." in said
    call_command("verify_activity_log", stdout=io.StringIO())
    assert not Notification.objects.exists()


def test_people_are_made_with_what_they_may_do(there_and_back, alice, ann, sam):
    alice.department = "Sales"
    alice.save()
    make_ticket(alice, assignee=ann)
    make_ticket(alice, assignee=sam, phase="done")
    said = there_and_back("csv")
    assert "Accounts made: 3, of which agents: 1." in said
    people = {person.email: person for person in User.objects.all()}
    assert [people[one.email].role for one in (alice, ann)] == [Role.REQUESTER, Role.AGENT]
    assert people[alice.email].department == "Sales"
    assert not people[sam.email].is_active  # has only worked on what is done, and may have left
    assert not any(person.has_usable_password() for person in people.values())
    assert EmailAddress.objects.filter(verified=True).count() == 3


def test_somebody_made_for_a_done_ticket_works_where_an_open_one_names_him(run):
    run(
        "subject,status,requester,assignee\n"
        "A,Done,alice@example.com,ann@example.com\n"
        "B,,ann@example.com,\n"
        "C,,alice@example.com,ann@example.com\n",
        "--people",
    )
    ann = User.objects.get(email="ann@example.com")
    assert ann.is_active
    assert ann.role == Role.AGENT


def test_nobody_who_is_here_already_gets_another_role(run, alice, bob):
    with pytest.raises(CommandError):
        run("subject,requester,assignee\nA,alice@example.com,bob@example.com\n", "--people")
    assert User.objects.get(pk=bob.pk).role == Role.REQUESTER


def test_dry_run_makes_nobody(run):
    said = run("subject,requester\nA,new@example.com\n", "--people", "--dry-run")
    assert "Accounts made: 1" in said
    assert not User.objects.exists()


def test_blank_headers_are_passed_over(run, alice):
    said = run("subject,,category, ,\nA,x,Other,y,z\n", "--requester", alice.email)
    assert Ticket.objects.get().subject == "A"
    assert "not used" not in said


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_other_delimiters_are_recognized_by_the_names_of_the_columns(run, alice, delimiter):
    run(f"subject{delimiter}description\nA{delimiter}B, and C\n", "--requester", alice.email)
    assert Ticket.objects.get().description == "B, and C"


GOOD = "subject,category\nA good line,Other\n"
BAD = {
    "wrong header": (
        "title,text\na,b\n",
        "line 1: there is no column subject or description. The file has: title",
    ),
    "double column": ("subject,subject\na,b\n", "line 1, column subject: this column appears twice"),
    "double export heading": (
        "subject,Filed,filed\na,,\n",
        "line 1, column filed: this column appears twice",
    ),
    "reply before filing": (
        "subject,created_at,first_replied_at\nA,2026-01-02,2026-01-01\n",
        "line 2, column first_replied_at: it is before created_at",
    ),
    "new status without a phase": (
        "subject,status,phase\nA,Flying,\n",
        "line 2, column status: there is no status 'Flying'",
    ),
    "broken address": (
        "subject,requester\nA,who@\n",
        "line 2, column requester: no one has the email address 'who@'",
    ),
    "empty file": ("", "line 1: the file is empty"),
    "broken UTF-8": (
        b"subject\ngood\nK\xf6ln\n",
        "line 3, column 2 (counted in characters): this is not UTF-8",
    ),
    "unknown category": (GOOD + "B,Nonsense\n", "line 3, column category: there is no category 'Nonsense'"),
    "10 MB in one cell": (
        "subject,description\nA," + "x" * 10 * 1024 * 1024 + "\n",
        "line 2, column description: Ensure this value has at most 20000 characters (it has 10485760).",
    ),
    "row too short": (GOOD + "B\n", "line 3: it has 1 cells, the header has 2"),
    "row too long": (GOOD + "B,Other,C\n", "line 3: it has 3 cells, the header has 2"),
    "impossible date": (
        "subject,created_at\nA,2026-02-30\n",
        "line 2, column created_at: '2026-02-30' is no possible date",
    ),
    "no date": (
        "subject,created_at\nA,yesterday\n",
        "line 2, column created_at: 'yesterday' is no date like",
    ),
    "future": (
        "subject,created_at\nA,2999-01-01\n",
        "line 2, column created_at: '2999-01-01' lies in the future",
    ),
    "empty date": (
        "subject,created_at\nA,0001-01-01\n",
        "line 2, column created_at: '0001-01-01' is before 1970-01-01",
    ),
    "empty date with a zone": (
        "subject,created_at\nA,0001-01-01T00:00:00+14:00\n",
        "line 2, column created_at: '0001-01-01T00:00:00+14:00' is before 1970-01-01",
    ),
    "day before 1970": (
        "subject,created_at\nA,1969-12-31 23:59:59\n",
        "line 2, column created_at: '1969-12-31 23:59:59' is before 1970-01-01",
    ),
    "end of all times": (
        "subject,created_at,done_at\nA,2026-01-01,9999-12-31T23:59:59-12:00\n",
        "line 2, column done_at: '9999-12-31T23:59:59-12:00' lies in the future",
    ),
    "done before filed": (
        "subject,created_at,done_at\nA,2026-01-02,2026-01-01\n",
        "line 2, column done_at: it is before created_at",
    ),
    "done but open": (
        "subject,status,done_at\nA,Submitted,2026-01-01\n",
        "line 2, column done_at: the status Submitted is not done",
    ),
    "unknown status": ("subject,status\nA,Flying\n", "line 2, column status: there is no status 'Flying'"),
    "unknown priority": (
        "subject,priority\nA,ASAP\n",
        "line 2, column priority: there is no priority 'ASAP'",
    ),
    "unknown requester": (
        "subject,requester\nA,who@example.com\n",
        "line 2, column requester: no one has the email address 'who@example.com'",
    ),
    "assignee is no staff": (
        "subject,assignee\nA,alice@example.com\n",
        "line 2, column assignee: alice@example.com may not work on tickets",
    ),
    "NUL": ("subject\nA\0B\n", "line 2"),
    "line break in subject": (
        'subject\n"A\nB"\n',
        "line 2, column subject: Line breaks are not allowed here.",
    ),
    "nothing at all": ("subject,description\n,\n", "line 2, column subject"),
    "open quote": ('subject\n"A\n', "this is not CSV"),
}


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD.keys())
def test_bad_line_is_named_and_nothing_stays(run, alice, content, message):
    said = io.StringIO()
    with pytest.raises(CommandError, match="Nothing was imported"):
        run(content, "--requester", alice.email, said=said)
    assert message in said.getvalue()
    assert not Ticket.objects.exists()
    assert not ActivityLog.objects.exists()
    assert Category.objects.count() == 6


def test_all_problems_are_counted_but_only_some_shown(run, alice):
    with pytest.raises(CommandError, match="30 problems"):
        run("subject,priority\n" + "A,ASAP\n" * 30, "--requester", alice.email)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--requester", "who@example.com"], "no one has the email address"),
        (["--map", "colour=x"], "--map takes FIELD=COLUMN"),
        (["--map", "subject"], "--map takes FIELD=COLUMN"),
    ],
)
def test_senseless_option_is_refused(run, options, message):
    with pytest.raises(CommandError, match=message):
        run("subject\nA\n", *options)


def test_missing_file_and_broken_compression_are_plain_errors(run, alice, tmp_path):
    with pytest.raises(CommandError, match="can't be read"):
        call_command("import_tickets", str(tmp_path / "nothing.csv"), "--requester", alice.email)
    with pytest.raises(CommandError, match="Nothing was imported"):
        run(b"no gzip", "--requester", alice.email, name="tickets.csv.gz")
