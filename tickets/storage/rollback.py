"""Deletes a stored file if the transaction of its row fails."""

import logging
import weakref

from django.core.files.storage import Storage
from django.db import connection, transaction

from tickets.storage.access import Operation, StoreUnavailable, calling

logger = logging.getLogger(__name__)


class _Committed:
    """Django calls it after the commit. It keeps the file."""

    def __init__(self, storage: Storage, path: str):
        self._delete = weakref.finalize(self, _delete, storage, path)
        self._delete.atexit = False

    def __call__(self) -> None:
        self._delete.detach()


def delete_on_rollback(storage: Storage, path: str) -> None:
    """Deletes the file at `path`, complete or not, if the transaction or savepoint is rolled back.

    Django has no on_rollback(). But a rollback drops the on_commit functions, and ours deletes the file when
    it is garbage-collected. If the process is killed, the file stays.
    """
    transaction.on_commit(_Committed(storage, path))


def _delete(storage: Storage, path: str) -> None:
    """Runs during a rollback, so it must not query the database, which would start a transaction.

    If the connection is broken, the row may be committed, so the file stays.
    """
    try:
        if not _is_connected():
            raise StoreUnavailable("The connection broke, so it may have been committed.")
        with calling(storage, Operation.WRITE):
            storage.delete(path)
    except StoreUnavailable as error:
        logger.warning("The file %s may be left without an attachment: %s", path, error)


def _is_connected() -> bool:
    return connection.connection is not None and not getattr(connection.connection, "closed", False)
