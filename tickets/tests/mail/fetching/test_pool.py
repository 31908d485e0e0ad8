"""Mailboxes are fetched in threads of their own, so a server that hangs holds nothing else (case 65)."""

import threading
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from tickets import jobs
from tickets.mail.receiving.fetching import pool, rounds, wire
from tickets.mail.receiving.fetching.pool import FetchThreads
from tickets.management.commands import run_worker
from tickets.models import InboundEmail, MailboxState
from tickets.tests.imap_script import HANG, ImapScript
from tickets.tests.mail.fetching.conftest import raw_mail
from tickets.tests.mail.fetching.test_imap import LOCAL
from tickets.tests.mail.test_worker import job, queue

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def threads():
    threads = FetchThreads()
    yield threads
    threads.ask_to_stop()
    threads.wait(seconds=20)


def test_job_fetches_every_mailbox_that_is_due(dovecot, make_mailbox, threads):
    mailboxes = [make_mailbox(dovecot, f"team{number}") for number in range(6)]
    threads.start()
    threads.wait(seconds=60)
    assert MailboxState.objects.filter(fetch_state="ok", lease_until=None).count() == 6
    for mailbox in mailboxes:
        dovecot.append(mailbox.user, raw_mail(mailbox.pk, sender="vera@vendor.example"))
    threads.start()  # none is due
    assert threads.threads == [] or not any(thread.is_alive() for thread in threads.threads)
    MailboxState.objects.update(next_fetch_at=timezone.now())
    threads.start()
    assert len(threads.threads) == pool.MOST_THREADS
    threads.wait(seconds=60)
    assert InboundEmail.objects.count() == 6


def test_inactive_mailbox_is_not_fetched(dovecot, make_mailbox, threads):
    make_mailbox(dovecot, is_active=False)
    make_mailbox(dovecot, "sales", fetches_by="no")
    threads.start()
    assert threads.threads == []


def test_a_thread_that_fails_leaves_the_mailbox_to_the_next(
    dovecot, make_mailbox, threads, monkeypatch, caplog
):
    def fail(lease, **options):
        raise RuntimeError("no memory")

    make_mailbox(dovecot)
    with monkeypatch.context() as patch:
        patch.setattr(rounds, "visit", fail)
        threads.start()
        threads.wait(seconds=20)
    assert "no memory" in caplog.text
    MailboxState.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    threads.start()
    threads.wait(seconds=20)
    assert MailboxState.objects.get().fetch_state == "ok"


def test_65_server_that_hangs_holds_neither_outbox_nor_other_mailboxes(
    mailgun, dovecot, make_mailbox, alice, monkeypatch
):
    """The server hangs until emails have left, another mailbox was read and other jobs have run."""
    monkeypatch.setattr(run_worker, "POLL_SECONDS", 0.05)
    monkeypatch.setattr(wire, "COMMAND_SECONDS", 60)
    monkeypatch.setattr(pool, "THREADS", FetchThreads())
    monkeypatch.setattr(run_worker, "LAST_SECONDS", 1)
    worker, looks, queued = run_worker.Command(), [], []
    worker.stop = threading.Event()
    well = make_mailbox(dovecot, "sales")
    assert rounds.fetch(well).problem == ""
    dovecot.append(well.user, raw_mail(1, to=well.address, sender="vera@vendor.example"))
    MailboxState.objects.update(next_fetch_at=None)
    end = time.monotonic() + 60
    with ImapScript({"SELECT": HANG}) as server:
        hanging = make_mailbox(dovecot, imap_port=server.port, **LOCAL)

        def look():
            looks.append(1)
            if server.is_hanging.is_set() and not queued:
                queued.append(len(looks))
                queue(alice, 3)
            has_worked = InboundEmail.objects.exists() and len(mailgun.mails) >= 3 and len(looks) > 5
            if has_worked or time.monotonic() > end:
                worker.stop.set()

        monkeypatch.setattr(jobs, "JOBS", (job(pool.fetch_due), job(look)))
        assert worker.work_until_stopped() >= 3
        assert InboundEmail.objects.get().mailbox == well
        assert MailboxState.objects.get(mailbox=hanging).lease_until  # it still hangs
    pool.THREADS.wait(seconds=20)
    assert MailboxState.objects.get(mailbox=hanging).fetch_state == "unreachable"
