"""Actions on many tickets: first what would change and who would be mailed, then the act itself.

Each ticket is changed, logged and mailed like in a single act.
"""

from collections.abc import Callable

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth import get_user_model
from django.core.exceptions import BadRequest, ValidationError
from django.db import transaction
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.mixins import is_number
from tickets.models import Status, Ticket
from tickets.rehearsal import rehearse

# More would keep the browser waiting too long, and the preview would be read by nobody.
MOST_TICKETS = 200


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
    return preview(modeladmin, request, tickets, act=lambda ticket, _value: ticket.assign(request.user))


@admin.action(description=_("Assign to …"), permissions=["change"])
def assign_to(modeladmin, request, tickets):
    return preview(modeladmin, request, tickets, form_class=AssigneeForm, act=Ticket.assign)


@admin.action(description=_("Set the status …"), permissions=["change"])
def set_status(modeladmin, request, tickets):
    return preview(modeladmin, request, tickets, form_class=StatusForm, act=Ticket.set_status)


@admin.action(description=_("Set the priority …"), permissions=["change"])
def set_priority(modeladmin, request, tickets):
    return preview(modeladmin, request, tickets, form_class=PriorityForm, act=Ticket.set_priority)


@admin.action(description=_("Delete"), permissions=["delete"])
def delete(modeladmin, request, tickets):
    return preview(modeladmin, request, tickets, act=lambda ticket, _value: ticket.delete())


def preview(
    modeladmin,
    request,
    tickets,
    *,
    act: Callable[[Ticket, object], None],
    form_class: type[forms.Form] = forms.Form,
):
    """Asks for the value where one is needed, shows what would come of it, and with "apply" does it."""
    numbers = chosen_numbers(request, tickets)
    if len(numbers) > MOST_TICKETS:
        text = _("Please choose at most %(most)d tickets at once. You chose %(count)d.")
        messages.warning(request, text % {"most": MOST_TICKETS, "count": len(numbers)})
        return None
    form = form_class(request.POST if "numbers" in request.POST or not form_class.base_fields else None)
    is_valid = form.is_bound and form.is_valid()
    value = form.cleaned_data.get("value") if is_valid else None
    if is_valid and "apply" in request.POST:
        act_on_each(request, numbers, lambda ticket: act(ticket, value))
        return None
    rehearsed = rehearse(numbers, lambda ticket: act(ticket, value), reader=request.user) if is_valid else []
    action = request.POST["action"]
    context = {
        **modeladmin.admin_site.each_context(request),
        "title": str(modeladmin.get_actions(request)[action][2]).removesuffix(" …"),
        "opts": modeladmin.opts,
        "form": form,
        "asks": bool(form_class.base_fields),
        "rehearsed": rehearsed,
        "changing": sum(one.changes for one in rehearsed),
        "mails": sum(len(one.told) for one in rehearsed),
        "tickets": [] if is_valid else Ticket.objects.filter(pk__in=numbers).with_people().order_by("pk"),
        "numbers": ",".join(map(str, numbers)),
        "first": numbers[0] if numbers else "",
        "action": action,
        "checkbox_name": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "admin/tickets/ticket/change_many.html", context)


def chosen_numbers(request, tickets) -> list[int]:
    """The tickets that were chosen. The preview hands on what it showed, whatever the list holds now."""
    if "numbers" not in request.POST:
        return list(tickets.order_by("pk").values_list("pk", flat=True))
    shown = request.POST["numbers"].split(",")[: MOST_TICKETS + 1]
    if not all(map(is_number, shown)):
        raise BadRequest
    return sorted(set(map(int, shown)))


def act_on_each(request, numbers: list[int], act: Callable[[Ticket], None]) -> None:
    """Acts on one ticket after the other in one transaction. One that refuses is named, the others go on."""
    changed, refused = 0, []
    with transaction.atomic():
        for ticket in Ticket.objects.filter(pk__in=numbers).order_by("pk").select_for_update():
            number = ticket.pk
            try:
                act(ticket)
                changed += 1
            except ValidationError as error:
                refused.append(f"#{number}: {' '.join(error.messages)}")
    if changed:
        text = ngettext("%(count)d ticket is changed.", "%(count)d tickets are changed.", changed)
        messages.success(request, text % {"count": changed})
    for reason in refused:
        messages.warning(request, reason)
