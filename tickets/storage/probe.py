"""Whether the attachment store works: a small file is written, read and deleted before people need it."""

import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum

from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, Storage
from django.template.defaultfilters import filesizeformat
from django.utils.crypto import get_random_string
from django.utils.translation import gettext as _

from tickets.models import Attachment
from tickets.storage.access import Act, StoreMissing, StoreUnavailable, calling

PATH = "probe"  # attachments lie in folders, so this key is nobody's
LEAST_FREE_BYTES = 200 * 1024 * 1024
LEAST_FREE_PART = 0.02
KEPT_AS = "storage.probe"
KEPT_FOR = 20 * 60  # seconds; the job is due every five minutes


class State(StrEnum):
    OK = "ok"
    FULL = "nearly full"
    FAILING = "failing"
    MISSING = "missing"
    UNKNOWN = "unknown"  # no worker has asked lately


@dataclass(frozen=True)
class Finding:
    state: State
    free_bytes: int | None = None  # None: a bucket has no end

    @property
    def alarm(self) -> str:
        """What is wrong, in a sentence; empty where nothing is."""
        match self.state:
            case State.FULL:
                free = filesizeformat(self.free_bytes)
                return _("The disk for attachments is nearly full: %(free)s left.") % {"free": free}
            case State.FAILING:
                return _("Files can't be stored or read right now. The log says why.")
            case State.MISSING:
                return _(
                    "The folder for attachments does not have our files. Is its disk mounted? "
                    "No files are stored until it is back."
                )
        return ""


def probe() -> Finding:
    """Tries the store and keeps the finding for latest(). A timed job."""
    storage = Attachment._meta.get_field("file").storage
    try:
        with calling(storage, Act.PROBE):
            _try(storage)
            finding = _space_of(storage)
    except StoreMissing:
        finding = Finding(State.MISSING)
    except StoreUnavailable:
        finding = Finding(State.FAILING)
    cache.set(KEPT_AS, asdict(finding), timeout=KEPT_FOR)
    return finding


def latest() -> Finding:
    """What the last probe found. Asks nothing of the store."""
    found = cache.get(KEPT_AS)
    return Finding(State(found["state"]), found["free_bytes"]) if found else Finding(State.UNKNOWN)


def _try(storage: Storage) -> None:
    """Raises what the store raises, or OSError where it does not keep what it is given."""
    content, path = get_random_string(32).encode(), PATH
    try:
        path = storage.save(PATH, ContentFile(content))
        with storage.open(path, "rb") as file:
            if file.read() != content:
                raise OSError("It does not give back what was written.")
    except Exception:
        with suppress(Exception):  # the first error tells more
            storage.delete(path)
        raise
    for left in {path, PATH}:  # or what a process that was killed has left there
        storage.delete(left)


def _space_of(storage: Storage) -> Finding:
    if not isinstance(storage, FileSystemStorage):
        return Finding(State.OK)
    usage = shutil.disk_usage(storage.location)
    is_full = usage.free < max(LEAST_FREE_BYTES, usage.total * LEAST_FREE_PART)
    return Finding(State.FULL if is_full else State.OK, usage.free)
