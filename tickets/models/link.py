from django.db import models
from django.utils.translation import gettext_lazy as _

from tickets.models.ticket import Ticket
from tickets.models.tracking import TrackedModel, TrackedQuerySet
from tickets.rules.events import Verb


class TicketLinkQuerySet(TrackedQuerySet):
    def of(self, ticket: Ticket):
        return self.filter(models.Q(ticket=ticket) | models.Q(target=ticket))

    def seen_from(self, ticket: Ticket, *, user) -> list[dict]:
        """Returns the links of `ticket` to other tickets that `user` may see."""
        if not ticket.belongings.links:
            return []
        links = self.of(ticket).select_related("ticket__status", "target__status")
        seen = [link.seen_from(ticket) for link in links]
        if not seen or user.is_staff:
            return seen
        others = Ticket.objects.filter(pk__in=[one["other"].pk for one in seen]).visible_to(user)
        known = set(others.values_list("pk", flat=True))
        return [one for one in seen if one["other"].pk in known]


class TicketLink(TrackedModel):
    """A link from `ticket` to `target`. The label of `kind` reads from `ticket` to `target`."""

    class Kind(models.TextChoices):
        RELATES = "relates", _("relates to")
        BLOCKS = "blocks", _("blocks")
        DUPLICATE = "duplicate", _("is a duplicate of")
        FOLLOWS = "follows", _("follows up on")
        SPLIT = "split", _("was split from")

    # The labels read from `target` to `ticket`.
    REVERSED = {
        Kind.RELATES: _("relates to"),
        Kind.BLOCKS: _("is blocked by"),
        Kind.DUPLICATE: _("has the duplicate"),
        Kind.FOLLOWS: _("is followed up by"),
        Kind.SPLIT: _("a message was split into"),
    }

    TRACKED = ("target", "kind")
    ADDED = Verb.LINKED
    REMOVED = Verb.UNLINKED

    ticket = models.ForeignKey(
        Ticket, verbose_name=_("ticket"), on_delete=models.CASCADE, related_name="links"
    )
    target = models.ForeignKey(
        Ticket, verbose_name=_("other ticket"), on_delete=models.CASCADE, related_name="links_to"
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.RELATES)

    objects = TicketLinkQuerySet.as_manager()

    class Meta(TrackedModel.Meta):
        abstract = False
        verbose_name = _("link")
        verbose_name_plural = _("links")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["ticket", "target", "kind"], name="link_once"),
            models.CheckConstraint(condition=~models.Q(ticket=models.F("target")), name="link_to_another"),
            models.CheckConstraint(
                condition=models.Q(kind__in=["relates", "blocks", "duplicate", "follows", "split"]),
                name="link_kind_known",
            ),
        ]

    def __str__(self):
        return f"#{self.ticket_id} {self.get_kind_display()} #{self.target_id}"

    def get_reversed_display(self) -> str:
        return str(self.REVERSED[self.kind])

    def seen_from(self, ticket: Ticket) -> dict:
        """Returns the link as `ticket`, one of its two ends, shows it."""
        if ticket.pk == self.ticket_id:
            return {"link": self, "how": self.get_kind_display(), "other": self.target}
        return {"link": self, "how": self.get_reversed_display(), "other": self.ticket}

    @property
    def logged_ticket_id(self):
        return self.ticket_id
