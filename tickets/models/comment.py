import uuid

from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.validators import validate_visible
from tickets.models.ticket import Ticket
from tickets.models.tracking import TrackedModel, TrackedQuerySet
from tickets.rules.events import Verb


def split_key(key: uuid.UUID) -> uuid.UUID:
    """Returns the key of the ticket that this message is split into (tickets.actions.splitting)."""
    return uuid.uuid5(key, "split")


class CommentQuerySet(TrackedQuerySet):
    def visible_to(self, user):
        """Returns all comments for staff and public ones for others, on tickets that `user` may
        already see.
        """
        if not user.is_authenticated:
            return self.none()
        return self if user.is_staff else self.filter(is_public=True)


class Comment(TrackedModel):
    """A message on a ticket: a public reply, or an internal note that only staff can read.

    A comment is never edited. tickets.actions.conversation creates it, and undoes it within the time limit.
    """

    TRACKED = ("key", "body", "is_public", "not_emailed")
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
        _("thank-you only"), default=False, help_text=_("A thank-you on a solved ticket.")
    )
    source = models.CharField(
        _("source"), max_length=10, choices=Ticket.Source, default=Ticket.Source.WEB, editable=False
    )
    key = models.UUIDField(
        default=uuid.uuid4,
        editable=False,
        help_text=_("Comes with the form, so that a form sent twice adds one message."),
    )
    trimmed = models.TextField(_("trimmed text"), blank=True, default="", editable=False)
    created_at = models.DateTimeField(_("sent"), default=timezone.now, editable=False)
    not_emailed = models.JSONField(
        _("not emailed"),
        null=True,
        editable=False,
        help_text=_("Primary keys of the people whom the author left out. They see it on the page."),
    )

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
        # serves the conversation of a ticket, oldest first
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
    def ADDED(self):  # noqa: N802 - the name that TrackedModel expects
        return Verb.REPLIED if self.is_public else Verb.NOTED

    @property
    def logged_ticket_id(self):
        return self.ticket_id
