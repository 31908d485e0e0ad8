"""Asks for a reason and a date if the selected status is a waiting one."""

from django import forms
from django.db.models import QuerySet
from django.utils.functional import Promise, lazy
from django.utils.translation import gettext_lazy as _

from tickets.models import Ticket
from tickets.rules.calendar import today
from tickets.rules.waiting import AS_IT_IS, Wait

CHOOSE = _("Choose one")


class DayInput(forms.DateInput):
    input_type = "date"

    def __init__(self, attrs=None):
        super().__init__(attrs, format="%Y-%m-%d")


class ReasonField(forms.ChoiceField):
    """Required with a waiting status, so pages do not mark it as optional."""

    is_conditional = True


def reason_field() -> ReasonField:
    return ReasonField(label=_("Waiting for"), choices=Ticket.WaitingFor.choices, required=False)


def day_field() -> forms.DateField:
    field = Ticket._meta.get_field("wakes_on")
    return forms.DateField(
        label=_("Snooze until"), required=False, help_text=field.help_text, widget=DayInput()
    )


def mark_waiting_statuses(field: forms.ModelChoiceField) -> None:
    """Marks the waiting statuses for static/js/waiting.js."""
    widget = getattr(field.widget, "widget", field.widget)
    widget.attrs["data-waiting-statuses"] = lazy(_waiting_statuses, str)(field.queryset)


def _waiting_statuses(statuses: QuerySet) -> str:
    return " ".join(str(status.pk) for status in statuses if status.is_waiting)


class WaitingMixin(forms.Form):
    """For a form with the fields `waiting_for` and `wakes_on`, which apply to a waiting status.

    The reason has no default: without one the form is invalid. `present_wait` applies if nothing is selected.
    """

    status_name = "status"
    present_wait = AS_IT_IS

    def ask_for_reason(self, *, unsaid: str | Promise | None = CHOOSE) -> None:
        """`unsaid` is the label of the empty choice; None: there is no empty choice."""
        nothing = [] if unsaid is None else [("", unsaid)]
        self.fields["waiting_for"].choices = [*nothing, *Ticket.WaitingFor.choices]
        mark_waiting_statuses(self.fields[self.status_name])

    @property
    def may_have_no_reason(self) -> bool:
        """Whether the ticket may continue to wait without a reason."""
        return False

    @property
    def typed_wait(self) -> Wait:
        """Returns the submitted reason and date."""
        return Wait(self.cleaned_data.get("waiting_for") or "", self.cleaned_data.get("wakes_on"))

    def clean(self):
        cleaned = super().clean()
        status = cleaned.get(self.status_name)
        if status and status.is_waiting and not self.errors.keys() & {"waiting_for", "wakes_on"}:
            self._validate_wait()
        return cleaned

    def _validate_wait(self) -> None:
        typed, wait = self.typed_wait, self.typed_wait.after(self.present_wait)
        if not wait.reason and not self.may_have_no_reason:
            self.add_error("waiting_for", _("Choose what the ticket is waiting for."))
        if wait.reason == Ticket.WaitingFor.DATE and wait.until is None:
            self.add_error("wakes_on", _("Choose a date."))
        elif typed.until is not None and "wakes_on" in self.changed_data and typed.until <= today():
            self.add_error("wakes_on", _("Choose a date in the future."))
