from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _

from accounts.sessions import is_ours

KEPT_FOR = 3600  # seconds
LONGEST = 20_000  # characters of one field
TYPED_BY = "typed_by"  # the field with the number of the person to whom the form was shown


def typed_before_login(request, name: str) -> dict[str, str]:
    """What DraftMixin kept under `name` when the session had ended, by field.

    Only for who typed it: the next person at this computer does not find it.
    """
    typed = request.session.get(name, {})
    return typed if typed.get(TYPED_BY) == str(request.user.pk) else {}


@method_decorator(login_not_required, name="dispatch")
class DraftMixin(LoginRequiredMixin):
    """A form that is sent after the session has ended waits, as typed, behind the login.

    The mixin asks for the login itself, so that it sees what was sent. Files can't be kept. Nothing is kept
    for who never had a session here: anybody could fill the database with it.
    """

    draft_name: str
    draft_fields: tuple[str, ...]

    def handle_no_permission(self):
        sent, session = self.request.POST, self.request.session
        draft = {name: sent[name][:LONGEST] for name in self.draft_fields if sent.get(name)}
        if draft and not self._may_keep():
            messages.warning(
                self.request, _("Log in first. What you typed was not saved: go back to copy it.")
            )
        elif draft:
            session[self.draft_name] = draft | {TYPED_BY: sent.get(TYPED_BY, "")[:LONGEST]}
            session.set_expiry(KEPT_FOR)  # the login sets its own
            messages.info(self.request, _("Please log in again. What you typed is kept, but no files."))
        return super().handle_no_permission()

    def _may_keep(self) -> bool:
        key = self.request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
        return is_ours(key) and ratelimit.consume(self.request, action="visitor_draft")

    def get_initial(self):
        return {**super().get_initial(), **typed_before_login(self.request, self.draft_name)}

    def forget_draft(self):
        self.request.session.pop(self.draft_name, None)
