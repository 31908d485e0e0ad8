"""Each list walks an index in its order: nothing is sorted, so a million rows cost as much as a page."""

import re
from datetime import date
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tickets.history import recording
from tickets.mail.writing import threads
from tickets.models import Category, Ticket
from tickets.reports import figures, page
from tickets.reports.periods import NamedPeriod
from tickets.tests.factories import category, held_mail, make_ticket, status

pytestmark = pytest.mark.django_db
SITE, QUEUE = "/tickets/", "/admin/tickets/ticket/"
LOG, OUTBOX, INBOUND = (f"/admin/tickets/{name}/" for name in ("activitylog", "notification", "inboundemail"))
PEOPLE = "/admin/accounts/user/"
PLACE = "after=1764000000000000&after=5"
IN_QUEUE = "after=2&after=1764000000000000&after=5"
# Where two are named, one is for a few rows and one for many: here there are a few.
# What only the question for a list's rows asks for, by address.
COLUMNS = {
    SITE: '"tickets_ticket"."subject"',
    QUEUE: '"tickets_ticket"."subject"',
    LOG: '"tickets_activitylog"."changes"',
    OUTBOX: '"tickets_notification"."last_error"',
    INBOUND: '"tickets_inboundemail"."identity"',
    PEOPLE: '"accounts_user"."department"',
}
# Days lie between this month so far and the same days of the last.
MONTH = NamedPeriod.THIS_MONTH.comparison(date(2026, 1, 20))
PRIMARY_KEY = {"postgresql": "{table}_pkey", "sqlite": "SCAN {table}|PRIMARY KEY"}


@pytest.fixture
def rows(alice, bob, ann, sam):
    """A ticket of each kind, and new ones that are inserted at once."""
    kinds = (
        {},
        {"assignee": ann},
        {"assignee": sam, "priority": "urgent"},
        {"phase": "waiting"},
        {"phase": "done"},
    )
    for number, kind in enumerate(kinds):
        make_ticket((alice, bob)[number % 2], category=category("More"), **kind)
    new = {"subject": "Printer", "description": "Jam", "category": category(), "status": status("new")}
    others = [Ticket(requester=(alice, bob)[number % 2], **new) for number in range(15)]
    Ticket.objects.bulk_load(others, record=recording.record_bulk)
    held_mail()


def plan_of(client, address: str) -> str:
    """How the database finds the rows of a list, where neither reading all rows nor sorting is an option."""
    column = COLUMNS[address.partition("?")[0]]
    return plan(next(sql for sql in asked(client, address) if column in sql and "ORDER BY" in sql))


def asked(client, address: str) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return [query["sql"] for query in queries]


def plan(sql: str) -> str:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_sort = off")
            cursor.execute("SET LOCAL enable_bitmapscan = off")
            cursor.execute(f"EXPLAIN {sql}")
            return "\n".join(row[0] for row in cursor.fetchall())
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        return "\n".join(row[3] for row in cursor.fetchall())


def key_of(table: str) -> str:
    return PRIMARY_KEY[connection.vendor].format(table=table)


def assert_walks(plan: str, index: str) -> None:
    assert re.search(rf"\b({index})\b", plan), plan
    assert not re.search(r"\bSort\b|TEMP B-TREE", plan), plan


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("", "ticket_by_requester|ticket_open_by_change"),
        ("phase=done", "ticket_by_requester"),
        ("phase=all", "ticket_by_requester"),
        (f"phase=all&{PLACE}", "ticket_by_requester"),
        (f"phase=all&{PLACE.replace('after', 'before')}", "ticket_by_requester"),
    ],
)
def test_own_tickets(client_of, alice, rows, query, index):
    assert_walks(plan_of(client_of(alice), f"{SITE}?{query}"), index)


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("", "ticket_open_by_change"),
        (PLACE, "ticket_open_by_change"),
        ("phase=new", "ticket_by_status|ticket_open_by_change"),
        ("phase=waiting", "ticket_by_status|ticket_open_by_change"),
        ("phase=done", "ticket_by_change"),
        ("phase=all", "ticket_by_change"),
        (f"phase=all&{PLACE}", "ticket_by_change"),
        ("phase=all&who=mine", "ticket_by_assignee"),
        ("phase=all&category={category}", "ticket_by_category"),
        ("phase=all&priority=urgent", "ticket_by_priority"),
        ("phase=all&period=week", "ticket_by_change"),
    ],
)
def test_all_tickets(client_of, ann, rows, query, index):
    query = query.format(category=Category.objects.get(name="More").pk)
    assert_walks(plan_of(client_of(ann), f"{SITE}?{query}"), index)


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("category={category}", "ticket_tabs_of_category"),
        ("who=mine", "ticket_tabs_of_assignee"),
        ("priority=urgent", "ticket_tabs_of_priority"),
    ],
)
def test_tabs_of_a_filter_are_counted_by_both(client_of, ann, rows, query, index):
    query = query.format(category=Category.objects.get(name="More").pk)
    tabs = next(sql for sql in asked(client_of(ann), f"{SITE}?{query}") if "counted" in sql)
    assert re.search(rf"\b{index}\b", plan(tabs))


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("who=mine", "ticket_queue_by_assignee"),
        ("who=all&category={category}", "ticket_queue_by_category"),
        ("who=all&priority=urgent", "ticket_queue"),
        ("who=mine&category={category}", "ticket_queue_by_assignee|ticket_queue_by_category"),
        ("who=all&phase=waiting", "ticket_queue_by_status"),
    ],
)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL knows how few are open")
def test_what_is_open_is_counted_among_what_is_open(client_of, ann, rows, query, index):
    query = query.format(category=Category.objects.get(name="More").pk)
    count = next(sql for sql in asked(client_of(ann), f"{QUEUE}?{query}") if "counted" in sql)
    first = plan(count).partition("SCAN counted")[0]
    assert re.search(rf"INDEX ({index})\b", first)


@pytest.mark.parametrize(
    ("query", "index"),
    [
        ("", "ticket_queue"),
        ("who=all", "ticket_queue"),
        (f"who=all&{IN_QUEUE}", "ticket_queue"),
        ("who=mine", "ticket_queue_by_assignee"),
        ("who=unassigned", "ticket_queue_unassigned|ticket_queue_by_assignee"),
        ("who=all&phase=new", "ticket_queue_by_status|ticket_queue"),
        ("who=all&phase=waiting", "ticket_queue_by_status|ticket_queue"),
        ("who=all&priority=low", "ticket_queue|ticket_open_by_age"),
        ("who=all&category={category}", "ticket_queue_by_category|ticket_queue"),
        ("who=all&period=week", "ticket_queue"),
        ("who=all&o=8", "ticket_open_by_age"),
        ("who=all&o=-8", "ticket_open_by_age"),
        ("who=all&sort=-priority", "ticket_queue"),
        ("who=all&sort=status", "ticket_queue_by_status"),
        ("who=all&sort=-status", "ticket_queue_by_status"),
        (f"who=all&sort=status&after=1&{IN_QUEUE}", "ticket_queue_by_status"),
        ("who=all&sort=-changed", "ticket_open_by_change"),
        ("who=all&phase=all&sort=changed", "ticket_by_change"),
        ("who=all&phase=done", "ticket_by_change"),
        ("who=all&phase=all&period=week", "ticket_by_change"),
        ("who=mine&phase=done&period=month", "ticket_by_assignee"),
        ("who=all&phase=all", "ticket_by_change"),
        (f"who=all&phase=all&{PLACE}", "ticket_by_change"),
        ("who=mine&phase=all", "ticket_by_assignee"),
        ("who=all&phase=all&o=8", "ticket_by_age"),
        ("who=all&phase=all&o=-8", "ticket_by_age"),
    ],
)
def test_queue(client_of, ann, rows, query, index):
    query = query.format(category=Category.objects.get(name="More").pk)
    assert_walks(plan_of(client_of(ann), f"{QUEUE}?{query}"), index)


@pytest.mark.parametrize(
    ("address", "index"),
    [
        (LOG, "tickets_activitylog"),
        (f"{LOG}?after=5", "tickets_activitylog"),
        (f"{LOG}?verb=created", "activity_by_verb"),
        (f"{LOG}?q=alice", "activity_by_actor"),
        (f"{LOG}?q=%235", "activity_by_ticket"),
        (OUTBOX, "notification_by_time"),
        (f"{OUTBOX}?{PLACE}", "notification_by_time"),
        (f"{OUTBOX}?state=waiting", "notification_by_state"),
        (f"{OUTBOX}?queued=2026-01-01..2026-12-31", "notification_by_time"),
        (INBOUND, "tickets_inboundemail"),
        (f"{INBOUND}?state=quarantined", "inbound_by_state"),
        (PEOPLE, "user_by_name"),
        (f"{PEOPLE}?o=-0", "user_by_name"),
        (f"{PEOPLE}?o=-1", "accounts_user_email_key|sqlite_autoindex_accounts_user_1"),
        (f"{PEOPLE}?after=Bob&after=5", "user_by_name"),
    ],
)
def test_other_lists(client_of, ann, rows, address, index):
    plan = plan_of(client_of(ann), address)
    assert_walks(plan, key_of(index) if index.startswith("tickets_") else index)


def plans_of(ask, *, off: tuple[str, ...] = ("seqscan", "bitmapscan")) -> str:
    """How the database finds what `ask` asks for, with what PostgreSQL would do to few rows switched off."""
    with CaptureQueriesContext(connection) as queries:
        ask()
    is_postgresql = connection.vendor == "postgresql"
    plans = []
    with connection.cursor() as cursor:
        for kind in off if is_postgresql else ():
            cursor.execute(f"SET LOCAL enable_{kind} = off")
        for query in queries.captured_queries:
            cursor.execute(f"{'EXPLAIN' if is_postgresql else 'EXPLAIN QUERY PLAN'} {query['sql']}")
            plans += [" ".join(map(str, row)) for row in cursor.fetchall()]
    return "\n".join(plans)


FROM_INDEX = {"postgresql": "Index Only Scan using {}", "sqlite": "USING COVERING INDEX {}"}


@pytest.mark.parametrize("index", ["ticket_by_age", "ticket_by_done", "ticket_by_first_reply"])
def test_figures_of_a_period_come_from_indexes_alone(rows, index):
    plan = plans_of(lambda: page.build(MONTH))
    assert FROM_INDEX[connection.vendor].format(index) in plan, plan


def test_what_is_open_is_counted_among_the_open(rows):
    plan = plans_of(figures.open_now)
    assert re.search(r"\bticket_(queue|open)", plan), plan


def test_reopened_tickets_are_found_among_the_few_that_left_done(rows):
    plan = plans_of(lambda: figures.reopened(MONTH))
    assert "activity_by_status_before" in plan, plan


def test_what_is_merged_into_a_ticket_is_found_by_an_index(rows):
    ticket = Ticket.objects.first()
    for tickets in (Ticket.objects.on_page_of(ticket), ticket.merged.all()):
        plan = plans_of(lambda found=tickets: list(found.order_by()), off=("seqscan",))
        assert "ticket_by_target" in plan, plan


def test_the_filing_is_found_by_the_log_of_its_ticket(rows):
    """SQLite would take the index by what was done, and read every filing."""
    plan = plans_of(lambda: threads.subject(Ticket.objects.first().pk))
    assert "activity_by_ticket" in plan, plan


def test_each_index_of_tickets_has_a_list_or_a_job():
    """The ones that no test above names belong to jobs."""
    others = {"ticket_silent", "ticket_to_wake", "ticket_to_close"}
    named = set(re.findall(r"ticket_\w+", Path(__file__).read_text()))
    assert {index.name for index in Ticket._meta.indexes} <= named | others


def test_no_page_waits_for_helpers_of_postgresql():
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SHOW max_parallel_workers_per_gather")
            assert cursor.fetchone() == ("0",)
