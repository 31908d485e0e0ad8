from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.formats import date_format

from tickets.mail.alarms import alarms
from tickets.mail.sending import event_list
from tickets.management.limits import lift_time_limits
from tickets.reports import mail as ledger
from tickets.reports.periods import DAY, Span

LONGEST = 366  # days
SHOWN = 50


class Command(BaseCommand):
    help = (
        "Counts all outgoing and incoming emails by state, as on the Email page of the agent workspace, "
        "and lists current alarms. With Mailgun, compares the outbox with Mailgun's list of events. "
        "Exits with 1 if Mailgun does not respond."
    )

    def add_arguments(self, parser):
        parser.add_argument("--days", type=int, default=7, help="The number of days up to now. Default: 7.")
        parser.add_argument(
            "--repair",
            action="store_true",
            help="Record events from Mailgun's list that its webhooks did not report.",
        )

    def handle(self, *args, days, repair, **options):
        if not 1 <= days <= LONGEST:
            raise CommandError(f"--days must be 1 to {LONGEST}.")
        lift_time_limits()
        today = timezone.localdate()
        span = Span(today - (days - 1) * DAY, today)
        self.write_balance(span)
        for alarm in alarms():
            self.stdout.write(f"Alarm: {alarm}")
        if settings.HAS_MAIL_PROVIDER:
            self.compare(span, repair=repair)
        elif repair:
            raise CommandError("There is nothing to repair from: MAILGUN_API_KEY is not set.")

    def write_balance(self, span: Span) -> None:
        balance = ledger.balance(span)
        self.stdout.write(f"Emails from {span.first} to {span.last}.")
        for title, figures, whole in (
            (f"Outgoing ({balance.letters} emails sent)", balance.out, balance.all_out),
            ("Incoming", balance.came_in, balance.all_in),
        ):
            self.stdout.write(f"{title}: {whole.count}")
            for figure in figures:
                indent = "    " if figure.part.reason else "  "
                self.stdout.write(f"{indent}{figure.part.label}: {figure.count}")

    def compare(self, span: Span, *, repair: bool) -> None:
        try:
            found = event_list.compare(span.start)
        except event_list.NotAllowed:
            self.stdout.write("Mailgun's list was not compared: the key has no permission to read events.")
            return
        except event_list.NoAnswer as error:
            raise CommandError(f"Mailgun's list of events can't be read: {error}.") from error
        since = date_format(timezone.localtime(found.since), "DATETIME_FORMAT")
        self.stdout.write(f"Compared {found.compared} rows with Mailgun's list, which begins {since}.")
        self.write_rows(
            "sent here, but never accepted by Mailgun",
            [f"{row.pk} to {row.address}" for row in found.never_accepted],
        )
        self.write_rows(
            "with another state at Mailgun",
            [
                f"{row.pk} to {row.address} is {row.state} here, {event.event_type} at Mailgun"
                for row, event in found.unrecorded
            ],
        )
        if repair:
            self.stdout.write(f"Recorded {event_list.repair(found)} events.")

    def write_rows(self, title: str, rows: list[str]) -> None:
        self.stdout.write(f"{len(rows)} {title}{':' if rows else '.'}")
        for row in rows[:SHOWN]:
            self.stdout.write(f"  {row}")
        if len(rows) > SHOWN:
            self.stdout.write(f"  and {len(rows) - SHOWN} more")
