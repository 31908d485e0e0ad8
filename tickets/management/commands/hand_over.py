from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

from accounts.actor import acting_as
from tickets.actions import handing_over
from tickets.management.limits import lift_time_limits
from tickets.models import Handover, Ticket


class Command(BaseCommand):
    help = (
        "Reassigns a person's open tickets, and the categories that have the person as default assignee. "
        "Without --to they become unassigned. When a person is deactivated, the worker unassigns them "
        "within a minute; to choose another assignee, run this command first."
    )

    def add_arguments(self, parser):
        parser.add_argument("email", help="The email address of the person whose tickets are reassigned.")
        parser.add_argument("--to", metavar="EMAIL", help="The new assignee. Default: unassigned.")

    def handle(self, *args, email, to, **options):
        lift_time_limits()
        person = self.person(email)
        receiver = self.person(to) if to else None
        if receiver and not receiver.works:
            raise CommandError(f"{receiver} does not work on tickets.")
        if receiver == person:
            raise CommandError("The tickets are already assigned to this person.")
        with acting_as(None):
            handover = Handover.objects.ask(person)
            handover.to = handover.default_to = receiver
            handover.save(update_fields=["to", "default_to"])
        handing_over.hand_over(person, seconds=None, by_hand=True)
        handover.refresh_from_db()
        if handover.done_at is None:
            left = Ticket.objects.open().filter(assignee=person).count()
            raise CommandError(f"{left} tickets are being edited. Run the command again in a minute.")
        tickets = f"{handover.tickets} open ticket{'' if handover.tickets == 1 else 's'}"
        categories = f"{handover.categories} categor{'y' if handover.categories == 1 else 'ies'}"
        whom = receiver or "unassigned"
        self.stdout.write(f"Reassigned {tickets} and {categories} of {person}: {whom}.")

    @staticmethod
    def person(email: str):
        person = get_user_model().objects.filter(email=email.strip().lower()).first()
        if person is None:
            raise CommandError(f"No one has the email address {email}.")
        return person
