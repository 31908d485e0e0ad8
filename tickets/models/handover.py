import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import actor
from tickets.events import Verb
from tickets.models.activity_log import ActivityLog


class HandoverQuerySet(models.QuerySet):
    def open(self):
        return self.filter(done_at__isnull=True)

    def ask(self, person) -> "Handover":
        """The open one of `person`, made where there is none: all goes to nobody unless somebody chooses."""
        start = ActivityLog.objects.aggregate(last=models.Max("pk", default=0))["last"]
        asked = {"asked_by": actor.current().user, "log_start": start}
        return self.get_or_create(person=person, done_at=None, defaults=asked)[0]


class Handover(models.Model):
    """What becomes of the tickets of a person who stopped working, see tickets.ownership.

    Everything that it changes is logged as the one act `batch`.
    """

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("person"), on_delete=models.CASCADE, related_name="handovers"
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("asked by"),
        on_delete=models.SET_NULL,
        related_name="+",
        null=True,
        blank=True,
        help_text=_("Empty: the system."),
    )
    to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("tickets go to"),
        on_delete=models.SET_NULL,
        related_name="+",
        null=True,
        blank=True,
        help_text=_("Empty: nobody."),
    )
    default_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("new default assignee"),
        on_delete=models.SET_NULL,
        related_name="+",
        null=True,
        blank=True,
        help_text=_("Empty: nobody."),
    )
    ends_notices = models.BooleanField(
        _("ends notifications"),
        default=False,
        help_text=_("The person is also removed from the people to notify and the watchers."),
    )
    batch = models.UUIDField(_("act"), default=uuid.uuid4, unique=True, editable=False)
    log_start = models.PositiveBigIntegerField(
        default=0, editable=False, help_text=_("The last row of the activity log when it was asked for.")
    )
    asked_at = models.DateTimeField(_("asked"), default=timezone.now, editable=False)
    done_at = models.DateTimeField(_("done"), null=True, blank=True, editable=False)
    tickets = models.PositiveIntegerField(_("tickets"), default=0)
    categories = models.PositiveIntegerField(_("categories"), default=0)

    objects = HandoverQuerySet.as_manager()

    class Meta:
        verbose_name = _("handover")
        verbose_name_plural = _("handovers")
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["person"], name="handover_one_open_per_person", condition=models.Q(done_at=None)
            ),
            models.CheckConstraint(
                condition=models.Q(to=None) | ~models.Q(to=models.F("person")), name="handover_to_another"
            ),
            models.CheckConstraint(
                condition=models.Q(default_to=None) | ~models.Q(default_to=models.F("person")),
                name="handover_default_to_another",
            ),
        ]

    def __str__(self):
        return str(self.person)

    @property
    def assignments(self):
        """The rows of the log that say whom the tickets went to."""
        rows = ActivityLog.objects.filter(verb=Verb.ASSIGNED, pk__gt=self.log_start)
        return rows.filter(batch=self.batch).oldest_first()
