from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.models.ticket import Ticket

# The page says every HEARTBEAT that it is open; who was not heard of for PRESENT has left it.
HEARTBEAT = timedelta(seconds=20)
PRESENT = timedelta(seconds=50)


class VisitQuerySet(models.QuerySet):
    def record(self, *, person, ticket: Ticket, number: int) -> None:
        """`person` has `ticket` open and has seen its log up to the row `number`; that never goes back."""
        visit, _is_new = self.get_or_create(person=person, ticket=ticket)
        self.filter(pk=visit.pk).update(
            seen_number=models.Case(
                models.When(seen_number__lt=number, then=number), default=models.F("seen_number")
            ),
            seen_at=timezone.now(),
        )

    def present(self):
        """Of people who have the ticket open now."""
        return self.filter(seen_at__gt=timezone.now() - PRESENT)


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
