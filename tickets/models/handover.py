import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class HandoverQuerySet(models.QuerySet):
    def open(self):
        return self.filter(done_at__isnull=True)


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
