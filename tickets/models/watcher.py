from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from tickets.events import Verb
from tickets.models.ticket import Ticket
from tickets.tracking import TrackedModel


class Watcher(TrackedModel):
    """Somebody who reads a ticket that is not the own, answers publicly on it, and may do nothing more."""

    TRACKED = ("person",)
    ADDED, REMOVED = Verb.WATCHER_ADDED, Verb.WATCHER_REMOVED

    ticket = models.ForeignKey(
        Ticket, verbose_name=_("ticket"), on_delete=models.CASCADE, related_name="watchers"
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("person"), on_delete=models.CASCADE, related_name="watching"
    )

    class Meta(TrackedModel.Meta):
        abstract = False
        verbose_name = _("watcher")
        verbose_name_plural = _("watchers")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["person", "ticket"], name="watcher_once_per_ticket"),
        ]

    def __str__(self):
        return str(self.person)

    @property
    def logged_ticket_id(self):
        return self.ticket_id
