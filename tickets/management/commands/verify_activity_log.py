from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from tickets.history import verification
from tickets.management.limits import lift_time_limits
from tickets.models import ActivityLog

SHOWN = 50


class Command(BaseCommand):
    help = (
        "Replays the activity log of every ticket and file and compares its end with what is stored. Reports "
        "what the log can't explain, like a change by raw SQL. Ends with status 1 if there is anything."
    )

    def handle(self, *args, **options):
        lift_time_limits()
        count = 0
        for problem in tqdm(verification.problems(), desc="problems", unit="", disable=None):
            count += 1
            if count <= SHOWN:
                self.stderr.write(problem)
        if count:
            raise CommandError(f"The log can't explain {count} things.")
        self.stdout.write(f"The log explains everything. It has {ActivityLog.objects.count()} rows.")
