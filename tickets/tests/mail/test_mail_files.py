"""Which files of a mail are taken, in which order, and what of them is the text."""

import base64
import binascii

import pytest

from tickets.mail.addresses import reply_address
from tickets.mail.receiving import handler
from tickets.mail.receiving.limits import MAX_CHARACTERS, MAX_FILES_TAKEN
from tickets.mail.receiving.parsing import parse
from tickets.models import Attachment, Comment, InboundEmail, Ticket
from tickets.rules.validators import MAX_FILES_A_DAY
from tickets.tests.factories import make_ticket

ROOM = "The printer in room 12 shows error 5."
PNG = b"\x89PNG\r\n\x1a\n"
HEAD = b"Authentication-Results: mx.example.net; dmarc=pass\r\nFrom: alice@example.com\r\n"


@pytest.fixture(autouse=True)
def inbound(settings):
    settings.INBOUND_DOMAIN, settings.INBOUND_AUTHSERV_ID = "in.example.com", "mx.example.net"


def part(content: bytes, *headers: str) -> bytes:
    lines = [header.encode() for header in headers]
    return b"\r\n".join([*lines, b"Content-Transfer-Encoding: base64", b"", base64.encodebytes(content)])


def mixed(*parts: bytes, kind: str = "mixed") -> bytes:
    head = f"Content-Type: multipart/{kind}; boundary=b\r\n\r\n".encode()
    return head + b"".join(b"--b\r\n" + part + b"\r\n" for part in parts) + b"--b--\r\n"


def icon(number: int, size: int = 60) -> bytes:
    name = f"image{number:03}.png"
    return part(
        PNG + b"%d" % number + b"\0" * size,
        f'Content-Type: image/png; name="{name}"',
        f"Content-ID: <{name}@sig>",
        f'Content-Disposition: inline; filename="{name}"',
    )


def signed(count: int, *others: bytes, size: int = 60) -> bytes:
    shown = "".join(f'<img src="cid:image{number:03}.png@sig">' for number in range(count))
    html = part(f"<p>Here it is.</p>{shown}".encode(), "Content-Type: text/html")
    return mixed(html, *(icon(number, size) for number in range(count)), *others)


def attached(name: str, content: bytes = b"%PDF-1.4") -> bytes:
    return part(
        content, "Content-Type: application/pdf", f'Content-Disposition: attachment; filename="{name}"'
    )


def names(raw: bytes) -> list[str]:
    return [file.name for file in parse(raw).files]


def came_in(raw: bytes, to: str = "support@in.example.com", number: int = 1) -> InboundEmail:
    head = HEAD + f"To: {to}\r\nMessage-ID: <{number}@x.example>\r\nSubject: Printer\r\n".encode()
    return handler.receive(head + raw, route="command", recipient=to)


# Order and limits
def test_what_is_attached_comes_before_pictures_and_these_before_icons():
    raw = signed(2, attached("invoice.pdf"))
    assert names(raw) == ["invoice.pdf", "image000.png", "image001.png"]
    photo = part(PNG + b"\0" * 20_000, "Content-Type: image/png; name=photo.png", "Content-ID: <photo>")
    html = part(b"<img src='cid:image001.png@sig'><img src=cid:photo>", "Content-Type: text/html")
    assert names(mixed(html, icon(1), photo, attached("a.pdf"))) == ["a.pdf", "photo.png", "image001.png"]


def test_small_screenshot_comes_before_a_logo():
    html = part(b"<img src=cid:logo><img src=cid:shot>", "Content-Type: text/html")
    logo = part(PNG, "Content-Type: image/png; name=logo.png", "Content-ID: <logo>")
    shot = part(PNG + b"\0" * 5000, "Content-Type: image/png; name=shot.png", "Content-ID: <shot>")
    assert names(mixed(html, logo, shot)) == ["shot.png", "logo.png"]


@pytest.mark.django_db
def test_icons_of_a_signature_push_out_no_file(alice):
    ticket = came_in(signed(30, attached("invoice.pdf"))).ticket
    kept = list(ticket.attachments.values_list("name", flat=True))
    assert kept[0] == "invoice.pdf"
    assert len(kept) == MAX_FILES_TAKEN
    assert ticket.description.count("Left out: image") == 31 - MAX_FILES_TAKEN


@pytest.mark.django_db
def test_logo_that_the_ticket_has_already_is_left_out(alice):
    ticket = make_ticket(alice)
    to = reply_address(ticket.pk, alice.pk)
    came_in(signed(2), to, 1)
    came_in(signed(2, attached("invoice.pdf")), to, 2)
    comment = Comment.objects.latest("pk")
    assert [file.name for file in comment.attachments.all()] == ["invoice.pdf"]
    assert comment.body.endswith("Left out: 2 pictures that are already on this ticket.")
    came_in(mixed(part(b"Again.", "Content-Type: text/plain"), attached("invoice.pdf")), to, 3)
    assert Comment.objects.latest("pk").attachments.count() == 1


@pytest.mark.django_db
def test_icons_give_way_where_the_day_has_room_for_the_file_only(alice):
    for number in range(MAX_FILES_A_DAY // 10):
        files = [attached(f"{number}{one}.pdf") for one in range(10 if number else 9)]
        came_in(mixed(part(b"x", "Content-Type: text/plain"), *files), number=number)
    came_in(signed(3, attached("invoice.pdf")), number=99)
    ticket = Ticket.objects.latest("pk")
    assert [file.name for file in ticket.attachments.all()] == ["invoice.pdf"]
    assert ticket.description.count("Too many files within a day.") == 3
    email = came_in(mixed(part(b"x", "Content-Type: text/plain"), attached("late.pdf")), number=100)
    assert "Left out: late.pdf. Too many files within a day." in email.ticket.description
    assert b"late.pdf" in bytes(InboundEmail.objects.get(pk=email.pk).raw)
    assert Attachment.objects.count() == MAX_FILES_A_DAY


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "content", "is_taken"),
    [
        ("damaged.pdf", b"\0\xff junk before %PDF-1.4", True),
        ("password.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), True),
        ("page.pdf", b"<html>", False),
        ("run.pdf", b"MZ\x90\0", False),
        ("run.exe", b"\0\1", False),
    ],
)
def test_damaged_file_is_taken_as_a_download(name, content, is_taken, alice):
    ticket = came_in(mixed(part(b"x", "Content-Type: text/plain"), attached(name, content))).ticket
    kept = list(ticket.attachments.values_list("name", "content_type"))
    assert kept == ([(name, "application/octet-stream")] if is_taken else [])
    assert ("Left out" in ticket.description) != is_taken


# Names
@pytest.mark.parametrize(
    ("content", "headers", "name"),
    [
        (PNG, ["Content-Type: image/png; name=Screenshot"], "Screenshot.png"),
        (PNG, ["Content-Type: application/octet-stream; name=Screenshot"], "Screenshot.png"),
        (PNG, ["Content-Type: image/png"], "image.png"),
        (b"\xff\xd8\xff\xe0", ["Content-Type: image/jpg", "Content-Disposition: attachment"], "image.jpg"),
        (b"\xff\xd8\xff\xe0", ["Content-Type: image/pjpeg", "Content-Disposition: attachment"], "image.jpg"),
        (PNG, ["Content-Type: image/jpeg"], "image.png"),
        (b"%PDF-1.4", ["Content-Type: application/pdf"], "file.pdf"),
        (b"%PDF-1.4", ["Content-Type: application/octet-stream"], "file.pdf"),
        (b"GIF89a", ["Content-Type: image/x-unknown"], "image.gif"),
        (b"a,b", ["Content-Type: text/csv", "Content-Disposition: attachment; filename=list"], "list.csv"),
        (b"MZ\0\0", ["Content-Type: application/octet-stream; name=run.exe"], "run.exe"),
    ],
)
def test_file_has_the_extension_of_its_bytes(content, headers, name):
    assert names(mixed(part(b"x", "Content-Type: text/plain"), part(content, *headers))) == [name]


# What is the text
@pytest.mark.parametrize(
    "kind",
    [
        "text/x-markdown",
        "text/x-anything",
        "text/plain; name=noname",
        "text/plain; name=ATT00001.txt",
        'text/plain; name=""',
        "text",
    ],
)
def test_only_text_is_the_text_whatever_it_is_called(kind):
    for raw in (
        part(ROOM.encode(), f"Content-Type: {kind}"),
        mixed(part(ROOM.encode(), f"Content-Type: {kind}")),
    ):
        mail = parse(raw)
        assert (mail.text, mail.files) == (ROOM, ())


def test_only_text_that_came_as_a_file_is_the_text():
    head = ["Content-Type: text/plain", "Content-Disposition: attachment; filename=ATT00001.txt"]
    mail = parse(mixed(part(ROOM.encode(), *head), attached("a.pdf")))
    assert (mail.text, [file.name for file in mail.files]) == (ROOM, ["a.pdf"])
    beside = parse(mixed(part(b"Look:", "Content-Type: text/plain"), part(ROOM.encode(), *head)))
    assert (beside.text, [file.name for file in beside.files]) == ("Look:", ["ATT00001.txt"])
    own_name = ["Content-Type: text/plain", "Content-Disposition: attachment; filename=error.log"]
    assert names(mixed(part(ROOM.encode(), *own_name))) == ["error.log"]


def test_html_under_the_name_of_xml_is_html():
    assert parse(part(f"<p>{ROOM}</p>".encode(), "Content-Type: application/xhtml+xml")).text == ROOM


@pytest.mark.parametrize(
    "plain",
    [
        "\u200b ",
        "\xa0\n\xa0",
        "\u2800\u00ad\ufeff",
        "",
        "This message requires HTML.",
        "Your email client does not support HTML messages",
        "Ihr E-Mail-Programm unterstützt leider kein HTML.",
        "To view this email, please enable HTML: https://shop.example/view",
    ],
)
def test_plain_part_that_says_nothing_gives_way_to_html(plain):
    texts = (
        part(plain.encode(), "Content-Type: text/plain; charset=utf-8"),
        part(f"<p>{ROOM}</p>".encode(), "Content-Type: text/html"),
    )
    for pair in (texts, texts[::-1]):
        assert parse(mixed(*pair, kind="alternative")).text == ROOM


def test_words_about_html_stay_where_they_are_all_there_is():
    text = "The new page does not display HTML mails."
    assert parse(part(text.encode(), "Content-Type: text/plain")).text == text


# Files within texts
def test_picture_in_a_data_address_is_a_file_and_cuts_no_text():
    picture = PNG + b"\0" * (2 * MAX_CHARACTERS)
    data = base64.encodebytes(picture)
    html = b"<p>Look:</p><img src='data:image/png;base64,\n" + data + b"'><p>" + ROOM.encode()
    mail = parse(part(html, "Content-Type: text/html"))
    assert (mail.text, mail.is_cut) == (f"Look:\n\n{ROOM}", False)
    assert [(file.name, file.content) for file in mail.files] == [("image.png", picture)]
    quoted = b'<IMG SRC="DATA:image/gif;charset=x;BASE64,R0lG%4FDlh">' + ROOM.encode()
    assert names(part(quoted, "Content-Type: text/html")) == ["image.gif"]


def uuencoded(name: str, content: bytes) -> str:
    lines = [binascii.b2a_uu(content[at : at + 45]).decode() for at in range(0, len(content), 45)]
    return f"begin 644 {name}\n{''.join(lines)}`\nend\n"


def test_uuencoded_file_in_a_text_is_a_file():
    content = PNG + bytes(range(256)) * 2000
    mail = parse(b"\r\n" + f"Look:\n\n{uuencoded('dot.png', content)}\nBye".encode())
    assert (mail.text, mail.is_cut) == ("Look:\n\n\nBye", False)
    assert [(file.name, file.content) for file in mail.files] == [("dot.png", content)]


@pytest.mark.parametrize(
    "text", ["begin 644 the work\nat noon\nend", "begin 644 a.txt\n#86)C", "begin at ten"]
)
def test_words_that_look_like_uuencoding_stay(text):
    mail = parse(b"\r\n" + text.encode())
    assert (mail.text, mail.files) == (text, ())
