"""Every call of the attachment store, and the one way in which it fails.

A full disk, a lost mount, a key that is refused, a bucket that does not answer: each store has errors of its
own. Callers know StoreUnavailable (try again later) and FileLost (the store works, the file is not in it).
"""

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from weakref import WeakKeyDictionary

from django.core.files.storage import Storage
from django.db import DatabaseError, InterfaceError

from tickets.storage.breaker import Breaker

logger = logging.getLogger(__name__)
RETRY_AFTER = 60  # seconds
# What a disk answers at once. Such an error keeps nobody waiting, so the breaker does not count it.
IMMEDIATE = {
    errno.EACCES, errno.EDQUOT, errno.EFBIG, errno.ENAMETOOLONG, errno.ENOENT, errno.ENOSPC, errno.ENOTDIR,
    errno.EPERM, errno.EROFS,
}  # fmt: skip


class StoreUnavailable(Exception):
    """The attachment store can't be written or read now."""


class StoreMissing(StoreUnavailable):
    """What is there is not the store with our files."""


class FileLost(Exception):
    """The store works, but this file is not in it, or only a part of it."""


class Act(StrEnum):
    """A full disk can still be read, so each has a breaker of its own."""

    READ = "read"
    WRITE = "write"
    PROBE = "probe"


# By the storage itself: a test, or a process with other settings, begins with closed ones.
_breakers: WeakKeyDictionary[Storage, dict[Act, Breaker]] = WeakKeyDictionary()


@contextmanager
def calling(storage: Storage, act: Act) -> Iterator[None]:
    """One call of the store. Raises StoreUnavailable for whatever it raises; FileLost for a missing file."""
    breaker = _breakers.setdefault(storage, {}).setdefault(act, Breaker())
    if breaker.refuses():
        raise StoreUnavailable("The attachment store has failed several times within a minute.")
    try:
        yield
    except (DatabaseError, InterfaceError):
        raise  # a store may ask the database what it should hold
    except Exception as error:
        if act == Act.READ and isinstance(error, FileNotFoundError):
            breaker.succeeded()
            raise FileLost(str(error)) from error
        if not _is_immediate(error):
            breaker.failed()
        logger.error("The attachment store failed to %s: %s: %s", act, type(error).__name__, error)
        if isinstance(error, StoreUnavailable):
            raise
        raise StoreUnavailable(f"{type(error).__name__}: {error}") from error
    breaker.succeeded()


def read(storage: Storage, path: str) -> bytes:
    """All bytes of a file. Raises StoreUnavailable or FileLost."""
    with calling(storage, Act.READ), storage.open(path, "rb") as file:
        return file.read()


def _is_immediate(error: Exception) -> bool:
    return isinstance(error, StoreMissing) or (isinstance(error, OSError) and error.errno in IMMEDIATE)
