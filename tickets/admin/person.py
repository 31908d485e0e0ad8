"""The page of a person: whoever ends somebody's work there says what becomes of the tickets."""

from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.admin import PersonAdmin
from accounts.roles import STAFF
from tickets import ownership
from tickets.forms.handover import HandoverForm
from tickets.leaving import Leaving, leaving
from tickets.models import Handover
from tickets.models.ticket_owner import working

ASKED = "handover-asked"  # sent by the page that asks
TYPED = ("csrfmiddlewaretoken", ASKED)  # not repeated by it, and nothing of its own form

admin.site.unregister(get_user_model())


class AskFirst(Exception):
    """Saving would end the work of a person on whom something hangs, and nobody has chosen yet."""

    def __init__(self, person, form, choices: HandoverForm, left: Leaving):
        super().__init__()
        self.person, self.form, self.choices, self.left = person, form, choices, left


def ends_work(person, cleaned: dict) -> bool:
    """Whether `person`, who works now, does not with what was typed."""
    is_active = cleaned.get("is_active", person.is_active)
    is_superuser = cleaned.get("is_superuser", person.is_superuser)
    works_on = is_active and (is_superuser or cleaned.get("role", person.role) in STAFF)
    return not works_on and working(person.pk) is not None


@admin.register(get_user_model())
class LeaverAdmin(PersonAdmin):
    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        request.handover = None
        try:
            response = super().changeform_view(request, object_id, form_url, extra_context)
        except AskFirst as ask:
            return self.leaving_page(request, ask)
        if request.handover:
            # After the commit: what was saved stands, whatever becomes of the tickets.
            ownership.hand_over(request.handover.person, seconds=ownership.IN_REQUEST)
            self._tell(request, Handover.objects.get(pk=request.handover.pk))
        return response

    def save_model(self, request, obj, form, change):
        """Asks first, and once. A request that was not asked and says it was gets what happens by default."""
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
            request.handover = choices.save(asked_by=request.user)

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
