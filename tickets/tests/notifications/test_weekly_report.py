"""The weekly report: who may choose it, when it is sent, and what it says."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.urls import reverse

from accounts.actor import acting_as
from accounts.models import User
from accounts.roles import Role
from tickets.jobs import JOBS
from tickets.mail.sending import delivery
from tickets.mail.writing import messages
from tickets.models import MailPreferences, Notification
from tickets.models.notification import WEEKLY_REPORT
from tickets.notifications import weekly_report
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
CHOICE = dict.fromkeys(MailPreferences.KINDS, "now") | {"digest_at": "08:00", "weekly_report": "on"}
MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def at(moment: datetime):
    return time_machine.travel(moment, tick=False)


def reports() -> list[Notification]:
    return list(Notification.objects.filter(kind=WEEKLY_REPORT).select_related("person").order_by("pk"))


def run() -> None:
    (job,) = [job.run for job in JOBS if job.name == "queue_weekly_reports"]
    job()


@pytest.fixture
def wish(sam):
    """Sam chose the report in the week before."""
    Notification.objects.all().delete()
    return MailPreferences.objects.create(
        person=sam, weekly_report=True, weekly_report_for=date(2026, 11, 16)
    )


def test_report_is_sent_once_on_monday(wish, sam):
    with at(MONDAY - timedelta(hours=1, minutes=1)):  # 07:59
        run()
        assert reports() == []
    with at(MONDAY):
        run()
        run()
    with at(MONDAY + DAY):
        run()
    (row,) = reports()
    assert (row.person, row.address) == (sam, sam.email)


def test_report_is_due_at_the_minute_of_the_daily_digest(wish):
    with at(MONDAY.replace(hour=8)):
        run()
    assert [weekly_report.week_of(row).last for row in reports()] == [date(2026, 11, 22)]


def test_report_that_can_not_be_queued_is_queued_by_the_next_run(wish, monkeypatch):
    with at(MONDAY):
        with monkeypatch.context() as patch, pytest.raises(ZeroDivisionError):
            patch.setattr(weekly_report.wishes, "after_quiet_hours", lambda person, moment: 1 // 0)
            run()
        assert reports() == []
        run()
    assert len(reports()) == 1


def test_two_workers_queue_one_report(wish):
    """Both have read the choice before either writes."""
    people = [User.objects.select_related("mail_preferences").get(pk=wish.person_id) for _worker in range(2)]
    assert [weekly_report._queue(person, MONDAY) for person in people] == [True, False]
    assert len(reports()) == 1


def test_number_of_queued_reports_is_counted(wish):
    with at(MONDAY):
        assert [weekly_report.queue_due() for _run in range(2)] == [1, 0]


def test_missed_mondays_are_sent_late_once(wish):
    with at(MONDAY + 9 * DAY):  # Wednesday, after two Mondays without a worker
        run()
        run()
    (row,) = reports()
    assert str(weekly_report.week_of(row)) == "2026-11-23..2026-11-29"


def test_monday_is_that_of_the_person(wish, sam):
    sam.time_zone = "Pacific/Auckland"  # 13 hours ahead
    sam.save()
    with at(datetime(2026, 11, 22, 18, 59, tzinfo=UTC)):
        run()
        assert reports() == []
    with at(datetime(2026, 11, 22, 19, tzinfo=UTC)):
        run()
    assert len(reports()) == 1


def test_first_report_comes_on_the_monday_after_the_choice(client_of, sam):
    with at(MONDAY + 2 * DAY):
        client_of(sam).post(reverse("mail_preferences"), CHOICE)
        run()
        assert reports() == []
    with at(MONDAY + 7 * DAY):
        run()
    assert len(reports()) == 1


def test_only_who_may_read_reports_is_asked(client_of, ann, sam):
    page = reverse("mail_preferences")
    assert 'name="weekly_report"' in client_of(sam).get(page).content.decode()
    assert 'name="weekly_report"' not in client_of(ann).get(page).content.decode()
    client_of(ann).post(page, CHOICE)
    assert not MailPreferences.objects.get(person=ann).weekly_report


@pytest.mark.parametrize(
    "change",
    [
        lambda sam: sam.set_role(Role.AGENT),
        lambda sam: setattr(sam, "is_active", False) or sam.save(),
    ],
)
def test_leavers_and_people_without_the_right_get_none(wish, sam, change):
    change(sam)
    with at(MONDAY):
        run()
    assert reports() == []


def test_a_queued_report_is_not_sent_to_somebody_who_may_no_longer_read_it(wish, sam):
    with at(MONDAY):
        run()
        (row,) = reports()
        assert delivery._may_still_be_notified(row)
        sam.set_role(Role.AGENT)
        (row,) = reports()
        assert not delivery._may_still_be_notified(row)


def test_quiet_hours_are_respected(wish):
    MailPreferences.objects.update(quiet_from="08:30", quiet_until="10:00")
    with at(MONDAY):
        run()
    assert reports()[0].next_try_at == MONDAY.replace(hour=10)


def test_letter_says_the_week_its_change_and_the_oldest_ticket_without_a_reply(
    wish, alice, ann, sam, settings
):
    settings.HAS_MAIL_PROVIDER = True
    with at(MONDAY - 10 * DAY), acting_as(alice):
        oldest = make_ticket(alice, subject="No sound")
    with at(MONDAY - 5 * DAY), acting_as(ann):
        make_ticket(alice)
        make_ticket(alice).close()
    settings.HAS_MAIL_PROVIDER = False
    with at(MONDAY):
        run()
    settings.HAS_MAIL_PROVIDER = True
    with at(MONDAY + DAY):
        (row,) = reports()
        row.message_id = messages.new_message_id(row)
        mail = messages.build([row])
    html = mail.alternatives[0].content
    assert mail.subject == "Weekly report: 16 Nov to 22 Nov 2026"
    assert "Created: 2 (1 more, was 1)" in mail.body
    assert "Solved: 1 (1 more, was 0)" in mail.body
    assert "Open at the end: 2 (1 more, was 1)" in mail.body
    assert f"#{oldest.pk} No sound\n\nLongest without a reply: 11 days" in mail.body
    for text in ("<b>2</b>", "1 more, was 1", f"#{oldest.pk} No sound", "Open the report"):
        assert text in html
    link = "/admin/tickets/ticket/reports/?period=own&first=2026-11-16&last=2026-11-22"
    assert link in mail.body
    assert "You receive it every Monday because you chose the weekly report." in mail.body
    assert "Change email notifications" in mail.body
