"""A view that is asked again (SecondTryMiddleware) does once what it does, whatever its first try has done."""

from types import SimpleNamespace

import pytest
from django.contrib import messages
from django.contrib.messages import get_messages
from django.contrib.messages.storage import default_storage
from django.db import IntegrityError
from django.http import HttpResponse

from helpdesk.middleware import SecondTryMiddleware
from tickets.models import ActivityLog, Attachment, Comment, Notification, Ticket
from tickets.storage.folder import MARKER
from tickets.tests.factories import PNG, make_ticket, upload
from tickets.tests.views.test_ticket_new import form

pytestmark = pytest.mark.django_db(transaction=True)
LARGE = PNG + b"\0" * 2_000_000  # waits in a file of the temporary folder; small ones wait in memory


@pytest.fixture
def too_late(monkeypatch):
    """The database refuses the first try once all its files are stored."""
    attach, tries = Attachment.attach.__func__, []

    def attach_too_late(cls, uploads, **place):
        attach(cls, uploads, **place)
        tries.append(len(tries))
        if len(tries) == 1:
            raise IntegrityError("somebody was faster")

    monkeypatch.setattr(Attachment, "attach", classmethod(attach_too_late))
    return tries


@pytest.mark.parametrize("content", [PNG, LARGE], ids=["in memory", "in a temporary file"])
@pytest.mark.parametrize("way", ["ticket", "reply"])
def test_files_are_stored_once_and_whole(client_of, alice, ann, attachments_dir, too_late, way, content):
    ticket = make_ticket(alice, assignee=ann)
    Notification.objects.all().delete()
    files = {"attachments": [upload("one.png", content), upload("two.png")]}
    if way == "ticket":
        answer = client_of(alice).post("/tickets/new/", form(**files))
    else:
        answer = client_of(alice).post(f"/tickets/{ticket.pk}/reply/", {"body": "Look.", **files})
    assert answer.status_code == 302
    assert len(too_late) == 2
    assert [bytes(one.content()) for one in Attachment.objects.order_by("pk")] == [content, PNG]
    stored = [path for path in attachments_dir.rglob("*") if path.is_file() and path.name != MARKER]
    assert len(stored) == 2
    assert (Ticket.objects.count(), Comment.objects.count()) == ((2, 0) if way == "ticket" else (1, 1))
    logged = ActivityLog.objects.filter(verb="created" if way == "ticket" else "replied")
    assert logged.count() == (2 if way == "ticket" else 1)
    assert len(set(Notification.objects.values_list("person", "kind"))) == Notification.objects.count()


def asked(request, view) -> None:
    request.session, request.resolver_match = {}, SimpleNamespace(func=view, args=(), kwargs={})
    request._messages = default_storage(request)


def test_first_try_says_nothing(rf):
    """A deferred constraint is checked at the end of a transaction, when "saved" is said already."""
    request, answers = rf.post("/"), iter([IntegrityError("too late"), None])

    def view(request):
        if error := next(answers):
            messages.success(request, "Saved.")
            raise error
        messages.error(request, "There is one already.")
        return HttpResponse("ok")

    asked(request, view)
    messages.success(request, "Saved.")
    answer = SecondTryMiddleware(view).process_exception(request, IntegrityError("too late"))
    assert answer.content == b"ok"
    assert [str(message) for message in get_messages(request)] == ["There is one already."]


def test_what_is_never_accepted_is_a_fault_of_ours(rf):
    """The exception goes on to the log and the page for errors."""
    tries = []

    def view(request):
        tries.append(request)
        raise IntegrityError("NOT NULL")

    request = rf.post("/")
    asked(request, view)
    assert SecondTryMiddleware(view).process_exception(request, IntegrityError("NOT NULL")) is None
    assert len(tries) == SecondTryMiddleware.TRIES
