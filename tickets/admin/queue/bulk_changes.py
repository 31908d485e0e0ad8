"""The table of bulk changes: form, change and verb of each."""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import ProtectedError
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tickets.actions import many
from tickets.actions.last_change import last_change
from tickets.forms.tickets import FewRowsField
from tickets.forms.waiting import CHOOSE, WaitingMixin, day_field, reason_field
from tickets.models import Because, Status, Ticket
from tickets.notifications.audiences import Facts
from tickets.rules.events import Verb
from tickets.rules.waiting import AS_IT_IS, Wait, waiting_for


class ValueForm(forms.Form):
    value: forms.Field

    def ask(self) -> None:
        """Begins without a value."""
        self.initial["value"] = ""
        self.fields["value"].choices = [("", CHOOSE), *self.fields["value"].choices]

    @property
    def chosen(self):
        return self.cleaned_data["value"]


class AssigneeForm(ValueForm):
    value = forms.ModelChoiceField(
        label=gettext_lazy("Assignee"),
        queryset=get_user_model().objects.none(),
        required=False,
        empty_label=gettext_lazy("Unassigned"),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["value"].queryset = get_user_model().objects.staff()


@dataclass(frozen=True)
class NewStatus:
    """A status, and for a waiting one the reason and the date."""

    status: Status
    wait: Wait

    def stays(self, ticket: Ticket) -> bool:
        return ticket.status == self.status and self.wait.after(ticket.wait) == ticket.wait

    def __str__(self):
        words = [str(self.status)]
        if self.wait.reason and self.wait.reason != Ticket.WaitingFor.DATE:
            words.append(waiting_for(self.wait.reason))
        if self.wait.until:
            words.append(_("until %(date)s") % {"date": date_format(self.wait.until)})
        return ", ".join(words)


class StatusForm(WaitingMixin, ValueForm):
    status_name = "value"

    value = FewRowsField(label=gettext_lazy("Status"), queryset=Status.objects.all(), empty_label=None)
    waiting_for = reason_field()
    wakes_on = day_field()

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.ask_for_reason()

    @property
    def chosen(self) -> NewStatus:
        status = self.cleaned_data["value"]
        return NewStatus(status, self.typed_wait if status.is_waiting else AS_IT_IS)


class PriorityForm(ValueForm):
    value = forms.ChoiceField(
        label=gettext_lazy("Priority"), choices=Ticket.Priority, initial=Ticket.Priority.NORMAL
    )


@dataclass(frozen=True)
class BulkChange:
    """`form_class` is the form for the value, if one is needed;

    `field` is the changed field (empty: the ticket).
    """

    title: Promise
    verb: Verb
    field: str
    apply: Callable[[Ticket, Any], None]
    form_class: type[ValueForm] | None = None
    permission: str = "change"

    def form(self, data) -> ValueForm | None:
        return self.form_class(data) if self.form_class else None

    def first_form(self, person) -> ValueForm | None:
        """Returns the form to begin with. A person begins with themselves; all else has to be chosen."""
        if self.field == "assignee":
            return self.form({"value": person.pk})
        form = self.form(None)
        if form:
            form.ask()
        return form

    def value(self, form: ValueForm | None, person):
        """Returns the new value: from the form, or the acting person if there is no form."""
        return form.chosen if form else person

    def refusal(self, ticket: Ticket, value) -> str:
        """Returns why `ticket` can't be changed; empty if it can."""
        if self.field == "status":
            return ticket.refusal_of(value.status)
        if self.verb == Verb.DELETED and ticket.has_merged:
            return MERGED
        return ""

    def stored(self, ticket: Ticket) -> str:
        """Returns the present value, as pages send it back: a primary key or a code."""
        return str(getattr(ticket, Ticket._meta.get_field(self.field).attname) or "") if self.field else ""

    def news(self, ticket: Ticket, seen: str) -> str:
        """Returns who changed the field after a page showed `seen`; empty if nobody did."""
        return "" if seen == self.stored(ticket) else last_change(ticket, self.field)

    def stays(self, ticket: Ticket, value) -> bool:
        if self.field == "status":
            return value.stays(ticket)
        if self.field == "assignee":
            return ticket.assignee_id == (value.pk if value else None)
        return bool(self.field) and getattr(ticket, self.field) == value

    def words(self, ticket: Ticket, value) -> tuple[str, str]:
        """Returns the old and the new value as text."""
        if self.field == "assignee":
            nobody = _("Unassigned")
            return str(ticket.assignee or nobody), str(value or nobody)
        if self.field == "priority":
            return ticket.get_priority_display(), str(Ticket.Priority(value).label)
        return str(NewStatus(ticket.status, ticket.wait)), str(value) if self.field else _("deleted")

    def locks(self, numbers: Collection[int]) -> AbstractContextManager[Iterable[Ticket]]:
        """Locks the tickets in one transaction.

        Deletions are logged and notified one by one, because later the ticket and its watchers are gone.
        """
        return many.locked_tickets(numbers) if self.field else one_by_one(numbers)

    def facts(self, ticket: Ticket, value) -> Facts:
        """Returns the people of the ticket after the change."""
        facts = Facts(ticket.pk, ticket.requester_id, ticket.assignee_id, ticket.category_id)
        return replace(facts, assignee=value.pk if value else None) if self.field == "assignee" else facts


MERGED = gettext_lazy("Other tickets are merged into it, so it can't be deleted.")


@contextmanager
def one_by_one(numbers: Collection[int]) -> Iterator[Iterable[Ticket]]:
    with transaction.atomic():
        yield Ticket.objects.filter(pk__in=numbers).order_by("pk").select_for_update()


def _delete(ticket: Ticket, _value) -> None:
    try:
        ticket.delete()
    except ProtectedError as error:
        raise ValidationError(MERGED) from error


def _set_status(ticket: Ticket, new: NewStatus) -> None:
    ticket.set_status(new.status, new.wait)


def _take(ticket: Ticket, person) -> None:
    ticket.assign(person, because=Because.TOOK)


BULK_CHANGES = {
    "assign_to_me": BulkChange(gettext_lazy("Assign to me"), Verb.ASSIGNED, "assignee", _take),
    "assign_to": BulkChange(
        gettext_lazy("Assign to …"), Verb.ASSIGNED, "assignee", Ticket.assign, form_class=AssigneeForm
    ),
    "set_status": BulkChange(
        gettext_lazy("Set status …"),
        Verb.STATUS_CHANGED,
        "status",
        _set_status,
        form_class=StatusForm,
    ),
    "set_priority": BulkChange(
        gettext_lazy("Set priority …"),
        Verb.EDITED,
        "priority",
        Ticket.set_priority,
        form_class=PriorityForm,
    ),
    "delete_selected": BulkChange(gettext_lazy("Delete"), Verb.DELETED, "", _delete, permission="delete"),
}
