"""The figures of a report, each with its definition, and the six that the page shows first."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from tickets.reports import figures
from tickets.reports.durations import Durations
from tickets.reports.figures import Pair, Tally
from tickets.reports.periods import Comparison, Span
from tickets.reports.urls import tickets_url
from tickets.rules.events import Verb

MINUTE, HOUR = 60, 3600
Measuring = Callable[[str], dict[str, Durations]]


@dataclass(frozen=True)
class KeyFigure:
    """A figure of the period and of the one before, with its definition and its list of tickets.

    `more_is_better`: None if more is neither better nor worse.
    """

    key: str
    label: str
    pair: Pair
    explanation: str
    url: str = ""
    is_hours: bool = False
    is_working: bool = False  # business hours
    more_is_better: bool | None = None
    short_label: str = ""

    @property
    def now(self) -> str:
        return self._with_unit(self.pair.now)

    @property
    def before(self) -> str:
        return self._with_unit(self.pair.before)

    @property
    def number(self) -> str:
        """The value without its unit."""
        return self._number(self.pair.now)

    @property
    def cells(self) -> list[float | None]:
        """The values of the period and of the one before. Hours are a float."""
        values = (self.pair.now, self.pair.before)
        return [value / HOUR if self.is_hours and value is not None else value for value in values]

    @property
    def unit(self) -> str:
        """The unit of `number`: minutes for less than an hour."""
        if not self.is_hours or self.pair.now is None:
            return ""
        if _is_minutes(self.pair.now):
            return _("min")
        return _("business hours") if self.is_working else _("hours")

    @property
    def definition(self) -> str:
        return f"{self.label}. {self.explanation}" if self.short_label else self.explanation

    @property
    def before_in_words(self) -> str:
        if self.pair.before is None:
            return _("Nothing to compare with")
        return _("was %(before)s") % {"before": self.before}

    @property
    def title(self) -> str:
        return self.short_label or self.label

    @property
    def change(self) -> str:
        """The difference in words; "" if there is nothing to compare with."""
        now, before = self.cells
        if now is None or before is None or (self.is_hours and not before):
            return ""
        if self.is_hours:
            percent = round(abs(now / before - 1) * 100)
            words = _("%(percent)d%% slower") if now > before else _("%(percent)d%% faster")
            return words % {"percent": percent} if percent else _("No change")
        if now == before:
            return _("No change")
        words = _("%(count)d more") if now > before else _("%(count)d fewer")
        return words % {"count": abs(now - before)}

    @property
    def tone(self) -> str:
        """Whether the change is "good" or "bad"; "" for neither."""
        now, before = self.cells
        if self.change in ("", _("No change")) or self.more_is_better is None:
            return ""
        return "good" if (now > before) == self.more_is_better else "bad"

    def _with_unit(self, value: float | None) -> str:
        if not self.is_hours or value is None:
            return self._number(value)
        words = _("%(count)s min") if _is_minutes(value) else _("%(count)s h")
        return words % {"count": self._number(value)}

    def _number(self, value: float | None) -> str:
        if value is None:
            return "–"
        if not self.is_hours:
            return _written(value)
        return _written(round(value / MINUTE)) if _is_minutes(value) else _written(round(value / HOUR, 1), 1)


def _is_minutes(seconds: float) -> bool:
    return round(seconds / MINUTE) < 60


def _written(value: float, decimals: int = 0) -> str:
    return number_format(value, decimals, use_l10n=True, force_grouping=True)


def all_figures(compared: Comparison, tally: Tally, durations: Measuring) -> Iterator[KeyFigure]:
    """`durations` measures the time until a moment of tickets, like durations.durations()."""
    span = compared.span
    yield from created_and_solved(span, tally)
    yield KeyFigure(
        "reopened",
        _("Reopened"),
        figures.reopened(compared),
        _("Tickets that were solved and became open again in the period. Thank-you replies are excluded."),
        tickets_url(reopened=span),
        more_is_better=False,
    )
    yield KeyFigure(
        "confirmed",
        _("Confirmed as solved"),
        figures.answers(Verb.CONFIRMED, compared),
        _(
            "Tickets whose requester answered “Is your problem solved?” in the period with “Solved my "
            "problem”."
        ),
        tickets_url(confirmed=span),
        more_is_better=True,
    )
    yield KeyFigure(
        "not_fixed",
        _("Reported as not solved"),
        figures.answers(Verb.NOT_FIXED, compared),
        _("Tickets whose requester answered “Is your problem solved?” with “Not yet” in the period."),
        tickets_url(not_fixed=span),
        more_is_better=False,
    )
    yield from _durations(span, durations)
    outbox = reverse("admin:tickets_notification_changelist")
    yield KeyFigure(
        "undelivered",
        _("Emails not delivered"),
        figures.mail_failures(compared),
        _("Emails that were queued in the period and failed or bounced."),
        f"{outbox}?{urlencode({'state': 'undelivered', 'queued': span})}",
        more_is_better=False,
    )


def created_and_solved(span: Span, tally: Tally) -> Iterator[KeyFigure]:
    counts = figures.counts(tally)
    yield KeyFigure(
        "created",
        _("Created"),
        counts["created"],
        _("Tickets created in the period. Merged tickets count once, with their target."),
        tickets_url(created=span),
    )
    yield KeyFigure(
        "solved",
        _("Solved"),
        counts["solved"],
        _("Tickets that were last solved in the period and are solved now."),
        tickets_url(solved=span),
        more_is_better=True,
    )


def _durations(span: Span, durations: Measuring) -> Iterator[KeyFigure]:
    replied = _(
        "From the creation to the first public reply by staff, of tickets first replied to in the period."
    )
    solved = _("From the creation to the solution, of tickets solved in the period.")
    for key, name, column, url, explanation in (
        ("reply", _("First reply time"), "first_replied_at", tickets_url(answered=span), replied),
        ("resolution", _("Resolution time"), "done_at", tickets_url(solved=span), solved),
    ):
        found = durations(column)
        for unit, unit_name in (("hours", _("hours")), ("working", _("business hours"))):
            words = {"name": name, "unit": unit_name}
            yield KeyFigure(
                f"{key}_{unit}",
                _("%(name)s, median (%(unit)s)") % words,
                found[unit].median,
                explanation,
                url,
                is_hours=True,
                is_working=unit == "working",
                more_is_better=False,
                short_label=name,
            )
            yield KeyFigure(
                f"{key}_{unit}_p90",
                _("%(name)s, p90 (%(unit)s)") % words,
                found[unit].p90,
                _("Nine of ten tickets took at most this long. %(explanation)s")
                % {"explanation": explanation},
                url,
                is_hours=True,
                more_is_better=False,
            )


def open_now(count: int, before: int) -> KeyFigure:
    return KeyFigure(
        "open",
        _("Open now"),
        Pair(count, before),
        _("Tickets that are not solved at present, compared with the start of the period."),
        tickets_url(phase="open"),
        more_is_better=False,
    )


def open_at_end(count: int, before: int) -> KeyFigure:
    return KeyFigure(
        "open_at_end",
        _("Open at the end"),
        Pair(count, before),
        _("Tickets that were not solved at the end of the period, compared with its start."),
        more_is_better=False,
    )
