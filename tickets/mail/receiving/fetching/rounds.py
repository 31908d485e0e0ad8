"""One visit to one mailbox: reads new emails, stores and files each, and only then moves it on the server.

An email, its Arrival and the position in the folder are saved in one transaction. So if the worker dies, an
email is either fetched again or known already. A later round moves what was stored and not moved.
"""

import logging
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from django.db import DatabaseError, InterfaceError, connection

from helpdesk import clock
from tickets.mail import failures
from tickets.mail.receiving import handler
from tickets.mail.receiving.fetching import leases
from tickets.mail.receiving.fetching.graph import GraphFolder
from tickets.mail.receiving.fetching.imap import ImapFolder
from tickets.mail.receiving.fetching.leases import Lease
from tickets.mail.receiving.fetching.problems import FetchProblem, LeaseLost, Unreachable
from tickets.mail.receiving.fetching.sources import Content, FetchStep, Source
from tickets.mail.receiving.limits import END_OF_HEADERS, MAX_BYTES, MAX_HEADER_BYTES
from tickets.models import Arrival, InboundEmail, Mailbox

logger = logging.getLogger(__name__)
MOST_EMAILS = 50  # of one round
LONGEST_ROUND = 60  # seconds; after that no further email is read
MOVE_AGAIN_AFTER = timedelta(hours=1)
STUCK_ROUNDS = 3  # that an email may end because it can't be read
SOURCES: dict[str, type[Source]] = {Mailbox.Fetching.IMAP: ImapFolder, Mailbox.Fetching.GRAPH: GraphFolder}
# Mail servers write the address that they delivered to at the top.
RECIPIENT = re.compile(
    rb"^(?:Delivered-To|X-Original-To|Envelope-To):[ \t]*([^\r\n]*)", re.IGNORECASE | re.MULTILINE
)


@dataclass
class Round:
    """The result. `problem` is "" if all went well."""

    stored: int = 0
    moved: int = 0
    problem: str = ""
    is_busy: bool = False  # another worker fetches the mailbox
    is_more_waiting: bool = False


def never() -> bool:
    return False


def fetch(mailbox: Mailbox, *, should_stop: Callable[[], bool] = never) -> Round:
    """Visits a mailbox now, due or not. Raises errors of the database."""
    lease = leases.begin(mailbox)
    return visit(lease, should_stop=should_stop) if lease else Round(is_busy=True)


def visit(lease: Lease, *, should_stop: Callable[[], bool] = never) -> Round:
    """Like fetch(), with a lease that the caller has taken."""
    result = Round()
    try:
        with opened(lease.mailbox) as source:
            _take_all(lease, source, result, should_stop)
            _move_left_over(lease, source, result)
        lease.end(is_more_waiting=result.is_more_waiting)
    except FetchProblem as problem:
        result.problem = str(problem)
        lease.fail(problem)
    except LeaseLost:
        result.is_busy = True
        logger.warning("Another worker has taken over the mailbox %s.", lease.mailbox)
    except (DatabaseError, InterfaceError):
        raise
    except Exception as error:
        logger.exception("The mailbox %s could not be fetched.", lease.mailbox)
        result.problem = failures.in_words(error)
        lease.fail(Unreachable(result.problem))
    return result


@contextmanager
def opened(mailbox: Mailbox) -> Iterator[Source]:
    """A connection to the server of the mailbox. Raises FetchProblem."""
    source = SOURCES[mailbox.fetches_by](mailbox)
    try:
        source.open()
        yield source
    finally:
        source.close()


def _take_all(lease: Lease, source: Source, result: Round, should_stop: Callable[[], bool]) -> None:
    end = time.monotonic() + LONGEST_ROUND
    for step in source.steps(lease.state, MOST_EMAILS + 1):
        if result.stored >= MOST_EMAILS or time.monotonic() > end or should_stop():
            result.is_more_waiting = True
            return
        _take(lease, source, step, result)


def _take(lease: Lease, source: Source, step: FetchStep, result: Round) -> None:
    content = _read(lease, source, step) if step.place and not _has_arrived(lease, step) else None
    if content is None or not content.raw.strip():
        lease.save(**step.position)
        return
    email = _stored(lease, source, step, content)
    result.stored += 1
    if email is not None and content.size <= MAX_BYTES:
        result.moved += _dispose(lease, source, email.arrivals.get(mailbox=lease.mailbox, place=step.place))


def _read(lease: Lease, source: Source, step: FetchStep) -> Content | None:
    """Reads an email. One that has ended too many rounds is given up, because all later ones wait for it.

    Its headers are tried once more; then a stub takes its place.
    """
    state = lease.state
    ended = state.stuck_rounds if state.stuck_place == step.place else 0
    if ended > STUCK_ROUNDS:
        return _stub(lease.mailbox, step)
    if ended == STUCK_ROUNDS:
        step = replace(step, size=MAX_BYTES + 1)
    try:
        return source.read(step)
    except Unreachable:
        lease.save(stuck_place=step.place, stuck_rounds=ended + 1)
        raise


def _stub(mailbox: Mailbox, step: FetchStep) -> Content:
    """Stands for an email that can't be read, and says where it is."""
    logger.error("The email at %s of the mailbox %s can't be read and is given up.", step.place, mailbox)
    named = f"X-Helpdesk-Not-Read: {mailbox.address} {step.place}\r\n"
    return Content(named.encode("utf-8", "replace"), max(step.size, MAX_BYTES + 1))


def _has_arrived(lease: Lease, step: FetchStep) -> bool:
    return Arrival.objects.filter(mailbox=lease.mailbox, place=step.place).exists()


def _stored(lease: Lease, source: Source, step: FetchStep, content: Content) -> InboundEmail | None:
    """Stores an email and files it. Errors of filing stay with the email, which is tried again later.

    Raises if the database is away: then either nothing is stored, or the worker files what is stored.
    """
    stored: list[InboundEmail] = []

    def in_the_transaction(email: InboundEmail) -> None:
        Arrival.objects.create(mailbox=lease.mailbox, place=step.place, email=email)
        lease.save(**step.position)
        stored[:] = [email]

    try:
        return handler.receive(
            content.raw,
            size=content.size,
            route=source.route,
            provider_id=source.provider_id(step.place),
            recipient=_recipient(content.raw),
            mailbox=lease.mailbox,
            on_stored=in_the_transaction,
        )
    except (FetchProblem, LeaseLost):
        raise
    except (DatabaseError, InterfaceError):
        if not stored or not connection.is_usable():
            raise
    except Exception:
        if not stored:
            raise
    logger.warning("Mail %s of the mailbox %s is tried again later.", stored[0].pk, lease.mailbox)
    return stored[0]


def _recipient(raw: bytes) -> str:
    end = END_OF_HEADERS.search(raw)
    found = RECIPIENT.search(raw[: min(end.start() if end else len(raw), MAX_HEADER_BYTES)])
    return found[1].decode("utf-8", "replace").strip() if found else ""


def _dispose(lease: Lease, source: Source, arrival: Arrival) -> bool:
    """Moves an email on the server. If that fails, the email stays, and a later round tries again."""
    if not source.dispose(arrival.place):
        if lease.state.next_move_at is None:
            lease.save(next_move_at=clock.now() + MOVE_AGAIN_AFTER)
        return False
    if lease.mailbox.after != Mailbox.After.LEAVE:
        Arrival.objects.filter(pk=arrival.pk).update(moved_at=clock.now())
    return True


def _move_left_over(lease: Lease, source: Source, result: Round) -> None:
    """Moves what was stored and not moved: after a worker died at once, else once in an hour."""
    now, at = clock.now(), lease.state.next_move_at
    if lease.mailbox.after == Mailbox.After.LEAVE or (at and at > now):
        return
    lease.save(next_move_at=None)
    left = lease.mailbox.arrivals.filter(moved_at=None, email__size__lte=MAX_BYTES)
    for arrival in left.filter(place__startswith=source.prefix).order_by("-pk")[:MOST_EMAILS]:
        result.moved += _dispose(lease, source, arrival)
