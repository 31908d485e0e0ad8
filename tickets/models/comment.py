import uuid

from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.validators import validate_visible
from tickets.events import Verb
from tickets.models.ticket import Ticket
from tickets.querysets import CommentQuerySet
from tickets.tracking import TrackedModel


def split_key(key: uuid.UUID) -> uuid.UUID:
    """The submission key of the ticket that the message with this key is split into (tickets.splitting)."""
    return uuid.uuid5(key, "split")


class Comment(TrackedModel):
    """What somebody said on a ticket: a public reply, or an internal note that only staff read.

    Never changed once it is said; tickets.conversation is where it is said and taken back.
    """

    TRACKED = ("key", "body", "is_public")
    REMOVED = Verb.TAKEN_BACK

    ticket = models.ForeignKey(
        Ticket, verbose_name=_("ticket"), on_delete=models.CASCADE, related_name="comments"
    )
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("author"), on_delete=models.PROTECT, related_name="comments"
    )
    body = models.TextField(
        _("message"), max_length=20_000, validators=[MaxLengthValidator(20_000), validate_visible]
    )
    is_public = models.BooleanField(_("public"))
    is_thanks = models.BooleanField(
        _("only thanks"), default=False, help_text=_("Words of thanks to a ticket that is done.")
    )
    source = models.CharField(
        _("source"), max_length=10, choices=Ticket.Source, default=Ticket.Source.WEB, editable=False
    )
    key = models.UUIDField(
        default=uuid.uuid4,
        editable=False,
        help_text=_("Comes with the form: sending one form twice says it once."),
    )
    trimmed = models.TextField(_("trimmed text"), blank=True, default="", editable=False)
    created_at = models.DateTimeField(_("said"), default=timezone.now, editable=False)

    objects = CommentQuerySet.as_manager()

    class Meta(TrackedModel.Meta):
        abstract = False
        verbose_name = _("comment")
        verbose_name_plural = _("comments")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["author", "key"], name="comment_once_per_submission"),
            models.CheckConstraint(condition=~models.Q(body=""), name="comment_has_body"),
        ]
        # a ticket's conversation, oldest first
        indexes = [models.Index(fields=["ticket", "id"], name="comment_by_ticket")]

    def __str__(self):
        return f"#{self.ticket_id} {self.author}"

    def get_absolute_url(self):
        return f"{self.ticket.get_absolute_url()}#message-{self.pk}"

    def save(self, *args, **kwargs):
        if not self._state.adding:
            raise TypeError("What was said is never changed.")
        super().save(*args, **kwargs)

    @property
    def ADDED(self):  # noqa: N802 - what TrackedModels call it
        return Verb.REPLIED if self.is_public else Verb.NOTED

    @property
    def logged_ticket_id(self):
        return self.ticket_id
