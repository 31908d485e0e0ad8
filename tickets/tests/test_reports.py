"""Reports: each figure is right, says how it is counted, and opens exactly its tickets."""

import re
from datetime import UTC, date, datetime

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.actor import acting_as
from tickets import conversation, merging
from tickets.models import Notification, Ticket
from tickets.reports import figures, page
from tickets.reports.periods import Named, Span
from tickets.tests.factories import category, make_ticket

pytestmark = pytest.mark.django_db
URL = "/admin/tickets/ticket/reports/"
WEEK = Span(date(2026, 11, 16), date(2026, 11, 22))  # Monday to Sunday
OWN = "period=own&first=2026-11-16&last=2026-11-22"


def on(day: int, hour: int = 10):
    return time_machine.travel(datetime(2026, 11, day, hour, tzinfo=UTC), tick=False)


@pytest.fixture
def history(alice, ann, sam):
    """Three filed in the week, one before; two solved in it, one of them reopened."""
    with on(10):
        old = make_ticket(alice, subject="old", assignee=ann, category=category("Email Support"))
    with on(16):
        first = make_ticket(alice, subject="first", priority="urgent")
    with on(17):
        make_ticket(alice, subject="second", assignee=sam)
        third = make_ticket(alice, subject="third", assignee=ann)
    with on(16, 12), acting_as(ann):
        conversation.reply(first, author=ann, body="I look at it")
    with on(18), acting_as(ann):
        first.assign(ann)
        first.close()
    with on(19), acting_as(ann):
        old.close()
        third.close()
    with on(20), acting_as(alice):
        third.refresh_from_db()
        third.reopen()
    return {"old": old, "first": first, "third": third}


def line(label: str) -> page.Line:
    return next(line for line in page.build(WEEK).lines if line.label == label)


def test_counts_of_the_period_and_of_the_one_before(history):
    with on(23):
        counts = figures.counts(figures.created_and_solved(WEEK))
        assert (counts["created"].now, counts["created"].before) == (3, 1)
        assert (counts["solved"].now, counts["solved"].before) == (2, 0)
        assert (figures.reopened(WEEK).now, figures.reopened(WEEK).before) == (1, 0)


def test_times_are_medians_and_percentiles_in_hours_and_working_hours(history):
    with on(23):
        assert line("First answer, median, hours").now == "2.0"
        assert line("First answer, median, working hours").now == "2.0"
        # first: Monday 10 to Wednesday 10; old: Tuesday 10th 10 to Thursday 19th 10
        assert line("Solving, median, hours").now == f"{(48 + 216) / 2:.1f}"
        assert line("Solving, 90th percentile, hours").now == f"{48 + 0.9 * (216 - 48):.1f}"
        assert line("Solving, median, working hours").now == f"{(16 + 56) / 2:.1f}"
        assert line("Solving, median, hours").before == "–"


def test_thanks_touch_no_figure(history, alice, ann):
    with on(19, 12), acting_as(alice):
        conversation.reply(history["first"], author=alice, body="Thank you very much")
    with on(23):
        assert figures.reopened(WEEK).now == 1
        assert figures.counts(figures.created_and_solved(WEEK))["solved"].now == 2


def test_merged_tickets_are_counted_with_their_target(history):
    target = history["first"]
    merged = Ticket.objects.get(subject="second")
    merged.merged_into = target
    merged.save()
    with on(23):
        assert figures.counts(figures.created_and_solved(WEEK))["created"].now == 2


def test_undone_merge_and_deleted_ticket_are_not_reopened(history, alice, ann):
    with on(18), acting_as(ann):
        again = make_ticket(alice, subject="again")
        merging.merge(again, Ticket.objects.get(subject="second"))
    with on(19), acting_as(ann):
        merging.undo(Ticket.objects.get(pk=again.pk))
    with on(23):
        assert figures.reopened(WEEK) == figures.Pair(1, 0)
        Ticket.objects.get(subject="third").delete()
        assert figures.reopened(WEEK) == figures.Pair(0, 0)


def test_parts_of_a_bar_differ_by_more_than_colour(client_of, sam, history):
    """WCAG 2.2, 1.4.1."""
    with on(23):
        content = client_of(sam).get(f"{URL}?{OWN}").content.decode()
    used = set(re.findall(r"url\(#(hatch-\d)\)", content))
    assert used
    assert all(f'<pattern id="{name}"' in content for name in used)


def test_failed_mails_are_counted(history, alice):
    with on(17, 11):
        make_ticket(alice, subject="fourth")
    Notification.objects.filter(ticket__subject="fourth").update(state="failed")
    with on(23):
        assert figures.mail_failures(WEEK).now == 1


def test_tables_tell_category_priority_assignee_status_and_age(history):
    with on(23):
        tables = {table.key: table for table in page.build(WEEK).tables}
    rows = {key: [(label, cells) for label, cells, _url in table.rows] for key, table in tables.items()}
    assert rows["by-category"] == [("Other", [3, 0, 1, 0]), ("Email Support", [0, 1, 1, 0])]
    assert sorted(rows["by-priority"]) == [("Normal", [2, 1, 1, 0]), ("Urgent", [1, 0, 1, 0])]
    assert sorted(rows["open-by-assignee"]) == [("Ann Weber", [0, 1, 1]), ("Sam Lindqvist", [1, 0, 1])]
    assert rows["done-by-assignee"] == [("Ann Weber", [2, 0])]
    assert {label: cells[0] for label, cells in rows["open-by-age"]}["3 to 7 days"] == 2
    assert [bar.total for bar in tables["by-category"].bars] == [3, 0]


def test_every_link_opens_exactly_the_tickets_that_were_counted(client_of, sam, history):
    with on(23):
        client = client_of(sam)
        content = client.get(f"{URL}?{OWN}").content.decode().replace("&amp;", "&")
        report = page.build(WEEK)
        expected = {}
        for one in report.lines[:3]:
            expected[one.url] = one.pair.now
        for table in report.tables:
            for _label, cells, url in table.rows:
                expected[url] = cells[-1] if table.key == "open-by-assignee" else cells[0]
            for bar in table.bars if table.legend else ():
                expected |= {part.url: part.count for part in bar.parts if part.count}
        assert len(expected) > 12
        for url, count in expected.items():
            assert f'href="{url}"' in content
            assert client.get(url).context["cl"].result_count == count, url


def test_link_filter_can_be_taken_off_and_nonsense_does_nothing(client_of, ann, alice):
    make_ticket(alice)
    client = client_of(ann)
    everything = client.get("/admin/tickets/ticket/?who=all&phase=all").context["cl"].result_count
    for odd in ("created=x", "created=2026-13-01..2026-01-01", "solved=%00", "age=9-1", "assignee=9999999999999999999",
                "assignee=x", "status=%00", "reopened=9999-12-31..9999-12-31", "created=0001-01-01..0001-01-01"):  # fmt: skip
        response = client.get(f"/admin/tickets/ticket/?who=all&phase=all&{odd}")
        assert response.context["cl"].result_count in (everything, 0), odd
    shown = client.get("/admin/tickets/ticket/?who=all&phase=all&age=0-1").content.decode()
    assert "less than a day" in shown
    assert "less than a day" not in client.get("/admin/tickets/ticket/?who=all").content.decode()


def test_name_of_a_link_filter_is_asked_for_once(client_of, ann, django_assert_max_num_queries):
    client = client_of(ann)
    with django_assert_max_num_queries(11):
        client.get(f"/admin/tickets/ticket/?who=all&phase=all&assignee={ann.pk}")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("period=own", "Please choose a day."),
        ("period=own&first=2026-11-20&last=2026-11-10", "The last day is before the first."),
        ("period=own&first=1990-01-01&last=2026-01-01", "Please choose at most five years."),
        ("period=own&first=0001-01-01&last=0001-02-01", "Please choose at most five years."),
        ("period=nonsense", "Select a valid choice"),
        ("period=own&first=soon&last=%00", "Enter a valid date"),
    ],
)
def test_senseless_period_is_said_and_this_month_shown(client_of, sam, query, words):
    response = client_of(sam).get(f"{URL}?{query}")
    assert response.status_code == 200
    assert words in response.content.decode()
    assert response.context["report"].span.first.day == 1


@pytest.mark.parametrize("named", [name for name in Named if name != Named.OWN])
def test_named_periods_begin_and_end_rightly(named):
    today = date(2026, 11, 25)
    assert {
        Named.THIS_WEEK: "2026-11-23..2026-11-25",
        Named.LAST_WEEK: "2026-11-16..2026-11-22",
        Named.THIS_MONTH: "2026-11-01..2026-11-25",
        Named.LAST_MONTH: "2026-10-01..2026-10-31",
        Named.THIS_QUARTER: "2026-10-01..2026-11-25",
        Named.THIS_YEAR: "2026-01-01..2026-11-25",
    }[named] == str(named.span(today))
    assert named.span(today).before.days == named.span(today).days


def test_page_has_a_table_beside_each_chart_and_no_inline_style(client_of, sam, history):
    with on(23):
        content = client_of(sam).get(f"{URL}?{OWN}").content.decode()
    assert content.count('<svg class="chart"') == content.count('role="img" aria-label=') == 5
    assert "style=" not in re.sub(r"<link[^>]*>", "", content)


def test_csv_says_the_same(client_of, sam, history):
    with on(23):
        response = client_of(sam).get(f"{URL}?{OWN}&format=csv")
        text = b"".join(response.streaming_content).decode("utf-8-sig")
    assert '"Created","3","1"' in text
    assert '"Tickets by category","created","before","solved","before"' in text


def test_agents_and_requesters_see_no_report(client_of, ann, alice):
    assert client_of(ann).get(URL).status_code == 403
    assert client_of(alice).get(URL).status_code == 302
    assert "Reports" not in client_of(ann).get("/admin/").content.decode()


def test_queries_do_not_grow_with_tickets(client_of, sam, alice, ann):
    client = client_of(sam)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(URL)
        return len(queries)

    make_ticket(alice, assignee=ann)
    few = count()
    for _number in range(20):
        make_ticket(alice, assignee=ann)
    assert count() == few
