"""Wraps every call of the attachment storage, and converts its errors.

Each storage has its own errors: a full disk, a lost mount, a rejected key, a bucket that does not answer.
Callers get StoreUnavailable (try again later) or FileLost (the storage works, but the file is missing).
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
# Errors that a disk returns immediately. Nobody waits for them, so the breaker does not count them.
IMMEDIATE = {
    errno.EACCES, errno.EDQUOT, errno.EFBIG, errno.ENAMETOOLONG, errno.ENOENT, errno.ENOSPC, errno.ENOTDIR,
    errno.EPERM, errno.EROFS,
}  # fmt: skip


class StoreUnavailable(Exception):
    """The attachment storage can't be written or read now."""


class StoreMissing(StoreUnavailable):
    """The folder is not the storage with our files; its disk may not be mounted."""


class FileLost(Exception):
    """The storage works, but this file is missing or incomplete."""


class Operation(StrEnum):
    """Reading and writing have separate breakers, because a full disk can still be read."""

    READ = "read"
    WRITE = "write"
    PROBE = "probe"


# Breakers by storage, so that a test or a process with other settings starts with closed ones.
_breakers: WeakKeyDictionary[Storage, dict[Operation, Breaker]] = WeakKeyDictionary()


@contextmanager
def calling(storage: Storage, act: Operation) -> Iterator[None]:
    """Wraps one call. Raises FileLost for a missing file and StoreUnavailable for any other error."""
    breaker = _breakers.setdefault(storage, {}).setdefault(act, Breaker())
    if breaker.refuses():
        raise StoreUnavailable("The attachment store has failed several times within a minute.")
    try:
        yield
    except (DatabaseError, InterfaceError):
        raise  # a storage may query the database for its expected files
    except Exception as error:
        if act == Operation.READ and isinstance(error, FileNotFoundError):
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
    with calling(storage, Operation.READ), storage.open(path, "rb") as file:
        return file.read()


def _is_immediate(error: Exception) -> bool:
    return isinstance(error, StoreMissing) or (isinstance(error, OSError) and error.errno in IMMEDIATE)
