"""winmail.dat, in which Outlook wraps a mail: its files, items and texts arrive, or it is kept itself."""

import base64
import struct
from email import message_from_bytes
from email.policy import default

import pytest

from tickets.mail.receiving import handler, rtf, winmail
from tickets.mail.receiving.limits import Budget
from tickets.mail.receiving.parsing import parse
from tickets.tests import tnef
from tickets.tests.factories import PNG
from tickets.tests.work import work

HEAD = b"Authentication-Results: mx.example.net; dmarc=pass\r\nFrom: alice@example.com\r\nSubject: Report\r\n"
UNREAD = "winmail.dat could not be read completely. The original is attached."
FILETIME = 116444736000000000 + 1_787_648_400 * 10_000_000  # 25 Aug 2026 09:00 UTC
HTML_IN_RTF = (
    rb"{\rtf1\ansi\ansicpg1252\fromhtml1 \deff0{\fonttbl{\f0\fswiss Arial;}{\f1\fswiss\fcharset204 Arial;}}"
    rb"{\colortbl;\red0\green0\blue0;}{\*\htmltag19 <html>}{\*\htmltag34 <head>}{\*\htmltag241 <style>x</style>}"
    rb"{\*\htmltag84 <p>}\htmlrtf {\htmlrtf0 F\'fcr 1 {\*\htmltag84 &lt;}\htmlrtf <\htmlrtf0  2{\f1 : \'cf\'f0}"
    rb"{\*\htmltag92 </p>}\htmlrtf\par}\htmlrtf0 \htmlrtf twice\htmlrtf0 {\*\mhtmltag84 <p>no</p>}{\*\htmltag27 </html>}}"
)
PLAIN_RTF = (
    rb"{\rtf1\ansi\ansicpg1252{\fonttbl{\f0 Arial;}{\f1\fcharset128 MS Gothic;}}{\*\generator x;}{\info{\title no}}"
    rb"Hello\par {\pntext\f0 1.\tab}one\par\f1\'83\'76\'83\'8a\f0  \u8364? \u-10179?\u-8704? \{x\}"
    rb'{\field{\*\fldinst{HYPERLINK "https://x.example/a"}}{\fldrslt{here}}}{\pict 0102}\line end}'
)


def mail(content: bytes, text: str = "See the report.") -> bytes:
    lines = [b"Content-Type: multipart/mixed; boundary=b", b""]
    lines += [b"--b", b"Content-Type: text/plain; charset=utf-8", b"", text.encode()] if text else []
    lines += [
        b"--b",
        b"Content-Type: application/ms-tnef; name=winmail.dat",
        b"Content-Transfer-Encoding: base64",
    ]
    return HEAD + b"\r\n".join([*lines, b"", base64.encodebytes(content), b"--b--", b""])


def files(content: bytes) -> dict[str, bytes]:
    return {file.name: file.content for file in parse(mail(content)).files}


def opened(content: bytes):
    return message_from_bytes(content, policy=default)


# Files
def test_long_names_come_before_short_ones():
    names = [
        tnef.prop(tnef.UNICODE, 0x3707, "Ein langer Name für 東京.txt"),
        tnef.prop(tnef.STRING, 0x3707, "Отчёт за август.txt".encode("cp1251") + b"\0"),
        tnef.prop(tnef.UNICODE, 0x3001, "only shown.txt"),
    ]
    parts = [
        tnef.attached(b"SHORT~%d.TXT" % number, b"%d" % number, name) for number, name in enumerate(names)
    ]
    nameless = tnef.attached(b"", b"x", tnef.prop(tnef.STRING, 0x3704, b"a.log\0"))
    got = files(tnef.winmail(*parts, nameless, code_page=1251))
    assert list(got) == ["Ein langer Name für 東京.txt", "Отчёт за август.txt", "SHORT~2.TXT", "a.log"]
    assert got["Отчёт за август.txt"] == b"1"


def test_content_among_the_properties_is_the_file():
    name, content = tnef.prop(tnef.UNICODE, 0x3707, "a.png"), tnef.prop(tnef.BINARY, 0x3701, PNG)
    assert files(tnef.winmail(tnef.attached(b"A.PNG", b"", name, content))) == {"a.png": PNG}


def test_picture_within_the_text_comes_last():
    picture = tnef.attached(
        b"a.png", PNG, tnef.prop(tnef.UNICODE, 0x3712, "logo@x"), tnef.prop(tnef.UNICODE, 0x370E, "image/png")
    )
    html = tnef.prop(tnef.BINARY, 0x1013, b"<p>Hello</p><img src='cid:logo@x'>")
    read = parse(mail(tnef.winmail(tnef.message(html), picture, tnef.attached(b"b.txt", b"b")), text=""))
    assert [(file.name, file.is_inline) for file in read.files] == [("b.txt", False), ("a.png", True)]
    assert read.text == "Hello"


# Items
def test_item_is_a_mail_with_all_that_is_in_it():
    inner = tnef.winmail(
        tnef.message(
            tnef.prop(tnef.UNICODE, 0x0037, "Störung im Lager"),
            tnef.prop(tnef.UNICODE, 0x001A, "IPM.Note"),
            tnef.prop(tnef.UNICODE, 0x0042, "Bob Müller"),
            tnef.prop(tnef.UNICODE, 0x5D02, "bob@example.com"),
            tnef.prop(tnef.UNICODE, 0x0E04, "Alice; Ann"),
            tnef.prop(tnef.TIME, 0x0039, FILETIME),
            tnef.prop(tnef.UNICODE, 0x1000, "Error 5 in room 12 – twice."),
        ),
        tnef.attached(b"log.txt", b"the log"),
        tnef.item("deeper", tnef.winmail(tnef.message(tnef.prop(tnef.UNICODE, 0x1000, "Deep words")))),
    )
    got = files(tnef.winmail(tnef.item("Forwarded", inner)))
    assert list(got) == ["Störung im Lager.eml"]
    read = opened(got["Störung im Lager.eml"])
    assert (read["Subject"], read["From"], read["To"]) == (
        "Störung im Lager",
        "Bob Müller <bob@example.com>",
        '"Alice; Ann"',
    )
    assert read["Date"].datetime.isoformat() == "2026-08-25T09:00:00+00:00"
    assert read.get_body(("plain",)).get_content().strip() == "Error 5 in room 12 – twice."
    log, deeper = list(read.iter_attachments())
    assert (log.get_filename(), log.get_content()) == ("log.txt", b"the log")
    assert deeper.get_content().get_body(("plain",)).get_content().strip() == "Deep words"


def test_appointment_within_keeps_what_only_outlook_reads():
    inner = tnef.winmail(
        tnef.message(
            tnef.prop(tnef.UNICODE, 0x001A, "IPM.Appointment"), tnef.prop(tnef.UNICODE, 0x0037, "Visit")
        )
    )
    read = opened(files(tnef.winmail(tnef.item("Visit", inner)))["Visit.eml"])
    assert [(part.get_filename(), part.get_content()) for part in read.iter_attachments()] == [
        ("winmail.dat", inner)
    ]


def test_object_that_is_no_item_is_a_file():
    assert files(tnef.winmail(tnef.item("Forwarded item", b"ITEM inside"))) == {
        "Forwarded item.txt": b"ITEM inside"
    }
    compound = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "Workbook".encode("utf-16-le")
    assert files(tnef.winmail(tnef.item("Sheet.xls", compound, tnef.STORAGE))) == {"Sheet.xls": compound}


# Texts
@pytest.mark.parametrize(
    ("body", "text"),
    [
        (tnef.message(tnef.prop(tnef.UNICODE, 0x1000, "Straße 東京\r\nline")), "Straße 東京\nline"),
        (tnef.message(tnef.prop(tnef.STRING, 0x1000, "Grüße".encode("cp1252"))), "Grüße"),
        (tnef.attribute(1, 0x0002800C, "Grüße".encode("cp1252") + b"\0"), "Grüße"),
        (tnef.message(tnef.prop(tnef.BINARY, 0x1013, b"<ol><li>a</ol>")), "1. a"),
        (
            tnef.message(tnef.prop(tnef.BINARY, 0x1013, "<p>Привет".encode("cp1251")), tnef.prop(tnef.LONG, 0x3FDE, 1251)),
            "Привет",
        ),
        (tnef.message(tnef.rich(HTML_IN_RTF)), "Für 1 < 2: Пр"),
        (tnef.message(tnef.rich(PLAIN_RTF)), "Hello\n1.\tone\nプリ € 😀 {x}here (https://x.example/a)\nend"),
        (tnef.message(tnef.prop(tnef.BINARY, 0x1009, struct.pack("<II4sI", 20, 8, b"MELA", 0) + rb"{\rtf1 x}")), "x"),
        (tnef.message(tnef.prop(tnef.UNICODE, 0x1000, " \r\n"), tnef.prop(tnef.BINARY, 0x1013, b"<p>html")), "html"),
    ],
)  # fmt: skip
def test_body_is_the_text_where_there_is_no_other(body, text):
    content = tnef.winmail(body)
    alone = parse(mail(content, text=""))
    assert (alone.text, alone.files) == (text, ())
    beside = parse(mail(content))
    assert (beside.text, beside.files) == ("See the report.", ())


def test_compressed_text_of_the_specification_is_read():
    """MS-OXRTFCP 4.1 and 4.2."""
    plain = (
        "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c090020627705b06c647d0a800fa0"
    )
    assert (
        rtf.decompressed(bytes.fromhex(plain), 1000) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
    )
    overlapping = "1a0000001c0000004c5a4675e2d44b51410004205758595a0d6e7d010eb0"
    assert rtf.decompressed(bytes.fromhex(overlapping), 1000) == b"{\\rtf1 WXYZWXYZWXYZWXYZWXYZ}"


@pytest.mark.parametrize(
    "content", [b"", b"no rich text", rb"{\rtf", b"{\\rtf1 \\", rb"{\rtf1 \u99999? \'zz \uc-5 }}}}"]
)
def test_broken_rich_text_raises_nothing(content):
    rtf.text(content)
    for cut in range(len(tnef.compressed(content))):
        rtf.decompressed(tnef.compressed(content)[:cut], 100)


# What can't be read
ONE = tnef.attached(b"a.txt", b"words")
BROKEN = {
    "no winmail.dat": b"x" * 100,
    "empty": b"",
    "cut in two": tnef.winmail(ONE, tnef.attached(b"b.txt", b"x" * 1000))[:-500],
    "length lies": tnef.winmail(ONE) + struct.pack("<BII", 2, 0x0006800F, 0xFFFFFFFF) + b"x",
    "property lies": tnef.winmail(ONE, tnef.attached(b"b", b"b", struct.pack("<HHII", 0x1F, 0x3707, 1, 2**31))),
    "count lies": tnef.winmail(ONE, tnef.attribute(1, 0x00069003, struct.pack("<I", 2**32 - 1))),
    "unknown type": tnef.winmail(ONE, tnef.message(struct.pack("<HHI", 0x7777, 0x3707, 1))),
    "link to a file": tnef.winmail(ONE, tnef.attached(b"b", b"", tnef.prop(tnef.LONG, 0x3705, 2))),
    "unknown object": tnef.winmail(ONE, tnef.item("x", b"\0\1\2", tnef.STORAGE)),
    "broken item": tnef.winmail(ONE, tnef.item("x", tnef.winmail(ONE)[:-3])),
    "too many files": tnef.winmail(ONE, *(tnef.attached(b"%d.txt" % number, b"%d" % number) for number in range(120))),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_what_can_not_be_read_completely_is_kept(name):
    got = files(BROKEN[name])
    assert got.get("winmail.dat", b"") == BROKEN[name]
    assert ("a.txt" in got) == BROKEN[name].startswith(b"\x78\x9f")


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["cut in two", "unknown object", "broken item"])
def test_ticket_says_that_it_is_kept(name, alice, settings):
    settings.INBOUND_DOMAIN, settings.INBOUND_AUTHSERV_ID = "in.example.com", "mx.example.net"
    ticket = handler.receive(mail(BROKEN[name]), route="command", recipient="support@in.example.com").ticket
    assert {"a.txt", "winmail.dat"} <= set(ticket.attachments.values_list("name", flat=True))
    assert ticket.description == f"See the report.\n\n{UNREAD}"


# Hostile
def nested(levels: int) -> bytes:
    content = tnef.winmail(tnef.attached(b"deep.txt", b"deep"))
    for level in range(levels):
        content = tnef.winmail(tnef.item(f"level {level}", content))
    return content


def bomb() -> bytes:
    """Rich text that repeats 17 bytes with each two."""
    head = struct.pack("<II4sI", 0, 0x7FFFFFFF, b"LZFu", 0)
    # References that never point at the place of writing, which would be the end
    body = b"\0{\\rtf1 x" + b"".join(
        b"\xff"
        + b"".join(struct.pack(">H", ((at * 136 + bit * 17) % 4096 ^ 0x800) << 4 | 15) for bit in range(8))
        for at in range(60_000)
    )
    return head + body


HOSTILE = {
    "nested 1000 levels": lambda: nested(1000),
    "attributes of nothing": lambda: tnef.winmail() + struct.pack("<BIIH", 1, 0x00090000, 0, 0) * 1_500_000,
    "properties of nothing": lambda: tnef.winmail(tnef.attribute(1, 0x00069003, struct.pack("<I", 10**6) + struct.pack("<HHI", 3, 1, 0) * 10**6)),
    "values of nothing": lambda: tnef.winmail(tnef.message(struct.pack("<HHI", 0x101F, 1, 10**6) + bytes(4) * 10**6)),
    "items without end": lambda: tnef.winmail(*[tnef.item("x", tnef.winmail())] * 5000),
    "bomb": lambda: tnef.winmail(tnef.message(tnef.prop(tnef.BINARY, 0x1009, bomb()))),
    "bombs in items": lambda: tnef.winmail(*[tnef.item("x", tnef.winmail(tnef.message(tnef.prop(tnef.BINARY, 0x1009, bomb()))))] * 10),
    "braces": lambda: tnef.winmail(tnef.message(tnef.rich(b"{\\rtf1 " + b"{" * 2_000_000))),
    "formats": lambda: tnef.winmail(tnef.message(tnef.rich(b"{\\rtf1 " + b"{\\b x}" * 400_000))),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_winmail_is_little_work_and_kept(name):
    content = HOSTILE[name]()
    tenth = Budget(6_000, 60_000)
    assert work(winmail.read, content, tenth) < 2_500_000  # of which a second does some 50 million
    files = parse(mail(content)).files
    if name == "nested 1000 levels":
        assert [file.name for file in files] == ["level 999.eml"]
        assert len(files[0].content) > len(content)
    else:
        assert [file.content for file in files if file.name == "winmail.dat"] == [content]


def test_all_winmails_of_a_mail_share_one_budget():
    budget = Budget()
    content = HOSTILE["bomb"]()
    assert not winmail.read(content, budget).is_whole
    assert budget.rich_text == 0
    assert winmail.read(content, budget).texts == []
