import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import actor
from tickets.models.activity_log import ActivityLog
from tickets.rules.events import Verb


class HandoverQuerySet(models.QuerySet):
    def open(self):
        return self.filter(done_at__isnull=True)

    def ask(self, person) -> "Handover":
        """Returns the open handover of `person`. Creates one that leaves tickets unassigned if
        there is none.
        """
        start = ActivityLog.objects.aggregate(last=models.Max("pk", default=0))["last"]
        asked = {"asked_by": actor.current().user, "log_start": start}
        return self.get_or_create(person=person, done_at=None, defaults=asked)[0]


class Handover(models.Model):
    """The reassignment of everything that a former staff member owned (tickets.actions.handing_over).

    All its changes are logged as the one act `batch`.
    """

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("person"), on_delete=models.CASCADE, related_name="handovers"
    )
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("requested by"),
        on_delete=models.SET_NULL,
        related_name="+",
        null=True,
        blank=True,
        help_text=_("Blank: the system."),
    )
    to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("new assignee"),
        on_delete=models.SET_NULL,
        related_name="+",
        null=True,
        blank=True,
        help_text=_("Blank: no one."),
    )
    default_to = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("new default assignee"),
        on_delete=models.SET_NULL,
        related_name="+",
        null=True,
        blank=True,
        help_text=_("Blank: no one."),
    )
    ends_notices = models.BooleanField(
        _("ends notifications"),
        default=False,
        help_text=_("The person is also removed from the people to notify and the watchers."),
    )
    batch = models.UUIDField(_("act"), default=uuid.uuid4, unique=True, editable=False)
    log_start = models.PositiveBigIntegerField(
        default=0, editable=False, help_text=_("The last row of the activity log at the time of the request.")
    )
    asked_at = models.DateTimeField(_("requested"), default=timezone.now, editable=False)
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
        """Returns the rows of the log that say who was assigned the tickets."""
        rows = ActivityLog.objects.filter(verb=Verb.ASSIGNED, pk__gt=self.log_start)
        return rows.filter(batch=self.batch).oldest_first()
