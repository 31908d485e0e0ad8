"""Saves typed text against the end of a session, a second tab, or a click on a link."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.generic import View

from helpdesk.redirects import previous_page
from tickets.actions import drafts
from tickets.models import Draft, Ticket
from tickets.models.draft import DraftVersion
from tickets.views import unsent

WITHOUT_DOOR = [login_not_required, csrf_exempt]  # KeepDraftView authenticates the request itself


def drafts_for(person, *, ticket: Ticket | None, kinds: tuple[str, ...]) -> dict[str, list[Draft]]:
    """Groups drafts by kind, newest first."""
    found: dict[str, list[Draft]] = {kind: [] for kind in kinds}
    for draft in Draft.objects.filter(person=person, ticket=ticket, kind__in=kinds).newest_first():
        found[draft.kind].append(draft)
    return found


class DraftMixin:
    """A view whose form has its own kind of draft."""

    draft_kind: str

    def forget_draft(self):
        """Deletes the draft after the form is saved, including one that was saved meanwhile."""
        place = {"person": self.request.user, "ticket": self.kwargs.get("pk"), "kind": self.draft_kind}
        drafts.forget_sent(drafts.Typed.sent(self.draft_kind, self.request.POST), **place)


@method_decorator(WITHOUT_DOOR, name="dispatch")
class KeepDraftView(View):
    """Saves text while it is typed (static/js/drafts.js) into forms that don't belong to a ticket.

    A page that was opened before the last login has an old CSRF token and must still save: the browser's
    Sec-Fetch-Site header proves the origin. Without a session the draft waits for the login.
    """

    http_method_names = ["post", "options"]
    kinds: tuple[str, ...] = (Draft.Kind.TICKET, Draft.Kind.FORM)

    def dispatch(self, request, *args, **kwargs):
        handle = super().dispatch
        if not unsent.is_sent_by_us(request):
            handle = csrf_protect(handle)
        return handle(request, *args, **kwargs)

    def post(self, request, **kwargs):
        kind = request.POST.get("kind")
        if kind not in self.kinds:
            raise Http404
        try:
            typed = drafts.Typed.read(kind, request.POST)
        except drafts.CannotKeep:
            return HttpResponse(status=400)
        typed_by = request.POST.get(unsent.TYPED_BY, "")[:20]
        place = request.POST.get("place", "")[: Draft.MAX_PLACE] if kind == Draft.Kind.FORM else ""
        if not request.user.is_authenticated:
            sent = unsent.Sent(kind, self.kwargs.get("pk"), place, typed_by, typed)
            return self._answer_visitor(is_kept=unsent.wait_for_login(request, sent))
        if typed_by and typed_by != str(request.user.pk):
            text = _("Someone else is logged in here now. Copy your text before you leave.")
            return HttpResponse(text, status=409, content_type="text/plain")
        if kind in drafts.OF_STAFF and not request.user.is_staff:
            raise Http404
        where = {"person": request.user, "ticket": self.ticket(), "kind": kind, "place": place}
        deleted = drafts.keep(typed, **where, is_resumed="resumed" in request.POST)
        return self._answer(deleted)

    def ticket(self) -> Ticket | None:
        return None

    @staticmethod
    def _answer(deleted: int) -> HttpResponse:
        if not deleted:
            return HttpResponse(status=204)
        text = ngettext(
            "Draft saved. You can keep %(most)d drafts, so your oldest draft was deleted.",
            "Draft saved. You can keep %(most)d drafts, so your %(count)d oldest drafts were deleted.",
            deleted,
        )
        words = {"most": Draft.MOST, "count": deleted}
        return HttpResponse(text % words, content_type="text/plain")

    @staticmethod
    def _answer_visitor(*, is_kept: bool) -> HttpResponse:
        text = _("You are logged out. What you typed is kept for an hour: log in again to continue.")
        if not is_kept:
            text = _("You are logged out. Copy your text before you leave.")
        return HttpResponse(text, status=200 if is_kept else 401, content_type="text/plain")


class DiscardDraftView(View):
    """Deletes the draft that a form shows, and what was typed into the form since."""

    http_method_names = ["post", "options"]

    def post(self, request):
        discarded = DraftVersion.read(request.POST.get("discard", ""))
        if discarded is None:
            raise PermissionDenied(_("Go back and choose which draft to discard."))
        own = Draft.objects.filter(person=request.user)
        keys = [drafts.key_of(request.POST.get(name, "")) for name in ("key", *set(drafts.KEY.values()))]
        own.filter(key__in=[discarded.key, *filter(None, keys)]).delete()
        messages.success(request, _("Draft discarded."))
        return previous_page(request)
