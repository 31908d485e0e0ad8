"""Pictures are shown as drawn anew; their own bytes stay a download, and what can't be drawn breaks nothing."""

import io
import json
import struct
import subprocess
import sys
import zlib

import pillow_heif
import pytest
from PIL import Image, ImageCms

from accounts.actor import acting_as
from tickets import jobs
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.files import pictures, rendering
from tickets.files.rendering import NotAPicture, Rendition, draw, render
from tickets.models import Attachment
from tickets.storage.access import StoreUnavailable
from tickets.tests.factories import make_ticket, upload

pytestmark = pytest.mark.django_db
DRAW_IN_THREAD = pictures.draw_in_thread  # other tests do without it (conftest.py)


def picture(kind: str = "PNG", size=(1200, 800), mode: str = "RGB", **options) -> bytes:
    if kind == "HEIF":
        pillow_heif.register_heif_opener()
    image = Image.linear_gradient("L").resize(size).convert(mode)
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def camera_data() -> bytes:
    exif = Image.Exif()
    exif[271], exif[274] = "Secret Camera", 6  # turned by a quarter
    exif.get_ifd(34853)[1] = "N"
    return exif.tobytes()


def attach(person, ticket=None, *, name="a.png", content=None, comment=None) -> Attachment:
    ticket = ticket or make_ticket(person)
    Attachment.attach([upload(name, content or picture())], ticket=ticket, uploader=person, comment=comment)
    return Attachment.objects.latest("pk")


def made(attachment: Attachment) -> Attachment:
    pictures.make_waiting()
    attachment.refresh_from_db()
    return attachment


def stored(attachments_dir) -> list[str]:
    return sorted(path.name for path in attachments_dir.rglob("*") if path.is_file())


def body(response) -> bytes:
    """Downloads stream, pictures don't."""
    return b"".join(response.streaming_content) if response.streaming else response.content


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.png", picture()),
        ("a.jpg", picture("JPEG")),
        ("a.gif", picture("GIF", mode="P")),
        ("a.webp", picture("WEBP")),
        ("a.heic", picture("HEIF")),
        ("transparent.png", picture(mode="RGBA")),
        ("grey.png", picture(mode="L")),
        ("print.jpg", picture("JPEG", mode="CMYK")),
        ("one bit.png", picture(mode="1")),
        ("tiny.png", picture(size=(1, 1))),
        ("narrow.png", picture(size=(2, 6000))),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_kind_is_drawn_and_shown_to_who_may_see_it(
    client_of, client, alice, charlie, ann, name, content
):
    attachment = made(attach(alice, name=name, content=content))
    assert attachment.picture_state == "ready"
    page = client_of(alice).get(attachment.ticket.get_absolute_url()).content.decode()
    for size in ("view", "thumbnail"):
        url = f"{attachment.get_absolute_url()}{size}/"
        assert url in page
        response = client_of(alice).get(url)
        assert response["Content-Type"] == "image/webp"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in response["Content-Security-Policy"]
        assert "attachment" not in response.get("Content-Disposition", "")
        with Image.open(io.BytesIO(body(response))) as shown:
            assert shown.format == "WEBP"
            assert max(shown.size) <= (2000 if size == "view" else 480)
            if size == "thumbnail":
                assert shown.size == attachment.thumbnail_size
        assert body(client_of(ann).get(url))
        assert client_of(charlie).get(url).status_code == 404
        assert client.get(url).status_code == 302
    assert body(client_of(alice).get(attachment.get_absolute_url())) == content


def test_picture_of_a_note_is_for_staff(client_of, alice, ann):
    ticket = make_ticket(alice)
    with acting_as(ann):
        note = conversation.note(ticket, Message(author=ann, body="See", files=[upload("a.png", picture())]))
    attachment = made(note.attachments.get())
    url = f"{attachment.get_absolute_url()}view/"
    assert client_of(alice).get(url).status_code == 404
    assert body(client_of(ann).get(url))


def test_nothing_of_the_camera_is_left_and_the_picture_stands_upright():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    content = picture("JPEG", size=(1200, 800), exif=camera_data(), icc_profile=profile)
    assert b"Secret Camera" in content
    drawn = draw(content)
    assert (drawn.width, drawn.height) == (800, 1200)
    for part in (drawn.view, drawn.thumbnail):
        assert b"Secret Camera" not in part
        with Image.open(io.BytesIO(part)) as shown:
            assert not shown.getexif()
            assert "icc_profile" not in shown.info
            assert "xmp" not in shown.info


def test_colours_are_those_that_the_profile_means():
    """A profile that swaps nothing is taken over; a broken one is passed over."""
    assert draw(picture("JPEG", icc_profile=b"broken")).width == 1200


def test_screenshot_keeps_its_letters_and_a_large_one_stays_small():
    image = Image.effect_noise((1900, 1500), 80)
    out = io.BytesIO()
    image.convert("RGB").save(out, "PNG")
    assert len(draw(out.getvalue()).view) < len(out.getvalue()) / 2
    sharp = Image.new("RGB", (600, 400), "white")
    sharp.putpixel((300, 200), (255, 0, 0))
    out = io.BytesIO()
    sharp.save(out, "PNG")
    with Image.open(io.BytesIO(draw(out.getvalue()).view)) as shown:
        assert shown.convert("RGB").getpixel((300, 200)) == (255, 0, 0)


def bomb() -> bytes:
    """Says that it is 30,000 x 30,000."""
    return (
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (30_000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0\x12\x34\x56\x78"
    )


def lying(content: bytes, mark: bytes, place: int, layout: str) -> bytes:
    """`content` that says it is much larger than it is."""
    place += content.index(mark)
    sides = struct.pack(layout, 50_000, 50_000)
    return content[:place] + sides + content[place + len(sides) :]


def with_text(content: bytes) -> bytes:
    """With a comment in it that unpacks to 100 MB."""
    data = b"zTXt" + b"a\0\0" + zlib.compress(b"\0" * 100_000_000, 9)
    chunk = struct.pack(">I", len(data) - 4) + data + struct.pack(">I", zlib.crc32(data))
    return content[:33] + chunk + content[33:]


def animation(frames: int) -> bytes:
    image = b"\x2c" + struct.pack("<HHHH", 0, 0, 1, 1) + b"\0\2\2\x44\1\0"
    screen = struct.pack("<HH", 30, 20) + b"\x80\0\0" + b"\0\0\0\xff\xff\xff"
    return b"GIF89a" + screen + image * frames + b"\x3b"


def test_of_many_frames_the_first_is_drawn():
    drawn = render(animation(5000))
    assert (drawn.width, drawn.height) == (30, 20)


@pytest.mark.parametrize(
    "content",
    [
        bomb(),
        lying(picture("JPEG"), b"\xff\xc0", 5, ">HH"),
        lying(picture("GIF", mode="P"), b"GIF8", 6, "<HH"),
        lying(picture("HEIF"), b"ispe", 8, ">II"),
        with_text(picture()),
        picture()[:400],
        picture("JPEG", size=(4000, 3000))[:40_000],
        b"\x89PNG\r\n\x1a\n" + b"\0" * 32,
        b"\xff\xd8\xff" + b"x" * 100,
        b"GIF8",
    ],
    ids=[
        "bomb", "large JPEG", "large GIF", "large HEIC", "long comment", "cut off", "JPEG cut off", "no chunks",
        "no JPEG", "no GIF",
    ],
)  # fmt: skip
def test_what_cannot_be_drawn_stays_a_download(client_of, alice, attachments_dir, content):
    """THREATS 50."""
    attachment = made(attach(alice, name="a.png", content=content))
    assert attachment.picture_state == "failed"
    assert stored(attachments_dir) == [attachment.key]
    page = client_of(alice).get(attachment.ticket.get_absolute_url()).content.decode()
    assert f'href="{attachment.get_absolute_url()}"' in page
    assert "thumbnail/" not in page
    for size in ("view", "thumbnail"):
        assert client_of(alice).get(f"{attachment.get_absolute_url()}{size}/").status_code == 404
    assert pictures.make_waiting() == 0


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("while True: pass", subprocess.TimeoutExpired),
        ("x = bytearray(8 * 1024**3)", subprocess.CalledProcessError),
        ("import os; os.abort()", subprocess.CalledProcessError),
        ("print('no json')", json.JSONDecodeError),
        ("import os; os.write(1, b'{}')", KeyError),
    ],
    ids=["for ever", "memory", "crash", "nonsense", "empty"],
)
def test_drawing_that_breaks_or_takes_too_long_ends_alone(monkeypatch, tmp_path, program, why):
    child = tmp_path / "child.py"
    child.write_text(f"from tickets.files import rendering\nrendering.limit()\n{program}")
    monkeypatch.setenv("PYTHONPATH", str(rendering.ROOT))
    monkeypatch.setattr(rendering, "COMMAND", [sys.executable, str(child)])
    monkeypatch.setattr(rendering, "MOST_TIME", 3)
    with pytest.raises(NotAPicture) as refused:
        render(picture())
    error = refused.value.__cause__
    assert type(error) is why
    assert b"import rendering" not in (getattr(error, "stderr", None) or b"")


def test_picture_of_a_deleted_ticket_leaves_nothing(
    alice, attachments_dir, django_capture_on_commit_callbacks
):
    attachment = made(attach(alice))
    assert len(stored(attachments_dir)) == 3
    with django_capture_on_commit_callbacks(execute=True), acting_as(alice):
        attachment.ticket.delete()
    assert stored(attachments_dir) == []


def test_picture_that_is_deleted_while_it_is_drawn_leaves_nothing(
    alice, attachments_dir, monkeypatch, django_capture_on_commit_callbacks
):
    attachment = attach(alice)

    def delete_meanwhile(content: bytes) -> Rendition:
        Attachment.objects.filter(pk=attachment.pk)._raw_delete(using="default")
        attachment.file.storage.delete(attachment.file.name)
        return draw(content)

    monkeypatch.setattr(pictures, "render", delete_meanwhile)
    with django_capture_on_commit_callbacks(execute=True):
        pictures.make_waiting()
    assert stored(attachments_dir) == []


def test_picture_that_two_draw_at_once_is_there_once(alice, attachments_dir, monkeypatch):
    attachment = attach(alice)
    others = [True]

    def drawn_by_another_meanwhile(content: bytes) -> Rendition:
        if others and others.pop():
            pictures.make(attachment)
        return draw(content)

    monkeypatch.setattr(pictures, "render", drawn_by_another_meanwhile)
    pictures.make_waiting()
    attachment.refresh_from_db()
    assert attachment.is_shown
    names = [attachment.key, f"{attachment.key}.thumbnail", f"{attachment.key}.view"]
    assert stored(attachments_dir) == names


def test_save_that_comes_second_leaves_no_other_file(alice, attachments_dir, monkeypatch):
    attachment = attach(alice)
    monkeypatch.setattr(type(attachment.file.storage), "delete", lambda self, name: None, raising=True)
    pictures._store(attachment, "view", b"first")
    monkeypatch.undo()
    deleted = []
    storage = attachment.file.storage
    delete = type(storage).delete

    def delete_but_not_the_first(self, name):
        if deleted or name != attachment.picture_path("view"):
            delete(self, name)
        deleted.append(name)

    monkeypatch.setattr(type(storage), "delete", delete_but_not_the_first)
    pictures._store(attachment, "view", b"second")
    assert [name for name in stored(attachments_dir) if "view" in name] == [f"{attachment.key}.view"]


def test_newest_is_drawn_first_and_a_failing_store_lets_it_wait(alice, monkeypatch):
    monkeypatch.setattr(pictures, "AT_ONCE", 1)
    first, second = attach(alice), attach(alice)
    assert made(second).is_shown
    first.refresh_from_db()
    assert first.picture_state == "waiting"
    with monkeypatch.context() as broken:
        broken.setattr(
            type(first.file.storage), "_save", lambda *args: (_ for _ in ()).throw(OSError("full"))
        )
        with pytest.raises(StoreUnavailable):
            pictures.make_waiting()
    assert made(first).is_shown


def test_browser_asks_again_and_gets_nothing_that_it_has(client_of, alice, charlie):
    attachment = made(attach(alice))
    url = f"{attachment.get_absolute_url()}thumbnail/"
    first = client_of(alice).get(url)
    assert "no-cache" in first["Cache-Control"]
    assert "private" in first["Cache-Control"]
    assert body(first)
    again = client_of(alice).get(url, headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client_of(charlie).get(url, headers={"If-None-Match": first["ETag"]}).status_code == 404


def test_picture_that_the_store_does_not_give_breaks_no_page(
    client_of, alice, monkeypatch, attachments_dir, caplog
):
    attachment = made(attach(alice))
    url, client = f"{attachment.get_absolute_url()}view/", client_of(alice)
    with monkeypatch.context() as broken:
        broken.setattr(
            type(attachment.file.storage), "_open", lambda *args: (_ for _ in ()).throw(OSError(5, "I/O"))
        )
        response = client.get(url)
        assert (response.status_code, response["Retry-After"]) == (503, "60")
        assert client.get(attachment.ticket.get_absolute_url()).status_code == 200
    next(path for path in attachments_dir.rglob("*.view")).unlink()
    assert client.get(url).status_code == 404
    assert "is missing in the storage" in caplog.text


@pytest.mark.parametrize("size", ["original", "VIEW", "x" * 200])
def test_other_sizes_are_not_there(client_of, alice, size):
    attachment = made(attach(alice))
    assert client_of(alice).get(f"{attachment.get_absolute_url()}{size}/").status_code == 404


def test_ten_pictures_cost_no_more_queries_than_one(client_of, alice, django_assert_max_num_queries):
    ticket = make_ticket(alice)
    client = client_of(alice)
    for count in (1, 10):
        while ticket.attachments.count() < count:
            made(attach(alice, ticket, content=picture(size=(20, 20))))
        with django_assert_max_num_queries(13):
            page = client.get(ticket.get_absolute_url()).content.decode()
        assert page.count("data-picture ") == count


def test_without_a_provider_the_process_that_took_it_draws(
    alice, monkeypatch, settings, django_capture_on_commit_callbacks
):
    started = []
    monkeypatch.setattr(pictures, "draw_in_thread", lambda: started.append(True))
    for settings.HAS_MAIL_PROVIDER in (True, False):
        with django_capture_on_commit_callbacks(execute=True):
            attach(alice)
            attach(alice, name="a.csv", content=b"a,b\n")
    assert started == [True]


@pytest.mark.django_db(transaction=True)
def test_thread_draws_and_a_failing_one_is_only_logged(alice, monkeypatch, caplog):
    attachment = attach(alice)
    with monkeypatch.context() as broken:
        broken.setattr(pictures, "render", lambda content: (_ for _ in ()).throw(StoreUnavailable("full")))
        DRAW_IN_THREAD().join()
    assert "could not be drawn now" in caplog.text
    DRAW_IN_THREAD().join()
    attachment.refresh_from_db()
    assert attachment.is_shown


def test_worker_draws(alice):
    attachment = attach(alice)
    (job,) = (job for job in jobs.JOBS if job.name == "draw_pictures")
    job.run()
    attachment.refresh_from_db()
    assert attachment.is_shown


def test_table_is_no_picture(alice):
    assert attach(alice, name="a.csv", content=b"a,b\n").picture_state == ""
