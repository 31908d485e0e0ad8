"""The mails of 18 bug reports of other helpdesks, in by the door: what stands on the ticket, word for word.

maria@example.com is a requester. Answers name a mail of ours about her ticket, <n1@help.example.com>.
"""

import base64
from dataclasses import dataclass

import pytest

from accounts.actor import acting_as
from accounts.models import User
from accounts.roles import Role
from tickets.mail.receiving import handler, parsing
from tickets.models import Attachment, Comment, InboundEmail, Notification, Ticket
from tickets.tests.factories import make_ticket, status
from tickets.tests.mail.mails import FOLDER

pytestmark = pytest.mark.django_db
State = InboundEmail.State
CASES = FOLDER / "cases"
ROOM = "The printer in room 12 shows error 5."
PICTURE = bytes(range(256)) * 3300  # no PNG, whatever it is called


@dataclass(frozen=True)
class Case:
    subject: str
    text: str
    files: tuple[str, ...] = ()
    is_answer: bool = False


INVITATION = "Invitation: Visit\nWhen: Tue 25 Aug 2026 08:00-09:00 UTC\nWhere: Room 12"
TABLE = "Room | Printer\n12 | HP\n\n1. open the drawer\n2. close it"
LIST = "I stop at step 2. The list is here (file://srv/share/list.xlsx). [Error 5]"
FILED = {
    "01-signature-icons-push-out-the-file": Case(
        "Invoice", "The invoice is attached.\n\nMaria",
        ("invoice.pdf", *(f"image{number:03}.png" for number in range(1, 6))),
    ),
    "02-one-bad-byte-garbles-all": Case(
        "Принтер",
        "Здравствуйте, принтер в комнате 12 не печатает.\n\n--\n"
        "Dieser Hinweis ist vertraulich f\ufffdr Empf\ufffdnger.",
    ),
    "03-transfer-encoding-with-semicolon": Case("Printer", ROOM),
    "04-content-type-without-semicolon": Case("Printer", ROOM),
    "06-last-sentence-taken-for-a-phone-signature": Case(
        "Re: Printer",
        "Hallo Ann,\n\nder Fehler kommt immer noch.\nVon meinem Rechner aus geht es, von dem im Lager nicht.",
        is_answer=True,
    ),
    "07-plain-part-blank-but-not-empty": Case("Printer", ROOM),
    "09-invitation-loses-time-and-place": Case(
        "Visit", f"{INVITATION}\n\nPlease come and look at it.", ("invite.ics",)
    ),
    "10-picture-without-extension": Case("Picture", "See the picture.", ("Screenshot.png", "image.jpg")),
    "12-winmail-item-is-lost": Case(
        "Report", "See the report and the item.", ("A long name of the report.txt", "Forwarded item.txt")
    ),
    "13-attribution-left-when-wrapped": Case("Re: Printer", "It works now, thanks.", is_answer=True),
    "15-hebrew-of-outlook": Case("המדפסת", "המדפסת לא עובדת"),
    "17-raw-header-in-the-body-charset": Case("Принтер не печатает", "Помогите"),
    "20-html-table-and-lists": Case("Printers", f"{TABLE}\n\n{LIST}"),
    "22-hotmail-and-zoho-history": Case("Re: Printer", "It works now.", is_answer=True),
    "24-one-broken-header-line": Case("Printer", ROOM),
    "25-screenshot-as-data-uri": Case(
        "Printer", "Look:\n\nIt says error 5. I need the printout at noon, please help.", ("image.png",)
    ),
    "27-person-through-a-group-address": Case("Printer", ROOM),
}  # fmt: skip
IGNORED = {"19-icloud-absence-note": "X-Apple-Action: VACATION"}


@pytest.fixture
def maria(settings, roles):
    settings.INBOUND_DOMAIN, settings.INBOUND_AUTHSERV_ID = "help.example.com", "mx.example.com"
    settings.DEFAULT_FROM_EMAIL = "Helpdesk <support@help.example.com>"
    person = User.objects.create_user("maria@example.com", full_name="Maria Requester")
    person.emailaddress_set.create(email=person.email, verified=True)
    person.set_role(Role.REQUESTER)
    return person


@pytest.fixture
def answered(maria, ann):
    """Maria's ticket, which waits for her answer to a mail of ours."""
    ticket = make_ticket(maria, subject="Printer")
    with acting_as(ann):
        ticket.assign(ann)
        ticket.set_status(status("waiting"))
    mailed = Notification.objects.filter(person=maria, ticket=ticket).latest("pk")
    Notification.objects.filter(pk=mailed.pk).update(message_id="<n1@help.example.com>")
    return ticket


def raw(name: str) -> bytes:
    return (CASES / f"{name}.eml").read_bytes().replace(b"PICTURE", base64.encodebytes(PICTURE).rstrip())


def came_in(name: str) -> InboundEmail:
    return handler.receive(raw(name), route="command", recipient="support@help.example.com")


def bytes_of(attachment: Attachment) -> bytes:
    with attachment.file.open() as stored:
        return stored.read()


def test_each_mail_has_a_row_and_each_row_a_mail():
    assert {path.stem for path in CASES.glob("*.eml")} == {*FILED, *IGNORED}


@pytest.mark.parametrize("name", FILED)
def test_mail_is_filed_as_it_was_written(name, maria, answered):
    case, email = FILED[name], came_in(name)
    assert (email.state, email.person) == (State.FILED, maria)
    assert email.subject == case.subject
    if case.is_answer:
        comment = Comment.objects.get()
        assert (comment.ticket, comment.author, comment.is_public) == (answered, maria, True)
        assert (comment.body, comment.source) == (case.text, "email")
        files = comment.attachments
    else:
        ticket = email.ticket
        assert ticket != answered
        assert (ticket.requester, ticket.subject) == (maria, case.subject)
        assert ticket.description == case.text
        files = ticket.attachments
    assert tuple(files.values_list("name", flat=True)) == case.files
    read = parsing.parse(raw(name))
    assert [bytes_of(kept) for kept in files.all()] == [file.content for file in read.files]
    assert (read.nature, read.is_cut) in (("human", False), ("list", False))


@pytest.mark.parametrize("name", IGNORED)
def test_note_of_a_machine_wakes_no_ticket(name, answered):
    email = came_in(name)
    assert (email.state, email.reason, email.detail) == (State.IGNORED, "automatic", IGNORED[name])
    assert Ticket.objects.get() == answered
    answered.refresh_from_db()
    assert answered.phase == "waiting"
    assert not Comment.objects.exists()


def test_what_was_lost_is_in_the_files(maria):
    report, item = came_in("12-winmail-item-is-lost").ticket.attachments.all()
    assert bytes_of(report) == b"the report\n"
    assert bytes_of(item) == b"ITEM inside: the forwarded message"
    picture = came_in("25-screenshot-as-data-uri").ticket.attachments.get()
    assert (picture.size, picture.content_type) == (len(PICTURE), "application/octet-stream")
    assert bytes_of(picture) == PICTURE
