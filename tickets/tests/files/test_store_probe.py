"""/readyz and an alarm say that the attachment store fails before people meet it (THREATS 142)."""

import errno
import shutil
from collections import namedtuple

import pytest
import time_machine
from django.core.cache import cache
from django.utils import timezone

from tickets import jobs
from tickets.files import probe
from tickets.mail import alarms
from tickets.models import Attachment
from tickets.storage.folder import MARKER, AttachmentFolder
from tickets.tests.factories import make_ticket, upload
from tickets.tests.files.test_attachment_store import FailingStorage
from tickets.tests.s3 import S3Server

pytestmark = pytest.mark.django_db
MB = 1024 * 1024
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def folder(use_store, attachments_dir):
    return use_store(AttachmentFolder(attachments_dir))


@pytest.fixture
def disk(monkeypatch):
    """disk(free, total) in megabytes."""

    def has(free: int, total: int) -> None:
        usage = Usage(total * MB, (total - free) * MB, free * MB)
        monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)

    has(50_000, 100_000)
    return has


def run_job() -> None:
    next(job for job in jobs.JOBS if job.name == "probe_attachment_store").run()


def ready(client) -> str:
    response = client.get("/readyz")
    assert response.status_code == 200  # taking the web processes away would store nothing
    return response.json()["attachments"]


def test_store_that_works_keeps_nothing_of_the_probe(client, folder, disk, attachments_dir):
    assert ready(client) == "unknown"
    run_job()
    assert ready(client) == "ok"
    assert alarms.file_alarms() == []
    assert [path.name for path in attachments_dir.rglob("*")] == [MARKER]


def test_reading_the_state_touches_no_store(client, use_store, attachments_dir):
    """A stranger who asks a thousand times writes nothing."""
    storage = use_store(FailingStorage(attachments_dir, OSError(errno.EIO, "Input/output error")))
    run_job()
    calls = storage.calls
    for _ in range(3):
        assert ready(client) == "failing"
    assert storage.calls == calls


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO])
def test_store_that_fails_is_an_alarm_everywhere(
    client, client_of, ann, use_store, attachments_dir, number, caplog
):
    storage = use_store(FailingStorage(attachments_dir, OSError(number, "no")))
    run_job()
    assert ready(client) == "failing"
    page = client_of(ann).get("/admin/").content.decode()
    assert "Attachments need attention" in page
    assert "Files can&#x27;t be stored or read right now." in page
    assert "Email needs attention" not in page
    caplog.clear()
    alarms.log_new()
    alarms.log_new()
    assert [one.message for one in caplog.records if one.levelname == "ERROR"] == [
        "Alarm: Files can't be stored or read right now. The log says why."
    ]
    assert not [path for path in attachments_dir.rglob("*") if path.is_file()]
    storage.is_broken = False
    run_job()
    assert ready(client) == "ok"
    assert "Attachments need attention" not in client_of(ann).get("/admin/").content.decode()


def test_store_that_does_not_keep_what_it_is_given(client, use_store, attachments_dir, disk):
    class Forgetful(AttachmentFolder):
        def _save(self, name, content):
            content.truncate(3)
            return super()._save(name, content)

    use_store(Forgetful(attachments_dir))
    run_job()
    assert ready(client) == "failing"


@pytest.mark.parametrize(
    ("free", "total", "is_alarm"),
    [(199, 1_000, True), (201, 1_000, False), (900, 50_000, True), (1_100, 50_000, False), (0, 1, True)],
)
def test_disk_that_fills_up_is_an_alarm_beforehand(client, folder, disk, free, total, is_alarm):
    """Below 200 MB, and below two in a hundred."""
    disk(free, total)
    run_job()
    assert (ready(client) == "nearly full") == is_alarm
    assert len(alarms.file_alarms()) == is_alarm
    if is_alarm:
        assert "The disk for attachments is nearly full" in alarms.file_alarms()[0]


def test_lost_disk_has_a_sentence_of_its_own(client, folder, disk, attachments_dir, alice):
    Attachment.attach([upload()], ticket=make_ticket(alice), uploader=alice)
    attachments_dir.rename(attachments_dir.with_name("aside"))
    run_job()
    assert ready(client) == "missing"
    assert "Is its disk mounted?" in alarms.file_alarms()[0]
    assert not attachments_dir.exists()


def test_finding_grows_old(client, folder, disk):
    """Without a worker nobody knows."""
    with time_machine.travel(timezone.now(), tick=False) as clock:
        run_job()
        clock.shift(19 * 60)
        assert ready(client) == "ok"
        clock.shift(2 * 60)
        assert ready(client) == "unknown"


def test_another_alarm_after_the_first_is_logged(folder, disk, caplog):
    disk(100, 1_000)
    run_job()
    alarms.log_new()
    cache.set(probe.KEPT_AS, {"state": "failing", "free_bytes": None})
    alarms.log_new()
    assert len([one for one in caplog.records if one.message.startswith("Alarm:")]) == 2


def test_bucket_is_probed_too(client, use_store):
    with S3Server() as s3:
        use_store(s3.storage())
        run_job()
        assert ready(client) == "ok"
        assert s3.files == {}
        s3.behave = 403
        run_job()
        assert ready(client) == "failing"
