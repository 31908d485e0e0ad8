from datetime import timedelta

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import models
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.models.ticket import Ticket

# The page says every 20 seconds that it is open (static/js/visits.js); who is silent this long has left it.
PRESENT = timedelta(seconds=50)
NO_TIME = timedelta()


class VisitQuerySet(models.QuerySet):
    def record(self, *, person, ticket: Ticket, number: int, is_leaving: bool = False) -> None:
        """`person` has `ticket` open and has seen its log up to the row `number`; that never goes back.

        Whoever is leaving does not have it open any more.
        """
        visit, _is_new = self.get_or_create(person=person, ticket=ticket)
        self.filter(pk=visit.pk).update(
            seen_number=Greatest("seen_number", models.Value(number, models.PositiveBigIntegerField())),
            seen_at=timezone.now() - (PRESENT if is_leaving else NO_TIME),
        )

    def present(self):
        """Of people who work and have the ticket open now."""
        return self.filter(seen_at__gt=timezone.now() - PRESENT, person__in=get_user_model().objects.staff())


class Visit(models.Model):
    """When one of the staff last had a ticket open, and the last row of its log that he saw then."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("person"), on_delete=models.CASCADE, related_name="+"
    )
    ticket = models.ForeignKey(
        Ticket, verbose_name=_("ticket"), on_delete=models.CASCADE, related_name="visits"
    )
    seen_number = models.PositiveBigIntegerField(_("seen up to"), default=0)
    seen_at = models.DateTimeField(_("last seen"), default=timezone.now)

    objects = VisitQuerySet.as_manager()

    class Meta:
        constraints = [
            # also: who has this ticket open
            models.UniqueConstraint(fields=["ticket", "person"], name="visit_one_per_person"),
        ]

    def __str__(self):
        return f"#{self.ticket_id} {self.person_id}"
