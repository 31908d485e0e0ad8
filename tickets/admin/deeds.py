"""What can be done to many tickets at once, as a table: its question, its change, and the verb it makes."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import ProtectedError
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tickets import claiming
from tickets.events import Verb
from tickets.models import Because, Status, Ticket
from tickets.notifications.rules import Facts


class AssigneeForm(forms.Form):
    value = forms.ModelChoiceField(
        label=gettext_lazy("Who takes care"),
        queryset=get_user_model().objects.none(),
        required=False,
        empty_label=gettext_lazy("Nobody"),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["value"].queryset = get_user_model().objects.staff()


class StatusForm(forms.Form):
    value = forms.ModelChoiceField(
        label=gettext_lazy("Status"), queryset=Status.objects.all(), empty_label=None
    )


class PriorityForm(forms.Form):
    value = forms.ChoiceField(
        label=gettext_lazy("Priority"), choices=Ticket.Priority, initial=Ticket.Priority.NORMAL
    )


@dataclass(frozen=True)
class Deed:
    """`form_class` asks for the value where one is needed; `field` is what changes (empty: all of it)."""

    title: Promise
    verb: Verb
    field: str
    change: Callable[[Ticket, Any], None]
    form_class: type[forms.Form] | None = None
    permission: str = "change"

    def value(self, form: forms.Form | None, person):
        """The new value: what was chosen; where nothing is asked, the person who acts."""
        return form.cleaned_data["value"] if form else person

    def refusal(self, ticket: Ticket, value) -> str:
        """Why it is not done to `ticket`; empty where it is."""
        if self.field == "status":
            return ticket.refusal_of(value)
        if self.verb == Verb.DELETED and ticket.has_merged:
            return MERGED
        return ""

    def validate_owner(self, ticket: Ticket, value, *, seen: int | None) -> None:
        """Raises ValidationError where it would be taken from somebody who got it since it was `seen`."""
        if self.field == "assignee":
            claiming.validate_owner(ticket, value, seen=seen)

    def stays(self, ticket: Ticket, value) -> bool:
        return bool(self.field) and getattr(ticket, self.field) == value

    def words(self, ticket: Ticket, value) -> tuple[str, str]:
        """How it is now, and how it becomes."""
        if self.field == "assignee":
            nobody = _("nobody yet")
            return str(ticket.assignee or nobody), str(value or nobody)
        if self.field == "priority":
            return ticket.get_priority_display(), str(Ticket.Priority(value).label)
        return str(ticket.status), str(value) if self.field else _("deleted")

    def facts(self, ticket: Ticket, value) -> Facts:
        """Who is concerned once it is done."""
        facts = Facts(ticket.pk, ticket.requester_id, ticket.assignee_id, ticket.category_id)
        return replace(facts, assignee=value.pk if value else None) if self.field == "assignee" else facts


MERGED = gettext_lazy("Other tickets are merged into it, so it can't be deleted.")


def _delete(ticket: Ticket, _value) -> None:
    try:
        ticket.delete()
    except ProtectedError as error:
        raise ValidationError(MERGED) from error


def _take(ticket: Ticket, person) -> None:
    ticket.assign(person, because=Because.TOOK)


DEEDS = {
    "assign_to_me": Deed(gettext_lazy("Assign to me"), Verb.ASSIGNED, "assignee", _take),
    "assign_to": Deed(
        gettext_lazy("Assign to …"), Verb.ASSIGNED, "assignee", Ticket.assign, form_class=AssigneeForm
    ),
    "set_status": Deed(
        gettext_lazy("Set the status …"),
        Verb.STATUS_CHANGED,
        "status",
        Ticket.set_status,
        form_class=StatusForm,
    ),
    "set_priority": Deed(
        gettext_lazy("Set the priority …"),
        Verb.EDITED,
        "priority",
        Ticket.set_priority,
        form_class=PriorityForm,
    ),
    "delete_selected": Deed(gettext_lazy("Delete"), Verb.DELETED, "", _delete, permission="delete"),
}
