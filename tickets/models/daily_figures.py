from django.db import models
from django.utils.translation import gettext_lazy as _


class DailyFigures(models.Model):
    """The figures of one past day, so that reports do not read its tickets (tickets.reports.daily_keeping).

    Each field of durations holds whole seconds, sorted, as unsigned integers of four bytes.
    """

    day = models.DateField(_("day"), primary_key=True, help_text=_("In the helpdesk's time zone."))
    basis = models.CharField(
        _("basis"), max_length=150, help_text=_("The time zone and business hours of the figures.")
    )
    counts = models.JSONField(
        _("counts"), help_text=_("{created or solved: {category, priority or assignee: {key: tickets}}}")
    )
    reply_hours = models.BinaryField(_("first reply times"))
    reply_working = models.BinaryField(_("first reply times in business hours"))
    resolution_hours = models.BinaryField(_("resolution times"))
    resolution_working = models.BinaryField(_("resolution times in business hours"))

    class Meta:
        verbose_name = verbose_name_plural = _("daily figures")
        ordering = ["day"]

    def __str__(self):
        return str(self.day)


class StaleMoment(models.Model):
    """The daily figures of this moment's day may have changed.

    Written by triggers of the table of tickets (tickets.models.triggers), so that no kind of write is missed.
    """

    at = models.DateTimeField(_("time"))

    class Meta:
        verbose_name = _("change of daily figures")
        verbose_name_plural = _("changes of daily figures")

    def __str__(self):
        return str(self.at)
