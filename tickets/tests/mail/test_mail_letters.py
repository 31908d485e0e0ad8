"""The letters of a mail: charsets and encodings under any name, and headers that programs have broken."""

import base64
import encodings
import pkgutil
import random
from encodings.aliases import aliases

import pytest
from webencodings.labels import LABELS

from tickets.mail.receiving import plain_text
from tickets.mail.receiving.parsing import parse

HEBREW, RUSSIAN, CHINESE, JAPANESE, KOREAN = "המדפסת", "Принтер", "打印机坏了", "プリンター", "프린터"
ROOM = "The printer in room 12 shows error 5."


def mail(content: bytes, *headers: str, subject: bytes = b"Printer") -> bytes:
    lines = [b"From: maria@example.com", b"Subject: " + subject, *(header.encode() for header in headers)]
    return b"\r\n".join([*lines, b"", content])


@pytest.mark.parametrize(
    ("label", "codec", "text"),
    [
        ("iso-8859-8-i", "iso8859-8", HEBREW),
        ("logical", "iso8859-8", HEBREW),
        ("ISO-8859-8-E", "iso8859-8", HEBREW),
        ("iso-8859-6-i", "iso8859-6", "الطابعة"),
        ("windows-874", "cp874", "เครื่องพิมพ์"),
        ("tis-620", "cp874", "“เครื่อง”"),
        ("windows-31j", "cp932", JAPANESE + "①"),
        ("x-sjis", "cp932", JAPANESE + "髙"),
        ("shift_jis", "cp932", "①㈱"),
        ("x-euc-jp", "euc_jp", JAPANESE),
        ("iso-2022-jp-ms", "iso2022_jp", JAPANESE),
        ("cp50220", "iso2022_jp", JAPANESE),
        ("x-gbk", "gb18030", CHINESE + "€"),
        ("gb_2312-80", "gb18030", CHINESE),
        ("gb2312", "gb18030", "镕"),
        ("x-big5", "big5hkscs", "印表機"),
        ("big5", "big5hkscs", "啫"),
        ("x-windows-949", "cp949", KOREAN + "똠"),
        ("euc-kr", "cp949", "똠"),
        ("x-mac-cyrillic", "mac-cyrillic", RUSSIAN),
        ("koi8-ru", "koi8-u", RUSSIAN),
        ("cp-1251", "cp1251", RUSSIAN),
        ("win-1251", "cp1251", RUSSIAN),
        ("x-cp1251", "cp1251", RUSSIAN),
        ("windows1251", "cp1251", RUSSIAN),
        ('"windows-1251"; x', "cp1251", RUSSIAN),
        ("charset=koi8-r", "koi8-r", RUSSIAN),
        ("iso-8859-9", "cp1254", "“ğüş”"),
        ("hz-gb-2312", "hz", CHINESE),
        ("x-nobody-knows", "utf-8", RUSSIAN),
    ],
)
def test_charset_is_known_under_all_its_names(label, codec, text):
    assert plain_text.decode(text.encode(codec), label) == text


def test_letters_that_iso_2022_jp_lacks_are_those_of_windows():
    """Programs in Japan write round numbers and small kana under this name."""
    assert plain_text.decode(b"\x1b$B-!\x1b(B and \x1b(I1\x1b(B", "iso-2022-jp") == "① and ｱ"
    assert plain_text.decode(b"\x1b$BIu=P-!", "iso-2022-jp").startswith("封出")


def test_chinese_of_iso_2022_is_read():
    shifted = bytes(byte & 0x7F for byte in CHINESE.encode("gb2312"))
    content = b"a~b \x1b$)A\x0e" + shifted + b"\x0f end"
    assert plain_text.decode(content, "iso-2022-cn") == f"a~b {CHINESE} end"


@pytest.mark.parametrize(
    "text", [HEBREW, RUSSIAN, f"{CHINESE}，请帮我看看。", JAPANESE, ROOM, f"{RUSSIAN} {ROOM}"]
)
@pytest.mark.parametrize("order", ["", "-le", "-be"])
@pytest.mark.parametrize("codec", ["utf-16", "utf-32"])
def test_wide_letters_are_read_without_the_mark_of_their_order(codec, order, text):
    """Python's codec raises where the mark is missing, so such a mail failed three times and was given up."""
    assert plain_text.decode(text.encode(codec + order), codec) == text


@pytest.mark.parametrize(
    "label",
    sorted({*LABELS, *aliases, *(module.name for module in pkgutil.iter_modules(encodings.__path__))}),
)
def test_no_bytes_are_unreadable_under_any_name(label):
    """parse() raises nothing, whatever the bytes: every codec of Python's, every name of the browsers."""
    some = random.Random(label)
    odd = [b"\xd8\0", b"\0\xd8", b"\xff\xfe", b"\xff\xfe\0\0", b"\x1b$)C\x0e\xff", b"+", b"~{", b"\xff" * 9]
    for content in [*odd, *(some.randbytes(size) for size in range(30))]:
        for is_all in (True, False):
            plain_text.decode(content, label, is_all=is_all).encode()


@pytest.mark.parametrize("label", ["utf-8", "us-ascii", "", "windows-1252"])
def test_few_bad_bytes_spoil_no_utf_8(label):
    text = "Здравствуйте, принтер в комнате 12 не печатает."
    content = f"{text}\n--\n".encode() + "für Empfänger".encode("latin-1")
    assert plain_text.decode(content, label).startswith(text)


def test_latin_letters_under_the_name_of_utf_8_stay_latin():
    assert plain_text.decode("Die Tür läßt sich".encode("cp1252"), "utf-8") == "Die Tür läßt sich"


@pytest.mark.parametrize(
    ("encoding", "encoded"),
    [
        ("base64;", base64.b64encode(ROOM.encode())),
        ("base64 (x)", base64.b64encode(ROOM.encode())),
        ('"BASE64"', base64.b64encode(ROOM.encode())),
        ("x-base64", base64.b64encode(ROOM.encode())),
        ('"quoted-printable"', ROOM.replace("5", "=35").encode()),
        ("quoted printable", ROOM.replace("5", "=35").encode()),
        ("quoted-printable;", ROOM.replace("5", "=35").encode()),
        ("Quoted_Printable", ROOM.replace("5", "=35").encode()),
        ("8bit;", ROOM.encode()),
        ("unknown", ROOM.encode()),
    ],
)
def test_transfer_encoding_is_known_in_odd_spellings(encoding, encoded):
    assert parse(mail(encoded, f"Content-Transfer-Encoding: {encoding}")).text == ROOM
    file = ("Content-Type: application/pdf; name=a.pdf", f"Content-Transfer-Encoding: {encoding}")
    assert [one.content for one in parse(mail(encoded, *file)).files] == [ROOM.encode()]


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain charset=koi8-r",
        "text/plain, charset=koi8-r",
        "text/plain;; charset=koi8-r",
        '"text/plain"; charset=koi8-r',
        "text / plain; charset=koi8-r",
        "text\\plain; charset=koi8-r",
        "text; charset=koi8-r",
        "TEXT/PLAIN CHARSET=KOI8-R",
    ],
)
def test_content_type_is_known_in_odd_spellings(kind):
    assert parse(mail(RUSSIAN.encode("koi8-r"), f"Content-Type: {kind}")).text == RUSSIAN


def test_boundary_without_semicolon_opens_the_parts():
    parts = f"--b\r\nContent-Type: text/plain\r\n\r\n{ROOM}\r\n--b--\r\n".encode()
    assert parse(mail(parts, "Content-Type: multipart/mixed boundary=b")).text == ROOM


# Headers
@pytest.mark.parametrize("codec", ["koi8-r", "cp1251", "iso8859-5"])
def test_bare_bytes_of_headers_are_in_the_charset_of_the_text(codec):
    head = f"Content-Type: text/plain; charset={codec}"
    assert parse(mail(b"x", head, subject=RUSSIAN.encode(codec))).subject == RUSSIAN
    assert parse(mail(b"x", head, subject=RUSSIAN.encode())).subject == RUSSIAN
    name = f'From: "{RUSSIAN}" <a@b.example>\r\n{head}\r\n\r\nx'.encode(codec)
    assert parse(name).sender_name == RUSSIAN
    parts = (
        b"--b\r\n%b\r\n\r\nx\r\n--b\r\nContent-Disposition: attachment; filename=%b.txt\r\n\r\ny\r\n--b--\r\n"
    )
    raw = mail(parts % (head.encode(), RUSSIAN.encode(codec)), "Content-Type: multipart/mixed; boundary=b")
    assert [file.name for file in parse(raw).files] == [f"{RUSSIAN}.txt"]


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Ü =?utf-8?q?=C3=A4?=", "Ü ä"),
        ("=?utf-8?b?w6Q=?= =?utf-8?q?=C3=B6?=", "äö"),
        ("=?utf-8?b?w6Q=?==?utf-8?b?w7Y=?=", "äö"),
        ("=?utf-8?b?ww==?= =?utf-8?b?pA==?=", "ä"),
        ("Re:=?UTF-8?Q?=C3=A4?=:", "Re:ä:"),
        ("=?utf-8?q?two words=21?=", "two words!"),
        ("=?utf-8?q?is it on??=", "is it on?"),
        ("=?utf-8?b?w6TDtg?=", "äö"),
        ("=?utf-8?b?w6TDtg", "äö"),
        ("=?utf-8?q?=C3=A4 =?utf-8?q?=C3=B6?=", "ä ö"),
        ("=?utf-8*de?q?=C3=A4?=", "ä"),
        ("=?iso-8859-8-i?B?5O7j9PH6?=", HEBREW),
        ("=?x?= what", "=?x?= what"),
    ],
)
def test_encoded_words_are_read(subject, text):
    assert parse(mail(b"x", subject=subject.encode())).subject == text


BROKEN = "BAYES_00 HTML_MESSAGE no colon and no space before this line"


@pytest.mark.parametrize("line", [BROKEN, "\u00dcber: x", "=?", ">From somebody Mon Aug 24"])
def test_broken_line_does_not_end_the_headers(line):
    raw = f"X-Filter: a\r\n{line}\r\nFrom: maria@example.com\r\nSubject: Printer\r\n\r\n{ROOM}".encode()
    read = parse(raw)
    assert (read.sender, read.subject, read.text) == ("maria@example.com", "Printer", ROOM)
    parts = f"--b\r\nX: a\r\n{line}\r\nContent-Transfer-Encoding : base64\r\n\r\nSGk=\r\n--b--\r\n".encode()
    assert parse(mail(parts, "Content-Type: multipart/mixed; boundary=b")).text == "Hi"


def test_space_before_the_colon_ends_no_headers():
    read = parse(b"From : maria@example.com\r\nSubject\t: Printer\r\n\r\nx")
    assert (read.sender, read.subject, read.text) == ("maria@example.com", "Printer", "x")


def test_text_without_an_empty_line_before_it_stays_the_text():
    assert (
        parse(b"Subject: Printer\r\nIt is silent.\r\nTel: 5\r\n\r\nAnn").text
        == "It is silent.\nTel: 5\n\nAnn"
    )


def test_broken_line_adds_nothing_to_what_our_server_says():
    """THREATS 98: the sender's first line stands below it."""
    head = "Authentication-Results: mx.example.net; spf=none\r\nx; dmarc=pass\r\n ; dmarc=pass\r\n"
    read = parse(f"{head}From: maria@example.com\r\n\r\nx".encode())
    assert read.headers[0] == ("Authentication-Results", "mx.example.net; spf=none")


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ('"john doe"@example.com', '"john doe"@example.com'),
        ('John <"John Doe"@example.com>', '"john doe"@example.com'),
        ('"john doe"@example.com (John)', '"john doe"@example.com'),
        ('"john.doe"@example.com', "john.doe@example.com"),
        ('"a@b.example"@example.com', '"a@b.example"@example.com'),
        ('"john"doe@example.com', ""),
        ('"john doe@example.com', ""),
    ],
)
def test_name_in_quotes_before_the_at_survives(value, address):
    read = parse(f"From: {value}\r\nTo: {value}\r\n\r\nx".encode())
    assert read.sender == address
    assert not address or address in read.recipients
