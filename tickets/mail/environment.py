"""Keeps the row of the mailbox that the environment describes (helpdesk.settings.mailbox).

The row is made when a worker starts, and follows the environment. Its secrets are never stored.
"""

import logging

from django.conf import settings
from django.db import transaction

from tickets.models import Mailbox

logger = logging.getLogger(__name__)
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
    present = Mailbox.objects.filter(address=address).first() or Mailbox(address=address)
    if present.pk and present.source != Source.ENVIRONMENT:
        logger.error("The mailbox %s is set up in the agent workspace. The environment is ignored.", address)
        return None
    has_default = Mailbox.objects.exclude(address=address).filter(is_default=True).exists()
    fields = {name: value for name, value in described.items() if name not in ("address", "secrets")}
    fields |= {"is_active": True, "is_default": not has_default, "source": Source.ENVIRONMENT}
    # Saving ends a pause, and a worker that starts again and again must not log in each time.
    if not present.pk or any(getattr(present, name) != value for name, value in fields.items()):
        for name, value in fields.items():
            setattr(present, name, value)
        present.save()
    return present
