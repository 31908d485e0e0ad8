"""Nothing that is typed is lost: not by the end of a session, a second tab, or a click elsewhere."""

from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.mixins import LoginRequiredMixin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.generic import View

from accounts.sessions import is_ours
from tickets import drafts
from tickets.models import Draft, Ticket
from tickets.models.draft import Mark

KEPT_FOR = 3600  # seconds
LONGEST, LONGEST_FIELD = 20_000, 5_000  # characters of the text, of each field beside it
TYPED_BY = "typed_by"  # the field with the number of the person to whom the form was shown


def drafts_for(person, *, ticket: Ticket | None, kinds: tuple[str, ...]) -> dict[str, list[Draft]]:
    """By kind, the newest first."""
    found: dict[str, list[Draft]] = {kind: [] for kind in kinds}
    for draft in Draft.objects.filter(person=person, ticket=ticket, kind__in=kinds).newest_first():
        found[draft.kind].append(draft)
    return found


@method_decorator(login_not_required, name="dispatch")
class DraftMixin(LoginRequiredMixin):
    """A form that is sent after the session has ended waits, as typed, behind the login.

    The mixin asks for the login itself, so that it sees what was sent. Files can't be kept. Nothing is kept
    for who never had a session here: anybody could fill the database with it.
    """

    draft_kind: str
    draft_body: str  # the field with the long text
    draft_key = "key"  # the field with the key of the form

    def draft_ticket(self) -> int | None:
        """The number of the ticket that the form is about."""
        return self.kwargs.get("pk")

    def handle_no_permission(self):
        typed = self._typed()
        if not typed.body.strip() and not Draft.is_typed(self.draft_kind, typed.fields):
            pass
        elif not self._may_keep():
            messages.warning(
                self.request, _("Log in first. What you typed was not saved: go back to copy it.")
            )
        else:
            place = {"kind": self.draft_kind, "ticket": self.draft_ticket()}
            typed_by = self.request.POST.get(TYPED_BY, "")[:LONGEST]
            drafts.wait_for_login(self.request.session, typed, **place, typed_by=typed_by)
            self.request.session.set_expiry(KEPT_FOR)  # the login sets its own
            messages.info(self.request, _("Please log in again. What you typed is kept, but no files."))
        return super().handle_no_permission()

    def forget_draft(self):
        """Once all is stored: a draft that was saved meanwhile goes too."""
        place = {"person": self.request.user, "ticket": self.draft_ticket(), "kind": self.draft_kind}
        drafts.forget_sent(self._typed(), **place)

    def _typed(self) -> drafts.Typed:
        sent = {name: text[:LONGEST].replace("\0", "") for name, text in self.request.POST.items()}
        names = Draft.FIELDS[self.draft_kind]
        fields = {name: sent[name][:LONGEST_FIELD] for name in names if sent.get(name)}
        key, restored = drafts.key_of(sent.get(self.draft_key, "")), Mark.read(sent.get("restored", ""))
        body = sent.get(self.draft_body, "").replace("\r\n", "\n")
        return drafts.Typed(body, fields, key, restored)

    def _may_keep(self) -> bool:
        key = self.request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
        return is_ours(key) and ratelimit.consume(self.request, action="visitor_draft")


class KeepDraftView(View):
    """Keeps what is typed while it is typed (static/js/drafts.js), here for tickets not filed yet."""

    http_method_names = ["post", "options"]
    kinds: tuple[str, ...] = (Draft.Kind.TICKET, Draft.Kind.ON_BEHALF)
    kinds_of_staff: tuple[str, ...] = (Draft.Kind.ON_BEHALF,)

    def post(self, request, **kwargs):
        kind, ticket = request.POST.get("kind"), self.ticket()
        if kind not in self.kinds or (kind in self.kinds_of_staff and not request.user.is_staff):
            raise Http404
        try:
            typed = drafts.Typed.read(kind, request.POST)
        except drafts.CannotKeep:
            return HttpResponse(status=400)
        place = {"person": request.user, "ticket": ticket, "kind": kind}
        drafts.keep(typed, **place, is_resumed="resumed" in request.POST)
        return HttpResponse(status=204)

    def ticket(self) -> Ticket | None:
        return None


class DiscardDraftView(View):
    """Deletes the draft that a form shows, with what was typed into the form since."""

    http_method_names = ["post", "options"]

    def post(self, request):
        discarded = Mark.read(request.POST.get("discard", ""))
        if discarded is None:
            raise PermissionDenied(_("Go back and choose which draft to discard."))
        own = Draft.objects.filter(person=request.user)
        keys = [drafts.key_of(request.POST.get(name, "")) for name in ("key", "submission_key")]
        own.filter(key__in=[discarded.key, *filter(None, keys)]).delete()
        messages.success(request, _("Draft discarded."))
        back = request.headers.get("Referer", "")
        is_ours = url_has_allowed_host_and_scheme(
            back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
        )
        return redirect(back.split("?draft=")[0] if is_ours else "home")
