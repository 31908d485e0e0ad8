from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.formats import date_format

from tickets.management.limits import lift_time_limits
from tickets.notifications import event_list
from tickets.notifications.alarms import alarms
from tickets.reports import mail as ledger
from tickets.reports.periods import DAY, Span

LONGEST = 366  # days
SHOWN = 50


class Command(BaseCommand):
    help = (
        "Accounts for mail: what became of everything that went out and came in, as on the page Mail of the "
        "admin, and what is wrong now. With Mailgun it compares with Mailgun's list of events. Ends with "
        "status 1 if Mailgun does not answer."
    )

    def add_arguments(self, parser):
        parser.add_argument("--days", type=int, default=7, help="So many days up to now. Without it: 7.")
        parser.add_argument(
            "--repair", action="store_true", help="Take over from Mailgun's list what we were not told."
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
        self.stdout.write(f"Mail of {span.first} to {span.last}.")
        for title, figures, whole in (
            (f"Went out ({balance.letters} mails)", balance.out, balance.all_out),
            ("Came in", balance.came_in, balance.all_in),
        ):
            self.stdout.write(f"{title}: {whole.count}")
            for figure in figures:
                indent = "    " if figure.part.reason else "  "
                self.stdout.write(f"{indent}{figure.part.label}: {figure.count}")

    def compare(self, span: Span, *, repair: bool) -> None:
        try:
            found = event_list.compare(span.start)
        except event_list.NotAllowed:
            self.stdout.write("Mailgun's list is not compared: the key may not read events.")
            return
        except event_list.NoAnswer as error:
            raise CommandError(f"Mailgun's list of events can't be read: {error}.") from error
        since = date_format(timezone.localtime(found.since), "DATETIME_FORMAT")
        self.stdout.write(f"Compared {found.compared} rows with Mailgun's list, which begins {since}.")
        self.write_rows(
            "sent here, but Mailgun never accepted it",
            [f"{row.pk} to {row.address}" for row in found.never_accepted],
        )
        self.write_rows(
            "other than at Mailgun",
            [
                f"{row.pk} to {row.address} is {row.state} here, {event.event_type} at Mailgun"
                for row, event in found.untold
            ],
        )
        if repair:
            self.stdout.write(f"Took over {event_list.repair(found)} events.")

    def write_rows(self, title: str, rows: list[str]) -> None:
        self.stdout.write(f"{len(rows)} {title}{':' if rows else '.'}")
        for row in rows[:SHOWN]:
            self.stdout.write(f"  {row}")
        if len(rows) > SHOWN:
            self.stdout.write(f"  and {len(rows) - SHOWN} more")
