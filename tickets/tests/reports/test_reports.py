"""Reports: each figure is right, says how it is counted, and opens exactly its tickets."""

import re
from datetime import UTC, date, datetime

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from accounts.actor import acting_as
from tickets.actions import conversation, merging
from tickets.actions.conversation import Message
from tickets.mail.writing import tokens
from tickets.models import Notification, Ticket
from tickets.reports import figures, page
from tickets.reports.durations import durations
from tickets.reports.periods import DAY, Comparison, NamedPeriod, Span
from tickets.tests.actions.test_fixed_or_not import answer_links
from tickets.tests.factories import category, make_ticket

pytestmark = pytest.mark.django_db
URL = "/admin/tickets/ticket/reports/"
WEEK = Span(date(2026, 11, 16), date(2026, 11, 22))  # Monday to Sunday
COMPARED = Comparison.of(WEEK)
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
        conversation.reply(first, Message(author=ann, body="I look at it"))
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


def line(label: str) -> page.KeyFigure:
    return next(line for line in page.build(COMPARED).lines if line.label == label)


def test_counts_of_the_period_and_of_the_one_before(history):
    with on(23):
        counts = figures.counts(figures.created_and_solved(COMPARED))
        assert (counts["created"].now, counts["created"].before) == (3, 1)
        assert (counts["solved"].now, counts["solved"].before) == (2, 0)
        assert (figures.reopened(COMPARED).now, figures.reopened(COMPARED).before) == (1, 0)


def test_times_are_medians_and_percentiles_in_hours_and_working_hours(history):
    with on(23):
        assert line("First reply time, median (hours)").now == "2.0 h"
        assert line("First reply time, median (business hours)").now == "2.0 h"
        # first: Monday 10 to Wednesday 10; old: Tuesday 10th 10 to Thursday 19th 10
        assert line("Resolution time, median (hours)").now == f"{(48 + 216) / 2:.1f} h"
        assert line("Resolution time, p90 (hours)").now == f"{48 + 0.9 * (216 - 48):.1f} h"
        assert line("Resolution time, median (business hours)").now == f"{(16 + 56) / 2:.1f} h"
        assert line("Resolution time, median (hours)").before == "–"


def test_thanks_touch_no_figure(history, alice, ann):
    with on(19, 12), acting_as(alice):
        conversation.reply(history["first"], Message(author=alice, body="Thank you very much"))
    with on(23):
        assert figures.reopened(COMPARED).now == 1
        assert figures.counts(figures.created_and_solved(COMPARED))["solved"].now == 2


def test_merged_tickets_are_counted_with_their_target(history):
    target = history["first"]
    merged = Ticket.objects.get(subject="second")
    merged.merged_into = target
    merged.save()
    with on(23):
        assert figures.counts(figures.created_and_solved(COMPARED))["created"].now == 2


def test_undone_merge_and_deleted_ticket_are_not_reopened(history, alice, ann):
    with on(18), acting_as(ann):
        again = make_ticket(alice, subject="again")
        merging.merge(again, Ticket.objects.get(subject="second"))
    with on(19), acting_as(ann):
        merging.undo(Ticket.objects.get(pk=again.pk))
    with on(23):
        assert figures.reopened(COMPARED) == figures.Pair(1, 0)
        Ticket.objects.get(subject="third").delete()
        assert figures.reopened(COMPARED) == figures.Pair(0, 0)


def test_segments_of_a_bar_are_said_in_words(client_of, sam, history):
    """WCAG 2.2, 1.4.1: colour is not the only sign."""
    with on(23):
        content = client_of(sam).get(f"{URL}?{OWN}").content.decode().replace("&amp;", "&")
        table = next(table for table in page.build(COMPARED).tables if table.has_segments)
    segments = [part for bar in table.bars for part in bar.parts]
    assert segments
    for part in segments:
        assert f'<a href="{part.url}">{part.count} <bdi>{part.label}</bdi></a>' in content


def test_failed_mails_are_counted(history, alice):
    with on(17, 11):
        make_ticket(alice, subject="fourth")
    Notification.objects.filter(ticket__subject="fourth").update(state="failed")
    with on(23):
        assert figures.mail_failures(COMPARED).now == 1


def test_tables_tell_category_priority_assignee_status_and_age(history):
    with on(23):
        tables = {table.key: table for table in page.build(COMPARED).tables}
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
        report = page.build(COMPARED)
        expected = {}
        for one in report.lines[:3]:
            expected[one.url] = one.pair.now
        for table in report.tables:
            for _label, cells, url in table.rows:
                expected[url] = cells[-1] if table.key == "open-by-assignee" else cells[0]
            for bar in table.bars if table.has_segments else ():
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
        ("period=own", "Choose a date."),
        ("period=own&first=2026-11-20&last=2026-11-10", "The end date is before the start date."),
        ("period=own&first=1990-01-01&last=2026-01-01", "Choose at most five years."),
        ("period=own&first=0001-01-01&last=0001-02-01", "Choose at most five years."),
        ("period=nonsense", "Select a valid choice"),
        ("period=own&first=soon&last=%00", "Enter a valid date"),
    ],
)
def test_senseless_period_is_said_and_this_month_shown(client_of, sam, query, words):
    response = client_of(sam).get(f"{URL}?{query}")
    assert response.status_code == 200
    assert words in response.content.decode()
    assert response.context["report"].compared.span.first.day == 1


@pytest.mark.parametrize(
    ("named", "today", "span", "before"),
    [
        (NamedPeriod.THIS_WEEK, "2026-11-25", "2026-11-23..2026-11-25", "2026-11-16..2026-11-18"),
        (NamedPeriod.LAST_WEEK, "2026-11-25", "2026-11-16..2026-11-22", "2026-11-09..2026-11-15"),
        (NamedPeriod.THIS_MONTH, "2026-11-25", "2026-11-01..2026-11-25", "2026-10-01..2026-10-25"),
        (NamedPeriod.THIS_MONTH, "2026-11-30", "2026-11-01..2026-11-30", "2026-10-01..2026-10-30"),
        (NamedPeriod.THIS_MONTH, "2026-03-31", "2026-03-01..2026-03-31", "2026-02-01..2026-02-28"),
        (NamedPeriod.THIS_MONTH, "2026-01-01", "2026-01-01..2026-01-01", "2025-12-01..2025-12-01"),
        (NamedPeriod.LAST_MONTH, "2026-11-25", "2026-10-01..2026-10-31", "2026-09-01..2026-09-30"),
        (NamedPeriod.LAST_MONTH, "2026-01-31", "2025-12-01..2025-12-31", "2025-11-01..2025-11-30"),
        (NamedPeriod.THIS_QUARTER, "2026-11-25", "2026-10-01..2026-11-25", "2026-07-01..2026-08-25"),
        (NamedPeriod.THIS_QUARTER, "2026-05-31", "2026-04-01..2026-05-31", "2026-01-01..2026-02-28"),
        (NamedPeriod.LAST_QUARTER, "2026-11-25", "2026-07-01..2026-09-30", "2026-04-01..2026-06-30"),
        (NamedPeriod.LAST_QUARTER, "2026-02-03", "2025-10-01..2025-12-31", "2025-07-01..2025-09-30"),
        (NamedPeriod.LAST_YEAR, "2026-11-25", "2025-01-01..2025-12-31", "2024-01-01..2024-12-31"),
        (NamedPeriod.THIS_YEAR, "2026-11-25", "2026-01-01..2026-11-25", "2025-01-01..2025-11-25"),
        (NamedPeriod.THIS_YEAR, "2028-02-29", "2028-01-01..2028-02-29", "2027-01-01..2027-02-28"),
    ],
)
def test_named_periods_are_compared_with_the_same_days_before(named, today, span, before):
    compared = named.comparison(date.fromisoformat(today))
    assert (str(compared.span), str(compared.before)) == (span, before)


@pytest.mark.parametrize(
    ("span", "before"),
    [
        ("2026-10-01..2026-10-31", "2026-09-01..2026-09-30"),
        ("2026-03-01..2026-03-31", "2026-02-01..2026-02-28"),
        ("2026-07-01..2026-09-30", "2026-04-01..2026-06-30"),
        ("2026-01-01..2026-12-31", "2025-01-01..2025-12-31"),
        ("2026-11-01..2026-11-25", "2026-10-01..2026-10-25"),
        ("2026-11-16..2026-11-22", "2026-11-09..2026-11-15"),
        ("2026-11-05..2026-11-14", "2026-10-26..2026-11-04"),
        ("2026-10-01..2026-11-25", "2026-08-06..2026-09-30"),
        ("2025-11-01..2026-11-15", "2024-10-17..2025-10-31"),
    ],
)
def test_own_periods_are_compared_with_whole_months_same_days_or_as_many_days(span, before):
    assert str(Span.parse(span).before) == before


@given(st.dates(date(3, 1, 1), date(9998, 12, 31)), st.integers(0, 400))
def test_every_span_comes_after_the_one_before(first, days):
    span = Span(first, first + days * DAY)
    assert span.before.first <= span.before.last < span.first


def test_days_between_the_spans_count_nowhere(alice):
    """Filed on the last day of October, when the month was compared up to the 25th."""
    for month, day in ((10, 25), (10, 26), (10, 31), (11, 1)):
        with time_machine.travel(datetime(2026, month, day, 10, tzinfo=UTC), tick=False):
            make_ticket(alice).close()
    with on(25):
        compared = NamedPeriod.THIS_MONTH.comparison(date(2026, 11, 25))
        counts = figures.counts(figures.created_and_solved(compared))
        assert counts == {"created": figures.Pair(1, 1), "solved": figures.Pair(1, 1)}
        measured = durations("done_at", compared)["hours"]
        assert measured.median == figures.Pair(0, 0)
        (row,) = figures.by(figures.created_and_solved(compared), "category", {category().pk: "Other"})
        assert [row[name] for name in figures.COUNTS] == [1, 1, 1, 1]


def test_what_happened_only_between_the_spans_makes_no_row(alice):
    with time_machine.travel(datetime(2026, 10, 28, 10, tzinfo=UTC), tick=False):
        make_ticket(alice)
    with on(25):
        tally = figures.created_and_solved(NamedPeriod.THIS_MONTH.comparison(date(2026, 11, 25)))
        assert not any(tally.by.values())


def test_answers_to_fixed_are_counted_and_open_their_tickets(client, client_of, sam, alice, history):
    first, old = history["first"], history["old"]
    with on(20):
        client.post(links_of(first, alice)[0])
        for _time in range(2):
            Ticket.objects.get(pk=old.pk).close()
            client.post(links_of(old, alice)[1], {"body": "It broke again."})
    with on(23):
        report = page.build(COMPARED)
        found = {one.label: one for one in report.lines}
        for label, number in (("Confirmed as solved", first.pk), ("Reported as not solved", old.pk)):
            assert found[label].pair == figures.Pair(1, 0)
            shown = client_of(sam).get(found[label].url).context["cl"].result_list
            assert [ticket.pk for ticket in shown] == [number]
        Ticket.objects.get(pk=old.pk).delete()
        assert line("Reported as not solved").pair == figures.Pair(0, 0)


def test_report_shows_the_share_of_answers_and_the_feedback(client, client_of, sam, alice, history):
    first, old = history["first"], history["old"]
    with on(20):
        client.post(links_of(first, alice)[0])
        token = tokens.answer_token(first.pk, alice.pk)
        client.post(f"/tickets/answer/{token}/feedback/", {"body": "=Faster, <please>."})
        client.post(links_of(old, alice)[1])
    with on(23):
        report = page.build(COMPARED)
        (table,) = [one for one in report.tables if one.key == "solved-answers"]
        assert [row[:2] for row in table.rows] == [
            ("Solved my problem (50%)", [1, 0]),
            ("Not yet (50%)", [1, 0]),
        ]
        assert report.feedback == [figures.Feedback(first.pk, "=Faster, <please>.")]
        content = client_of(sam).get(f"{URL}?{OWN}").content.decode()
        assert "=Faster, &lt;please&gt;." in content
        table = client_of(sam).get(f"{URL}?{OWN}&format=csv")
        assert '"\'=Faster, <please>."' in b"".join(table.streaming_content).decode("utf-8-sig")
        Ticket.objects.get(pk=first.pk).delete()
        assert page.build(COMPARED).feedback == []


def links_of(ticket, person) -> list[str]:
    return [link.removeprefix("http://localhost:8000") for link in answer_links(ticket, person)]


def test_page_has_a_table_for_each_chart_and_no_inline_style(client_of, sam, history):
    with on(23):
        content = client_of(sam).get(f"{URL}?{OWN}").content.decode()
    assert content.count('role="img" aria-label=') == 2  # the trend, and the open tickets below it
    assert content.count('<ul class="breakdown-bars">') == 6
    assert content.count("Show as table") == 7
    assert "3 created and 2 solved in total. Highest: 2 created, 17 Nov 2026." in content
    assert "style=" not in re.sub(r"<link[^>]*>", "", content)


def test_csv_says_the_same(client_of, sam, history):
    with on(23):
        response = client_of(sam).get(f"{URL}?{OWN}&format=csv")
        text = b"".join(response.streaming_content).decode("utf-8-sig")
    assert '"Created","3","1"' in text
    assert '"Category (created, change)","created","before","solved","before"' in text
    assert '"Resolution time, median (hours)","132.0","–"' in text
    assert '"2026-11-17","2","0","4"' in text


def test_csv_for_excel_has_semicolons_and_decimal_commas(client_of, sam, history):
    with on(23):
        response = client_of(sam).get(f"{URL}?{OWN}&format=excel")
        raw = b"".join(response.streaming_content)
    assert raw.startswith(b"\xef\xbb\xbf")
    text = raw.decode("utf-8-sig")
    assert '"Created";"3";"1"' in text
    assert '"Resolution time, median (hours)";"132,0";"–"' in text


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
