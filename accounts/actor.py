"""Who acts now. Set by the middleware for a request and by acting_as() elsewhere; nobody: the system."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass, field, replace
from typing import Any

WEB, EMAIL, ADMIN, IMPORT, SYSTEM = "web", "email", "admin", "import", "system"


@dataclass(frozen=True)
class ActorContext:
    """`find_user` is called only when something is logged, so a request that logs nothing reads no user.

    All rows logged in one context share its `batch`. Where `tells` is off nobody is mailed of them.
    """

    find_user: Callable[[], Any] = lambda: None
    source: str = SYSTEM
    batch: uuid.UUID = field(default_factory=uuid.uuid4)
    tells: bool = True

    @property
    def user(self) -> Any:
        """The person, or None for a visitor and for the system."""
        user = self.find_user()
        return user if user is not None and user.is_authenticated else None


_current: ContextVar[ActorContext | None] = ContextVar("actor", default=None)


def current() -> ActorContext:
    return _current.get() or ActorContext()


def enter(context: ActorContext) -> Token:
    """Makes `context` the current one; the token goes to leave()."""
    return _current.set(context)


def leave(token: Token) -> None:
    _current.reset(token)


@contextmanager
def acting_as(user: Any, *, source: str = SYSTEM, batch: uuid.UUID | None = None) -> Iterator[ActorContext]:
    """All that is logged inside is one act of `user` (None: the system) that came in by `source`.

    `batch` continues an act that began before.
    """
    context = ActorContext(find_user=lambda: user, source=source, batch=batch or uuid.uuid4())
    token = enter(context)
    try:
        yield context
    finally:
        leave(token)


@contextmanager
def quietly(is_quiet: bool = True) -> Iterator[ActorContext]:
    """All that is logged inside belongs to the present act, but nobody is mailed of it while `is_quiet`."""
    present = current()
    context = replace(present, tells=present.tells and not is_quiet)
    token = enter(context)
    try:
        yield context
    finally:
        leave(token)
