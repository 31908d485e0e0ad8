from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from tickets.management.limits import lift_time_limits
from tickets.models import DailyFigures
from tickets.reports import daily_keeping

SHOWN = 50


class Command(BaseCommand):
    help = (
        "Counts the daily figures of the reports again from the tickets, while the helpdesk goes on working. "
        "The worker keeps them up to date; until they are counted, reports read the tickets."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--check",
            action="store_true",
            help="Change nothing: compare the daily figures with the tickets, list the days that differ, and "
            "exit with 1 if there are any.",
        )

    def handle(self, *args, check, **options):
        lift_time_limits()
        if check:
            self.compare()
        else:
            self.rebuild()

    def rebuild(self):
        daily_keeping.drop_all()
        spans = list(daily_keeping.missing())
        with tqdm(total=sum(span.days for span in spans), unit=" days", disable=None) as bar:
            for span in spans:
                bar.update(daily_keeping.recount(span))
        daily_keeping.keep()  # what changed meanwhile
        self.stdout.write(f"Counted {sum(span.days for span in spans)} days.")

    def compare(self):
        found = list(daily_keeping.differences())
        for day in found[:SHOWN]:
            self.stderr.write(str(day))
        if found:
            raise CommandError(f"The daily figures of {len(found)} days differ from the tickets.")
        self.stdout.write(f"The daily figures of {DailyFigures.objects.count()} days are right.")
