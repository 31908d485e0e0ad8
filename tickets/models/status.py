from functools import reduce
from operator import add

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from accounts.fields import OneLineField
from accounts.validators import validate_single_line
from helpdesk.lists.paging import CappedCount
from tickets.rules.workflow import Phase


class StatusQuerySet(models.QuerySet):
    def default_for(self, phase: Phase) -> "Status":
        """Returns the status that code sets for `phase`. Raises Status.DoesNotExist if there is none."""
        return self.get(phase=phase, is_default=True)


class StatusManager(models.Manager.from_queryset(StatusQuerySet)):
    def with_counts(self, parts, *, are_few: bool):
        """Annotates `count`: the number of tickets of all `parts` with the status, up to a cap for each part.

        `are_few`: an index finds the tickets of a part, so the count must use that one and not one by status.
        """
        own = models.OuterRef("pk")
        counts = (
            CappedCount(part.of_status_among_few(own) if are_few else part.filter(status=own))
            for part in parts
        )
        return self.annotate(count=reduce(add, counts))


class Status(models.Model):
    """A name that staff give to a stage of a ticket. Code depends on the phase only."""

    class Colour(models.TextChoices):
        BLUE = "blue", _("blue")
        GREEN = "green", _("green")
        TEAL = "teal", _("teal")
        AMBER = "amber", _("amber")
        RED = "red", _("red")
        GREY = "grey", _("grey")

    name = OneLineField(_("name"), max_length=40, unique=True, validators=[validate_single_line])
    phase = models.CharField(_("phase"), max_length=10, choices=Phase)
    colour = models.CharField(_("colour"), max_length=10, choices=Colour, default=Colour.GREY)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_default = models.BooleanField(
        _("default of its phase"),
        default=False,
        editable=False,
        help_text=_("Each phase has exactly one default."),
    )

    objects = StatusManager()

    class Meta:
        verbose_name = _("status")
        verbose_name_plural = _("statuses")
        ordering = ["position", "name"]
        constraints = [
            models.CheckConstraint(condition=models.Q(phase__in=Phase.values), name="status_phase_known"),
            models.UniqueConstraint(
                fields=["phase"],
                condition=models.Q(is_default=True),
                name="status_one_default_per_phase",
            ),
        ]

    def __str__(self):
        return self.name

    @property
    def is_waiting(self) -> bool:
        """Whether tickets wait with it, and so need a reason."""
        return self.phase == Phase.WAITING

    def clean(self):
        """Raises ValidationError if the phase would lose its default, or if tickets would change their phase.

        Fields of tickets depend on the phase: done_at, and the reason for waiting.
        """
        super().clean()
        stored = Status.objects.filter(pk=self.pk).first()
        if stored and stored.is_default and stored.phase != self.phase:
            raise ValidationError(
                {"phase": _("This is the default of its phase. Make another status the default first.")}
            )
        if stored and stored.phase != self.phase and stored.tickets.exists():
            raise ValidationError(
                {
                    "phase": _(
                        "Tickets have this status. Create a status in the other phase and move them there."
                    )
                }
            )

    @transaction.atomic
    def make_default(self) -> None:
        # Locks the row. Otherwise two saves at once would each miss that the other becomes the default.
        list(Status.objects.select_for_update().filter(phase=self.phase).order_by("pk"))
        Status.objects.filter(phase=self.phase, is_default=True).update(is_default=False)
        self.is_default = True
        self.save(update_fields=["is_default"])
