from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.fields import OneLineField
from accounts.validators import validate_single_line
from tickets.models.ticket_owner import NOT_STAFF
from tickets.rules import variables

# The variables that the texts of a category may contain.
VARIABLES = ("requester", "ticket", "subject", "date")
HELP_ON_TEXT = _("Leave blank for the default text. You can use {requester}, {ticket}, {subject} and {date}.")


def validate_variables(text: str) -> None:
    for name in variables.unknown(text, VARIABLES):
        nearest = variables.nearest(name, VARIABLES) or VARIABLES[0]
        raise ValidationError(
            _("{%(name)s} does not exist. Did you mean {%(nearest)s}?"),
            params={"name": name, "nearest": nearest},
        )


class CategoryQuerySet(models.QuerySet):
    def active(self):
        return self.filter(is_active=True)

    def offered(self, *, present: int | None):
        """Returns the choices for a form: active categories, and the one with the primary key `present`."""
        return self.filter(models.Q(is_active=True) | models.Q(pk=present)) if present else self.active()

    def for_mail(self):
        """Returns the category for new tickets by email: the one that is marked for it, else the last on the
        form.
        """
        return self.order_by("-is_active", "-is_for_mail", "-position", "-pk").first()


class Category(models.Model):
    name = OneLineField(_("name"), max_length=80, unique=True, validators=[validate_single_line])
    description = OneLineField(
        _("description"), max_length=200, blank=True, help_text=_("Shown on the form for new tickets.")
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Inactive categories are hidden from new tickets.")
    )
    is_for_mail = models.BooleanField(
        _("for email"), default=False, help_text=_("New tickets that arrive by email get this category.")
    )
    default_assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("default assignee"),
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        help_text=_("New tickets in this category are assigned to this person."),
    )
    people = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        verbose_name=_("notify"),
        related_name="+",
        blank=True,
        help_text=_("They are emailed about each new ticket in this category."),
    )
    remind_after = models.PositiveSmallIntegerField(
        _("remind after"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
        help_text=_(
            "Working days without a reply until the requester is reminded. Leave blank to send no reminder."
        ),
    )
    close_after = models.PositiveSmallIntegerField(
        _("close after"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
        help_text=_(
            "Working days from the reminder until the ticket is closed. Leave blank to keep it open."
        ),
    )
    reminder_text = models.TextField(
        _("reminder text"),
        max_length=2000,
        blank=True,
        validators=[MaxLengthValidator(2000), validate_variables],
        help_text=HELP_ON_TEXT,
    )
    closing_text = models.TextField(
        _("closing text"),
        max_length=2000,
        blank=True,
        validators=[MaxLengthValidator(2000), validate_variables],
        help_text=HELP_ON_TEXT,
    )

    objects = CategoryQuerySet.as_manager()

    class Meta:
        verbose_name = _("category")
        verbose_name_plural = _("categories")
        ordering = ["position", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_for_mail"],
                name="category_one_for_mail",
                condition=models.Q(is_for_mail=True),
                violation_error_message=_("Another category is already for email."),
            ),
        ]

    def __str__(self):
        return self.name

    def clean(self):
        """Raises ValidationError if tickets would go to a person who does not work, or close without a
        reminder, or on a day that never comes.
        """
        super().clean()
        person = self.default_assignee
        if person is not None and not person.works:
            raise ValidationError({"default_assignee": ValidationError(NOT_STAFF, params={"person": person})})
        if self.close_after is not None and self.remind_after is None:
            raise ValidationError(
                {"close_after": _("No ticket closes without a reminder. Fill in “remind after” too.")}
            )
        if self.close_after is None and "{date}" in self.reminder_text:
            raise ValidationError(
                {"reminder_text": _("{date} is the day when the ticket closes. Fill in “close after” too.")}
            )
