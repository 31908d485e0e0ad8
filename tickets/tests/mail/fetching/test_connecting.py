"""What lies in a mailbox when it is connected: nothing of it is read, or the last days, or all (case 73)."""

import os
import pwd
import time
from datetime import timedelta

import pytest
from django.utils import timezone

from tickets.mail.receiving.fetching import connecting, leases, rounds
from tickets.mail.receiving.fetching.connecting import Old
from tickets.mail.receiving.fetching.imap import ImapFolder
from tickets.mail.receiving.fetching.problems import Busy, FetchRefused
from tickets.models import InboundEmail, MailboxState
from tickets.tests.mail.fetching.conftest import raw_mail

pytestmark = pytest.mark.django_db
DAY = 86400


@pytest.fixture
def mailbox(dovecot, make_mailbox):
    """Emails of ten days, five days, two days ago and of now."""
    mailbox = make_mailbox(dovecot)
    for number, days in enumerate((10, 5, 2, 0), start=1):
        mail = raw_mail(number, sender="vera@vendor.example")
        dovecot.append(mailbox.user, mail, at=time.time() - days * DAY)
    return mailbox


def stored() -> set[str]:
    return set(InboundEmail.objects.values_list("identity", flat=True))


def ids(*numbers: int) -> set[str]:
    return {f"<{number}@example.com>" for number in numbers}


def test_73_mailbox_with_20000_old_emails_brings_none_by_default(dovecot, make_mailbox, alice):
    mailbox = make_mailbox(dovecot)
    folder = dovecot.folder / "mail" / mailbox.user
    for name in ("cur", "new", "tmp"):
        (folder / name).mkdir(parents=True)
    for number in range(20_000):
        (folder / "cur" / f"{number}.old.host:2,S").write_bytes(b"From: vera@vendor.example\n\nOld.\n")
    if os.getuid() == 0:
        owner = pwd.getpwnam("nobody")
        for path in (folder, *folder.iterdir()):
            os.chown(path, owner.pw_uid, owner.pw_gid)
    assert connecting.count(mailbox).total == 20_000
    assert rounds.fetch(mailbox).stored == 0
    dovecot.append(mailbox.user, raw_mail(1))
    assert rounds.fetch(mailbox).stored == 1
    assert rounds.fetch(mailbox).stored == 0
    assert stored() == ids(1)


def test_emails_are_counted_by_days(mailbox):
    assert connecting.count(mailbox, days=(1, 3, 7)) == connecting.Lying(total=4, of_days={1: 1, 3: 2, 7: 3})
    assert not MailboxState.objects.filter(last_uid__isnull=False).exists()


def test_nothing_of_what_lies_there_is_read_by_default(dovecot, mailbox):
    connecting.connect(mailbox)
    assert rounds.fetch(mailbox).stored == 0
    dovecot.append(mailbox.user, raw_mail(5, sender="vera@vendor.example"))
    assert rounds.fetch(mailbox).stored == 1
    assert stored() == ids(5)


def test_the_last_days_are_read(mailbox):
    connecting.connect(mailbox, Old.DAYS, days=3)
    assert list(leases.due()) == [mailbox]
    assert rounds.fetch(mailbox).stored == 2
    assert stored() == ids(3, 4)


def test_all_is_read(mailbox):
    connecting.connect(mailbox, Old.ALL)
    assert rounds.fetch(mailbox).stored == 4


def test_choice_may_be_changed_later_and_nothing_is_stored_twice(mailbox):
    connecting.connect(mailbox, Old.DAYS, days=3)
    assert rounds.fetch(mailbox).stored == 2
    connecting.connect(mailbox, Old.ALL)
    assert rounds.fetch(mailbox).stored == 2  # the others were moved
    assert stored() == ids(1, 2, 3, 4)


def test_mailbox_that_is_being_read_is_busy(mailbox):
    lease = leases.begin(mailbox)
    with pytest.raises(Busy):
        connecting.connect(mailbox, Old.ALL)
    assert rounds.visit(lease).problem == ""


@pytest.mark.parametrize("is_refused", [False, True])
def test_mailbox_that_a_worker_takes_over_meanwhile_is_busy(mailbox, monkeypatch, is_refused):
    def slow_beginning(source, since, **options):
        MailboxState.objects.update(lease_until=timezone.now() + timedelta(seconds=90))
        if is_refused:
            raise FetchRefused("no")
        return {"last_uid": 0}

    monkeypatch.setattr(ImapFolder, "beginning", slow_beginning)
    with pytest.raises(Busy):
        connecting.connect(mailbox, Old.ALL)
    state = MailboxState.objects.get()
    assert state.last_uid is None
    assert state.lease_until > timezone.now()


def test_server_that_refuses_says_so_and_the_lease_ends(mailbox):
    mailbox.folder = "Support"
    with pytest.raises(FetchRefused, match="There is no folder Support"):
        connecting.connect(mailbox, Old.ALL)
    with pytest.raises(FetchRefused):
        connecting.count(mailbox)
    lease_until = MailboxState.objects.get().lease_until
    assert lease_until is None or lease_until <= timezone.now() - timedelta(minutes=1)
