from django.core.management.base import BaseCommand, CommandError

from tickets import ownership_check
from tickets.management.limits import lift_time_limits

SHOWN = 50


class Command(BaseCommand):
    help = (
        "Finds open tickets that are assigned to people who do not work on tickets, and categories whose "
        "default assignee does not: left by raw SQL, or by a restored backup. Hands them over and ends with "
        "status 1 if there were any. The worker does the same once a day."
    )

    def handle(self, *args, **options):
        lift_time_limits()
        found = ownership_check.check()
        for violation in found[:SHOWN]:
            self.stderr.write(str(violation))
        if found:
            raise CommandError(f"Found {len(found)} and handed them over.")
        self.stdout.write("No open ticket and no category is assigned to somebody who does not work.")
