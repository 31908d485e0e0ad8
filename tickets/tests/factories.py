"""Rows for tests, made through the models, so that log and outbox fill as in real life."""

from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.actor import acting_as
from tickets.models import Category, Status, Ticket

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32


def status(phase: str) -> Status:
    return Status.objects.default_for(phase)


def category(name: str = "Other") -> Category:
    return Category.objects.get_or_create(name=name)[0]


def make_ticket(requester, *, phase: str = "new", **fields) -> Ticket:
    """A ticket that `requester` filed by the web form."""
    fields.setdefault("subject", "The printer on the second floor does not print")
    fields.setdefault("description", "It shows a paper jam, but there is no paper in it.")
    if "category" not in fields:
        fields["category"] = category()
    with acting_as(requester, source=Ticket.Source.WEB):
        return Ticket.objects.create(requester=requester, status=status(phase), **fields)


def upload(name: str = "screenshot.png", content: bytes = PNG, content_type: str = "image/png"):
    return SimpleUploadedFile(name, content, content_type)
