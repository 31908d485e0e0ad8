import sys

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError

from tickets.mail.receiving import handler
from tickets.mail.receiving.limits import MAX_BYTES
from tickets.models import InboundEmail
from tickets.storage.access import StoreUnavailable

# Exit codes for the mail server (sysexits.h): invalid message; try again later.
NOT_A_MAIL, TRY_LATER = 65, 75


class Command(BaseCommand):
    help = (
        "Receives one email in raw form from standard input: manage.py receive_mail < message.eml. A "
        "mail server can pipe into it. Exits with 75 if the mail server should try again later, and with "
        "65 if the email can't be received."
    )

    def add_arguments(self, parser):
        parser.add_argument("--recipient", default="", help="The address that the email was delivered to.")
        parser.add_argument("--sender", default="", help="The envelope sender; empty for a bounce.")

    def handle(self, *args, recipient, sender, **options):
        raw = sys.stdin.buffer.read(MAX_BYTES + 1)
        if not raw.strip():
            raise CommandError("There is no email on standard input.", returncode=NOT_A_MAIL)
        if len(raw) > MAX_BYTES:
            raise CommandError("The email is larger than 26 MB.", returncode=NOT_A_MAIL)
        try:
            email = handler.receive(
                raw, route=InboundEmail.Route.COMMAND, envelope_sender=sender, recipient=recipient
            )
        except (DatabaseError, InterfaceError) as error:
            raise CommandError(f"The database does not respond: {error}", returncode=TRY_LATER) from error
        except StoreUnavailable as error:
            raise CommandError(
                f"The email is kept, but its files can't be stored right now: {error}", returncode=TRY_LATER
            ) from error
        except Exception as error:
            raise CommandError(
                f"The email is stored, but could not be read: {error}", returncode=TRY_LATER
            ) from error
        place = f" #{email.ticket_id}" if email.ticket_id else ""
        why = f" {email.get_reason_display()}" if email.reason else ""
        self.stdout.write(f"Email {email.get_state_display()}{place}.{why}")
