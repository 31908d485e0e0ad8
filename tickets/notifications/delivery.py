"""Takes mail out of the outbox and sends it; the only caller of send.

A worker claims one mail for LEASE (what one act, or a day, tells one person), counts the attempt, sends
outside any transaction and writes down what came of it. A worker that dies leaves a lease that runs out:
nothing is lost, and at most the mail it held goes out once more, with the same Message-ID.
"""

import logging
import secrets
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta

from anymail.exceptions import AnymailAPIError, AnymailError, AnymailRequestsAPIError
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import DatabaseError, transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets.models import Notification, SuppressedAddress
from tickets.models.notification import CANARY, HANDED_OVER
from tickets.notifications import messages, pause, rules
from tickets.notifications.guard import UnsafeMail

logger = logging.getLogger(__name__)
State = Notification.State

LEASE = timedelta(minutes=5)
SEND_SECONDS = 10  # for a provider that answers byte by byte: its read timeout never comes
RETRY_MINUTES = (1, 5, 15, 60, 180, 360, 720, 1440)
SPREAD = 0.2
FEW_FIRST = (20, 1000, 50_000)  # rows of the outbox
KEY_PAUSE = timedelta(minutes=5)
NOT_OUR_MAIL_TO_BLAME = (401, 402, 403, 404)  # the key, the account or the domain is refused


class SendTimeout(Exception):
    """The provider took longer than SEND_SECONDS in all."""


@dataclass(frozen=True)
class Letter:
    """A mail that is ready to leave, and the rows it tells of, which are leased to us."""

    notifications: list[Notification]
    mail: EmailMessage


def deliver_due(*, should_stop: Callable[[], bool] = lambda: False, helper: Executor | None = None) -> int:
    """Sends what is due until nothing is, or the outbox pauses. Returns the number of mails that left.

    With `helper` the next mail is made in its thread while this one is at the provider. One mail at a time
    is there, and what came of it is written down before the next: a worker that is killed repeats one.
    """
    sent = 0
    with closing(get_connection()) as connection:
        letter = _next_letter(should_stop)
        while letter:
            coming = helper.submit(_next_letter, should_stop) if helper else None
            left = _send(letter, connection)
            sent += left
            letter = coming.result() if coming else None
            if letter and (should_stop() or (not left and pause.is_on())):
                _give_back(letter)
                break
            # What a helper didn't find may have waited for the mail before it.
            letter = letter or _next_letter(should_stop)
    return sent


def _next_letter(should_stop: Callable[[], bool]) -> Letter | None:
    """The next mail that is due, claimed and made; None when there is none now."""
    while not should_stop() and not pause.is_on() and (notifications := _claim()):
        if letter := _make(notifications):
            return letter
    return None


def _claim() -> list[Notification]:
    """The rows of the next mail, leased to us; empty when nothing is due.

    A row waits while an earlier one for the same ticket and person is not finished, so mails of a ticket
    arrive in order, and the rows of one mail can't be claimed apart from each other. It waits too while a
    row of the same mail is held back (outbox.HOLD). Rows of daily mails neither wait for others nor hold
    them up.
    """
    while True:
        now = timezone.now()
        first = _first_due(now)
        if first is None:
            return []
        with transaction.atomic():
            claimed = Notification.objects.filter(
                pk=first.pk, state=first.state, attempts=first.attempts, leased_until=first.leased_until
            )
            lease = {"state": State.SENDING, "attempts": F("attempts") + 1, "leased_until": now + LEASE}
            message_id = first.message_id or messages.new_message_id(first)
            if not claimed.update(**lease, message_id=message_id):
                continue  # another worker was faster
            more = _same_mail(first, now).exclude(pk=first.pk).update(**lease, message_id=message_id)
        if not more:  # most mails tell of one row: what it holds now is known
            first.state, first.attempts, first.message_id = State.SENDING, first.attempts + 1, message_id
            first.leased_until = lease["leased_until"]
            return [first]
        ours = Notification.objects.filter(message_id=message_id, state=State.SENDING)
        return list(ours.select_related("person", "activity").order_by("pk"))


def _first_due(now) -> Notification | None:
    """The row that is due for longest and waits for no other.

    It is looked for among the first few: each row is asked about others, and there may be many thousands.
    """
    same_ticket = _unfinished().filter(is_digest=False, ticket=OuterRef("ticket"), person=OuterRef("person"))
    earlier = same_ticket.filter(pk__lt=OuterRef("pk"))
    held = same_ticket.filter(batch=OuterRef("batch"), next_try_at__gt=now)
    may_leave = Q(is_digest=True) | (~Exists(earlier) & ~Exists(held))
    waiting = Notification.objects.filter(state=State.WAITING, next_try_at__lte=now)
    left_by_the_dead = Notification.objects.filter(state=State.SENDING, leased_until__lt=now)
    for most in FEW_FIRST:
        numbers = [
            *left_by_the_dead.order_by("pk").values_list("pk", flat=True)[:most],
            *waiting.order_by("next_try_at", "pk").values_list("pk", flat=True)[:most],
        ]
        # Asked once more whether they are due: another worker may have taken one just now.
        rows = Notification.objects.due(now).filter(may_leave, pk__in=numbers)
        first = rows.select_related("person", "activity").order_by("next_try_at", "pk").first()
        if first or len(numbers) < most:
            return first
    return None


def _unfinished() -> QuerySet:
    return Notification.objects.filter(state__in=(State.WAITING, State.SENDING))


def _same_mail(first: Notification, now) -> QuerySet:
    """The rows that leave with `first`: of its act, or of the person's day.

    A daily mail that is tried again takes up nothing new: it may have arrived, and would be taken for the
    one that is there.
    """
    if first.is_digest:
        daily = Notification.objects.due(now).filter(is_digest=True, person=first.person_id)
        return daily.filter(address=first.address, message_id=first.message_id)
    if first.ticket_id is None:
        return Notification.objects.none()
    same_ticket = _unfinished().filter(is_digest=False, ticket=first.ticket_id, person=first.person_id)
    return same_ticket.filter(batch=first.batch)


def _make(notifications: list[Notification]) -> Letter | None:
    """The mail of the claimed rows; None where it must not leave, and the rows say why."""
    for row in notifications:  # all are to one person, whose rights are asked once
        row.person = notifications[0].person
    told = list(filter(_may_still_be_told, notifications))
    if untold := [row for row in notifications if row not in told]:
        _finish(untold, state=State.SUPPRESSED, last_error=_("This person may not be told any more."))
    if not told:
        return None
    _follow(told)
    suppressed = SuppressedAddress.objects.filter(address=told[0].address.lower()).first()
    if suppressed:
        _finish(told, state=State.SUPPRESSED, last_error=suppressed.words)
        return None
    try:
        return Letter(told, messages.build(told))
    except DatabaseError:
        raise  # the lease runs out, and the mail is tried again
    except UnsafeMail as error:
        _finish(told, state=State.FAILED, last_error=str(error))
    except Exception as error:
        _refused(told, error)
    return None


def _follow(notifications: list[Notification]) -> None:
    """News of tickets goes where its reader is now: who reads at an address of before may be anybody."""
    first = notifications[0]
    if first.activity_id is None or first.address == first.person.email:
        return
    for notification in notifications:
        notification.address = first.person.email
    Notification.objects.filter(pk__in=[row.pk for row in notifications]).update(address=first.address)


def _send(letter: Letter, connection: BaseEmailBackend) -> bool:
    """Sends a mail and writes down what came of it. Returns whether it left."""
    try:
        with _time_limit(SEND_SECONDS):
            connection.open()  # unless it is open: one connection for many mails
            connection.send_messages([letter.mail])
    except DatabaseError:
        raise
    except Exception as error:
        connection.close()
        _refused(letter.notifications, error)
        return False
    status = getattr(letter.mail, "anymail_status", None)
    provider_id = str(status.message_id or "") if status else ""
    done = {"state": State.SENT, "sent_at": timezone.now(), "provider_id": provider_id, "last_error": ""}
    _finish(letter.notifications, **done)
    return True


def _give_back(letter: Letter) -> None:
    """Nobody tried to send it."""
    _finish(letter.notifications, state=State.WAITING, attempts=F("attempts") - 1)


def _refused(notifications: list[Notification], error: Exception) -> None:
    """Decides what a failed send means: the whole outbox waits, this mail waits, or it has failed."""
    status = getattr(error, "status_code", None) if isinstance(error, AnymailError) else None
    words = f"{type(error).__name__}: {error}"[:1000]
    if status == 429:
        wait = pause.asked_for(error.response.headers.get("Retry-After"))
        _wait(notifications, until=pause.begin(wait), last_error=words, counts=False)
    elif status in NOT_OUR_MAIL_TO_BLAME:
        logger.error("The mail provider refuses us (%s). All mail waits: check key and domain.", status)
        _wait(notifications, until=pause.begin(KEY_PAUSE, is_refused=True), last_error=words, counts=False)
    elif status == 400 or (isinstance(error, AnymailError) and not isinstance(error, AnymailAPIError)):
        _finish(notifications, state=State.FAILED, last_error=words)
    elif notifications[0].attempts > len(RETRY_MINUTES):
        logger.error("Notification %s failed for the last time: %s", notifications[0].pk, words)
        _finish(notifications, state=State.FAILED, last_error=words)
    else:
        if not isinstance(error, AnymailRequestsAPIError | SendTimeout | OSError):
            logger.exception("Notification %s could not be sent.", notifications[0].pk)
        minutes = RETRY_MINUTES[notifications[0].attempts - 1]
        spread = secrets.SystemRandom().uniform(1 - SPREAD, 1 + SPREAD)
        _wait(notifications, until=timezone.now() + timedelta(minutes=minutes * spread), last_error=words)


def _wait(notifications: list[Notification], *, until, last_error: str, counts: bool = True) -> None:
    attempts = F("attempts") if counts else F("attempts") - 1
    _finish(notifications, state=State.WAITING, next_try_at=until, last_error=last_error, attempts=attempts)


def _finish(notifications: list[Notification], **values) -> None:
    """Ends the lease, unless it ran out and another worker holds the rows now."""
    ours = Notification.objects.filter(
        pk__in=[notification.pk for notification in notifications],
        state=State.SENDING,
        leased_until=notifications[0].leased_until,
    )
    ours.update(leased_until=None, **values)


def _may_still_be_told(notification: Notification) -> bool:
    """Rights may have changed between the act and now."""
    person = notification.person
    if notification.kind == CANARY:
        return True
    if person is None or not person.is_active:
        return False
    if notification.kind == HANDED_OVER:
        return person.works and rules.is_reachable(person)
    if notification.activity_id is None:
        return True
    return rules.may_still_be_told(person, notification.reason, notification.activity)


@contextmanager
def _time_limit(seconds: int) -> Iterator[None]:
    """Raises SendTimeout after `seconds`. Only in the main thread, which is where a worker sends."""
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "setitimer"):
        yield
        return

    def give_up(signum, frame):
        raise SendTimeout(f"The mail provider took longer than {seconds} seconds.")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
