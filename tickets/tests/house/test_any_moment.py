"""Whatever year a stored moment has, pages, lists, exports, reports, mails and jobs work (THREATS 143)."""

from datetime import UTC, datetime, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from django.core.management import call_command
from django.db import connection, models
from django.utils import timezone

from accounts.actor import acting_as
from helpdesk import moments
from helpdesk.lists import paging
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.history import verification
from tickets.jobs import JOBS
from tickets.mail.sending import delivery
from tickets.models import Draft, Ticket, TicketLink, Visit
from tickets.tests.conftest import OUR_MODELS
from tickets.tests.factories import held_mail, make_ticket, status, upload
from tickets.tests.house.test_permissions import ADMIN, admin_url

pytestmark = pytest.mark.django_db
IS_POSTGRESQL = connection.vendor == "postgresql"
# As raw SQL may have put them there. SQLite has no BC and no infinity, but takes any text.
ODD = ["0001-01-01 00:00:00", "9999-12-31 23:59:59.999999", "1969-12-31 23:59:59", "2262-04-12 00:00:00"]
ODD += (
    ["0044-03-15 00:00:00 BC", "infinity", "-infinity", "294276-12-31 23:59:59"]
    if IS_POSTGRESQL
    else ["-044-03-15 00:00:00"]
)
ZONES = ["Pacific/Auckland", "America/Los_Angeles", "Asia/Kolkata"]
LISTS = [
    "/tickets/",
    "/tickets/?phase=all",
    "/tickets/?phase=done&period=week",
    "/tickets/?phase=all&q=printer",
    "/tickets/?phase=all&q=before%3A1800-01-01",
    "/tickets/?phase=all&q=after%3A0001-01-01",
]
STAFF_LISTS = [
    "/admin/",
    "/admin/tickets/ticket/?phase=all",
    "/admin/tickets/ticket/?phase=all&o=-7",
    "/admin/tickets/ticket/?phase=done",
    "/admin/tickets/ticket/?phase=open&age=30-",
    "/admin/tickets/ticket/?phase=all&period=month",
    "/admin/tickets/ticket/?phase=all&q=printer",
    "/admin/tickets/activitylog/",
    "/admin/tickets/notification/",
    "/admin/tickets/inboundemail/",
    "/admin/tickets/suppressedaddress/",
    "/admin/accounts/user/",
    "/admin/mail/",
]
REPORTS = [
    "/admin/tickets/ticket/reports/",
    "/admin/tickets/ticket/reports/?period=this-year",
    "/admin/tickets/ticket/reports/?period=own&first=0001-01-01&last=0001-12-31",
    "/admin/tickets/ticket/reports/?period=own&first=9998-01-01&last=9999-12-31",
    "/admin/tickets/ticket/reports/?period=this-year&format=csv",
    "/admin/tickets/ticket/export/?phase=all",
    "/admin/mail/?period=own&first=0001-01-01&last=0001-12-31",
]


@pytest.fixture
def world(alice, bob, charlie, ann, sam, root):
    """A ticket of each phase with everything that has a moment, and the people."""
    tickets = [
        make_ticket(alice, phase=phase, assignee=ann) for phase in ("new", "active", "waiting", "done")
    ]
    first, second = tickets[:2]
    with acting_as(ann):
        for ticket in tickets[:3]:
            conversation.reply(ticket, Message(author=ann, body="Which printer?", files=[upload()]))
        conversation.note(first, Message(author=ann, body="Ask the supplier."))
        conversation.watch(first, bob)
        TicketLink.objects.create(ticket=first, target=second)
        waiting = Ticket.objects.get(pk=tickets[2].pk)
        waiting.category.remind_after = waiting.category.close_after = 1
        waiting.category.save()
        waiting.remind()
    Visit.objects.record(person=ann, ticket=first, number=0)
    Draft.objects.keep(person=ann, ticket=first, kind="reply", body="Hello")
    held_mail()
    people = {"alice": alice, "charlie": charlie, "ann": ann, "sam": sam, "root": root}
    return people, tickets


def set_all(moment: str) -> None:
    """Gives every moment and every day of every row this value, behind everybody's back."""
    kinds = {
        "DateTimeField": moment,
        "DateField": moment if "infinity" in moment else moment.replace(" 00:00:00", ""),
    }
    with connection.cursor() as cursor:
        for model in OUR_MODELS:
            for field in model._meta.local_concrete_fields:
                value = kinds.get(field.get_internal_type())
                if value is None or isinstance(field, models.GeneratedField):
                    continue
                empty = "" if field.name != "done_at" else f' WHERE "{field.column}" IS NOT NULL'
                cursor.execute(f'UPDATE "{model._meta.db_table}" SET "{field.column}" = %s{empty}', [value])


def check(client, *paths: str) -> None:
    for path in paths:
        response = client.get(path)
        if response.streaming:
            b"".join(response.streaming_content)
        assert response.status_code < 400, path


@pytest.mark.parametrize(
    ("moment", "zone"),
    [*product(ODD[:2], ZONES), *((moment, ZONES[number % 2]) for number, moment in enumerate(ODD[2:]))],
)
def test_lists_tickets_reports_and_exports_work(client_of, world, zone, moment):
    people, tickets = world
    for person in people.values():
        person.time_zone = zone
        person.save()
    set_all(moment)
    for ticket in tickets:
        check(client_of(people["alice"]), f"/tickets/{ticket.pk}/", f"/tickets/{ticket.pk}/timeline/")
        check(
            client_of(people["ann"]), f"/admin/tickets/ticket/{ticket.pk}/change/", f"/tickets/{ticket.pk}/"
        )
    for who in ("alice", "sam"):
        check(client_of(people[who]), "/", *LISTS)
    check(client_of(people["sam"]), *STAFF_LISTS, *REPORTS)


@pytest.mark.parametrize("moment", [*ODD, "2900-06-15 12:00:00"])
@pytest.mark.parametrize("field", ["created_at", "first_replied_at", "done_at"])
def test_reports_work_where_one_moment_of_a_ticket_is_odd(client_of, world, field, moment):
    """The others are of today, so that the report asks how long lies between them."""
    people, tickets = world
    Ticket.objects.filter(pk=tickets[3].pk).update(first_replied_at=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(f'UPDATE tickets_ticket SET "{field}" = %s WHERE done_at IS NOT NULL', [moment])
    ages = "/admin/tickets/ticket/reports/?period=own&first=0001-01-01&last=9999-12-31"
    check(client_of(people["sam"]), *REPORTS, ages, f"{ages}&format=csv")


@pytest.mark.parametrize("moment", ODD)
def test_every_page_of_the_admin_works(client_of, world, moment):
    people, tickets = world
    root = people["root"]
    root.time_zone = ZONES[0] if moment.startswith("9") else ZONES[1]
    root.save()
    urls = [admin_url(name, people, tickets[0]) for name, answers in ADMIN.items() if answers[2] == 200]
    set_all(moment)
    check(client_of(root), *urls)


@pytest.mark.parametrize("moment", ODD)
def test_people_go_on_working_on_such_a_ticket(client_of, world, moment):
    people, tickets = world
    set_all(moment)
    client = client_of(people["ann"])
    for ticket in tickets:
        address = f"/admin/tickets/ticket/{ticket.pk}"
        assert client.post(f"{address}/reply/", {"body": "Hello"}).status_code == 302
        assert client.post(f"{address}/take/").status_code == 302
        assert client.post(f"{address}/seen/", {"after": "1"}).status_code == 200
    assert client_of(people["alice"]).post(f"/tickets/{tickets[0].pk}/close/").status_code == 302
    data = {"action": "set_status", "_selected_action": [tickets[1].pk], "value": status("done").pk}
    assert client.post("/admin/tickets/ticket/", data).status_code < 400


@pytest.mark.parametrize("moment", ODD)
def test_jobs_mails_and_commands_work(world, moment, tmp_path, mailgun, caplog):
    set_all(moment)
    for job in JOBS:
        job.run()
    delivery.deliver_due()
    list(verification.problems())
    assert not [record for record in caplog.records if record.exc_info]
    call_command("export_tickets", out=tmp_path / "all.csv")
    call_command("mail_report")
    call_command("rebuild_search")
    assert (tmp_path / "all.csv").read_text(encoding="utf-8-sig").count("\n") > 4


@pytest.mark.parametrize("moment", ODD[:4])
def test_every_row_is_on_one_of_the_pages(client_of, alice, ann, moment):
    """A place is made of moments, also of those before 1970."""
    made = {make_ticket(alice).pk for _number in range(60)}
    set_all(moment)
    client, query, seen = client_of(ann), "phase=all", set()
    for _page in range(3):
        page = client.get(f"/tickets/?{query}").context
        seen |= {row.pk for row in page["rows"]}
        query = page["older_query"]
    assert seen == made
    assert not query


@pytest.mark.parametrize("moment", ODD)
def test_what_is_read_bears_every_zone_and_span(alice, moment):
    make_ticket(alice)
    set_all(moment)
    stored = Ticket.objects.get().created_at
    for span in (timedelta(), timedelta(days=365), timedelta(days=-365)):
        for moved in (stored + span, span + stored, stored - span):
            for zone in map(ZoneInfo, ZONES):
                assert moved.astimezone(zone).isoformat()


@pytest.mark.parametrize("moment", ODD[:4])
def test_what_python_knows_is_read_as_it_is(alice, moment):
    ticket = make_ticket(alice)
    set_all(moment)
    stored = Ticket.objects.get().created_at
    assert str(stored) == f"{moment}+00:00"
    assert Ticket.objects.get(created_at=stored) == ticket


def test_moment_of_our_time_is_read_to_the_microsecond(alice):
    now = timezone.now()
    ticket = make_ticket(alice, created_at=now)
    ticket.refresh_from_db()
    assert ticket.created_at == now
    assert ticket.created_at.utcoffset() == timedelta()


@pytest.mark.parametrize("text", ["", "x", "0001-01-01", "9999-12-31T23:59:59", "2026-13-01", "infinity"])
def test_text_that_is_no_moment_is_read_as_one(text):
    found = moments.read(text)
    assert isinstance(found, datetime)
    found.replace(tzinfo=UTC).astimezone(ZoneInfo("Pacific/Auckland"))


FILTERS = [
    "before:0001-01-01", "before:9999-12-31", "after:0001-01-01", "after:9999-12-31", "after:-9999y",
    "before:-9999y", "after:-999999999d", "before:-0d", "after:0000-00-00", "before:10000-01-01",
    "after:-1-1-1", "before:9999-99-99", "after:294276-12-31", "before:infinity", "-before:0001-01-01",
    "after:\u0663\u0660\u0662\u0666-01-01",
]  # fmt: skip
FIRSTS = ["0001-01-01", "0002-01-01", "9998-12-31", "9999-12-31", "2026-01-01", "x", ""]
LASTS = ["0001-01-01", "9998-12-31", "9999-12-30", "9999-12-31", "0000-01-01"]


@pytest.mark.parametrize("zone", ZONES)
def test_search_for_any_day_answers(client_of, alice, ann, zone):
    make_ticket(alice)
    for person in (alice, ann):
        person.time_zone = zone
        person.save()
    for filters in FILTERS:
        for person in (alice, ann):
            assert client_of(person).get("/tickets/", {"q": filters}).status_code == 200
        admin = client_of(ann).get("/admin/tickets/ticket/", {"q": filters, "phase": "all"})
        assert admin.status_code == 200


@pytest.mark.parametrize("zone", ZONES)
def test_report_of_any_period_answers(client_of, alice, sam, zone):
    make_ticket(alice)
    sam.time_zone = zone
    sam.save()
    client = client_of(sam)
    for first, last in product(FIRSTS, LASTS):
        for path in ("/admin/tickets/ticket/reports/", "/admin/mail/"):
            assert client.get(path, {"period": "own", "first": first, "last": last}).status_code == 200
        for name in ("created", "solved", "answered"):
            answer = client.get("/admin/tickets/ticket/", {name: f"{first}..{last}"})
            assert answer.status_code in (200, 302, 400)


@pytest.mark.parametrize(
    "place", ["-62135596800000000", "253402300799999999", "-999999999999999999", "--1", "-", "9" * 30]
)
def test_any_place_of_a_list_answers(client_of, alice, place):
    make_ticket(alice)
    for name in (paging.AFTER, paging.BEFORE):
        assert client_of(alice).get("/tickets/", {name: [place, "1"]}).status_code == 200
