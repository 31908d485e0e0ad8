"""Files: what is taken, how it is stored, and that it never runs in our origin (THREATS 2.3, 2.4, I9)."""

import hashlib
import time
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from tickets.models import Attachment, Ticket
from tickets.tests.factories import PNG, make_ticket, upload
from tickets.tests.test_ticket_new import URL, form
from tickets.validators import MAX_BYTES_A_DAY, safe_name

pytestmark = pytest.mark.django_db
ZIP = b"PK\x03\x04" + b"\0" * 26
ODT = ZIP + b"mimetypeapplication/vnd.oasis.opendocument.text"
DOCX = ZIP + b"[Content_Types].xml word/document.xml"
GOOD = {
    "a.png": PNG,
    "a.jpg": b"\xff\xd8\xff\xe0" + b"\0" * 20,
    "41 a.php.jpg": b"\xff\xd8\xff\xe0" + b"\0" * 20,
    "a.gif": b"GIF89a" + b"\0" * 20,
    "44 polyglot.gif": b"GIF89a/*\0*/=1;alert(1)//",
    "a.webp": b"RIFF\0\0\0\0WEBPVP8 ",
    "a.pdf": b"%PDF-1.7\n/JavaScript (app.alert(1))",
    "44 a.txt": b"<script>alert(1)</script>",
    "a.log": "Grüße".encode("utf-16"),
    "a.csv": b"=1+1,2\n",
    "a.eml": b"From: a@b.test\r\n\r\nHello",
    "a.odt": ODT,
    "a.ods": ZIP + b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet",
    "a.docx": DOCX,
    "A.DOCX": DOCX,
    "a.xlsx": ZIP + b"[Content_Types].xml xl/workbook.xml",
    "a.pptx": ZIP + b"[Content_Types].xml ppt/presentation.xml",
    "table that begins like an archive.csv": b"PK,name\n1,Printer\n",
    "words that begin like a program.txt": b"MZ-300 does not scan",
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


BAD = {
    "39 svg": ("a.svg", b"<svg onload=alert(1)>", "Files of type .svg are not accepted."),
    "40 html": ("a.html", b"<p>", "Files of type .html are not accepted."),
    **{
        f"40 {kind}": (f"a.{kind}", b"x", f"Files of type .{kind} are not accepted.")
        for kind in ("xhtml", "xml", "exe", "bat", "lnk", "iso", "hta", "msi", "xlsm", "7z", "url")
    },
    "40 js": ("a.js", b"alert(1)", "Files of type .js are not accepted."),
    "40 zip": ("a.zip", ZIP, "Files of type .zip are not accepted."),
    "40 docm": ("a.docm", DOCX, "Files of type .docm are not accepted."),
    "41 exe behind jpg": ("a.jpg.exe", b"MZ", "Files of type .exe are not accepted."),
    "no extension": ("passwd", b"root", "Files of type unknown are not accepted."),
    "43 html as png": ("photo.png", b"<html>", "The content does not match .png."),
    "43 exe as pdf": ("report.pdf", b"MZ\x90", "The content does not match .pdf."),
    "43 exe as txt": ("a.txt", b"MZ\x90\0", "The content does not match .txt."),
    "43 zip as docx": ("a.docx", ZIP, "The content does not match .docx."),
    "45 empty": ("a.png", b"", "The submitted file is empty."),
    "46 too large": ("a.png", PNG + b"\0" * 10 * 1024 * 1024, "a.png is larger than 10.0"),
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
        ([upload(f"{number}.png") for number in range(6)], "Please attach at most 5 files."),
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
    assert "This is too much at once" in response.content.decode()


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
