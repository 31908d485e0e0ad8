import hashlib
import secrets

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.fields import OneLineField
from tickets.models.attachment_querysets import AttachmentQuerySet
from tickets.models.comment import Comment
from tickets.models.discarded_file import DiscardedFile
from tickets.models.ticket import Ticket
from tickets.models.tracking import TrackedModel
from tickets.rules.events import Verb
from tickets.rules.file_types import described
from tickets.rules.validators import safe_name
from tickets.storage.access import FileLost, StoreUnavailable, read
from tickets.storage.field import StoredFileField

IS_WAITING = models.Q(picture_state="waiting")


def attachment_storage():
    return storages["attachments"]


def random_key() -> str:
    """Returns 43 characters that cannot be guessed (256 bits)."""
    return secrets.token_urlsafe(32)


def stored_path(attachment: "Attachment", _name: str = "") -> str:
    """Returns a path made of the key alone, in one of 4,096 folders.

    Neither the name nor the extension of the upload reaches the disk.
    """
    digest = hashlib.sha256(attachment.key.encode()).hexdigest()
    return f"{digest[:3]}/{attachment.key}"


class Attachment(TrackedModel):
    """A file on a ticket. The original bytes are served only as a download.

    A picture has two more renditions (tickets.files.pictures), which pages display.
    """

    class PictureState(models.TextChoices):
        NONE = "", _("not a picture")
        WAITING = "waiting", _("waiting")
        READY = "ready", _("ready")
        FAILED = "failed", _("can't be shown")

    VIEW, THUMBNAIL = "view", "thumbnail"
    PICTURES = ("image/png", "image/jpeg", "image/gif", "image/webp", "image/heic", "image/heif")
    THUMBNAIL_SIDE = 480  # pixels of the longer side
    TRACKED = ("key", "name", "size", "sha256", "comment")
    ADDED = Verb.FILE_ADDED
    REMOVED = Verb.FILE_REMOVED

    ticket = models.ForeignKey(
        Ticket, verbose_name=_("ticket"), on_delete=models.CASCADE, related_name="attachments"
    )
    comment = models.ForeignKey(
        Comment,
        verbose_name=_("message"),
        on_delete=models.CASCADE,
        related_name="attachments",
        null=True,
        blank=True,
        help_text=_("Blank: attached to the ticket itself."),
    )
    key = models.CharField(_("key"), max_length=43, unique=True, default=random_key, editable=False)
    file = StoredFileField(
        _("file"), storage=attachment_storage, upload_to=stored_path, max_length=100, editable=False
    )
    name = OneLineField(_("name"), max_length=120)
    size = models.PositiveIntegerField(_("size in bytes"))
    content_type = models.CharField(_("type"), max_length=100)
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    uploader = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("uploaded by")
    )
    picture_state = models.CharField(
        _("picture"),
        max_length=10,
        choices=PictureState,
        default=PictureState.NONE,
        blank=True,
        editable=False,
    )
    picture_width = models.PositiveIntegerField(_("width in pixels"), null=True, editable=False)
    picture_height = models.PositiveIntegerField(_("height in pixels"), null=True, editable=False)
    created_at = models.DateTimeField(_("uploaded"), default=timezone.now, editable=False)

    objects = AttachmentQuerySet.as_manager()

    class Meta(TrackedModel.Meta):
        abstract = False
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        ordering = ["pk"]
        indexes = [
            # serves the daily upload limit of a person
            models.Index(fields=["uploader", "created_at"], name="attachment_by_uploader"),
            # serves the worker that renders pictures
            models.Index(
                fields=["id"], name="attachment_waiting", condition=models.Q(picture_state="waiting")
            ),
        ]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("tickets:attachment", args=[self.key])

    @classmethod
    def from_upload(cls, upload, *, ticket: Ticket, uploader, comment: Comment | None = None) -> "Attachment":
        """Builds an unsaved attachment from a validated upload. Raises StoreUnavailable."""
        try:
            upload.seek(0)
            content = upload.read()
        except OSError as error:  # the temporary folder of uploads can fail like any other folder
            raise StoreUnavailable(f"The upload can't be read: {error}") from error
        name, media_type = described(safe_name(upload.name), content)
        return cls(
            ticket=ticket,
            comment=comment,
            uploader=uploader,
            # Does not store the upload itself: Django would move its temporary file, and a retried view would
            # not find it.
            file=ContentFile(content, upload.name),
            name=safe_name(name),
            size=len(content),
            content_type=media_type,
            sha256=hashlib.sha256(content).hexdigest(),
            picture_state=cls.PictureState.WAITING if media_type in cls.PICTURES else cls.PictureState.NONE,
        )

    @classmethod
    def attach(cls, uploads, *, ticket: Ticket, uploader, comment: Comment | None = None) -> None:
        """Saves all uploads on `ticket`, or no row and no file. Raises StoreUnavailable."""
        if not uploads:
            return
        place = {"ticket": ticket, "uploader": uploader, "comment": comment}
        with transaction.atomic():
            for attachment in [cls.from_upload(upload, **place) for upload in uploads]:
                attachment.save()

    @property
    def logged_ticket_id(self):
        return self.ticket_id

    def content(self) -> bytes:
        """Returns the bytes. Raises StoreUnavailable, or FileLost if the store does not have all of them."""
        content = self.file.content()
        if len(content) != self.size:
            raise FileLost(f"It has {len(content)} bytes of {self.size}.")
        return content

    @property
    def is_shown(self) -> bool:
        """Whether pages display it as a picture."""
        return self.picture_state == self.PictureState.READY

    @property
    def thumbnail_size(self) -> tuple[int, int]:
        """Returns width and height in pixels."""
        longer = max(self.picture_width, self.picture_height)
        scale = min(1, self.THUMBNAIL_SIDE / longer)
        return max(1, round(self.picture_width * scale)), max(1, round(self.picture_height * scale))

    def picture_path(self, size: str) -> str:
        """Returns the storage path of the rendition VIEW or THUMBNAIL."""
        return f"{self.file.name}.{size}"

    def picture(self, size: str) -> bytes:
        """Returns the rendition VIEW or THUMBNAIL as WebP. Raises StoreUnavailable or FileLost."""
        return read(self.file.storage, self.picture_path(size))

    def discard_file(self) -> None:
        """Deletes the bytes after the transaction commits. The worker retries if the store fails."""
        self._discard(self.file.name)
        if self.picture_state:
            self.discard_pictures()

    def discard_pictures(self) -> None:
        for size in (self.VIEW, self.THUMBNAIL):
            self._discard(self.picture_path(size))

    def _discard(self, path: str) -> None:
        discarded, storage = DiscardedFile.objects.create(path=path), self.file.storage
        transaction.on_commit(lambda: discarded.delete_from(storage), robust=True)
