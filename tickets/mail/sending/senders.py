"""Which sender an email leaves by: a mailbox, or the provider of the settings if there is none.

The mailbox of a row sends, as long as it is active; else the default mailbox.
"""

import time
from collections.abc import Collection

from django.conf import settings
from django.db.models import Q

from tickets.mail.sending.transports.esp import EmailService
from tickets.mail.sending.transports.graph import Graph
from tickets.mail.sending.transports.outcome import Transport
from tickets.mail.sending.transports.smtp import Smtp
from tickets.models import Mailbox, Notification
from tickets.models.outbox_pause import SETTINGS

RELOADED_AFTER = 5  # seconds: a worker that sends without a break sees a change of a mailbox
TRANSPORTS = {
    Mailbox.Sending.ESP: lambda mailbox: EmailService(),
    Mailbox.Sending.SMTP: Smtp,
    Mailbox.Sending.GRAPH: Graph,
}


class Senders:
    """The mailboxes that send, and an open transport for each sender."""

    def __init__(self):
        self._mailboxes: dict[int, Mailbox] = {}
        self._default: Mailbox | None = None
        self._loaded_at: float | None = None
        self._transports: dict[int, Transport] = {}

    def mailbox_of(self, row: Notification) -> Mailbox | None:
        """The mailbox that sends this row; None: the provider of the settings."""
        self._load()
        return self._mailboxes.get(row.mailbox_id) or self._default

    def not_of(self, paused: Collection[int]) -> Q | None:
        """The condition for rows of senders that are not `paused`; None if no row can leave."""
        if not settings.SENDS_WITHOUT_MAILBOX:
            self._load()
            if self._default is None:  # somebody has yet to add a mailbox
                return None
        if not paused:
            return Q()
        self._load()
        if number_of(self._default) not in paused:
            return ~Q(mailbox__in=paused)  # also rows without a mailbox
        free = self._mailboxes.keys() - set(paused)
        return Q(mailbox__in=free) if free else None

    def transport_of(self, mailbox: Mailbox | None) -> Transport:
        number = number_of(mailbox)
        if number not in self._transports:
            self._transports[number] = transport(mailbox)
        return self._transports[number]

    def disconnect(self, mailbox: Mailbox | None) -> None:
        """Closes the transport. The next email gets a new one, with the mailbox as it is then."""
        if used := self._transports.pop(number_of(mailbox), None):
            used.close()

    def close(self) -> None:
        for used in self._transports.values():
            used.close()

    def _load(self) -> None:
        now = time.monotonic()
        if self._loaded_at is None or now - self._loaded_at > RELOADED_AFTER:
            mailboxes = Mailbox.objects.sending().select_related("state").order_by("-is_default", "pk")
            self._mailboxes = {mailbox.pk: mailbox for mailbox in mailboxes}
            self._default, self._loaded_at = next(iter(self._mailboxes.values()), None), now


def number_of(mailbox: Mailbox | None) -> int:
    """The number of the sender in OutboxPause."""
    return mailbox.pk if mailbox else SETTINGS


def transport(mailbox: Mailbox | None) -> Transport:
    return TRANSPORTS[mailbox.sends_by](mailbox) if mailbox else EmailService()
