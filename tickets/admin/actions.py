"""Actions on many tickets: each ticket is changed, logged and mailed like in a single act."""

from collections.abc import Callable

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import transaction
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from tickets.models import Status, Ticket


class AssigneeForm(forms.Form):
    value = forms.ModelChoiceField(
        label=_("Who takes care"),
        queryset=get_user_model().objects.none(),
        required=False,
        empty_label=_("Nobody"),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["value"].queryset = get_user_model().objects.staff()


class StatusForm(forms.Form):
    value = forms.ModelChoiceField(label=_("Status"), queryset=Status.objects.all(), empty_label=None)


class PriorityForm(forms.Form):
    value = forms.ChoiceField(label=_("Priority"), choices=Ticket.Priority, initial=Ticket.Priority.NORMAL)


@admin.action(description=_("Assign to me"), permissions=["change"])
def assign_to_me(modeladmin, request, tickets):
    change_each(request, tickets, lambda ticket: ticket.assign(request.user))


@admin.action(description=_("Assign to …"), permissions=["change"])
def assign_to(modeladmin, request, tickets):
    return ask(modeladmin, request, tickets, form_class=AssigneeForm, change=Ticket.assign)


@admin.action(description=_("Set the status …"), permissions=["change"])
def set_status(modeladmin, request, tickets):
    return ask(modeladmin, request, tickets, form_class=StatusForm, change=Ticket.set_status)


@admin.action(description=_("Set the priority …"), permissions=["change"])
def set_priority(modeladmin, request, tickets):
    return ask(modeladmin, request, tickets, form_class=PriorityForm, change=Ticket.set_priority)


def ask(modeladmin, request, tickets, *, form_class: type[forms.Form], change: Callable):
    """Shows the tickets and asks for the new value; with the answer, changes them."""
    form = form_class(request.POST if "apply" in request.POST else None)
    if form.is_bound and form.is_valid():
        change_each(request, tickets, lambda ticket: change(ticket, form.cleaned_data["value"]))
        return None
    action = request.POST["action"]
    title = modeladmin.get_actions(request)[action][2]
    context = {
        **modeladmin.admin_site.each_context(request),
        "title": str(title).removesuffix(" …"),
        "opts": modeladmin.opts,
        "form": form,
        "tickets": tickets,
        "action": action,
        "checkbox_name": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "admin/tickets/ticket/change_many.html", context)


def change_each(request, tickets, change: Callable[[Ticket], None]) -> None:
    """Changes one ticket after the other in one transaction. One that refuses is named, the others go on."""
    changed, refused = 0, []
    with transaction.atomic():
        numbers = list(tickets.values_list("pk", flat=True))
        for ticket in Ticket.objects.filter(pk__in=numbers).order_by("pk").select_for_update():
            try:
                change(ticket)
                changed += 1
            except ValidationError as error:
                refused.append(f"#{ticket.pk}: {' '.join(error.messages)}")
    if changed:
        text = ngettext("%(count)d ticket is changed.", "%(count)d tickets are changed.", changed)
        messages.success(request, text % {"count": changed})
    for reason in refused:
        messages.warning(request, reason)
