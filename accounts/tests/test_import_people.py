"""import_people: creates and updates people from a CSV file, all or nothing, and raises no one's rights."""

import io

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.importing.plan import make_plan
from accounts.importing.rows import read
from accounts.importing.table import PeopleTable
from accounts.importing.writing import write
from accounts.models import Invitation, User
from accounts.roles import Role
from helpdesk.csv_files import Problem
from tickets.models import Notification, SearchDocument, Ticket
from tickets.search import documents
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
HEADER = "email,name,department,location,phone\n"


@pytest.fixture
def run(tmp_path, roles):
    """run(content, *options): imports a file of this content; returns what the command said."""

    def import_file(content: bytes | str, *options: str, said=None) -> str:
        path = tmp_path / "people.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        said = said or io.StringIO()
        call_command("import_people", str(path), *options, stdout=said, stderr=said)
        return said.getvalue()

    return import_file


@pytest.fixture
def refused(run):
    """refused(content): what the command said of a file that it refused. It kept nothing."""

    def import_file(content, *options: str) -> str:
        said, before = io.StringIO(), list(User.objects.order_by("pk").values())
        with pytest.raises(CommandError, match="Nothing was imported"):
            run(content, *options, said=said)
        assert list(User.objects.order_by("pk").values()) == before
        return said.getvalue()

    return import_file


def details(email: str) -> tuple[str, ...]:
    person = User.objects.get(email=email)
    return person.full_name, person.department, person.location, person.phone


# New people
def test_new_person_is_a_requester_without_password_who_gets_no_email(run):
    said = run(HEADER + "Nora@Example.com,Nora Diaz,Sales,Room 4,+49 30 1234\n")
    assert "People imported: 1 created, 0 updated, 0 unchanged, 0 refused." in said
    nora = User.objects.get(email="nora@example.com")
    assert details(nora.email) == ("Nora Diaz", "Sales", "Room 4", "+49 30 1234")
    assert (nora.role, nora.is_active, nora.has_usable_password()) == (Role.REQUESTER, True, False)
    assert list(nora.groups.all()) == [Group.objects.get(name="requester")]
    assert EmailAddress.objects.get(user=nora).verified
    assert nora.may_be_mailed
    assert not Notification.objects.exists()


def test_name_is_searched_in_its_other_spellings(run):
    run(HEADER + "j@example.com,Jürgen Groß,Förderung,,\n")
    assert User.objects.described(["juergen", "gross", "foerderung"]).exists()


def test_person_without_name_is_named_by_the_address(run):
    run("email\nnora.diaz@example.com\n")
    assert details("nora.diaz@example.com")[0] == "nora.diaz"


# People who have an account
def test_only_what_the_file_says_changes(run, alice):
    said = run("email,name,phone,department\nalice@example.com,,5678,\n")
    assert "0 created, 1 updated, 0 unchanged" in said
    assert details(alice.email) == ("Alice Moreau", "Sales", "Room 204", "5678")
    said = run("email,name,phone,department\nalice@example.com,,5678,\n")
    assert "0 created, 0 updated, 1 unchanged" in said


def test_update_keeps_password_role_and_login(run, ann):
    password = ann.password
    run("email,role,department\nann@example.com,requester,IT\n")
    ann = User.objects.get(pk=ann.pk)
    assert (ann.role, ann.password, ann.department) == (Role.AGENT, password, "IT")


@pytest.mark.parametrize("who", ["sam", "root"])
def test_supervisor_or_superuser_is_never_changed(run, request, who):
    person = request.getfixturevalue(who)
    before = User.objects.values().get(pk=person.pk)
    said = run(f"{HEADER}{person.email},Somebody Else,X,X,X\n")
    assert "0 updated, 1 unchanged" in said
    assert "1 of the lines: Supervisors and superusers are never changed by an import." in said
    assert User.objects.values().get(pk=person.pk) == before


def test_deactivated_person_stays_so_and_is_not_invited(run, alice):
    User.objects.filter(pk=alice.pk).update(is_active=False, password="!")
    said = run(HEADER + "alice@example.com,Alice Moreau,Finance,,\n", "--invite")
    alice.refresh_from_db()
    assert (alice.is_active, alice.department) == (False, "Finance")
    assert "1 of the lines: The account is deactivated and stays so." in said
    assert "0 will be invited." in said


def test_confirmed_other_address_is_the_same_person(run, alice):
    EmailAddress.objects.create(user=alice, email="a.moreau@example.com", verified=True)
    said = run(HEADER + "A.Moreau@example.com,,Finance,,\n")
    assert "0 created, 1 updated" in said
    assert details(alice.email)[1] == "Finance"


def test_address_that_is_only_claimed_belongs_to_nobody(run, charlie):
    """Otherwise anybody could add the address of a colleague and get the colleague's details."""
    EmailAddress.objects.create(user=charlie, email="boss@example.com", verified=False)
    said = run(HEADER + "boss@example.com,The Boss,Board,,\n")
    assert "1 created, 0 updated" in said
    assert details(charlie.email)[:2] == ("Charlie Okafor", "Finance")


def test_person_on_two_lines_by_two_addresses_is_refused(refused, alice):
    EmailAddress.objects.create(user=alice, email="a.moreau@example.com", verified=True)
    said = refused("email,phone\nalice@example.com,1\na.moreau@example.com,2\n")
    assert "line 3: line 2 has another address of the same person" in said


def test_sign_up_that_is_not_confirmed_stays_so(run, settings, alice):
    settings.HAS_MAIL_PROVIDER = True
    alice.emailaddress_set.update(verified=False)
    run(HEADER + "alice@example.com,Alice Moreau,Finance,,\n")
    assert not User.objects.get(pk=alice.pk).may_be_mailed


def test_tickets_are_found_by_the_new_name_once_the_worker_has_run(run, alice):
    ticket = make_ticket(alice)
    run(HEADER + "alice@example.com,Alice Zuckerrohr,,,\n")
    assert SearchDocument.objects.old().values_list("ticket", flat=True).get() == ticket.pk
    documents.renew()
    assert "zuckerrohr" in str(SearchDocument.objects.get(ticket=ticket).words)
    assert not SearchDocument.objects.old().exists()


def test_update_of_a_phone_leaves_the_search_alone(run, alice):
    make_ticket(alice)
    run("email,phone\nalice@example.com,99\n")
    assert not SearchDocument.objects.old().exists()
    assert Ticket.objects.count() == 1


# Files
@pytest.mark.parametrize(
    "content",
    [
        "\ufeffEmail;Name\nnora@example.com;Nóra Díaz\n".encode(),
        "name\te-mail\nNóra Díaz\tnora@example.com\n".encode("utf-16"),
        b"\xfe\xff" + "Name,Email address\nNóra Díaz,nora@example.com\n".encode("utf-16-be"),
        "name\temail\nNóra Díaz\tnora@example.com\n".encode("utf-16-le"),
        'User principal name,Display name\r\n"nora@example.com","Nóra Díaz"\r\n'.encode(),
        "First Name [Required],Last Name [Required],Email Address [Required]\nNóra,Díaz,nora@example.com\n".encode(),
        "EMAIL;NAME\nnora@example.com;Nóra Díaz\n".encode("windows-1252"),
        "Address,Name\nnora@example.com,Nóra Díaz".encode(),
        "email,name\n\n ,\nnora@example.com,  Nóra Díaz \n".encode(),
    ],
    ids=["BOM", "UTF-16", "big-endian", "without BOM", "365", "Google", "Windows", "address", "empty lines"],
)
def test_file_of_any_program_is_read(run, content):
    assert "1 created" in run(content)
    assert details("nora@example.com")[0] == "Nóra Díaz"


def test_guessed_encoding_and_unused_columns_are_named(run):
    said = run("email,Cost centre,name\nnora@example.com,7,Nóra\n".encode("windows-1252"))
    assert "was read as windows-1252" in said
    assert "Columns that were not used: Cost centre." in said


def test_escaped_cells_of_an_export_are_read(run):
    run("email,phone\nnora@example.com,'+49 30 1234\n")
    assert details("nora@example.com")[3] == "+49 30 1234"


def test_columns_of_another_name_are_mapped(run):
    run("Wer,E\nNora Diaz,nora@example.com\n", "--map", "full_name=Wer", "--map", "email=E")
    assert details("nora@example.com")[0] == "Nora Diaz"


BAD = {
    "no address column": ("name\nNora\n", "line 1: there is no column with the email address."),
    "twice": ("email,email\na@example.com,b@example.com\n", "column email: this column appears twice"),
    "empty": ("", "line 1: the file is empty"),
    "workbook": (b"PK\x03\x04xxxx", "this is an Excel workbook. Save it as CSV"),
    "unreadable": (b"email,name\nx@example.com,\x81\xff\x8d\n", "line 2: the characters are not readable"),
    "no address": (HEADER + ",Nora,,,\n", "line 2, column email: an email address is required"),
    "bad address": (HEADER + "nora@localhost,,,,\n", "line 2, column email: Enter an email address like"),
    "two addresses": ("email;name\na@example.com, b@example.com;X\n", "line 2, column email: Enter an email"),
    "the same twice": (
        HEADER + "nora@example.com,,,,\nNORA@example.com,,,,\n",
        "line 3, column email: line 2 has the same address",
    ),
    "too long": (f"email,Room,Office\nn@example.com,1,{'x' * 101}\n", "line 2, column Office: Ensure this"),
    "line break": ('email,name\nn@example.com,"a\nb"\n', "line 2, column name: Line breaks are not"),
    "NUL": ("email,name\nn@example.com,a\0b\n", "Null characters are not allowed"),
    "cells": ("email,name\nn@example.com\n", "line 2: it has 1 cells, the header has 2"),
    "role": ("email,role\nn@example.com,Agent\n", "line 2, column role: an import creates requesters only"),
    "unknown role": ("email,role\nn@example.com,king\n", "line 2, column role: an import creates requesters"),
}


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD)
def test_bad_line_is_named_and_nothing_stays(refused, content, message):
    assert message in refused(content)


def test_all_problems_are_counted_but_only_some_shown(refused):
    said = refused("email,name\n" + "x,y\n" * 30 + "nora@example.com,Nora\n")
    assert said.count("Enter an email address") == 20
    assert "... and 10 more." in said


def test_role_cannot_be_raised_by_the_file(refused, alice):
    assert "an import creates requesters only" in refused("email,role\nalice@example.com,supervisor\n")


def test_role_that_the_person_has_is_no_error(run, ann):
    assert "1 unchanged" in run("email,role\nann@example.com,agent\n")


def test_bad_lines_are_left_out_where_asked(run):
    said = run(HEADER + "nora@example.com,Nora,,,\nx,,,,\n", "--skip-bad")
    assert "line 3, column email" in said
    assert "1 created, 0 updated, 0 unchanged, 1 refused." in said
    assert User.objects.filter(email="nora@example.com").exists()


def test_dry_run_keeps_nothing_and_says_the_same(run, alice):
    content = HEADER + "nora@example.com,Nora,,,\nalice@example.com,,Finance,,\n"
    said = run(content, "--dry-run", "--invite")
    assert "Dry run, nothing was kept: 1 created, 1 updated, 0 unchanged, 0 refused." in said
    assert "1 would be invited." in said
    assert not User.objects.filter(email="nora@example.com").exists()
    assert details(alice.email)[1] == "Sales"
    assert not Invitation.objects.exists()
    assert "People imported: 1 created, 1 updated, 0 unchanged, 0 refused." in run(content)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Give a FILE"),
        (["x.csv", "--invite-waiting"], "Give a FILE"),
        (["/nowhere/x.csv"], "can't be read"),
        (["x.csv", "--map", "salary=Pay"], "--map takes FIELD=COLUMN|can't be read"),
    ],
)
def test_senseless_options_are_refused(arguments, message):
    with pytest.raises(CommandError, match=message):
        call_command("import_people", *arguments)


# Size
def imported(content: str) -> int:
    """The number of queries."""
    with CaptureQueriesContext(connection) as queries:
        write(make_plan(read(PeopleTable(content.encode())), lock=True), by=None)
    return len(queries)


def test_queries_do_not_grow_with_the_rows_of_a_batch(roles, alice):
    def content(department: str, start: int, end: int) -> str:
        rows = (f"p{number}@example.com,Person {number},{department}\n" for number in range(start, end))
        return "email,name,department\n" + "".join(rows)

    few, many = imported(content("Sales", 0, 5)), imported(content("Sales", 5, 45))
    assert few == many
    few, many = imported(content("Finance", 0, 5)), imported(content("Finance", 5, 45))
    assert few == many
    assert User.objects.filter(department="Finance").count() == 45


def test_more_than_a_batch_is_imported(run):
    rows = "".join(f"p{number}@example.com,Person {number},,,\n" for number in range(1_100))
    assert "1100 created" in run(HEADER + rows)
    assert "1100 unchanged" in run(HEADER + rows)
    assert User.objects.filter(groups__name="requester").count() == 1_100


def test_header_without_end_is_refused():
    with pytest.raises(Problem, match="the header is too long"):
        read(PeopleTable(b"[" * 200_000 + b",email\n"))


def test_no_more_rows_are_validated_than_asked_for():
    content = b"email\n" + b"".join(b"p%d@example.com\n" % number for number in range(50))
    assert len(read(PeopleTable(content), most=7)) == 7
    assert len(read(PeopleTable(content))) == 50
