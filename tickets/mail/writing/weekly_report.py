"""The weekly report: created, solved and open tickets, and the oldest one without a reply."""

from collections.abc import Iterator
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from tickets.mail.writing import threads
from tickets.mail.writing.letter import DigestAct, Number, Section, WeeklyReportLetter
from tickets.models import Notification, Status
from tickets.notifications.weekly_report import week_of
from tickets.reports import overview, page
from tickets.reports.key_figures import KeyFigure
from tickets.reports.periods import Comparison, NamedPeriod, Span


def letter(notification: Notification) -> WeeklyReportLetter:
    week = week_of(notification)
    return WeeklyReportLetter(
        folder="weekly_report",
        person=notification.person,
        first=week.first,
        last=week.last,
        numbers=[_number(figure) for figure in page.week_figures(Comparison.of(week))],
        sections=list(_unanswered()),
        url=_url(week),
        foot_links=[threads.choose_link()],
        reason=_("You receive it every Monday because you chose the weekly report."),
    )


def _number(figure: KeyFigure) -> Number:
    comparison = ", ".join(filter(None, (figure.change, figure.before_in_words)))
    return Number(figure.label, figure.now, comparison)


def _unanswered() -> Iterator[Section]:
    """The ticket that has waited longest for its first reply, if there is one."""
    for row in overview.unanswered(list(Status.objects.all()), most=1):
        waiting = _("Longest without a reply: %(age)s") % {"age": row.age}
        url = settings.SITE_URL + row.ticket.get_absolute_url()
        yield Section(f"#{row.ticket.pk} {row.ticket.subject}", url, [DigestAct(waiting, [])])


def _url(week: Span) -> str:
    query = urlencode({"period": NamedPeriod.OWN, "first": week.first, "last": week.last})
    return f"{settings.SITE_URL}{reverse('admin:tickets_ticket_reports')}?{query}"
