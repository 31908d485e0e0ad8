from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.fields import OneLineField
from accounts.validators import validate_single_line, validate_visible
from tickets.models.owned import OwnedModel


class SavedView(OwnedModel):
    """Saved filters, search words and order of the queue."""

    name = OneLineField(_("name"), max_length=60, validators=[validate_single_line, validate_visible])
    query = models.CharField(
        _("filters"), max_length=500, blank=True, help_text=_("As in the address of the queue.")
    )

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ["name", "pk"]
        permissions = [("share_savedview", "Can share saved views with all staff")]

    def __str__(self):
        return self.name
