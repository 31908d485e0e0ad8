import sys

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError

from tickets.inbound import handler
from tickets.inbound.limits import MAX_BYTES
from tickets.models import InboundEmail
from tickets.storage.access import StoreUnavailable

# What a mail server understands (sysexits.h): the mail can't be taken; try again later.
NOT_A_MAIL, TRY_LATER = 65, 75


class Command(BaseCommand):
    help = (
        "Takes in one mail, read raw from standard input: manage.py receive_mail < message.eml. A mail "
        "server can pipe into it. Ends with 75 where it should try again later, with 65 where the mail "
        "can't be taken."
    )

    def add_arguments(self, parser):
        parser.add_argument("--recipient", default="", help="The address that the mail was delivered to.")
        parser.add_argument("--sender", default="", help="The envelope's sender; empty for a bounce.")

    def handle(self, *args, recipient, sender, **options):
        raw = sys.stdin.buffer.read(MAX_BYTES + 1)
        if not raw.strip():
            raise CommandError("There is no mail on standard input.", returncode=NOT_A_MAIL)
        if len(raw) > MAX_BYTES:
            raise CommandError("The mail is larger than 26 MB.", returncode=NOT_A_MAIL)
        try:
            email = handler.receive(
                raw, route=InboundEmail.Route.COMMAND, envelope_sender=sender, recipient=recipient
            )
        except (DatabaseError, InterfaceError) as error:
            raise CommandError(f"The database does not answer: {error}", returncode=TRY_LATER) from error
        except StoreUnavailable as error:
            raise CommandError(
                f"The email is kept, but its files can't be stored right now: {error}", returncode=TRY_LATER
            ) from error
        except Exception as error:
            raise CommandError(
                f"The mail is stored, but could not be read: {error}", returncode=TRY_LATER
            ) from error
        place = f" on #{email.ticket_id}" if email.ticket_id else ""
        why = f" {email.get_reason_display()}" if email.reason else ""
        self.stdout.write(f"The mail is {email.get_state_display()}{place}.{why}")
