"""What ends a round early, and how long the mailbox then waits. The message is for the admin."""

from datetime import timedelta

from tickets.models import MailboxState

Health = MailboxState.Health
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(minutes=15)
REFUSED_WAIT = timedelta(minutes=5)
PASSWORD_WAIT = timedelta(minutes=30)  # a server may lock an account that logs in wrongly too often


class FetchProblem(Exception):
    """The server can't be read. `words` say why."""

    health = Health.UNREACHABLE

    def __init__(self, words: object):
        super().__init__(str(words))

    def wait(self, failures: int) -> timedelta:
        """The time until the next round, after so many failures in a row: each is twice the one before."""
        return min(FIRST_WAIT * 2 ** min(failures, 10), LONGEST_WAIT)


class Unreachable(FetchProblem):
    """The server does not respond, or not in time."""


class Busy(FetchProblem):
    """The server wants fewer connections or requests."""

    health = Health.SLOW

    def __init__(self, words: object, wait: timedelta | None = None):
        super().__init__(words)
        self.asked = wait or FIRST_WAIT

    def wait(self, failures: int) -> timedelta:
        return max(super().wait(failures), self.asked)


class FetchRefused(FetchProblem):
    """Someone has to change something: the settings of the mailbox, or the server's."""

    health = Health.REFUSED

    def wait(self, failures: int) -> timedelta:
        return REFUSED_WAIT


class PasswordRefused(FetchRefused):
    def wait(self, failures: int) -> timedelta:
        return PASSWORD_WAIT


class LeaseLost(Exception):
    """Another worker fetches the mailbox now, because this one was too slow."""
