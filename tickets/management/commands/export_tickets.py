import sys
from pathlib import Path

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_date

from tickets.management.limits import lift_time_limits
from tickets.models import Category, Ticket
from tickets.reports.export import FORMATS, ticket_lines
from tickets.reports.figures import in_span
from tickets.reports.periods import Span
from tickets.workflow import OPEN, Phase

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
        parser.add_argument("--requester", metavar="ADDRESS", help="Only what this person filed.")
        parser.add_argument("--assignee", metavar="ADDRESS", help="Only what this person takes care of.")
        parser.add_argument("--since", metavar="DAY", help="Filed on this day (2026-11-30) or later.")
        parser.add_argument("--until", metavar="DAY", help="Filed on this day or earlier.")
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

    def chosen(self, *, phase, category, priority, requester, assignee, since, until, **options):
        tickets = Ticket.objects.all()
        if phase:
            tickets = tickets.in_phase(*(OPEN if phase == "open" else (phase,)))
        if category:
            tickets = tickets.filter(
                category=self.found(Category.objects.filter(name__iexact=category), category)
            )
        if priority:
            tickets = tickets.filter(priority=priority)
        people = get_user_model().objects
        if requester:
            tickets = tickets.filter(requester=self.found(people.filter(email=requester.lower()), requester))
        if assignee:
            tickets = tickets.filter(assignee=self.found(people.filter(email=assignee.lower()), assignee))
        first, last = self.day(since, "0002-01-01"), self.day(until, "9998-01-01")
        return tickets.filter(in_span("created_at", Span(first, last))) if since or until else tickets

    def found(self, rows, word: str):
        row = rows.first()
        if row is None:
            raise CommandError(f"There is no {word!r}.")
        return row

    def day(self, text: str | None, default: str):
        try:
            day = parse_date(text or default)
        except ValueError:
            day = None
        if day is None:
            raise CommandError(f"{text!r} is no day. Write it like 2026-11-30.")
        return day
