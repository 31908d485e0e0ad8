"""Which mailbox of the helpdesk an email belongs to.

None stands for the provider of the settings, for installations without a mailbox.
"""

from tickets.models import Mailbox, Notification, Ticket


def addresses() -> frozenset[str]:
    """The addresses of all mailboxes, in lower case. An inactive one is still ours: people reply to it."""
    return frozenset(Mailbox.objects.order_by().values_list("address", flat=True))


def that_sends(notification: Notification) -> Mailbox | None:
    """The mailbox that sends an email of the outbox: its own while that sends, else the default one."""
    return _sending(notification.mailbox_id) or Mailbox.objects.default()


def of_ticket(ticket: Ticket) -> Mailbox | None:
    """The mailbox for emails about a ticket: its own, or the only one of its category, or the default one."""
    return _sending(ticket.mailbox_id) or _only_one_of(ticket.category_id) or Mailbox.objects.default()


def _sending(mailbox: int | None) -> Mailbox | None:
    return Mailbox.objects.sending().filter(pk=mailbox).first() if mailbox else None


def _only_one_of(category: int) -> Mailbox | None:
    found = list(Mailbox.objects.sending().filter(category=category)[:2])
    return found[0] if len(found) == 1 else None
