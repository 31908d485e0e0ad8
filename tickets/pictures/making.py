"""Makes what is shown of pictures: in the worker, or where none runs, in the process that took them in."""

import logging
import threading

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import DatabaseError, connections, transaction

from tickets.models import Attachment
from tickets.models.attachment import IS_WAITING
from tickets.pictures.rendering import NotAPicture, render
from tickets.storage.access import Act, FileLost, StoreUnavailable, calling

logger = logging.getLogger(__name__)
State = Attachment.PictureState
_in_turn = threading.Lock()  # several uploads at once are drawn one after the other
AT_ONCE = 20  # pictures of one round, so that other jobs come to their turn


def make_waiting() -> int:
    """Draws pictures that wait, the newest first: after an upgrade all those of before wait behind them.

    Returns how many were handled. Raises StoreUnavailable; the pictures go on waiting.
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
        attachment.discard_pictures()  # deleted meanwhile


def wake(attachment: Attachment) -> None:
    """With a mail provider there is a worker; without one nobody else would draw it."""
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
    with calling(storage, Act.WRITE):
        storage.delete(path)  # left by a process that died
        name = storage.save(path, ContentFile(content))
        if name != path:
            storage.delete(name)  # another process has drawn it, and saved the same meanwhile


def _end(attachment: Attachment, state: str, *, width: int | None = None, height: int | None = None) -> None:
    rows = Attachment.objects.filter(IS_WAITING, pk=attachment.pk)
    rows.update(picture_state=state, picture_width=width, picture_height=height)
