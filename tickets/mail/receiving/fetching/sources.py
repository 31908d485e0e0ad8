"""What IMAP and Microsoft Graph have in common: emails one after the other, and where to go on next time."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from tickets.models import Mailbox, MailboxState


@dataclass(frozen=True)
class FetchStep:
    """The next email of the folder, or only progress (no `place`): `position` is saved together with it."""

    place: str = ""
    size: int = 0
    position: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Content:
    """A raw email. Of one that is too large, `raw` has the headers only; `size` is that of the whole."""

    raw: bytes
    size: int


class Source(Protocol):
    """A connection to the server of a mailbox. Each method raises FetchProblem."""

    route: str
    prefix: str  # of the places that still mean the same email, once it is open

    def __init__(self, mailbox: Mailbox): ...

    def open(self) -> None: ...

    def steps(self, state: MailboxState, most: int) -> Iterator[FetchStep]:
        """What has arrived since the position of `state`: at most `most` emails, oldest first."""

    def read(self, step: FetchStep) -> Content | None:
        """None if the email is not there any more. Raises Unreachable if it can't be read."""

    def dispose(self, place: str) -> bool:
        """Moves, marks or leaves a stored email, as the mailbox says. False if the server refuses that."""

    def count(self, since: datetime | None = None) -> int:
        """The number of emails in the folder, or of those that arrived since then."""

    def beginning(self, since: datetime | None, *, reads_old: bool = False) -> dict[str, object]:
        """The position before the first email that lies in the folder, or after the last one.

        `since`: of those that lie there, older ones are left out. None: none is.
        """

    def provider_id(self, place: str) -> str: ...

    def close(self) -> None: ...
