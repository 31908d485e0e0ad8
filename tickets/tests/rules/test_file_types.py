"""Bytes tell what a file is. An example of each type, and near misses of those that ask for more than marks."""

import pytest
from django.core.exceptions import ImproperlyConfigured, ValidationError

from tickets.rules import file_types
from tickets.rules.file_types import (
    EXECUTABLES,
    TYPES,
    chosen,
    described,
    extension,
    identify,
    is_no_program,
    is_text,
    marks,
    refused,
)

NUL = b"\0"
ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def bmp(header: int, reserved: bytes = NUL * 4) -> bytes:
    return b"BM" + b"\x36\0\0\0" + reserved + b"\x36\0\0\0" + header.to_bytes(4, "little")


def media(brand: bytes, *, mark: bytes = b"ftyp") -> bytes:
    return b"\0\0\0\x18" + mark + brand + NUL * 8


def office(folder: bytes) -> bytes:
    return ZIP + b"[Content_Types].xml" + folder + b"document.xml"


def opened(kind: bytes) -> bytes:
    return ZIP + NUL * 26 + b"mimetypeapplication/vnd.oasis.opendocument." + kind + b"PK"


def ole(stream: str) -> bytes:
    return OLE + NUL * 504 + stream.encode("utf-16-le")


EXAMPLES = {
    "png": b"\x89PNG\r\n\x1a\n", "jpg": b"\xff\xd8\xff\xe0", "gif": b"GIF89a", "webp": b"RIFF1234WEBPVP8 ",
    "heic": media(b"heic"), "bmp": bmp(40), "tiff": b"II*\0", "pdf": b"%PDF-1.7\n",
    "docx": office(b"word/"), "xlsx": office(b"xl/"), "pptx": office(b"ppt/"),
    "odt": opened(b"text"), "ods": opened(b"spreadsheet"), "odp": opened(b"presentation"),
    "msg": ole("__properties_version1.0"), "doc": ole("WordDocument"), "xls": ole("Workbook"),
    "ppt": ole("PowerPoint Document"), "rtf": b"{\\rtf1", "zip": ZIP + b"plain", "7z": b"7z\xbc\xaf\x27\x1c",
    "gz": b"\x1f\x8b\x08", "m4a": media(b"M4A "), "mov": media(b"qt  "), "mp4": media(b"isom"),
    "webm": b"\x1a\x45\xdf\xa3", "mp3": b"ID3\3\0", "wav": b"RIFF1234WAVEfmt ", "evtx": b"ElfFile\0",
    "pcap": b"\xd4\xc3\xb2\xa1", "dmp": b"MDMP\x93\xa7", "dat": b"\x78\x9f\x3e\x22",
    "txt": b"It does not print.", "csv": b"a,b\n1,2\n", "html": b"<p>Hello</p>", "eml": b"From: a@example.com\n",
}  # fmt: skip
WITHOUT_A_SECOND = ("txt", "csv", "html", "eml", "doc", "xls")  # their bytes alone tell less


@pytest.mark.parametrize("ending", EXAMPLES)
def test_file_of_a_type_keeps_its_name(ending):
    name, media_type = identify(f"file.{ending}", EXAMPLES[ending])
    assert (name, media_type) == (f"file.{ending}", TYPES[ending].media_type)


@pytest.mark.parametrize("ending", sorted(EXAMPLES.keys() - set(WITHOUT_A_SECOND)))
def test_bytes_alone_tell_the_type(ending):
    name, media_type = identify("file", EXAMPLES[ending])
    assert media_type == TYPES[ending].media_type
    assert TYPES[name.rpartition(".")[2]].media_type == media_type


@pytest.mark.parametrize("ending", sorted(EXAMPLES.keys() - {"txt", "csv", "html", "eml"}))
def test_text_is_no_file_of_a_certain_type(ending):
    """A doc and an xls may well be text: many programs write HTML under these names."""
    assert TYPES[ending].fits(b"The wide world is not a file.") == (ending in ("doc", "xls"))


@pytest.mark.parametrize("header", [12, 40, 52, 56, 64, 108, 124])
def test_bmp_of_each_age(header):
    assert TYPES["bmp"].fits(bmp(header))
    assert not TYPES["bmp"].fits(bmp(header + 1))
    assert not TYPES["bmp"].fits(bmp(header - 1))


def test_text_that_begins_with_bm_is_no_bmp():
    assert not TYPES["bmp"].fits(bmp(40, b"text"))


@pytest.mark.parametrize("second", [0xE2, 0xE3, 0xEA, 0xEB, 0xF2, 0xF3, 0xFA, 0xFB])
def test_mp3_without_a_tag(second):
    assert TYPES["mp3"].fits(bytes([0xFF, second]))


@pytest.mark.parametrize("second", [0xE1, 0xE4, 0xF1, 0xF4, 0xFC, 0xFE])
def test_other_bytes_are_no_frame(second):
    assert not TYPES["mp3"].fits(bytes([0xFF, second]))


@pytest.mark.parametrize(
    ("content", "fits"),
    [
        (media(b"qt  "), ["mov", "mp4"]),
        (media(b"isom"), ["mp4"]),
        (media(b"heic"), ["heic", "heif"]),
        (media(b"M4B "), ["m4a", "mp4"]),
        (media(b"\0\0\0\0", mark=b"moov"), ["mov", "mp4"]),  # before there were brands
        (b"The wide world", []),
        (b"RIFF1234WEBP", ["webp"]),
        (b"RIFF1234AVI ", []),
        (ZIP + b"[Content_Types].xml", ["zip"]),
        (ZIP + b"word/", ["zip"]),
        (b"\x7fELF\0", []),
    ],
)
def test_only_these_types_fit(content, fits):
    assert [name for name, kind in TYPES.items() if kind.is_certain and kind.fits(content)] == fits


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", True),
        (b"words", True),
        (b"PK,name,price\n", True),
        (b"MZ is a prefix", True),
        (b"words" + NUL, False),
        (b"w" * 8191 + NUL, False),
        (b"w" * 8192 + NUL, True),
        (b"\xff\xfew\0o\0", True),
        (b"\xfe\xff\0w\0o", True),
        (b"%PDF-1.7", False),
        (b"\x7fELF", False),
        (b"Rar!\x1a", False),
    ],
)
def test_what_is_text(content, expected):
    assert is_text(content) == expected


def test_program_is_recognized_by_its_signature():
    assert is_no_program(b"\x01\0\0data")
    assert is_no_program(b"MZ is a prefix")
    for mark in (b"MZ\0", *file_types.PROGRAMS[1:]):
        assert not is_no_program(mark)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("a.PDF", "pdf"), ("a.7z", "7z"), ("Screenshot 2026.11", ""), ("a", ""), ("a.", ""), ("a.b c", "")],
)
def test_extension(name, expected):
    assert extension(name) == expected


def test_wrong_and_missing_names_are_put_right():
    assert identify("photo.jpg", EXAMPLES["png"]) == ("photo.png", "image/png")
    assert identify("Screenshot 2026.11", EXAMPLES["png"]) == ("Screenshot 2026.11.png", "image/png")
    assert identify("photo.unknown", EXAMPLES["png"]) == ("photo.unknown.png", "image/png")
    assert identify("notes", b"It does not print.") == ("notes.txt", "text/plain")


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("run.exe", b"MZ\0", "Files of type .exe are not accepted."),
        ("run.exe", b"only words", "Files of type .exe are not accepted."),
        ("data", b"\x01\0\2", "Files of type unknown are not accepted."),
        ("notes.unknown", b"only words", "Files of type .unknown are not accepted."),
        ("a.png", b"only words", "The content does not match .png."),
    ],
)
def test_refused(name, content, text):
    with pytest.raises(ValidationError) as error:
        identify(name, content)
    assert error.value.messages == [text]
    assert described(name, content) == (name, "application/octet-stream")


def test_what_was_taken_away_is_refused(settings):
    settings.ATTACHMENT_TYPES = chosen(["-zip"])
    with pytest.raises(ValidationError, match=r"\.zip are not accepted"):
        identify("a.zip", EXAMPLES["zip"])
    with pytest.raises(ValidationError, match="unknown"):
        identify("a", EXAMPLES["zip"])


def test_type_that_was_added_is_any_file_but_a_program(settings):
    settings.ATTACHMENT_TYPES = chosen(["+dwg"])
    assert identify("plan.dwg", b"\x01\0\2") == ("plan.dwg", "application/octet-stream")
    with pytest.raises(ValidationError, match=r"does not match \.dwg"):
        identify("plan.dwg", b"MZ\0")


def test_setting_names_types_or_changes():
    assert chosen([]) == tuple(TYPES)
    assert chosen(["PNG", ".pdf", "png"]) == ("png", "pdf")
    assert chosen(["jpg"]) == ("jpg", "jpeg")
    assert chosen(["+dwg", "-zip"]) == (*(name for name in TYPES if name != "zip"), "dwg")
    assert not {"htm", "html"} & set(chosen(["-.html"]))
    assert "abcdefghij" in chosen(["+abcdefghij"])


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["png", "+dwg"], "must be a list"),
        (["p.g"], "must name extensions"),
        (["123"], "must name extensions"),
        (["+abcdefghijk"], "must name extensions"),
        (["exe"], "it runs when it is opened"),
        (["+exe"], "it runs when it is opened"),
    ],
)
def test_setting_that_makes_no_sense(words, text):
    with pytest.raises(ImproperlyConfigured, match=text):
        chosen(words)


def test_program_may_be_taken_away():
    assert chosen(["-exe"]) == tuple(TYPES)


def test_refused_whatever_the_bytes_are():
    assert refused(TYPES) == EXECUTABLES
    assert refused(["png"]) == EXECUTABLES | TYPES.keys() - {"png"}


def test_marks_are_those_of_certain_types():
    assert marks(["png", "txt", "dwg"]) == ["0:89504e470d0a1a0a"]
    assert marks(["heic", "heif"]) == ["4:66747970"]
