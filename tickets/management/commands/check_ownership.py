from django.core.management.base import BaseCommand, CommandError

from tickets.actions import ownership_check
from tickets.management.limits import lift_time_limits

SHOWN = 50


class Command(BaseCommand):
    help = (
        "Finds open tickets that are assigned to people who do not work on tickets, and categories whose "
        "default assignee does not: left by raw SQL, or by a restored backup. Reassigns them and exits "
        "with 1 if there were any. The worker does the same once a day."
    )

    def handle(self, *args, **options):
        lift_time_limits()
        found = ownership_check.check()
        for violation in found[:SHOWN]:
            self.stderr.write(str(violation))
        if found:
            raise CommandError(f"Found {len(found)} and reassigned them.")
        self.stdout.write("No open ticket or category is assigned to a person who does not work on tickets.")
