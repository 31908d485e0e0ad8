from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import models
from django.utils.translation import gettext_lazy as _

from tickets.models.ticket import Ticket
from tickets.models.tracking import TrackedModel, TrackedQuerySet
from tickets.rules.events import Verb


class WatcherQuerySet(TrackedQuerySet):
    def counting(self):
        """Excludes former staff who watch because they worked on tickets."""
        staff = get_user_model().objects.staff().filter(pk=models.OuterRef("person")).order_by()
        return self.filter(models.Q(as_staff=False) | models.Exists(staff))


class Watcher(TrackedModel):
    """A person who reads a ticket of somebody else and may reply publicly, and nothing more."""

    TRACKED = ("person",)
    ADDED = Verb.WATCHER_ADDED
    REMOVED = Verb.WATCHER_REMOVED

    ticket = models.ForeignKey(
        Ticket, verbose_name=_("ticket"), on_delete=models.CASCADE, related_name="watchers"
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("person"), on_delete=models.CASCADE, related_name="watching"
    )

    as_staff = models.BooleanField(
        _("as staff"),
        default=False,
        db_default=False,
        editable=False,
        help_text=_(
            "The person worked on tickets when they started watching. It counts only while that is so."
        ),
    )

    objects = WatcherQuerySet.as_manager()

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

    def stamp(self, before):
        if before is None:
            self.as_staff = self.person.works
