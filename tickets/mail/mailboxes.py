"""The addresses of the helpdesk's mailboxes. Without any, the provider of the settings sends and receives."""

from tickets.models import Mailbox


def addresses() -> frozenset[str]:
    """The addresses of all mailboxes, in lower case. An inactive one is still ours: people reply to it."""
    return frozenset(Mailbox.objects.order_by().values_list("address", flat=True))
