from django.db import models
from django.utils.translation import gettext_lazy as _


class RaisedAlarm(models.Model):
    """An alarm about email that is logged and has not ended yet."""

    name = models.CharField(_("alarm"), max_length=30, primary_key=True)

    class Meta:
        verbose_name = _("raised alarm")
        verbose_name_plural = _("raised alarms")
        ordering = ["name"]

    def __str__(self):
        return self.name
