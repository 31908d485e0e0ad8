"""One worker at a time fetches a mailbox. It holds a lease, which ends by itself if the worker dies.

The row of MailboxState keeps the lease, the position in the folder and when the mailbox is due again. All
times come from the database's clock.
"""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q, QuerySet

from helpdesk import clock
from tickets.mail import failures
from tickets.mail.receiving.fetching.problems import FetchProblem, LeaseLost
from tickets.models import Mailbox, MailboxState

logger = logging.getLogger(__name__)
LEASE = timedelta(minutes=2)  # longer than one command to the server, and than most emails take to file
Health = MailboxState.Health


@dataclass
class Lease:
    mailbox: Mailbox
    state: MailboxState

    def save(self, **position) -> None:
        """Saves what changed, and extends the lease. Raises LeaseLost if another worker has it.

        Call it in the transaction that stores an email, so that both are saved or neither.
        """
        position["lease_until"] = clock.now() + LEASE
        self._update(**position)

    def end(self, *, is_more_waiting: bool) -> None:
        """The round went well."""
        now = clock.now()
        every = timedelta(seconds=settings.MAIL_FETCH_SECONDS)
        self._update(
            fetched_at=now,
            next_fetch_at=now if is_more_waiting else now + every,
            lease_until=None,
            fetch_failures=0,
            fetch_error="",
            **self._health(Health.OK, now),
        )

    def fail(self, problem: FetchProblem) -> None:
        now = clock.now()
        count = self.state.fetch_failures + 1
        logger.warning("The mailbox %s can't be fetched: %s", self.mailbox, problem)
        self._update(
            next_fetch_at=now + problem.wait(count - 1),
            lease_until=None,
            fetch_failures=count,
            fetch_error=failures.storable(str(problem)),
            **self._health(problem.health, now),
        )

    def give_back(self) -> None:
        """Without a round: the mailbox is due."""
        self._update(lease_until=None, next_fetch_at=None)

    def _health(self, health: Health, now: datetime) -> dict[str, object]:
        """`fetch_since` is when the present condition began."""
        is_new = self.state.fetch_state != health or self.state.fetch_since is None
        return {"fetch_state": health, "fetch_since": now} if is_new else {}

    def _update(self, **values) -> None:
        ours = MailboxState.objects.filter(pk=self.state.pk, lease_until=self.state.lease_until)
        if not ours.update(**values):
            raise LeaseLost(str(self.mailbox))
        for name, value in values.items():
            setattr(self.state, name, value)


def begin(mailbox: Mailbox) -> Lease | None:
    """Takes the mailbox, due or not. None if another worker has it."""
    MailboxState.of(mailbox)
    now = clock.now()
    free = MailboxState.objects.filter(_is_free(now), mailbox=mailbox)
    if not free.update(lease_until=now + LEASE):
        return None
    return Lease(mailbox, MailboxState.objects.get(mailbox=mailbox))


def due() -> QuerySet[Mailbox]:
    """The mailboxes that are due and that no worker has, the longest due first."""
    now = clock.now()
    is_due = Q(state=None) | Q(state__next_fetch_at=None) | Q(state__next_fetch_at__lte=now)
    found = Mailbox.objects.fetched().filter(is_due, Q(state=None) | _is_free(now, "state__"))
    return found.order_by(F("state__next_fetch_at").asc(nulls_first=True), "pk")


def _is_free(now: datetime, prefix: str = "") -> Q:
    """No worker has it. A lease that is far ahead was made by a clock that has been set back since."""
    until = f"{prefix}lease_until"
    return Q(**{until: None}) | Q(**{f"{until}__lt": now}) | Q(**{f"{until}__gt": now + LEASE})


def take_due() -> Lease | None:
    """Takes the next mailbox that is due. None if there is none."""
    for mailbox in due():
        if lease := begin(mailbox):
            return lease
    return None
