"""The page of a person. Asks about the tickets before a person stops working."""

from copy import copy

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.roles import STAFF
from tickets.actions import handing_over
from tickets.admin.people.about import AboutPersonAdmin
from tickets.admin.people.leaving import Leaving, leaving
from tickets.forms.handover import HandoverForm
from tickets.models import Handover
from tickets.models.ticket_owner import working

ASKED = "handover-asked"  # sent by the page that asks
TYPED = ("csrfmiddlewaretoken", ASKED)  # fields that the page does not repeat

admin.site.unregister(get_user_model())


class AskFirst(Exception):
    """Saving would end the work of a person who has tickets or categories, and no choice was made yet."""

    def __init__(self, person, form, choices: HandoverForm, left: Leaving):
        super().__init__()
        self.person, self.form, self.choices, self.left = person, form, choices, left


def ends_work(person, cleaned: dict) -> bool:
    """Whether `person` works now and would not after saving."""
    is_active = cleaned.get("is_active", person.is_active)
    is_superuser = cleaned.get("is_superuser", person.is_superuser)
    works_on = is_active and (is_superuser or cleaned.get("role", person.role) in STAFF)
    return not works_on and working(person.pk) is not None


@admin.register(get_user_model())
class LeaverAdmin(AboutPersonAdmin):
    handover: Handover | None = None  # set on the copy of the ModelAdmin that serves one request

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        serving = copy(self)  # a copy for this request: save_model() stores the handover on it
        try:
            response = super(LeaverAdmin, serving).changeform_view(
                request, object_id, form_url, extra_context
            )
        except AskFirst as ask:
            return self.leaving_page(request, ask)
        if serving.handover:
            # After the commit: the person stays saved even if the handover fails.
            handing_over.hand_over(serving.handover.person, seconds=handing_over.IN_REQUEST)
            self._tell(request, Handover.objects.get(pk=serving.handover.pk))
        return response

    def save_model(self, request, obj, form, change):
        """Asks once. A request that claims the question was shown gets the default answer."""
        if not change or not ends_work(obj, form.cleaned_data):
            super().save_model(request, obj, form, change)
            return
        is_asked = ASKED in request.POST
        choices = HandoverForm(request.POST if is_asked else None, person=obj)
        left = leaving(obj, actor=request.user)
        if left.is_anything and not (is_asked and choices.is_valid()):
            raise AskFirst(obj, form, choices, left)
        super().save_model(request, obj, form, change)
        if choices.is_bound and choices.is_valid():
            self.handover = choices.save(asked_by=request.user)

    def leaving_page(self, request, ask: AskFirst):
        own = {ask.choices.add_prefix(name) for name in ask.choices.fields}
        typed = [(name, value) for name, values in request.POST.lists() for value in values]
        context = {
            **self.admin_site.each_context(request),
            "title": _("What happens to the tickets of %(person)s?") % {"person": ask.person},
            "opts": self.opts,
            "person": ask.person,
            "is_active": ask.form.cleaned_data.get("is_active", ask.person.is_active),
            "left": ask.left,
            "form": ask.choices,
            "asked": ASKED,
            "typed": [(name, value) for name, value in typed if name not in own and name not in TYPED],
        }
        return TemplateResponse(request, "admin/accounts/user/leaving.html", context)

    def _tell(self, request, handover: Handover) -> None:
        count = handover.tickets
        if count and handover.to:
            words = {"count": count, "name": handover.to}
            text = ngettext(
                "%(count)d ticket is now assigned to %(name)s.",
                "%(count)d tickets are now assigned to %(name)s.",
                count,
            )
            self.message_user(request, text % words, messages.SUCCESS)
        elif count:
            text = ngettext(
                "%(count)d ticket is now unassigned.", "%(count)d tickets are now unassigned.", count
            )
            self.message_user(request, text % {"count": count}, messages.SUCCESS)
        if handover.done_at is None:
            self.message_user(request, _("The other tickets follow within minutes."), messages.INFO)
