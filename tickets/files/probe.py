"""Checks the attachment storage: writes, reads and deletes a small file."""

import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum

from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, Storage
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from tickets.models import Attachment
from tickets.rules.validators import size_in_words
from tickets.storage.access import Operation, StoreMissing, StoreUnavailable, calling

PATH = "probe"  # no attachment has this name, because attachments are in subfolders
LEAST_FREE_BYTES = 200 * 1024 * 1024
LEAST_FREE_PART = 0.02
KEPT_AS = "storage.probe"
KEPT_FOR = 20 * 60  # seconds; the job is due every five minutes


class StoreState(StrEnum):
    OK = "ok"
    FULL = "nearly full"
    FAILING = "failing"
    MISSING = "missing"
    UNKNOWN = "unknown"  # no recent check


@dataclass(frozen=True)
class Finding:
    state: StoreState
    free_bytes: int | None = None  # None for a bucket

    @property
    def alarm(self) -> str:
        """The problem as a sentence; "" if there is none."""
        match self.state:
            case StoreState.FULL:
                free = size_in_words(self.free_bytes)
                return _("The disk for attachments is nearly full: %(free)s left.") % {"free": free}
            case StoreState.FAILING:
                return _("Files can't be stored or read right now. The log says why.")
            case StoreState.MISSING:
                return _(
                    "The folder for attachments does not have our files. Is its disk mounted? "
                    "No files are stored until it is back."
                )
        return ""


def probe() -> Finding:
    """Checks the storage and saves the result for latest(). A timed job."""
    storage = Attachment._meta.get_field("file").storage
    try:
        with calling(storage, Operation.PROBE):
            _try(storage)
            finding = _space_of(storage)
    except StoreMissing:
        finding = Finding(StoreState.MISSING)
    except StoreUnavailable:
        finding = Finding(StoreState.FAILING)
    cache.set(KEPT_AS, asdict(finding), timeout=KEPT_FOR)
    return finding


def latest() -> Finding:
    """The result of the last check. Does not call the storage."""
    found = cache.get(KEPT_AS)
    return Finding(StoreState(found["state"]), found["free_bytes"]) if found else Finding(StoreState.UNKNOWN)


def _try(storage: Storage) -> None:
    """Raises an error of the storage, or OSError if it returns other bytes than were written."""
    content, path = get_random_string(32).encode(), PATH
    try:
        path = storage.save(PATH, ContentFile(content))
        with storage.open(path, "rb") as file:
            if file.read() != content:
                raise OSError("It does not give back what was written.")
    except Exception:
        with suppress(Exception):  # the first error is more useful
            storage.delete(path)
        raise
    for left in {path, PATH}:  # PATH may be left behind by a killed process
        storage.delete(left)


def _space_of(storage: Storage) -> Finding:
    if not isinstance(storage, FileSystemStorage):
        return Finding(StoreState.OK)
    usage = shutil.disk_usage(storage.location)
    is_full = usage.free < max(LEAST_FREE_BYTES, usage.total * LEAST_FREE_PART)
    return Finding(StoreState.FULL if is_full else StoreState.OK, usage.free)
