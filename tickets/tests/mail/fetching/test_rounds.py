"""A round: an email is stored, filed and only then moved on the server."""

import time
from datetime import timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from tickets.mail import alarms
from tickets.mail.receiving import handler, parsing, storing
from tickets.mail.receiving.fetching import leases, rounds
from tickets.mail.receiving.fetching.imap import ImapFolder
from tickets.mail.receiving.limits import MAX_BYTES
from tickets.models import Arrival, InboundEmail, Mailbox, MailboxState, Ticket
from tickets.tests.mail.fetching.conftest import raw_mail

pytestmark = pytest.mark.django_db
State, Reason = InboundEmail.State, InboundEmail.Reason


class Killed(BaseException):
    """As good as SIGKILL for the code that runs: nothing catches it."""


@pytest.fixture
def mailbox(dovecot, make_mailbox):
    return connected(make_mailbox(dovecot))


def connected(mailbox: Mailbox) -> Mailbox:
    """From now on, new emails are read."""
    assert rounds.fetch(mailbox).problem == ""
    return mailbox


def kill_at(monkeypatch, target, name: str) -> None:
    """The next call of the function kills; the lease of the dead worker has run out afterwards."""

    def die(*args, **kwargs):
        patch.undo()
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(target, name, die)
        with pytest.raises(Killed):
            rounds.fetch(Mailbox.objects.get())
    MailboxState.objects.update(lease_until=timezone.now() - timedelta(seconds=1))


def test_53_new_email_of_a_known_sender_is_filed_and_then_moved(dovecot, mailbox, alice):
    dovecot.append(mailbox.user, raw_mail(1))
    result = rounds.fetch(mailbox)
    assert (result.stored, result.moved, result.problem) == (1, 1, "")
    email = InboundEmail.objects.get()
    assert (email.state, email.mailbox, email.route) == (State.FILED, mailbox, InboundEmail.Route.IMAP)
    assert email.recipient == "support@example.com"
    assert Ticket.objects.get().requester == alice
    arrival = Arrival.objects.get()
    assert arrival.moved_at
    assert email.provider_id == f"imap:{mailbox.pk}:{arrival.place}"
    assert dovecot.mails(mailbox.user) == []
    assert dovecot.mails(mailbox.user, "Helpdesk") == [raw_mail(1)]
    assert bytes(email.raw) == raw_mail(1)


def test_email_is_unread_until_it_is_moved(dovecot, make_mailbox, alice):
    mailbox = connected(make_mailbox(dovecot, after=Mailbox.After.LEAVE))
    dovecot.append(mailbox.user, raw_mail(1))
    assert rounds.fetch(mailbox).stored == 1
    assert [line for line in dovecot.flags(mailbox.user) if "Seen" in line] == []
    assert Arrival.objects.get().moved_at is None
    assert rounds.fetch(mailbox).stored == 0


def test_email_is_marked_where_the_mailbox_says_so(dovecot, make_mailbox, alice):
    mailbox = connected(make_mailbox(dovecot, after=Mailbox.After.MARK))
    dovecot.append(mailbox.user, raw_mail(1))
    assert rounds.fetch(mailbox).moved == 1
    assert [r"\Seen" in line for line in dovecot.flags(mailbox.user)] == [True]


def test_54_killed_after_storing_is_filed_once_and_moved_later(dovecot, mailbox, alice, monkeypatch):
    dovecot.append(mailbox.user, raw_mail(1))
    kill_at(monkeypatch, rounds, "_dispose")
    assert len(dovecot.mails(mailbox.user)) == 1
    result = rounds.fetch(mailbox)
    assert (result.stored, result.moved) == (0, 1)
    assert Ticket.objects.count() == 1
    assert dovecot.mails(mailbox.user) == []


def test_54_killed_between_storing_and_filing_is_filed_by_the_job(dovecot, mailbox, alice, monkeypatch):
    dovecot.append(mailbox.user, raw_mail(1))
    kill_at(monkeypatch, handler, "handle")
    assert rounds.fetch(mailbox).stored == 0
    assert InboundEmail.objects.get().state == State.RECEIVED
    handler.handle_left_over(timezone.now() + timedelta(minutes=1))
    assert Ticket.objects.count() == 1


@pytest.mark.parametrize("place", [(handler, "store"), (ImapFolder, "read"), (leases.Lease, "save")])
def test_55_killed_before_storing_is_fetched_again(dovecot, mailbox, alice, monkeypatch, place):
    dovecot.append(mailbox.user, raw_mail(1))
    kill_at(monkeypatch, *place)
    assert not InboundEmail.objects.exists()
    assert not Arrival.objects.exists()
    assert rounds.fetch(mailbox).stored == 1
    assert Ticket.objects.count() == 1


def test_56_two_workers_have_one_lease(dovecot, mailbox, alice):
    dovecot.append(mailbox.user, raw_mail(1))
    lease = leases.begin(mailbox)
    assert leases.begin(mailbox) is None
    assert leases.take_due() is None
    assert rounds.fetch(mailbox).is_busy
    assert rounds.visit(lease).stored == 1
    assert Ticket.objects.count() == 1


def test_lease_of_a_clock_that_was_set_back_is_over(dovecot, mailbox):
    MailboxState.objects.update(lease_until=timezone.now() + timedelta(hours=3), next_fetch_at=None)
    assert list(leases.due()) == [mailbox]
    assert leases.take_due().mailbox == mailbox
    assert list(leases.due()) == []


def test_56_worker_that_lost_its_lease_stores_nothing(dovecot, mailbox, alice, monkeypatch):
    dovecot.append(mailbox.user, raw_mail(1))
    read = ImapFolder.read

    def slow_read(source, step):
        MailboxState.objects.update(lease_until=timezone.now() + timedelta(seconds=90))
        return read(source, step)

    monkeypatch.setattr(ImapFolder, "read", slow_read)
    assert rounds.fetch(mailbox).is_busy
    assert not InboundEmail.objects.exists()
    assert len(dovecot.mails(mailbox.user)) == 1


def test_57_the_same_email_in_two_mailboxes_is_one_row_and_two_arrivals(dovecot, make_mailbox, alice):
    first, second = connected(make_mailbox(dovecot)), connected(make_mailbox(dovecot, "sales"))
    both = "support@example.com, sales@example.com"
    dovecot.append(first.user, raw_mail(1, to=both, Delivered_To=first.address))
    dovecot.append(second.user, raw_mail(1, to=both, Delivered_To=second.address))
    for mailbox in (first, second):
        assert rounds.fetch(mailbox).moved == 1
    email = InboundEmail.objects.get()
    assert {arrival.mailbox for arrival in email.arrivals.all()} == {first, second}
    assert email.mailbox == first
    assert Ticket.objects.count() == 1


def test_58_rebuilt_folder_is_read_again_and_nothing_is_stored_twice(dovecot, make_mailbox, caplog):
    mailbox = connected(make_mailbox(dovecot, after=Mailbox.After.LEAVE))
    mails = [raw_mail(number, sender="vera@vendor.example") for number in range(300)]
    dovecot.append(mailbox.user, *mails)
    assert fetch_all(mailbox) == 300
    before = MailboxState.objects.get().uid_validity
    dovecot.remake(mailbox.user, mails)
    assert fetch_all(mailbox) == 300  # looked at
    assert InboundEmail.objects.count() == 300
    assert Arrival.objects.count() == 600
    state = MailboxState.objects.get()
    assert state.uid_validity != before
    assert state.rebuilt_at
    assert "was rebuilt" in caplog.text
    assert not alarms.alarms()


def fetch_all(mailbox: Mailbox) -> int:
    """The number of emails that rounds took until nothing was left."""
    total = 0
    while True:
        result = rounds.fetch(mailbox)
        assert result.problem == ""
        total += result.stored
        if not result.is_more_waiting:
            return total


def test_rebuilt_folder_brings_no_email_from_before_the_mailbox_was_connected(dovecot, make_mailbox, alice):
    mailbox = make_mailbox(dovecot)
    yesterday = time.time() - 86400
    dovecot.append(mailbox.user, raw_mail(1), raw_mail(2), at=yesterday)
    assert connected(mailbox)
    dovecot.remake(mailbox.user, [])
    dovecot.append(mailbox.user, raw_mail(1), raw_mail(2), at=yesterday)
    dovecot.append(mailbox.user, raw_mail(3), at=time.time() + 5)
    assert fetch_all(mailbox) == 1
    assert InboundEmail.objects.get().identity == "<3@example.com>"
    # An old email that a person moves here now is meant for us.
    dovecot.append(mailbox.user, raw_mail(4), at=yesterday)
    assert fetch_all(mailbox) == 1


def test_59_deleted_folder_for_read_email_is_made_anew(dovecot, mailbox, alice):
    dovecot.append(mailbox.user, raw_mail(1))
    assert rounds.fetch(mailbox).moved == 1
    with dovecot.client(mailbox.user) as client:
        assert client.delete("Helpdesk")[0] == "OK"
    dovecot.append(mailbox.user, raw_mail(2))
    assert rounds.fetch(mailbox).moved == 1
    assert dovecot.mails(mailbox.user, "Helpdesk") == [raw_mail(2)]


def test_59_email_that_cannot_be_moved_is_filed_and_moved_an_hour_later(dovecot, make_mailbox, alice):
    mailbox = connected(make_mailbox(dovecot, filed_folder="a//b"))
    dovecot.append(mailbox.user, raw_mail(1))
    result = rounds.fetch(mailbox)
    assert (result.stored, result.moved, result.problem) == (1, 0, "")
    assert Ticket.objects.count() == 1
    mailbox.filed_folder = "Read by helpdesk ü"
    mailbox.save()
    assert rounds.fetch(mailbox).moved == 0
    MailboxState.objects.update(next_move_at=timezone.now())
    assert rounds.fetch(mailbox).moved == 1
    assert Arrival.objects.get().moved_at
    assert dovecot.mails(mailbox.user) == []
    assert InboundEmail.objects.count() == 1


def test_66_email_that_breaks_the_parser_is_kept_and_the_next_one_is_filed(
    dovecot, mailbox, alice, monkeypatch
):
    parse = parsing.parse

    def fail(raw):
        if b"Printer 1 " in raw:
            raise RuntimeError("cannot read this")
        return parse(raw)

    monkeypatch.setattr(parsing, "parse", fail)
    dovecot.append(mailbox.user, raw_mail(1), raw_mail(2))
    assert rounds.fetch(mailbox).stored == 2
    for _attempt in range(2):
        InboundEmail.objects.update(next_try_at=None)
        handler.handle_left_over(timezone.now() + timedelta(minutes=1))
    broken, filed = InboundEmail.objects.order_by("pk")
    assert (broken.state, broken.reason, filed.state) == (State.FAILED, Reason.ERROR, State.FILED)
    assert bytes(broken.raw) == raw_mail(1)
    assert any("could not be read" in alarm for alarm in alarms.alarms())


def test_67_email_of_40_mb_fails_with_its_headers_kept_and_stays(dovecot, mailbox, alice):
    huge = raw_mail(1) + b"x" * 76 * 1024 + b"\r\n"
    huge += (b"x" * 76 + b"\r\n") * (40 * 1024 * 1024 // 78)
    dovecot.append(mailbox.user, huge, raw_mail(2))
    result = rounds.fetch(mailbox)
    assert (result.stored, result.moved) == (2, 1)
    kept, filed = InboundEmail.objects.order_by("pk")
    assert (kept.state, kept.reason, filed.state) == (State.FAILED, Reason.TOO_COMPLEX, State.FILED)
    assert b"Message-ID: <1@example.com>" in bytes(kept.raw)
    assert len(bytes(kept.raw)) < 2000
    assert kept.size == len(huge) > MAX_BYTES
    assert len(dovecot.mails(mailbox.user)) == 1
    assert any("could not be read" in alarm for alarm in alarms.alarms())
    assert rounds.fetch(mailbox).stored == 0
    with pytest.raises(handler.CannotDecide):
        handler.opened(kept)
    assert handler.replay(kept, by=alice).state == State.FAILED
    assert len(dovecot.mails(mailbox.user)) == 1


def test_69_database_away_in_mid_round_loses_nothing(dovecot, mailbox, alice, monkeypatch):
    dovecot.append(mailbox.user, raw_mail(1), raw_mail(2), raw_mail(3))
    stored = storing._stored

    def fail(identity, **values):
        if identity == "<2@example.com>":
            raise OperationalError("the database is away")
        return stored(identity, **values)

    with monkeypatch.context() as patch:
        patch.setattr(storing, "_stored", fail)
        with pytest.raises(OperationalError):
            rounds.fetch(mailbox)
    assert InboundEmail.objects.count() == 1
    assert len(dovecot.mails(mailbox.user)) == 2
    MailboxState.objects.update(lease_until=None)
    assert rounds.fetch(mailbox).stored == 2
    assert Ticket.objects.count() == 3


def test_74_email_put_back_into_the_inbox_is_moved_again_but_not_filed_again(dovecot, mailbox, alice):
    dovecot.append(mailbox.user, raw_mail(1))
    assert rounds.fetch(mailbox).moved == 1
    with dovecot.client(mailbox.user) as client:
        client.select("Helpdesk")
        assert client.uid("MOVE", "1", "INBOX")[0] == "OK"
    assert rounds.fetch(mailbox).moved == 1
    assert Ticket.objects.count() == 1
    assert Arrival.objects.filter(email=InboundEmail.objects.get()).count() == 2
    assert dovecot.mails(mailbox.user) == []


def test_a_round_takes_fifty_emails_and_the_next_follows_at_once(dovecot, mailbox):
    dovecot.append(mailbox.user, *[raw_mail(number, sender="vera@vendor.example") for number in range(60)])
    result = rounds.fetch(mailbox)
    assert (result.stored, result.is_more_waiting) == (50, True)
    assert list(leases.due()) == [mailbox]
    result = rounds.fetch(mailbox)
    assert (result.stored, result.is_more_waiting) == (10, False)
    assert list(leases.due()) == []


def test_a_round_that_is_asked_to_stop_ends_after_the_current_email(dovecot, mailbox):
    dovecot.append(mailbox.user, raw_mail(1), raw_mail(2))
    assert rounds.fetch(mailbox, should_stop=InboundEmail.objects.exists).stored == 1
    assert list(leases.due()) == [mailbox]
