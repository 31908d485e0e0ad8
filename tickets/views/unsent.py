"""Shows a form that arrives too late again with its text: one rule for all forms of the site.

It is late if its session has ended, or if another login in a second tab replaced the CSRF token. It applies
to forms with tickets/includes/kept_form.html, and to those with their own kind of draft. Files and passwords
are never kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from allauth.core import ratelimit
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.http import HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.sessions import is_ours
from tickets.actions import drafts
from tickets.forms.drafts import DraftFormMixin, Unsent
from tickets.models import Draft
from tickets.rules import joined

SAVED, SEE_OTHER = 302, 303  # the responses to a form that was saved, and that was not
TYPED_BY = "typed_by"  # the field with the primary key of the person who saw the form
# Forms with their own kind of draft. Every other form with a draft_key is a FORM.
KINDS = {
    "tickets:create": Draft.Kind.TICKET,
    "tickets:reply": Draft.Kind.REPLY,
    "tickets:note": Draft.Kind.NOTE,
    "admin:tickets_ticket_reply": Draft.Kind.REPLY,
    "admin:tickets_ticket_note": Draft.Kind.NOTE,
    "admin:tickets_ticket_change": Draft.Kind.DETAILS,
}
# The URL names of posts about a ticket, and the page with their form
PAGES_OF_TICKETS = {
    "tickets:": "tickets:detail",
    "admin:tickets_ticket_": "admin:tickets_ticket_change",
}


@dataclass(frozen=True)
class Sent:
    """A submission, and the form it came from."""

    kind: str
    ticket: int | None
    place: str
    typed_by: str
    typed: drafts.Typed

    @property
    def where(self) -> dict:
        return {"kind": self.kind, "ticket": self.ticket, "place": self.place}

    @classmethod
    def read(cls, request) -> "list[Sent]":
        """Returns nothing for a form that is not kept, or that has no text. Raises drafts.CannotKeep."""
        return [cls._of(kind, request, typed) for kind, typed in _typed_in(request)]

    @classmethod
    def _of(cls, kind: str, request, typed: drafts.Typed) -> "Sent":
        is_form = kind == Draft.Kind.FORM
        numbers = request.resolver_match.kwargs
        number = None if is_form else numbers.get("pk", numbers.get("object_id"))
        place = request.path[: Draft.MAX_PLACE] if is_form else ""
        ticket = int(number) if str(number).isdecimal() else None
        return cls(kind, ticket, place, request.POST.get(TYPED_BY, "")[:20], typed)

    def keep(self, person) -> bool:
        """Saves it as a draft of `person` if that person typed it."""
        return drafts.keep_late(self.typed, person=person, typed_by=self.typed_by, **self.where)


def _typed_in(request) -> Iterator[tuple[str, drafts.Typed]]:
    for kind in _kinds_of(request):
        typed = drafts.Typed.sent(kind, request.POST, files=len(request.FILES))
        if typed.body.strip() or Draft.is_typed(kind, typed.fields):
            yield kind, typed


def _kinds_of(request) -> tuple[str, ...]:
    if not request.POST:
        return ()
    if joined.SHOWN in request.POST:
        return Draft.Kind.REPLY, Draft.Kind.DETAILS
    kind = kind_of(request)
    return (kind,) if kind else ()


def kind_of(request) -> str | None:
    match = request.resolver_match
    own = match and KINDS.get(match.view_name)
    if own:
        return own
    return Draft.Kind.FORM if match and drafts.KEY[Draft.Kind.FORM] in request.POST else None


def page_of(request) -> str:
    """Returns the page of the form: its own, or that of its ticket."""
    match, is_own = request.resolver_match, kind_of(request) in (Draft.Kind.FORM, Draft.Kind.DETAILS)
    number, query = match and match.kwargs.get("pk"), request.META.get("QUERY_STRING", "")
    if number and not is_own:
        for start, page in PAGES_OF_TICKETS.items():
            if match.view_name.startswith(start):
                return f"{reverse(page, args=[number])}{'?' if query else ''}{query}"
    return request.get_full_path()


def may_wait(request) -> bool:
    """Whether the submission of a visitor is kept until the login.

    Visitors without a session are refused. Otherwise anybody could fill the database.
    """
    key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
    if not is_ours(key):
        return False
    return drafts.WAITING in request.session or ratelimit.consume(request, action="visitor_draft")


def wait_for_login(request, *forms: Sent) -> bool:
    if not may_wait(request):
        return False
    for sent in forms:
        drafts.wait_for_login(request.session, sent.typed, **sent.where, typed_by=sent.typed_by)
    return True


def _asks_to_log_in(request, forms: list[Sent]) -> bool:
    """Whether the submission waits for a login, which then shows a message."""
    is_kept = wait_for_login(request, *forms)
    if is_kept:
        messages.info(request, _("Log in again. What you typed is kept, but no files."))
    return is_kept


def is_sent_by_us(request) -> bool:
    """Whether the browser confirms that our own page sent the form (Fetch, 3.2). Other sites cannot
    fake it.
    """
    return request.headers.get("Origin") == f"{request.scheme}://{request.get_host()}"


def csrf_failure(request, reason=""):
    """Responds with 403, unless our own page sent the form: then shows the page with the typed text.

    If another person is logged in now, shows the text only for copying.
    """
    words = []
    if is_sent_by_us(request):
        try:
            sent = Sent.read(request)
        except drafts.CannotKeep:
            sent = []
        if sent and _is_kept_for_a_person(request, sent):
            return HttpResponseRedirect(page_of(request), status=SEE_OTHER)
        words = _words(request)
    return render(request, "403_csrf.html", {"words": words}, status=403)


def _is_kept_for_a_person(request, sent: list[Sent]) -> bool:
    if request.user.is_authenticated:
        kept = [form.keep(request.user) for form in sent]
        is_kept = all(kept)
        if is_kept:
            text = _(
                "You logged in again since this page was opened, so nothing was sent. Check it and send it."
            )
            messages.warning(request, text)
        return is_kept
    return _asks_to_log_in(request, sent)


def _words(request) -> list[str]:
    """Returns the typed texts of the submission."""
    texts = [
        text.strip()
        for name, values in request.POST.lists()
        for text in values
        if name not in drafts.UNTYPED and "password" not in name
    ]
    return [text for text in texts if len(text.split()) > 1]


class UnsentFormsMiddleware:
    """Keeps submissions without a login, shows them again in their form, and deletes them once saved."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if request.method != "POST" or response.status_code != SAVED:
            return response
        if not request.user.is_authenticated and _leads_to_login(response):
            return self._behind_the_login(request, response)
        if request.user.is_authenticated and kind_of(request) == Draft.Kind.FORM:
            self._forget(request)
        return response

    def process_template_response(self, request, response):
        form = _kept_form(response.context_data or {})
        if form is not None and request.user.is_authenticated:
            response.context_data["unsent"] = Unsent.open(form, request)
        return response

    @staticmethod
    def _behind_the_login(request, response):
        try:
            sent = Sent.read(request)
        except drafts.CannotKeep:
            is_kept = False
        else:
            if not sent:
                is_elsewhere = page_of(request) != request.get_full_path()
                return redirect_to_login(page_of(request)) if is_elsewhere else response
            is_kept = _asks_to_log_in(request, sent)
        if not is_kept:
            text = _("Log in first. What you typed was not saved: go back to copy it.")
            messages.warning(request, text)
        return redirect_to_login(page_of(request))

    @staticmethod
    def _forget(request) -> None:
        try:
            typed = drafts.Typed.sent(Draft.Kind.FORM, request.POST)
        except drafts.CannotKeep:
            return
        place = {"kind": Draft.Kind.FORM, "ticket": None, "place": request.path[: Draft.MAX_PLACE]}
        drafts.forget_sent(typed, person=request.user, **place)


def _leads_to_login(response) -> bool:
    return response.url.split("?")[0] in (resolve_url(settings.LOGIN_URL), reverse("admin:login"))


def _kept_form(context: dict):
    """Returns the main form of a page if it has fields to type into and no kind of its own."""
    admin_form = context.get("adminform")
    form = admin_form.form if admin_form else context.get("form")
    if not hasattr(form, "fields") or isinstance(form, DraftFormMixin) or "details_draft" in context:
        return None
    return form if Unsent.takes(form) else None
