"""Keeps the row of the mailbox that the environment describes (helpdesk.settings.mailbox).

The row is made when a worker starts, and follows the environment. Its secrets are never stored.
"""

from django.conf import settings
from django.db import transaction

from tickets.models import Mailbox

Source = Mailbox.Source


@transaction.atomic
def keep_mailbox() -> Mailbox | None:
    """Makes or updates the row, and switches off one that the environment no longer describes."""
    described = settings.ENVIRONMENT_MAILBOX
    address = described["address"] if described else ""
    Mailbox.objects.filter(source=Source.ENVIRONMENT).exclude(address=address).update(
        is_active=False, is_default=False
    )
    if not described:
        return None
    fields = {name: value for name, value in described.items() if name not in ("address", "secrets")}
    has_default = Mailbox.objects.exclude(address=address).filter(is_default=True).exists()
    fields |= {"is_active": True, "is_default": not has_default, "source": Source.ENVIRONMENT, "secret": ""}
    mailbox, _is_new = Mailbox.objects.update_or_create(address=address, defaults=fields)
    return mailbox
