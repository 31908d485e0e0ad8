from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.fields import OneLineField
from accounts.validators import validate_single_line
from tickets import variables
from tickets.models.ticket_owner import NOT_STAFF

# What {…} may stand in the texts of a category.
VARIABLES = ("requester", "ticket", "subject", "date")
HELP_ON_TEXT = _("Empty: our own words. You can write {requester}, {ticket}, {subject} and {date}.")


def validate_variables(text: str) -> None:
    for name in variables.unknown(text, VARIABLES):
        nearest = variables.nearest(name, VARIABLES) or VARIABLES[0]
        raise ValidationError(
            _("There is no {%(name)s}. Did you mean {%(nearest)s}?"),
            params={"name": name, "nearest": nearest},
        )


class CategoryQuerySet(models.QuerySet):
    def active(self):
        return self.filter(is_active=True)

    def for_mail(self):
        """Where new tickets by mail go: the category that says so, else the last one of the form."""
        return self.order_by("-is_active", "-is_for_mail", "-position", "-pk").first()


class Category(models.Model):
    name = OneLineField(_("name"), max_length=80, unique=True, validators=[validate_single_line])
    description = OneLineField(
        _("description"), max_length=200, blank=True, help_text=_("Shown on the form for new tickets.")
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Off: it leaves the form, old tickets keep it.")
    )
    is_for_mail = models.BooleanField(
        _("for mail"), default=False, help_text=_("New tickets that come in by mail get this category.")
    )
    default_assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("default assignee"),
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        help_text=_("New tickets of this category go to this person."),
    )
    people = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        verbose_name=_("people to tell"),
        related_name="+",
        blank=True,
        help_text=_("They get a mail for each new ticket of this category."),
    )
    remind_after = models.PositiveSmallIntegerField(
        _("remind after"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
        help_text=_("Working days that a requester may be silent before we remind. Empty: never."),
    )
    close_after = models.PositiveSmallIntegerField(
        _("close after"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(60)],
        help_text=_("Working days from the reminder until the ticket is closed. Empty: never."),
    )
    reminder_text = models.TextField(
        _("text of the reminder"),
        max_length=2000,
        blank=True,
        validators=[MaxLengthValidator(2000), validate_variables],
        help_text=HELP_ON_TEXT,
    )
    closing_text = models.TextField(
        _("text of the closing"),
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
                violation_error_message=_("Another category is for mail already."),
            ),
        ]

    def __str__(self):
        return self.name

    def clean(self):
        """Raises ValidationError where a ticket would go to nobody who works, close unannounced, or on a day
        that never comes.
        """
        super().clean()
        person = self.default_assignee
        if person is not None and not person.works:
            raise ValidationError({"default_assignee": ValidationError(NOT_STAFF, params={"person": person})})
        if self.close_after is not None and self.remind_after is None:
            raise ValidationError(
                {
                    "close_after": _(
                        "Nobody's ticket closes without a reminder. Please fill in “remind after” too."
                    )
                }
            )
        if self.close_after is None and "{date}" in self.reminder_text:
            raise ValidationError(
                {"reminder_text": _("{date} is the day of the closing. Please fill in “close after” too.")}
            )
