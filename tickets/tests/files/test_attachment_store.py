"""A store of attachments that fails: nothing is lost, nothing half stored, never a 500 (THREATS 112, 114, 142)."""

import errno
import gc
import html
import os
import resource
import threading
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
import time_machine
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError, ReadTimeoutError
from django.core.files.base import File
from django.core.files.storage import FileSystemStorage
from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone

from accounts.actor import acting_as
from tickets import jobs
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.files.discarded import delete_discarded
from tickets.models import ActivityLog, Attachment, Comment, DiscardedFile, Draft, Notification, Ticket
from tickets.notifications import outbox
from tickets.rules.events import Verb
from tickets.rules.validators import MAX_FILE_BYTES
from tickets.rules.workflow import TAKE_BACK_PERIOD
from tickets.storage.access import FileLost, Operation, StoreMissing, StoreUnavailable, calling
from tickets.storage.bucket import AttachmentBucket
from tickets.storage.folder import MARKER, AttachmentFolder
from tickets.tests.factories import PNG, make_ticket, upload
from tickets.tests.s3 import S3Server
from tickets.tests.views.test_ticket_new import URL, form

CANT_STORE = "Files can't be stored right now."
TEXT = "The speakers are silent"
CLIENT_ERRORS = [
    ClientError({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "PutObject")
    for code, status in [
        ("AccessDenied", 403),
        ("NoSuchBucket", 404),
        ("SlowDown", 503),
        ("QuotaExceeded", 507),
    ]
]
ERRORS = [
    *(OSError(number, os.strerror(number)) for number in (
        errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO, errno.ENOENT, errno.ENOTDIR,
        errno.ESTALE, errno.EMFILE, errno.ETIMEDOUT, errno.ECONNREFUSED, errno.ENOTCONN,
    )),
    *CLIENT_ERRORS,
    EndpointConnectionError(endpoint_url="https://s3.example.com"),
    ConnectTimeoutError(endpoint_url="https://s3.example.com"),
    ReadTimeoutError(endpoint_url="https://s3.example.com"),
    TimeoutError("timed out"),
    RuntimeError("a store of another kind has errors of its own"),
]  # fmt: skip
NAMES = [f"{type(error).__name__} {getattr(error, 'errno', None) or ''}" for error in ERRORS]


class FailingStorage(FileSystemStorage):
    """Raises `error`: while it saves, with a part written already, and while it reads or deletes."""

    def __init__(self, location, error: Exception):
        super().__init__(location)
        self.error, self.is_broken, self.calls = error, True, 0

    def fail(self):
        self.calls += 1
        if self.is_broken:
            raise self.error

    def _save(self, name, content):
        path = super()._save(name, content)
        if self.is_broken:
            os.truncate(self.path(path), 5)
        self.fail()
        return path

    def _open(self, name, mode="rb"):
        self.fail()
        return super()._open(name, mode)


@pytest.fixture
def broken(use_store, attachments_dir):
    return lambda error=None: use_store(
        FailingStorage(attachments_dir, error or OSError(errno.ENOSPC, "No space left on device"))
    )


@pytest.fixture
def folder(use_store, attachments_dir):
    """The store of an installation without S3."""
    return use_store(AttachmentFolder(attachments_dir))


def files(attachments_dir) -> list:
    return [path for path in attachments_dir.rglob("*") if path.is_file() and path.name != MARKER]


def discarded() -> list[str]:
    return [row.path for row in DiscardedFile.objects.all()]


def paths_of(attachment: Attachment) -> list[str]:
    """Where the file lies, and what pages show of a picture."""
    shown = [attachment.picture_path(size) for size in (Attachment.VIEW, Attachment.THUMBNAIL)]
    return [attachment.file.name, *shown]


def text_of(response) -> str:
    return html.unescape(response.content.decode())


def refusal(response) -> str:
    """The page of a form whose files could not be stored."""
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    page = text_of(response)
    assert CANT_STORE in page
    assert "Send without files, or try again later." in page
    return page


# Posting
@pytest.mark.django_db
@pytest.mark.parametrize("error", ERRORS, ids=NAMES)
def test_new_ticket_comes_back_as_typed(client_of, alice, broken, attachments_dir, unchanged, error, caplog):
    broken(error)
    client, data = client_of(alice), form(description=TEXT)
    with unchanged():
        page = refusal(client.post(URL, {**data, "attachments": [upload()]}))
    assert TEXT in page
    assert data["subject"] in page
    assert any(record.levelname == "ERROR" for record in caplog.records)
    # The plain way out, with the same form.
    assert client.post(URL, data).status_code == 302
    assert Ticket.objects.get().description == TEXT
    assert not files(attachments_dir)


@pytest.mark.django_db
@pytest.mark.parametrize("site", ["/tickets/{}/", "/admin/tickets/ticket/{}/"], ids=["portal", "admin"])
@pytest.mark.parametrize("kind", ["reply", "note"])
def test_what_is_said_comes_back_as_typed(client_of, ann, alice, broken, unchanged, site, kind):
    ticket, client = make_ticket(alice), client_of(ann)
    Draft.objects.keep(person=ann, ticket=ticket, kind=kind, body=TEXT)
    url, data = f"{site.format(ticket.pk)}{kind}/", {"body": TEXT}
    storage = broken()
    with unchanged():
        assert TEXT in refusal(client.post(url, {**data, "attachments": [upload()]}))
    assert client.post(url, data).status_code == 302
    storage.is_broken = False
    assert client.post(url, {"body": "Now with it", "attachments": [upload()]}).status_code == 302
    assert Comment.objects.count() == 2
    assert Attachment.objects.count() == 1


@pytest.mark.django_db
def test_third_of_three_files_fails_and_none_stays(client_of, alice, use_store, attachments_dir, unchanged):
    class FullAfterTwo(FailingStorage):
        def fail(self):
            if len(files(attachments_dir)) == 3:
                super().fail()

    use_store(FullAfterTwo(attachments_dir, OSError(errno.ENOSPC, "full")))
    client = client_of(alice)
    with unchanged():
        refusal(client.post(URL, form(attachments=[upload("a.png"), upload("b.png"), upload("c.png")])))


@pytest.mark.django_db
def test_follow_up_of_an_old_ticket_comes_back_too(client_of, alice, broken, unchanged):
    ticket, client = make_ticket(alice, phase="done"), client_of(alice)
    broken()
    with time_machine.travel(timezone.now() + TAKE_BACK_PERIOD * 100_000, tick=False):
        client.force_login(alice)
        with unchanged():
            refusal(client.post(f"/tickets/{ticket.pk}/reply/", {"body": TEXT, "attachments": [upload()]}))


@pytest.mark.django_db
def test_split_says_that_files_cant_be_copied(client_of, ann, alice, broken, unchanged):
    with acting_as(alice):
        said = conversation.reply(
            make_ticket(alice), Message(author=alice, body="And the mouse", files=[upload()])
        )
    storage, client = broken(), client_of(ann)
    url = f"/admin/tickets/ticket/{said.ticket_id}/split/{said.pk}/"
    with unchanged():
        response = client.post(url, {"subject": "Broken mouse"})
    assert response.status_code == 503
    assert "Files can't be copied right now." in text_of(response)
    assert "Broken mouse" in text_of(response)
    storage.is_broken = False
    assert client.post(url, {"subject": "Broken mouse"}).status_code == 302


@pytest.mark.django_db
def test_disk_that_is_really_full_keeps_no_part(client_of, alice, use_store, attachments_dir, unchanged):
    """THREATS 112. The kernel stops the write half-way; the database has no such limit."""

    class SmallDisk(AttachmentFolder):
        def _save(self, name, content):
            self._mark()
            limits = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
            try:
                return super()._save(name, content)
            finally:
                resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    use_store(SmallDisk(attachments_dir))
    client = client_of(alice)
    assert client.post(URL, form(attachments=[upload()])).status_code == 302
    with unchanged():
        refusal(client.post(URL, form(attachments=[upload(content=PNG + b"\0" * 300_000)])))


@pytest.mark.django_db
@pytest.mark.parametrize("place", ["/proc/attachments", "/sys/attachments", "/dev/null/attachments"])
def test_folder_that_nobody_can_write(client_of, alice, use_store, unchanged, place):
    """Even root can't."""
    use_store(AttachmentFolder(place))
    client = client_of(alice)
    with unchanged():
        refusal(client.post(URL, form(attachments=[upload()])))


@pytest.mark.django_db
def test_database_that_fails_meanwhile_is_no_fault_of_the_store(broken, alice):
    storage = broken(OperationalError("the database is away"))
    with pytest.raises(OperationalError), calling(storage, Operation.WRITE):
        storage.fail()


# The temporary folder
@pytest.mark.django_db
def test_full_temporary_folder_keeps_what_was_typed(client_of, alice, settings, tmp_path, unchanged):
    """Files above 1 MB wait there until the form is read."""
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path / "is not there")
    client, big = client_of(alice), PNG + b"\0" * 2_000_000
    with unchanged():
        page = refusal(client.post(URL, form(description=TEXT, attachments=[upload(content=big)])))
    assert TEXT in page
    assert (
        client.post(URL, form(attachments=[upload()])).status_code == 302
    )  # a small one needs no such folder


@pytest.mark.django_db
@pytest.mark.parametrize("failing", ["write", "seek"])
def test_temporary_folder_that_fills_up_meanwhile(client_of, alice, monkeypatch, unchanged, failing):
    def fail(self, *args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(
        f"django.core.files.uploadedfile.TemporaryUploadedFile.{failing}", fail, raising=False
    )
    client, big = client_of(alice), PNG + b"\0" * 2_000_000
    with unchanged():
        refusal(client.post(URL, form(attachments=[upload(content=big), upload()])))


@pytest.mark.django_db
def test_login_with_a_file_beside_it_does_not_fail(client, settings, tmp_path):
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path / "is not there")
    response = client.post(
        "/accounts/login/", {"login": "x@example.com", "x": upload(content=b"x" * 2_000_000)}
    )
    assert response.status_code == 200


@pytest.mark.django_db
def test_big_file_with_a_long_ending_is_taken(client_of, alice, attachments_dir):
    """Its ending does not fit on a disk; Django would use it there."""
    client, big = client_of(alice), PNG + b"\0" * 2_000_000
    for name in ("a." + "x" * 240, "a" * 250 + ".png"):
        sent = form(subject=name[:50], attachments=[upload(name, content=big)])
        assert client.post(URL, sent).status_code == 302
        attachment = Attachment.objects.latest("pk")
        assert attachment.name.endswith(".png")
        assert attachment.content() == big


# Nothing stays of what was not committed
@pytest.mark.django_db
def test_fault_after_the_file_takes_it_away(alice, attachments_dir):
    """I4: a transaction that fails later leaves no file either."""
    with pytest.raises(RuntimeError), transaction.atomic():
        Attachment.attach([upload()], ticket=make_ticket(alice), uploader=alice)
        assert len(files(attachments_dir)) == 1
        raise RuntimeError("injected")
    assert not files(attachments_dir)
    assert not Ticket.objects.exists()


@pytest.mark.django_db
def test_fault_in_the_follow_up_takes_its_file_away(alice, attachments_dir, monkeypatch):
    ticket, enqueue = make_ticket(alice, phase="done"), outbox.enqueue

    def fail_late(activity):
        if activity.verb == Verb.LINKED:
            raise RuntimeError("injected")
        enqueue(activity)

    monkeypatch.setattr(outbox, "enqueue", fail_late)
    before = ActivityLog.objects.count(), Notification.objects.count()
    late = timezone.now() + TAKE_BACK_PERIOD * 100_000
    with time_machine.travel(late, tick=False), acting_as(alice), pytest.raises(RuntimeError):
        conversation.reply(ticket, Message(author=alice, body=TEXT, files=[upload()]))
    assert not files(attachments_dir)
    assert (ActivityLog.objects.count(), Notification.objects.count()) == before


@pytest.mark.django_db(transaction=True)
def test_committed_file_stays(alice, attachments_dir):
    Attachment.attach([upload()], ticket=make_ticket(alice), uploader=alice)
    gc.collect()
    assert len(files(attachments_dir)) == 1
    with transaction.atomic():
        Attachment.attach([upload()], ticket=Ticket.objects.get(), uploader=alice)
    gc.collect()
    assert len(files(attachments_dir)) == 2


@pytest.mark.django_db(transaction=True)
def test_file_stays_where_nobody_knows_whether_its_row_was_committed(alice, attachments_dir, monkeypatch):
    ticket = make_ticket(alice)
    with transaction.atomic():
        Attachment.attach([upload()], ticket=ticket, uploader=alice)
        monkeypatch.setattr("tickets.storage.rollback._is_connected", lambda: False)
        transaction.set_rollback(True)
    assert len(files(attachments_dir)) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("is_mounted", [True, False])
def test_connection_is_whole_after_the_rollback(client_of, alice, use_store, attachments_dir, is_mounted):
    """While Django rolls back, a question to the database would begin a transaction that nobody ends."""
    store, client = use_store(AttachmentFolder(attachments_dir)), client_of(alice)
    client.post(URL, form(attachments=[upload()]))
    if is_mounted:
        use_store(FailingStorage(attachments_dir, OSError(errno.ENOSPC, "full")))
    else:
        attachments_dir.rename(attachments_dir.with_name("aside"))
    refusal(client.post(URL, form(attachments=[upload()])))
    assert connection.get_autocommit()
    assert client.post(URL, form()).status_code == 302
    assert Ticket.objects.count() == 2
    assert is_mounted == store.marker.exists()


@pytest.mark.django_db(transaction=True)
def test_connection_that_breaks_is_distinguished_from_one_that_works(alice, attachments_dir):
    """PostgreSQL's session is ended from outside; SQLite has none that could break."""
    if connection.vendor != "postgresql":
        pytest.skip("PostgreSQL only")
    ticket = make_ticket(alice)
    with pytest.raises((OperationalError, InterfaceError)), transaction.atomic():
        Attachment.attach([upload()], ticket=ticket, uploader=alice)
        with closing(connection.copy()) as other, other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])
        Ticket.objects.count()
    assert not Attachment.objects.exists()
    assert len(files(attachments_dir)) == 1


# Reading
@pytest.fixture
def attachment(alice) -> Attachment:
    ticket = make_ticket(alice)
    Attachment.attach([upload()], ticket=ticket, uploader=alice)
    return Attachment.objects.get()


@pytest.mark.django_db
@pytest.mark.parametrize("error", [error for error in ERRORS if not isinstance(error, FileNotFoundError)])
def test_download_says_that_it_cant_be_read(client_of, alice, attachment, broken, error):
    storage, client = broken(error), client_of(alice)
    response = client.get(attachment.get_absolute_url())
    assert response.status_code == 503
    assert int(response["Retry-After"]) > 0
    assert "This file can't be read right now." in text_of(response)
    assert "Content-Disposition" not in response
    assert "style-src 'self'" in response["Content-Security-Policy"]  # an ordinary page
    assert client.head(attachment.get_absolute_url()).status_code == 503
    storage.is_broken = False
    assert b"".join(client.get(attachment.get_absolute_url())) == PNG


@pytest.mark.django_db
def test_disk_that_breaks_while_it_is_read(client_of, alice, attachment, use_store, attachments_dir):
    """It opens, and then it fails: no answer begins with 200."""

    class BrokenFile(File):
        def read(self, size=-1):
            raise OSError(errno.EIO, "Input/output error")

    class BadSector(FileSystemStorage):
        def _open(self, name, mode="rb"):
            return BrokenFile(Path(self.path(name)).open(mode))

    use_store(BadSector(attachments_dir))
    assert client_of(alice).get(attachment.get_absolute_url()).status_code == 503


@pytest.mark.django_db
@pytest.mark.parametrize("damage", ["gone", "cut", "empty"])
def test_lost_file_has_a_page_and_an_error_in_the_log(
    client_of, alice, attachment, folder, attachments_dir, damage, caplog
):
    folder._mark()
    path = attachments_dir / attachment.file.name
    if damage == "gone":
        path.unlink()
    else:
        os.truncate(path, 5 if damage == "cut" else 0)
    response = client_of(alice).get(attachment.get_absolute_url())
    assert response.status_code == 404
    assert "This file is lost" in text_of(response)
    assert any(
        "is missing in the storage" in one.message for one in caplog.records if one.levelname == "ERROR"
    )
    with pytest.raises(FileLost):
        attachment.content()


# The breaker
@pytest.mark.django_db
def test_store_that_does_not_answer_is_left_alone_after_three_failures(client_of, alice, attachment, broken):
    """THREATS 114. A minute later one call tries again."""
    storage, client = broken(EndpointConnectionError(endpoint_url="https://s3.example.com")), client_of(alice)
    url, now = attachment.get_absolute_url(), timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        for _ in range(5):
            assert client.get(url).status_code == 503
        assert storage.calls == 3
        clock.shift(61)
        for _ in range(3):
            assert client.get(url).status_code == 503
        assert storage.calls == 4
        storage.is_broken = False
        assert client.get(url).status_code == 503
        clock.shift(61)
        assert client.get(url).status_code == 200
        storage.is_broken = True
        for _ in range(2):
            client.get(url)
        storage.is_broken = False
        assert client.get(url).status_code == 200


@pytest.mark.django_db
def test_failures_far_apart_open_nothing(client_of, alice, attachment, broken):
    storage, client = broken(TimeoutError("timed out")), client_of(alice)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(6):
            client.get(attachment.get_absolute_url())
            clock.shift(31)
    assert storage.calls == 6


@pytest.mark.django_db
def test_full_disk_is_tried_each_time_and_still_read(
    client_of, alice, attachment, use_store, attachments_dir
):
    """It answers at once, so nobody waits; and as soon as there is room, files are taken."""

    class Full(FailingStorage):
        def _open(self, name, mode="rb"):
            return FileSystemStorage._open(self, name, mode)

    storage, client = use_store(Full(attachments_dir, OSError(errno.ENOSPC, "full"))), client_of(alice)
    for _ in range(4):
        refusal(client.post(URL, form(attachments=[upload()])))
    assert client.get(attachment.get_absolute_url()).status_code == 200
    storage.is_broken = False
    assert client.post(URL, form(attachments=[upload()])).status_code == 302


def test_one_of_many_threads_tries_a_store_that_was_dead(tmp_path):
    storage, refused = FailingStorage(tmp_path, TimeoutError("timed out")), []

    def call():
        try:
            with calling(storage, Operation.READ):
                storage.fail()
        except StoreUnavailable:
            refused.append(1)

    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(3):
            call()
        clock.shift(61)
        threads = [threading.Thread(target=call) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(refused) == 11
    assert storage.calls == 4


# The folder and its marker
@pytest.mark.django_db
def test_fresh_installation_makes_its_folder(client_of, alice, folder, attachments_dir):
    assert not attachments_dir.exists()
    assert client_of(alice).post(URL, form(attachments=[upload()])).status_code == 302
    assert (attachments_dir / MARKER).is_file()
    assert Attachment.objects.get().content() == PNG


@contextmanager
def unmounted(attachments_dir, *, leaves_mount_point: bool):
    aside = attachments_dir.with_name("aside")
    attachments_dir.rename(aside)
    if leaves_mount_point:
        attachments_dir.mkdir()
    yield
    if leaves_mount_point:
        attachments_dir.rmdir()  # fails where something was written there
    aside.rename(attachments_dir)


@pytest.mark.django_db
@pytest.mark.parametrize("leaves_mount_point", [True, False])
def test_disk_that_is_not_mounted_is_no_new_folder(
    client_of,
    alice,
    folder,
    attachments_dir,
    unchanged,
    leaves_mount_point,
    django_capture_on_commit_callbacks,
):
    client = client_of(alice)
    client.post(URL, form(attachments=[upload()]))
    attachment = Attachment.objects.get()
    with unmounted(attachments_dir, leaves_mount_point=leaves_mount_point):
        with unchanged():
            refusal(client.post(URL, form(attachments=[upload()])))
            response = client.get(attachment.get_absolute_url())
        assert response.status_code == 503  # not lost: nobody knows
        with django_capture_on_commit_callbacks(execute=True):
            attachment.delete()
        assert discarded() == paths_of(attachment)
        assert attachments_dir.exists() == leaves_mount_point
    assert client.post(URL, form(attachments=[upload()])).status_code == 302
    assert delete_discarded() == len(paths_of(attachment))
    assert len(files(attachments_dir)) == 1


@pytest.mark.django_db
def test_folder_of_an_older_version_gets_its_marker(alice, attachment, folder, attachments_dir):
    """It has attachments and no marker; reading does not write it."""
    assert not (attachments_dir / MARKER).exists()
    assert attachment.content() == PNG
    assert not (attachments_dir / MARKER).exists()
    Attachment.attach([upload()], ticket=attachment.ticket, uploader=alice)
    assert (attachments_dir / MARKER).exists()


@pytest.mark.django_db
def test_folder_with_other_things_is_not_taken_for_ours(alice, attachment, folder, attachments_dir):
    """A new disk holds a lost+found."""
    (attachments_dir / attachment.file.name).unlink()
    (attachments_dir / "lost+found").mkdir()
    (attachments_dir / "notes.txt").write_text("x")
    with pytest.raises(StoreUnavailable) as caught:
        Attachment.attach([upload()], ticket=attachment.ticket, uploader=alice)
    assert isinstance(caught.value, StoreMissing)
    assert MARKER in str(caught.value)
    # Who says that the old files are gone for good goes on.
    (attachments_dir / MARKER).touch()
    Attachment.attach([upload()], ticket=attachment.ticket, uploader=alice)


# What is deleted
@pytest.mark.django_db
def test_file_of_a_deleted_ticket_is_deleted_later_where_the_store_fails(
    attachment, use_store, attachments_dir, django_capture_on_commit_callbacks
):
    class KeepsFiles(FailingStorage):
        def delete(self, name):
            self.fail()
            super().delete(name)

    storage = use_store(KeepsFiles(attachments_dir, OSError(errno.EROFS, "Read-only file system")))
    with django_capture_on_commit_callbacks(execute=True):
        attachment.ticket.delete()
    assert discarded() == paths_of(attachment)
    assert delete_discarded() == 0
    storage.is_broken = False
    job = next(job for job in jobs.JOBS if job.name == "delete_discarded_files")
    assert job.run() == len(paths_of(attachment))
    assert not DiscardedFile.objects.exists()
    assert not files(attachments_dir)


@pytest.mark.django_db
def test_deletion_that_is_rolled_back_keeps_the_file(attachment, attachments_dir):
    with pytest.raises(RuntimeError), transaction.atomic():
        attachment.ticket.delete()
        raise RuntimeError
    assert not DiscardedFile.objects.exists()
    assert Attachment.objects.get().content() == PNG


# A bucket
@pytest.fixture
def s3():
    with S3Server() as server:
        yield server


@pytest.fixture
def bucket(use_store, s3):
    return use_store(s3.storage())


@pytest.mark.django_db
def test_bucket_keeps_gives_back_and_deletes(
    client_of, alice, bucket, s3, django_capture_on_commit_callbacks
):
    client = client_of(alice)
    assert client.post(URL, form(attachments=[upload()])).status_code == 302
    attachment = Attachment.objects.get()
    assert s3.files == {attachment.file.name: PNG}
    assert b"".join(client.get(attachment.get_absolute_url())) == PNG
    assert s3.requests_seen[0].startswith("PUT")  # nothing is asked before: keys are random
    with django_capture_on_commit_callbacks(execute=True):
        attachment.delete()
    assert s3.files == {}


@pytest.mark.django_db
@pytest.mark.parametrize("behave", [403, 404, 500, 503, "drop", "hang"])
def test_bucket_that_fails(client_of, alice, bucket, s3, unchanged, behave):
    client = client_of(alice)
    client.post(URL, form(attachments=[upload()]))
    attachment = Attachment.objects.get()
    s3.behave = behave
    with unchanged():
        refusal(client.post(URL, form(attachments=[upload()])))
        response = client.get(attachment.get_absolute_url())
    if behave == 404:  # every key, and the bucket too
        s3.has_bucket = False
    assert response.status_code == 503
    s3.behave, s3.has_bucket = 200, True
    assert list(s3.files) == [attachment.file.name]
    assert client.get(attachment.get_absolute_url()).status_code == 200


@pytest.mark.django_db
def test_largest_file_is_one_request(client_of, alice, bucket, s3):
    """In several it could stop half-way, and its parts would wait in the bucket unseen."""
    content = PNG + b"\0" * (MAX_FILE_BYTES - len(PNG))
    assert client_of(alice).post(URL, form(attachments=[upload(content=content)])).status_code == 302
    assert len(s3.requests_seen) == 1
    assert Attachment.objects.get().content() == content


@pytest.mark.django_db
def test_file_that_ends_half_way_is_no_answer(client_of, alice, bucket, s3):
    client = client_of(alice)
    client.post(URL, form(attachments=[upload()]))
    s3.behave = "half"
    assert client.get(Attachment.objects.get().get_absolute_url()).status_code == 503


@pytest.mark.django_db
def test_missing_file_in_a_bucket_is_lost_but_a_missing_bucket_is_not(client_of, alice, bucket, s3):
    client = client_of(alice)
    client.post(URL, form(attachments=[upload()]))
    url = Attachment.objects.get().get_absolute_url()
    s3.has_bucket = False
    assert client.get(url).status_code == 503
    s3.has_bucket = True
    s3.files.clear()
    assert client.get(url).status_code == 404


@pytest.mark.django_db
def test_dead_bucket_is_left_alone(client_of, alice, bucket, s3):
    """THREATS 114: counted in requests."""
    client = client_of(alice)
    client.post(URL, form(attachments=[upload()]))
    url, before, s3.behave = Attachment.objects.get().get_absolute_url(), len(s3.requests_seen), "drop"
    for _ in range(6):
        assert client.get(url).status_code == 503
    assert len(s3.requests_seen) - before == 3 * 2  # each is tried twice


def test_bucket_of_production_fails_soon():
    """boto3 by itself waits a minute for each of five tries."""
    config = AttachmentBucket(bucket_name="attachments").client_config
    assert (config.connect_timeout, config.read_timeout) == (3, 7)
    assert config.retries["total_max_attempts"] == 2
