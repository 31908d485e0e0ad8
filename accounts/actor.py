"""The current actor. The middleware sets it for a request, acting_as() elsewhere. None is the system."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass, field, replace
from typing import Any

WEB, EMAIL, ADMIN, IMPORT, SYSTEM = "web", "email", "admin", "import", "system"


@dataclass(frozen=True)
class ActorContext:
    """`find_user` is called only for logging, so that a request without changes reads no user.

    All rows logged in one context share its `batch`. If `tells` is False, they cause no emails. If
    `may_undo`, the person can undo them for a moment, and emails about them wait for so long.
    """

    find_user: Callable[[], Any] = lambda: None
    source: str = SYSTEM
    batch: uuid.UUID = field(default_factory=uuid.uuid4)
    tells: bool = True
    may_undo: bool = False

    @property
    def user(self) -> Any:
        """The person, or None for a visitor and for the system."""
        user = self.find_user()
        return user if user is not None and user.is_authenticated else None


_current: ContextVar[ActorContext | None] = ContextVar("actor", default=None)


def current() -> ActorContext:
    return _current.get() or ActorContext()


def enter(context: ActorContext) -> Token:
    """Makes `context` the current one. Pass the token to leave()."""
    return _current.set(context)


def leave(token: Token) -> None:
    _current.reset(token)


@contextmanager
def acting_as(user: Any, *, source: str = SYSTEM, batch: uuid.UUID | None = None) -> Iterator[ActorContext]:
    """Logs all changes inside as one action of `user` (None: the system) from `source`.

    `batch` continues an earlier action.
    """
    given = ActorContext(find_user=lambda: user, source=source, batch=batch or uuid.uuid4())
    with _within(given) as context:
        yield context


@contextmanager
def quietly(is_quiet: bool = True) -> Iterator[ActorContext]:
    """Logs all changes inside as part of the current action, but without emails if `is_quiet`."""
    present = current()
    with _within(replace(present, tells=present.tells and not is_quiet)) as context:
        yield context


@contextmanager
def undoably(may_undo: bool = True) -> Iterator[ActorContext]:
    """Logs all changes inside as part of the current action, which the person can undo for a moment if
    `may_undo`.
    """
    with _within(replace(current(), may_undo=may_undo)) as context:
        yield context


@contextmanager
def _within(context: ActorContext) -> Iterator[ActorContext]:
    token = enter(context)
    try:
        yield context
    finally:
        leave(token)
