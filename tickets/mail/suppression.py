"""Suppressed addresses, which get no email, and their release."""

import logging
from collections.abc import Iterable

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Lower

from tickets.models import Notification, SuppressedAddress
from tickets.models.notification import UNDELIVERED

logger = logging.getLogger("security")


def suppressed_among(addresses: Iterable[str]) -> list[SuppressedAddress]:
    return list(SuppressedAddress.objects.filter(address__in={address.lower() for address in addresses}))


def undelivered_to(addresses: Iterable[str]) -> QuerySet:
    """The notifications that were not delivered to these addresses."""
    stuck = Notification.objects.filter(state__in=UNDELIVERED).alias(lower=Lower("address"))
    return stuck.filter(lower__in=list(addresses))


@transaction.atomic
def release(suppressed: QuerySet, *, by) -> list[str]:
    """Ends the suppression of these addresses. Returns the addresses."""
    addresses = list(suppressed.values_list("address", flat=True))
    SuppressedAddress.objects.filter(address__in=addresses).delete()
    for address in addresses:
        logger.info("Person %s released the address %s.", by.pk, address)
    return addresses
