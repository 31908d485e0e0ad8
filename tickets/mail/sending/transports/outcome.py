"""The result of an attempt to send an email. The rows and the pause of the sender depend on nothing else.

`heard` says whether the server answered. None: it was not asked, because the attempt failed here.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from django.core.mail import EmailMessage

from tickets.mail.pause import KEY_PAUSE


@dataclass(frozen=True)
class Accepted:
    """The server has the email. `wait`: it asks for a pause before the next one.

    `words` are kept with the email, if there is something to know about it.
    """

    provider_id: str = ""
    words: str = ""
    wait: timedelta | None = None


@dataclass(frozen=True)
class Later:
    """The email is tried again: after `wait`, or each time later than before."""

    words: str
    wait: timedelta | None = None
    heard: bool | None = True


@dataclass(frozen=True)
class Slow:
    """The sender pauses for `wait`. The attempt does not count."""

    words: str
    wait: timedelta


@dataclass(frozen=True)
class Never:
    """The email has failed for good. `suppress`: its address gets no more emails.

    `is_policy`: the server rejects the connection to this person, not the address.
    """

    words: str
    suppress: bool = False
    is_policy: bool = False
    heard: bool | None = True


@dataclass(frozen=True)
class SenderRefused:
    """The server refuses the sender. It pauses for `wait`; the attempt does not count."""

    words: str
    wait: timedelta = KEY_PAUSE


Failure = Later | Slow | Never | SenderRefused
Outcome = Accepted | Failure


class Transport(Protocol):
    """A way to send emails. It raises nothing but DatabaseError and what interrupts it (SendTimeout)."""

    def open(self) -> Failure | None:
        """Connects and logs in. Does nothing if it is open. Returns why it failed; None if all is well."""

    def send(self, mail: EmailMessage, *, again: bool = False) -> Outcome:
        """Sends over an open connection. `again`: an earlier attempt may have succeeded unnoticed."""

    def cut(self) -> None:
        """Ends the connection from another thread, so that a wait for the server ends with a failure."""

    def close(self) -> None:
        """Ends the connection. Does nothing if it is closed."""
