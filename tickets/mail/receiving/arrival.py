"""The mailbox that a new ticket belongs to, by To and Cc: one message may arrive at several mailboxes.

The answer is the same wherever the message arrives first.
"""

from tickets.mail import addresses
from tickets.mail.receiving.parsing import Mail
from tickets.models import InboundEmail, Mailbox

NewTickets = Mailbox.NewTickets


def mailbox_of(email: InboundEmail, mail: Mail) -> Mailbox | None:
    """The first mailbox in To, else the first in Cc that makes tickets, else where the message arrived."""
    to, copied = _mailboxes(mail)
    taking = [mailbox for mailbox in copied if mailbox.new_tickets_when == NewTickets.TO_OR_CC]
    return next(iter(to + taking), email.mailbox)


def is_only_in_copy(email: InboundEmail, mail: Mail) -> bool:
    """Whether no mailbox is in To, and those in Cc make tickets only of messages to them."""
    to, copied = _mailboxes(mail)
    only_to = [mailbox for mailbox in copied if mailbox.new_tickets_when == NewTickets.TO]
    return bool(copied) and not to and len(only_to) == len(copied)


def _mailboxes(mail: Mail) -> tuple[list[Mailbox], list[Mailbox]]:
    """The active mailboxes in To and in Cc, in the order of the headers."""
    found = {mailbox.address: mailbox for mailbox in Mailbox.objects.active().select_related("category")}
    return _in_order(mail.to, found), _in_order(mail.copied, found)


def _in_order(named: tuple[str, ...], found: dict[str, Mailbox]) -> list[Mailbox]:
    keys = (address if address in found else addresses.without_tag(address) for address in named)
    return [found[key] for key in keys if key in found]
