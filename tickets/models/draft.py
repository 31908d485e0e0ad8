from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from tickets.models.ticket import Ticket


class DraftQuerySet(models.QuerySet):
    def keep(self, *, person, ticket: Ticket, kind: str, body: str) -> None:
        """Keeps what is typed so far; nothing typed leaves nothing."""
        if body.strip():
            self.update_or_create(person=person, ticket=ticket, kind=kind, defaults={"body": body})
        else:
            self.filter(person=person, ticket=ticket, kind=kind).delete()

    def bodies_of(self, *, person, ticket: Ticket) -> dict[str, str]:
        """What is kept, by kind."""
        return dict(self.filter(person=person, ticket=ticket).values_list("kind", "body"))

    def body_of(self, *, person, ticket: Ticket, kind: str) -> str:
        draft = self.filter(person=person, ticket=ticket, kind=kind).values_list("body", flat=True)
        return draft.first() or ""


class Draft(models.Model):
    """What somebody has typed on a ticket's page and not sent. Never sent by itself."""

    class Kind(models.TextChoices):
        REPLY = "reply", _("reply")
        NOTE = "note", _("note")

    MAX_LENGTH = 20_000

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=10, choices=Kind)
    body = models.TextField(max_length=MAX_LENGTH)
    updated_at = models.DateTimeField(auto_now=True)

    objects = DraftQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "ticket", "kind"], name="draft_one_of_a_kind"),
        ]

    def __str__(self):
        return f"{self.kind} #{self.ticket_id}"
