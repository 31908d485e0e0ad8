from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.fields import OneLineField
from accounts.validators import validate_single_line, validate_visible
from tickets.models.owned import OwnedModel


class SavedReply(OwnedModel):
    """A text that staff use often. tickets.actions.saved_replies fills in its variables."""

    title = OneLineField(_("title"), max_length=80, validators=[validate_single_line, validate_visible])
    body = models.TextField(
        _("text"), max_length=20_000, validators=[MaxLengthValidator(20_000), validate_visible]
    )

    class Meta:
        verbose_name = _("saved reply")
        verbose_name_plural = _("saved replies")
        ordering = ["title", "pk"]
        permissions = [("share_savedreply", "Can share saved replies with all staff")]

    def __str__(self):
        return self.title
