"""Encrypts the stored secrets with the present SECRET_KEY, after it was changed."""

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from helpdesk import encryption
from tickets.models import Mailbox, MailboxState

STORED = ((Mailbox, "secret"), (MailboxState, "access_token"))


class Command(BaseCommand):
    help = (
        "Encrypts the stored secrets with SECRET_KEY. Set the old key in SECRET_KEY_FALLBACKS before, and "
        "remove it afterwards."
    )

    def handle(self, *args, **options):
        lost = [place for model, field in STORED for place in self._rotated(model, field)]
        if lost:
            raise CommandError(
                "No key of SECRET_KEY and SECRET_KEY_FALLBACKS decrypts these. Type them again in the admin: "
                + ", ".join(lost)
            )
        self.stdout.write("All secrets are encrypted with SECRET_KEY.")

    def _rotated(self, model, field: str) -> list[str]:
        """Rotates the secrets of one column. Returns the rows that can't be decrypted."""
        lost = []
        for number in model.objects.exclude(**{field: ""}).values_list("pk", flat=True):
            with transaction.atomic():
                row = model.objects.select_for_update().get(pk=number)
                try:
                    renewed = encryption.renewed(getattr(row, field))
                except encryption.LostKey:
                    lost.append(f"{row._meta.verbose_name} {row}")
                else:
                    model.objects.filter(pk=number).update(**{field: renewed})
        return lost
