"""Files: what is taken, how it is stored, and that it never runs in our origin (THREATS 2.3, 2.4, I9)."""

import hashlib
import time
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from accounts.actor import acting_as
from tickets.actions import conversation, merging
from tickets.actions.conversation import Message
from tickets.models import Attachment, Ticket
from tickets.rules.file_types import TYPES, Marked, chosen, marks
from tickets.rules.validators import MAX_BYTES_A_DAY, safe_name
from tickets.tests.factories import PNG, make_ticket, upload
from tickets.tests.views.test_ticket_new import URL, form

pytestmark = pytest.mark.django_db
ZIP = b"PK\x03\x04" + b"\0" * 26
ODT = ZIP + b"mimetypeapplication/vnd.oasis.opendocument.text"
DOCX = ZIP + b"[Content_Types].xml word/document.xml"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 20
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"


def ole(stream: str) -> bytes:
    return OLE + b"\0" * 20 + stream.encode("utf-16-le")


GOOD = {
    "a.png": PNG,
    "a.jpg": JPEG,
    "41 a.php.jpg": JPEG,
    "a.gif": b"GIF89a" + b"\0" * 20,
    "44 polyglot.gif": b"GIF89a/*\0*/=1;alert(1)//",
    "a.webp": b"RIFF\0\0\0\0WEBPVP8 ",
    "a.heic": HEIC,
    "a.bmp": b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0",
    "a.tiff": b"II*\0\x08\0\0\0",
    "a.pdf": b"%PDF-1.7\n/JavaScript (app.alert(1))",
    "44 a.txt": b"<script>alert(1)</script>",
    "a.log": "Grüße".encode("utf-16"),
    "a.csv": b"=1+1,2\n",
    "a.eml": b"From: a@b.test\r\n\r\nHello",
    **{
        f"a.{kind}": b"some text: 1\n"
        for kind in ["html", "json", "xml", "yaml", "conf", "ini", "ics", "vcf", "asc", "md"]
    },
    "a.odt": ODT,
    "a.ods": ZIP + b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
    "a.odp": ZIP + b"mimetypeapplication/vnd.oasis.opendocument.presentation",
    "a.docx": DOCX,
    "A.DOCX": DOCX,
    "a.docm": DOCX,
    "a.xlsx": ZIP + b"[Content_Types].xml xl/workbook.xml",
    "a.xlsm": ZIP + b"[Content_Types].xml xl/workbook.xml",
    "a.pptx": ZIP + b"[Content_Types].xml ppt/presentation.xml",
    "a.doc": ole("WordDocument"),
    "a.xls": ole("Workbook"),
    "page of a web program.xls": b"<table><tr><td>1</td></tr></table>",
    "a.ppt": ole("PowerPoint Document"),
    "a.msg": ole("__substg1.0_0037001F"),
    "a.rtf": rb"{\rtf1 Hello}",
    "a.zip": ZIP,
    "a.7z": b"7z\xbc\xaf\x27\x1c\0\4",
    "a.gz": b"\x1f\x8b\x08\0",
    "a.tar.gz": b"\x1f\x8b\x08\0",
    "a.mp4": b"\0\0\0\x18ftypisom\0\0\2\0",
    "a.mov": b"\0\0\0\x14ftypqt  ",
    "a.m4a": b"\0\0\0\x18ftypM4A ",
    "a.webm": b"\x1a\x45\xdf\xa3",
    "a.mp3": b"\xff\xfb\x90\x64\0",
    "a.wav": b"RIFF\0\0\0\0WAVEfmt ",
    "a.evtx": b"ElfFile\0\0\0",
    "a.etl": b"\0\0\1\0\2\0",
    "a.dmp": b"MDMP\x93\xa7\0\0",
    "a.pcap": b"\xd4\xc3\xb2\xa1\2\0\4\0",
    "a.p7m": b"\x30\x82\x10\0",
    "winmail.dat": b"\x78\x9f\x3e\x22\0",
    "table that begins like an archive.csv": b"PK,name\n1,Printer\n",
    "words that begin like a program.txt": b"MZ-300 does not scan",
    "words that begin like a picture.txt": b"BMW 320, the navigation does not start",
}
# Sent as -> kept as
MENDED = {
    "photo.jpg": ("photo.png", PNG),
    "photo.PNG": ("photo.jpg", JPEG),
    "IMG_0001.JPG": ("IMG_0001.heic", HEIC),
    "Screenshot": ("Screenshot.png", PNG),
    "Screenshot 2026.11": ("Screenshot 2026.11.png", PNG),
    "scan.txt": ("scan.pdf", b"%PDF-1.7\n"),
    "a.docx": ("a.zip", ZIP),
    "table.xls": ("table.xlsx", ZIP + b"[Content_Types].xml xl/workbook.xml"),
    "README": ("README.txt", b"Read this first."),
    ".htaccess": ("htaccess.txt", b"Require all granted"),
    "Notes 2026.11": ("Notes 2026.11.txt", b"The wide screen stays black."),
    "ID3": ("ID3.txt", b"ID3 is on all files"),
    "a.xyz": ("a.xyz.png", PNG),
    "portrait.jfif": ("portrait.jfif.jpg", JPEG),
    "mail.eml": ("mail.msg", ole("__properties_version1.0")),
}


def send(client, *files):
    return client.post(URL, form(attachments=list(files)))


def download(client, url):
    """The answer with its bytes as `body`; reading to the end closes the file."""
    response = client.get(url)
    response.body = b"".join(response.streaming_content)
    return response


@pytest.mark.parametrize("name", GOOD)
def test_accepted_file_is_kept_and_only_ever_downloaded(client_of, alice, attachments_dir, name):
    """THREATS 41, 44, I9: as an attachment of no type, in a sandbox."""
    client, content = client_of(alice), GOOD[name]
    assert send(client, upload(name, content)).status_code == 302
    attachment = Attachment.objects.get()
    response = download(client, attachment.get_absolute_url())
    assert response.body == content
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment; filename=")
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response["Content-Security-Policy"]
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert response["X-Frame-Options"] == "DENY"
    assert attachment.sha256 == hashlib.sha256(content).hexdigest()
    stored = [path for path in attachments_dir.rglob("*") if path.is_file()]
    assert [path.name for path in stored] == [attachment.key]
    assert attachment.key not in name


@pytest.mark.parametrize("name", MENDED)
def test_name_is_mended_where_the_bytes_say_something_else(client_of, alice, name):
    kept, content = MENDED[name]
    assert send(client_of(alice), upload(name, content)).status_code == 302
    assert Attachment.objects.get().name == kept


def test_marks_for_the_browser_are_those_of_every_type_that_bytes_tell():
    """What it refuses by them, the server refuses too."""
    certain = [one for one, kind in TYPES.items() if kind.is_certain]
    assert all(isinstance(TYPES[one].fits, Marked) for one in certain)
    found = [
        (int(place), bytes.fromhex(mark)) for place, _colon, mark in (m.partition(":") for m in marks(TYPES))
    ]
    for name, content in GOOD.items():
        kind = TYPES[name.rpartition(".")[2].lower()]
        assert not kind.is_certain or any(content.startswith(mark, place) for place, mark in found)
    assert marks(["png", "txt", "dwg"]) == ["0:89504e470d0a1a0a"]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("CON.txt", "_CON.txt"),
        ("con", "_con.txt"),
        ("nul.tar.txt", "_nul.tar.txt"),
        ("COM1.txt", "_COM1.txt"),
        ("lpt\u00b9.txt", "_lpt\u00b9.txt"),
        ("AUX .txt", "_AUX .txt"),
        ("CONTRACT.txt", "CONTRACT.txt"),
        ("com10.txt", "com10.txt"),
        ("..txt", "txt.txt"),
        ("\u202etxt.gnp\u2069.txt", "txt.gnp.txt"),
        ("a\u200b.txt", "a.txt"),
        ("Cafe\u0301.txt", "Caf\u00e9.txt"),
        ("C:\\fakepath\\a.txt", "C:_fakepath_a.txt"),
    ],
)
def test_name_is_made_harmless(client_of, alice, name, kept):
    """THREATS 42: devices of Windows, characters that hide or turn what is read."""
    attachment = Attachment.from_upload(upload(name, b"words"), ticket=None, uploader=alice)
    assert attachment.name == kept


@pytest.mark.parametrize(
    ("words", "taken", "refused"),
    [
        ([], {"png", "zip", "docm"}, {"svg", "dwg", "exe"}),
        (["png", ".PDF"], {"png", "pdf"}, {"zip", "txt"}),
        (["jpg"], {"jpg", "jpeg"}, {"png"}),
        (["+dwg", "-tif", "-html"], {"dwg"}, {"tif", "tiff", "htm", "html"}),
        (["+dwg", "-zip"], {"dwg", "png"}, {"zip"}),
    ],
)
def test_setting_chooses_the_types(settings, words, taken, refused):
    settings.ATTACHMENT_TYPES = chosen(words)
    assert taken <= set(settings.ATTACHMENT_TYPES)
    assert not refused & set(settings.ATTACHMENT_TYPES)


@pytest.mark.parametrize("words", [["exe"], ["+ps1"], ["png", "-zip"], ["p n g"], ["*"], ["+"]])
def test_senseless_setting_stops_the_start(words):
    with pytest.raises(ImproperlyConfigured, match="ATTACHMENT_TYPES"):
        chosen(words)


def test_type_that_was_added_is_taken_unless_it_runs(settings, client_of, alice):
    settings.ATTACHMENT_TYPES = chosen(["+dwg"])
    assert send(client_of(alice), upload("plan.dwg", b"AC1032\0\0")).status_code == 302
    assert "does not match .dwg" in send(client_of(alice), upload("a.dwg", b"MZ\x90\0")).content.decode()


def test_type_that_was_taken_away_is_refused_whatever_its_name(settings, client_of, alice, unchanged):
    settings.ATTACHMENT_TYPES = chosen(["-zip"])
    client = client_of(alice)
    for name in ("a.zip", "a", "a.docx"):
        with unchanged():
            assert send(client, upload(name, ZIP)).status_code == 200


BAD = {
    "39 svg": ("a.svg", b"<svg onload=alert(1)>", "Files of type .svg are not accepted."),
    **{
        f"40 {kind}": (f"a.{kind}", b"x", f"Files of type .{kind} are not accepted.")
        for kind in ("xhtml", "exe", "bat", "lnk", "iso", "hta", "msi", "url", "js", "ps1", "sh", "jar", "py")
    },
    "41 exe behind jpg": ("a.jpg.exe", b"MZ", "Files of type .exe are not accepted."),
    "picture called exe": ("a.exe", PNG, "Files of type .exe are not accepted."),
    **{
        f"42 {name!r}": (name, b"MZ", "Files of type .exe are not accepted.")
        for name in ("x.exe.", "x.exe ", "x.e\u200bxe", "x.exe\u202e", "x.EXE", "x.\u2066exe")
    },
    "42 right to left": ("\u202egnp.exe", PNG, "Files of type .exe are not accepted."),
    "no extension, a program": ("passwd", b"MZ\x90\0", "Files of type unknown are not accepted."),
    "unknown": ("a.xyz", b"words", "Files of type .xyz are not accepted."),
    "unknown, a program": ("a.xyz", b"MZ\x90\0", "Files of type .xyz are not accepted."),
    "40 pdf.exe": ("x.pdf.exe", b"%PDF-1.7", "Files of type .exe are not accepted."),
    "no extension, bytes": ("passwd", b"\0\1\2", "Files of type unknown are not accepted."),
    "43 html as png": ("photo.png", b"<html>", "The content does not match .png."),
    "43 exe as pdf": ("report.pdf", b"MZ\x90", "The content does not match .pdf."),
    "43 exe as txt": ("a.txt", b"MZ\x90\0", "The content does not match .txt."),
    "43 text as zip": ("a.zip", b"hello", "The content does not match .zip."),
    "43 html as heic": ("a.heic", b"<html>", "The content does not match .heic."),
    "exe as trace": ("a.etl", b"MZ\x90\0", "The content does not match .etl."),
    "45 empty": ("a.png", b"", "The submitted file is empty."),
    "46 too large": ("a.png", PNG + b"\0" * 10 * 1024 * 1024, "a.png is larger than 10\xa0MB"),
}


@pytest.mark.parametrize(("name", "content", "message"), BAD.values(), ids=BAD.keys())
def test_refused_file_names_the_reason_and_keeps_the_text(
    client_of, alice, unchanged, name, content, message
):
    client = client_of(alice)
    with unchanged():
        response = send(client, upload(name, content))
    page = response.content.decode()
    assert response.status_code == 200
    assert message in page.replace("&#x27;", "'")
    assert "The speakers are silent" in page


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ([upload(f"{number}.png") for number in range(6)], "Attach at most 5 files."),
        (
            [upload(f"{n}.png", PNG + b"\0" * 7 * 1024 * 1024) for n in range(3)],
            "Together the files are larger",
        ),
    ],
    ids=["six", "21 MB"],
)
def test_limits_of_one_message(client_of, alice, unchanged, files, message):
    """THREATS 46."""
    client = client_of(alice)
    with unchanged():
        response = send(client, *files)
    assert message in response.content.decode()


def test_each_refused_file_gets_its_own_line(client_of, alice, unchanged):
    client = client_of(alice)
    with unchanged():
        response = send(client, upload("a.exe"), upload(), upload("b.pdf", b"MZ\0"))
    page = response.content.decode()
    assert "Files of type .exe are not accepted." in page
    assert "The content does not match .pdf." in page


def test_there_is_no_box_that_takes_a_file_back(client_of, alice):
    """Django's own file field for models has one; together with a file it would be a contradiction."""
    assert client_of(alice).post(URL, {**form(attachments=[upload()]), "attachments-clear": "on"}).url
    assert Attachment.objects.count() == 1


def test_request_that_says_it_is_too_large_is_refused_unread(client_of, alice, unchanged):
    """THREATS 46: 413 before the body is read."""
    client = client_of(alice)
    with unchanged():
        response = client.post(URL, form(), CONTENT_LENGTH=str(27 * 1024 * 1024))
    assert response.status_code == 413
    assert "Files are too large" in response.content.decode()


@pytest.mark.parametrize(
    "name",
    [
        'a"b.png',
        "😀.png",
        "x" * 255 + ".png",
        "../../etc/passwd.png",
        "a;b=c.png",
    ],
    ids=["quote", "emoji", "255 characters", "path", "semicolon"],
)
def test_any_name_makes_one_safe_header(client_of, alice, name):
    """THREATS 48."""
    client = client_of(alice)
    assert send(client, upload(name)).status_code == 302
    attachment = Attachment.objects.get()
    assert len(attachment.name) <= 120
    assert attachment.name.endswith(".png")
    assert "/" not in attachment.name
    response = download(client, attachment.get_absolute_url())
    assert response.status_code == 200
    assert "Set-Cookie" not in response
    assert "\n" not in response["Content-Disposition"]


def test_line_break_in_a_name_becomes_a_space():
    """THREATS 48."""
    assert safe_name("a\r\nSet-Cookie: x=1\0.png") == "a  Set-Cookie: x=1 .png"


def test_same_name_twice_makes_two_files(client_of, alice, attachments_dir):
    """THREATS 49."""
    send(client_of(alice), upload(), upload())
    assert Attachment.objects.values("key").distinct().count() == 2
    assert len([path for path in attachments_dir.rglob("*") if path.is_file()]) == 2


def test_bomb_is_never_opened(client_of, alice):
    """THREATS 50: a PNG that says 30,000 x 30,000 is looked at, not drawn."""
    header = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (30_000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0"
    started = time.monotonic()
    assert send(client_of(alice), upload("bomb.png", header)).status_code == 302
    assert time.monotonic() - started < 5


def test_fifty_first_file_of_the_day_waits(client_of, alice, unchanged):
    """THREATS 51."""
    client, ticket = client_of(alice), make_ticket(alice)
    Attachment.attach([upload(f"{number}.png") for number in range(48)], ticket=ticket, uploader=alice)
    with unchanged():
        response = send(client, upload(), upload(), upload())
    assert response.status_code == 429
    assert 86_000 < int(response["Retry-After"]) <= 86_400
    page = response.content.decode()
    assert "These are more files than you can send in one day." in page
    assert "The speakers are silent" in page
    assert send(client, upload(), upload()).status_code == 302
    with time_machine.travel(timezone.now() + timedelta(hours=25), tick=False):
        client.force_login(alice)
        assert send(client, upload()).status_code == 302


def test_two_hundred_megabytes_of_the_day_are_the_limit(client_of, alice, unchanged):
    """THREATS 2.3."""
    client, ticket = client_of(alice), make_ticket(alice)
    for _number in range(20):
        file = Attachment.from_upload(upload(), ticket=ticket, uploader=alice)
        file.size = MAX_BYTES_A_DAY // 20 - 1
        file.save()
    with unchanged():
        assert send(client, upload()).status_code == 429
    assert send(client).status_code == 302  # words are always welcome


def test_file_is_for_the_requester_and_staff_only(client_of, client, alice, charlie, ann):
    """THREATS 52."""
    send(client_of(alice), upload())
    url = Attachment.objects.get().get_absolute_url()
    assert download(client_of(ann), url).status_code == 200
    assert client_of(charlie).get(url).status_code == 404
    assert client.get(url).url == f"/accounts/login/?next={url}"


def test_one_file_is_found_for_whoever_sees_it_among_all(alice, bob, charlie, ann):
    own, merged = make_ticket(alice), make_ticket(alice)
    with acting_as(ann):
        conversation.watch(own, bob)
        conversation.reply(own, Message(author=ann, body="See", files=[upload("reply.png")]))
        conversation.note(own, Message(author=ann, body="Hush", files=[upload("note.png")]))
        conversation.reply(merged, Message(author=ann, body="See", files=[upload("merged.png")]))
        merging.merge(merged, own)
    found = {}
    for person in (alice, bob, charlie, ann, AnonymousUser()):
        seen = set(Attachment.objects.visible_to(person))
        found[str(person)] = {file.name for file in seen}
        for file in Attachment.objects.all():
            assert Attachment.objects.get_visible(file.key, person) == (file if file in seen else None)
    assert list(map(len, found.values())) == [2, 2, 0, 3, 0]
    assert "note.png" not in found[str(alice)] | found[str(bob)] | found[str(charlie)]


@pytest.mark.parametrize("key", ["x", "x" * 300, "..%2f..", "a%00b"])
def test_guessed_key_is_not_there(client_of, alice, key):
    """THREATS 52."""
    assert client_of(alice).get(f"/tickets/attachments/{key}/").status_code == 404


def test_lost_file_is_not_there_and_noted(client_of, alice, attachments_dir, caplog):
    send(client_of(alice), upload())
    attachment = Attachment.objects.get()
    next(path for path in attachments_dir.rglob("*") if path.is_file()).unlink()
    assert client_of(alice).get(attachment.get_absolute_url()).status_code == 404
    assert "is missing in the storage" in caplog.text


def test_refused_ticket_leaves_no_file(client_of, alice, attachments_dir):
    client, data = client_of(alice), form(attachments=[upload()])
    client.post(URL, data)
    client.post(URL, {**data, "attachments": [upload()]})
    assert Ticket.objects.count() == 1
    assert len([path for path in attachments_dir.rglob("*") if path.is_file()]) == 1
