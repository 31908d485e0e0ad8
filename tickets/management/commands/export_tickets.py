import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_date

from tickets.management.limits import lift_time_limits
from tickets.models import Category, Status, Ticket
from tickets.models.ticket_querysets import TicketQuerySet
from tickets.reports.export import FORMATS, ticket_lines
from tickets.rules.calendar import DAY
from tickets.rules.workflow import Phase
from tickets.search.filters import BY_NAME, WORDS
from tickets.search.meanings import Wrong
from tickets.search.narrowing import Asking
from tickets.search.terms import Asked

NO_TICKETS = 2  # lines: the byte order mark and the heading


class Command(BaseCommand):
    help = (
        "Writes tickets as CSV, one row each, to a file or to the screen. Without options all of them. "
        "Internal notes are left out unless --notes is given."
    )

    def add_arguments(self, parser):
        parser.add_argument("--out", metavar="FILE", help="The file to write. Without it: the screen.")
        parser.add_argument(
            "--format",
            choices=FORMATS,
            default="csv",
            help="excel: with semicolons and local times without offset, as Excel opens it.",
        )
        parser.add_argument("--phase", choices=["open", *Phase.values], help="Only tickets in this phase.")
        parser.add_argument("--category", metavar="NAME", help="Only tickets of this category.")
        parser.add_argument("--priority", choices=Ticket.Priority.values, help="Only of this priority.")
        parser.add_argument("--requester", metavar="ADDRESS", help="Only tickets of this requester.")
        parser.add_argument("--assignee", metavar="ADDRESS", help="Only tickets of this assignee.")
        parser.add_argument("--since", metavar="DAY", help="Created on this day (2026-11-30) or later.")
        parser.add_argument("--until", metavar="DAY", help="Created on this day or earlier.")
        parser.add_argument("--notes", action="store_true", help="With the internal notes.")

    def handle(self, *args, out, notes, format, **options):
        lift_time_limits()
        tickets = self.chosen(**options)
        zone, form = timezone.get_current_timezone(), FORMATS[format]
        rows = ticket_lines(tickets, by="export_tickets", zone=zone, notes=notes, form=form)
        if not out:
            sys.stdout.writelines(rows)
            return
        try:
            with Path(out).open("w", encoding="utf-8", newline="") as file:
                count = sum(1 for line in rows if file.write(line))
        except OSError as error:
            raise CommandError(f"{out} can't be written: {error.strerror}.") from error
        self.stdout.write(f"Wrote {count - NO_TICKETS} tickets to {out}.")

    def chosen(self, **options) -> TicketQuerySet:
        """The tickets that pass the declared filters (tickets.search.filters) that were chosen."""
        statuses, categories = Status.objects.all(), dict(Category.objects.values_list("pk", "name"))
        asking = Asking(None, categories, statuses)
        tickets = Ticket.objects.all()
        for name, value in self.values(**options):
            tickets = BY_NAME[name].narrow(tickets, value, asking)
        for name, day in self.days(**options):
            tickets = tickets.filter(self.filed(name, day))
        return tickets

    def values(self, *, phase, category, priority, requester, assignee, **options) -> Iterator:
        people = get_user_model().objects
        if phase:
            yield "phase", phase
        if category:
            yield "category", self.number_of(Category.objects.filter(name__iexact=category), category)
        if priority:
            yield "priority", priority
        if requester:
            yield "requester", self.number_of(people.filter(email=requester.lower()), requester)
        if assignee:
            yield "assignee", self.number_of(people.filter(email=assignee.lower()), assignee)

    def number_of(self, rows: QuerySet, word: str) -> str:
        row = rows.first()
        if row is None:
            raise CommandError(f"There is no {word!r}.")
        return str(row.pk)

    def days(self, *, since, until, **options) -> Iterator[tuple[str, str]]:
        """`until` is the last day, and the filter "before" takes the day after it."""
        if since:
            yield "after", str(self.day(since))
        if until:
            yield "before", str(self.day(until) + DAY)

    def day(self, text: str) -> date:
        try:
            day = parse_date(text)
        except ValueError:
            day = None
        if day is None or day == date.max:  # no day comes after the last one
            raise CommandError(f"{text!r} is no day. Write it like 2026-11-30.")
        return day

    def filed(self, name: str, day: str) -> Q:
        word = WORDS[name].word
        try:
            return word.means(Asked(name, day), None, word).condition
        except Wrong as wrong:
            raise CommandError(str(wrong)) from wrong
