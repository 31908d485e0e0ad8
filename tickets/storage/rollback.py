"""A file is stored before its row is committed. Where the transaction fails, the file goes again."""

import logging
import weakref

from django.core.files.storage import Storage
from django.db import connection, transaction

from tickets.storage.access import Act, StoreUnavailable, calling

logger = logging.getLogger(__name__)


class _Committed:
    """What Django calls when the transaction is committed: the file stays."""

    def __init__(self, storage: Storage, path: str):
        self._delete = weakref.finalize(self, _delete, storage, path)
        self._delete.atexit = False

    def __call__(self) -> None:
        self._delete.detach()


def delete_on_rollback(storage: Storage, path: str) -> None:
    """Deletes the file at `path`, or what was written of it, if the transaction or savepoint fails.

    Django has no on_rollback. But it forgets the on_commit functions of what is rolled back, and nothing else
    holds ours: with the function goes the file. A process that is killed meanwhile leaves the file behind.
    """
    transaction.on_commit(_Committed(storage, path))


def _delete(storage: Storage, path: str) -> None:
    """Runs while Django rolls back, so it asks the database nothing: that would begin a transaction.

    After a connection that broke nobody knows whether the row was committed: then the file stays.
    """
    try:
        if not _is_connected():
            raise StoreUnavailable("The connection broke, so it may have been committed.")
        with calling(storage, Act.WRITE):
            storage.delete(path)
    except StoreUnavailable as error:
        logger.warning("The file %s may be left without an attachment: %s", path, error)


def _is_connected() -> bool:
    return connection.connection is not None and not getattr(connection.connection, "closed", False)
