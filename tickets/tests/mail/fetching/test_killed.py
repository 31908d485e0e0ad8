"""Workers that fetch are killed at marked points (SIGKILL): nothing is lost, nothing is filed twice.

Takes HELPDESK_KILL_TEST_EMAILS emails, 200 unless the environment says otherwise (1000 before a release).
"""

import os
import signal
from collections import Counter
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from tickets.mail.receiving import handler
from tickets.mail.receiving.fetching import rounds
from tickets.models import Arrival, InboundEmail, MailboxState, Notification, Ticket
from tickets.tests.mail.fetching.conftest import raw_mail

pytestmark = pytest.mark.django_db(transaction=True)
EMAILS = int(os.environ.get("HELPDESK_KILL_TEST_EMAILS", "200"))
EMAILS_OF_A_PERSON = 5  # in an hour; more could be two machines that reply to each other
# Fetches until nothing is left. Arguments: module, name of a function in it, which call kills, before or after.
WORKER = """
import os, signal, sys
import django
django.setup()
from importlib import import_module
from operator import attrgetter
from tickets.mail.receiving.fetching import rounds
from tickets.models import Mailbox

module, name, number, when = sys.argv[1:]
*owners, last = name.split(".")
owner = attrgetter(".".join(owners))(import_module(module)) if owners else import_module(module)
function, calls = getattr(owner, last), []

def counted(*args, **options):
    calls.append(1)
    if when == "after":
        result = function(*args, **options)
    if len(calls) == int(number):
        os.kill(os.getpid(), signal.SIGKILL)
    return result if when == "after" else function(*args, **options)

setattr(owner, last, counted)
while True:
    result = rounds.fetch(Mailbox.objects.get())
    assert not result.problem and not result.is_busy, result
    if not result.stored and not result.is_more_waiting:
        break
"""
FETCHING = "tickets.mail.receiving.fetching"
POINTS = {
    "with the lease": (f"{FETCHING}.imap", "ImapFolder.open", "before"),
    "before reading": (f"{FETCHING}.imap", "ImapFolder.read", "before"),
    "after reading": (f"{FETCHING}.imap", "ImapFolder.read", "after"),
    "in the transaction of storing": (f"{FETCHING}.leases", "Lease.save", "before"),
    "after storing": ("tickets.mail.receiving.handler", "handle", "before"),
    "in the transaction of filing": ("tickets.mail.receiving.handler", "_ended", "after"),
    "before moving": (f"{FETCHING}.rounds", "_dispose", "before"),
    "after moving": (f"{FETCHING}.imap", "ImapFolder.dispose", "after"),
    "at the end": (f"{FETCHING}.leases", "Lease.end", "before"),
}


@pytest.fixture
def start_fetcher(dovecot, trust, request):
    """start_fetcher(module, name, number, when): a process that trusts the Dovecot."""
    trust(dovecot)
    start_process = request.getfixturevalue("start_process")
    return lambda *arguments: start_process("-c", WORKER, *map(str, arguments))


def people(count: int) -> list[str]:
    user = get_user_model()
    rows = [
        user(email=f"person{number}@example.com", full_name=f"Person {number}") for number in range(count)
    ]
    user.objects.bulk_create(rows)
    return [row.email for row in rows]


def release() -> None:
    """The lease of the dead worker runs out in two minutes; here at once. Its email is due in five."""
    MailboxState.objects.update(lease_until=None)


def kill(start_fetcher, place: tuple[str, str, str], number: int) -> None:
    module, name, when = place
    fetcher = start_fetcher(module, name, number, when)
    assert fetcher.wait(120) == -signal.SIGKILL
    release()


def assert_books_balance(dovecot, mailbox, count: int) -> None:
    InboundEmail.objects.update(next_try_at=None)
    while handler.handle_left_over(timezone.now() + timedelta(minutes=1)):
        pass
    expected = {f"<{number}@example.com>" for number in range(count)}
    assert Counter(InboundEmail.objects.values_list("identity", flat=True)) == Counter(expected)
    assert set(InboundEmail.objects.values_list("state", flat=True)) == {InboundEmail.State.FILED}
    assert Ticket.objects.count() == count
    assert Arrival.objects.exclude(moved_at=None).count() == Arrival.objects.count() == count
    receipts = Notification.objects.values_list("ticket", flat=True).filter(kind="created")
    assert set(Counter(receipts).values()) <= {1}
    assert dovecot.mails(mailbox.user) == []
    assert len(dovecot.mails(mailbox.user, "Helpdesk")) == count


def test_killed_at_each_point_nothing_is_lost_and_nothing_filed_twice(
    dovecot, make_mailbox, start_fetcher, mailgun
):
    mailbox = make_mailbox(dovecot)
    assert rounds.fetch(mailbox).problem == ""
    senders = people(-(-EMAILS // EMAILS_OF_A_PERSON))
    mails = [raw_mail(number, sender=senders[number % len(senders)]) for number in range(EMAILS)]
    dovecot.append(mailbox.user, *mails)
    share = EMAILS // (len(POINTS) + 1)
    for point, place in POINTS.items():
        once_a_round = point in ("with the lease", "at the end")
        kill(start_fetcher, place, 1 if once_a_round else share)
    assert start_fetcher(f"{FETCHING}.imap", "ImapFolder.read", 10**6, "before").wait(300) == 0
    assert rounds.fetch(mailbox).problem == ""  # moves what the last one left
    assert_books_balance(dovecot, mailbox, EMAILS)


def test_killed_between_copy_and_expunge_an_email_is_filed_once(
    start_dovecot, make_mailbox, trust, request, mailgun
):
    server = start_dovecot(capability="IMAP4rev1 LITERAL+ SASL-IR ID UIDPLUS")
    trust(server)
    start_process = request.getfixturevalue("start_process")
    mailbox = make_mailbox(server)
    assert rounds.fetch(mailbox).problem == ""
    server.append(mailbox.user, raw_mail(0, sender=people(1)[0]))
    fetcher = start_process("-c", WORKER, f"{FETCHING}.imap", "ImapFolder._flag", "1", "before")
    assert fetcher.wait(60) == -signal.SIGKILL
    release()
    assert rounds.fetch(mailbox).moved == 1
    assert Ticket.objects.count() == 1
    assert server.mails(mailbox.user) == []
    assert set(server.mails(mailbox.user, "Helpdesk")) == {raw_mail(0, sender="person0@example.com")}
