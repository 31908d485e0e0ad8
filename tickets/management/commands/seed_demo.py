from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from tqdm import tqdm

from accounts import roles
from tickets.management.demo import fill
from tickets.management.limits import lift_time_limits


class Command(BaseCommand):
    help = (
        "Fills the database with made-up people and tickets with their histories, to try out the "
        "helpdesk with much data. No emails are sent. The people can't log in. Not for a helpdesk in use."
    )

    def add_arguments(self, parser):
        parser.add_argument("--tickets", type=int, default=1000, help="How many tickets. Default: 1000.")
        parser.add_argument("--users", type=int, default=100, help="How many people. Default: 100.")

    @transaction.atomic
    def handle(self, *args, tickets, users, **options):
        if tickets < 0 or users < 1:
            raise CommandError("Give --tickets 0 or more and --users 1 or more.")
        lift_time_limits()
        roles.sync()
        agents = list(get_user_model().objects.staff())
        if not agents:
            raise CommandError("No one works on tickets yet. Run quickstart or createsuperuser first.")
        requesters = fill.people(users)
        with tqdm(total=tickets, unit=" tickets", disable=None) as bar:
            for count in fill.tickets(tickets, requesters, agents):
                bar.update(count)
        self.stdout.write(f"Added {tickets} tickets and {users} people.")
