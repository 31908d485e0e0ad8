from datetime import timedelta

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import models
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.models.ticket import Ticket

# The page reports every 20 seconds that it is open (static/js/visits.js). A longer silence means it is
# closed.
PRESENT = timedelta(seconds=50)
# While somebody types a reply the page reports it every 5 seconds (static/js/visits.js).
TYPING = timedelta(seconds=15)
NO_TIME = timedelta()


def _is_open() -> models.Q:
    return models.Q(seen_at__gt=timezone.now() - PRESENT)


class VisitQuerySet(models.QuerySet):
    def record(
        self, *, person, ticket: Ticket, number: int, is_leaving: bool = False, is_typing: bool = False
    ) -> None:
        """Records that `person` has `ticket` open and has seen its log up to row `number`, which never
        decreases.

        `is_leaving`: the person no longer has it open. `is_typing`: the person types a reply; it counts for a
        few seconds.
        """
        visit, _is_new = self.get_or_create(person=person, ticket=ticket)
        now = timezone.now()
        values = {"typed_at": now if is_typing else None} if is_typing or is_leaving else {}
        self.filter(pk=visit.pk).update(
            seen_number=Greatest("seen_number", models.Value(number, models.PositiveBigIntegerField())),
            seen_at=now - (PRESENT if is_leaving else NO_TIME),
            **values,
        )

    def present(self):
        """Returns the visits of staff who have the ticket open now."""
        return self.filter(_is_open(), person__in=get_user_model().objects.staff())

    def typing(self):
        """Returns the visits of staff who type a reply now."""
        return self.present().filter(typed_at__gt=timezone.now() - TYPING)

    def shown_to(self, person, ticket: Ticket):
        """Returns the visit of `person`, and those of people who have the ticket open now, without their
        people: whoever does not work any more is not shown.
        """
        return self.filter(models.Q(person=person) | _is_open(), ticket=ticket)


class Visit(models.Model):
    """When a staff member last had a ticket open, and the last row of its log they saw then."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, verbose_name=_("person"), on_delete=models.CASCADE, related_name="+"
    )
    ticket = models.ForeignKey(
        Ticket, verbose_name=_("ticket"), on_delete=models.CASCADE, related_name="visits"
    )
    seen_number = models.PositiveBigIntegerField(_("seen up to"), default=0)
    seen_at = models.DateTimeField(_("last seen"), default=timezone.now)

    typed_at = models.DateTimeField(_("last typed a reply"), null=True)

    objects = VisitQuerySet.as_manager()

    class Meta:
        constraints = [
            # also serves: who has this ticket open
            models.UniqueConstraint(fields=["ticket", "person"], name="visit_one_per_person"),
        ]
        indexes = [models.Index(fields=["person", "-seen_at"], name="visit_latest_first")]  # the palette

    def __str__(self):
        return f"#{self.ticket_id} {self.person_id}"

    @property
    def is_typing(self) -> bool:
        return self.typed_at is not None and self.typed_at > timezone.now() - TYPING
