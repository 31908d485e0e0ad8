"""Renders images for display: in the worker or, without a worker, in the process of the upload."""

import logging
import threading

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import DatabaseError, connections, transaction

from tickets.files.rendering import NotAPicture, render
from tickets.models import Attachment
from tickets.models.attachment import IS_WAITING
from tickets.storage.access import FileLost, Operation, StoreUnavailable, calling

logger = logging.getLogger(__name__)
State = Attachment.PictureState
_in_turn = threading.Lock()  # simultaneous uploads are rendered one after the other
AT_ONCE = 20  # images per run, so that other jobs are not delayed


def make_waiting() -> int:
    """Renders waiting images, the newest first, because after an upgrade all old images wait.

    Returns the number of processed images. If it raises StoreUnavailable, the images keep waiting.
    """
    waiting = list(Attachment.objects.filter(IS_WAITING).order_by("-pk")[:AT_ONCE])
    for attachment in waiting:
        make(attachment)
    return len(waiting)


def make(attachment: Attachment) -> None:
    try:
        drawn = render(attachment.content())
    except (NotAPicture, FileLost) as error:
        logger.info("Attachment %s can't be shown as a picture: %s", attachment.pk, error)
        _end(attachment, State.FAILED)
        return
    for size, content in ((Attachment.VIEW, drawn.view), (Attachment.THUMBNAIL, drawn.thumbnail)):
        _store(attachment, size, content)
    _end(attachment, State.READY, width=drawn.width, height=drawn.height)
    if not Attachment.objects.filter(pk=attachment.pk).exists():
        attachment.discard_pictures()  # the attachment was deleted meanwhile


def wake(attachment: Attachment) -> None:
    """Renders an image now if there is no worker, which is the case without an email provider."""
    if attachment.picture_state == State.WAITING and not settings.HAS_MAIL_PROVIDER:
        transaction.on_commit(lambda: draw_in_thread(), robust=True)


def draw_in_thread() -> threading.Thread:
    thread = threading.Thread(target=_make_waiting_alone, daemon=True)
    thread.start()
    return thread


def _make_waiting_alone() -> None:
    try:
        with _in_turn:
            make_waiting()
    except (DatabaseError, StoreUnavailable):
        logger.exception("Pictures could not be drawn now; they wait for the next.")
    finally:
        connections.close_all()


def _store(attachment: Attachment, size: str, content: bytes) -> None:
    storage, path = attachment.file.storage, attachment.picture_path(size)
    with calling(storage, Operation.WRITE):
        storage.delete(path)  # left behind by a killed process
        name = storage.save(path, ContentFile(content))
        if name != path:
            storage.delete(name)  # another process has rendered the same image meanwhile


def _end(attachment: Attachment, state: str, *, width: int | None = None, height: int | None = None) -> None:
    rows = Attachment.objects.filter(IS_WAITING, pk=attachment.pk)
    rows.update(picture_state=state, picture_width=width, picture_height=height)
