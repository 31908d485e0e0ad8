"""What happens to emails that lie in a mailbox when it is connected: nothing, the last days, or all.

Nothing is the default: no one wants 20,000 tickets of last year.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from helpdesk import clock
from tickets.mail.receiving.fetching import leases, rounds
from tickets.mail.receiving.fetching.leases import Lease
from tickets.mail.receiving.fetching.problems import Busy, LeaseLost
from tickets.models import Mailbox

PERIODS = (1, 7, 30)  # days that a form offers


class Old(models.TextChoices):
    """What to do with the emails that lie in the mailbox."""

    NOTHING = "nothing", gettext_lazy("Leave them: only new emails are read")
    DAYS = "days", gettext_lazy("Read those of the last days")
    ALL = "all", gettext_lazy("Read all of them")


@dataclass(frozen=True)
class Lying:
    """The number of emails in the mailbox: all, and by the days since they arrived.

    As many tickets can be created, and as many receipts sent.
    """

    total: int
    of_days: dict[int, int]


def count(mailbox: Mailbox, *, days: Collection[int] = PERIODS) -> Lying:
    """Asks the server, without changing anything there. Raises FetchProblem."""
    now = clock.now()
    with rounds.opened(mailbox) as source:
        of_days = {number: source.count(now - timedelta(days=number)) for number in sorted(days)}
        return Lying(total=source.count(), of_days=of_days)


def connect(mailbox: Mailbox, old: Old = Old.NOTHING, *, days: int = 0) -> None:
    """Sets where the first round begins. Raises FetchProblem.

    An email that was read before is never read again, whatever the choice.
    """
    now = clock.now()
    since = {Old.NOTHING: now, Old.DAYS: now - timedelta(days=days), Old.ALL: None}[Old(old)]
    with _leased(mailbox) as lease, rounds.opened(mailbox) as source:
        lease.save(**source.beginning(since, reads_old=old != Old.NOTHING))


@contextmanager
def _leased(mailbox: Mailbox) -> Iterator[Lease]:
    """Raises Busy if another worker has the mailbox, or took it over because the server was too slow."""
    busy = Busy(_("The mailbox is being read right now. Try again in a minute."))
    lease = leases.begin(mailbox)
    if lease is None:
        raise busy
    try:
        try:
            yield lease
        finally:
            lease.give_back()
    except LeaseLost as lost:
        raise busy from lost
