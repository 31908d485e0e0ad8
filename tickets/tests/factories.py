"""Rows for tests, made through the models, so that log and outbox fill as in real life."""

from email.message import EmailMessage

from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.actor import acting_as
from tickets.actions import conversation
from tickets.mail.receiving import handler
from tickets.models import Attachment, Category, InboundEmail, Status, Ticket
from tickets.rules.waiting import Wait

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


def ask(ticket: Ticket, author, body: str) -> None:
    """`author` replies, and the ticket waits for its requester."""
    with acting_as(author, source=Ticket.Source.ADMIN):
        conversation.reply(
            ticket,
            conversation.Message(author=author, body=body),
            status=status("waiting"),
            wait=Wait(Ticket.WaitingFor.REQUESTER),
        )


def upload(name: str = "screenshot.png", content: bytes = PNG, content_type: str = "image/png"):
    return SimpleUploadedFile(name, content, content_type)


def shown_picture(ticket: Ticket) -> Attachment:
    """The first file of `ticket`, as if it were a picture that is drawn already."""
    attachment = ticket.attachments.earliest("pk")
    for size in (Attachment.VIEW, Attachment.THUMBNAIL):
        attachment.file.storage.save(attachment.picture_path(size), ContentFile(b"drawn"))
    Attachment.objects.filter(pk=attachment.pk).update(
        picture_state=Attachment.PictureState.READY, picture_width=800, picture_height=600
    )
    return attachment


def held_mail(**changes) -> InboundEmail:
    """A mail of a stranger, in quarantine; `changes` are headers of it."""
    message = EmailMessage()
    headers = {"From": "Vera Vendor <vera@vendor.example>", "To": "support@in.example.com"}
    headers |= {"Subject": "Your order is on its way", "Message-ID": "<order-1@vendor.example>"}
    for name, value in (headers | changes).items():
        message[name] = value
    message.set_content("The new printer arrives on Friday.")
    message.add_alternative("<p>The new printer arrives on <b>Friday</b>.</p>", subtype="html")
    return handler.receive(message.as_bytes(), route=InboundEmail.Route.COMMAND)
