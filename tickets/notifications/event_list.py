"""Compares what we hold of mail that went out with Mailgun's list of events (GET /v3/<domain>/events).

Mailgun remembers events for some days only and writes them down with a delay; what it can't know is not
compared. Mailgun calls a mail by its Message-ID without the angle brackets.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import requests
from anymail.signals import AnymailTrackingEvent, EventType
from django.conf import settings

from helpdesk import clock
from tickets.models import Notification
from tickets.notifications import delivery_events

State = Notification.State
LIMIT = 300  # events a page, Mailgun's most
MOST_PAGES = 2000
DELAY = timedelta(minutes=30)
REMEMBERED_AT_LEAST = timedelta(days=1)
ASKED = "accepted OR delivered OR failed OR rejected OR complained"
HELD_FOR_SENT = (State.SENT, State.DELIVERED)
REFUSED = (401, 402, 403)


class NotAllowed(Exception):
    """The key may send but not read events."""


class NoAnswer(Exception):
    """Mailgun can't be reached or answers with an error; the message says which."""


@dataclass
class Comparison:
    """since: from when on the provider remembers. Rows are named by their number, mails by Message-ID."""

    since: datetime
    compared: int = 0
    never_accepted: list[Notification] = field(default_factory=list)
    untold: list[tuple[Notification, AnymailTrackingEvent]] = field(default_factory=list)


def compare(begin: datetime) -> Comparison:
    """Raises NotAllowed and NoAnswer."""
    end = clock.now() - DELAY
    known: set[str] = set()
    news: dict[str, list[AnymailTrackingEvent]] = {}
    since = end - REMEMBERED_AT_LEAST
    for event in _events(begin, clock.now()):
        since = min(since, event.timestamp)
        known.add(event.message_id)
        if event.event_type in delivery_events.STATES:
            news.setdefault(event.message_id, []).append(event)
    result = Comparison(since=max(begin, since))
    sent = Notification.objects.filter(sent_at__gte=result.since, sent_at__lt=end).order_by("pk")
    for row in sent.exclude(message_id="").iterator():
        result.compared += 1
        ids = {row.message_id, row.provider_id} & known
        if not ids and row.state in HELD_FOR_SENT:
            result.never_accepted.append(row)
        for event in (event for name in ids for event in news.get(name, ())):
            if row.state in delivery_events.OVERRULES[delivery_events.STATES[event.event_type]]:
                result.untold.append((row, event))
    return result


def repair(comparison: Comparison) -> int:
    """Takes over what we were not told, as if the webhook had told it. Returns the number of events."""
    events = {id(event): event for _row, event in comparison.untold}
    for event in events.values():
        delivery_events.note(event)
    return len(events)


def _events(begin: datetime, end: datetime) -> Iterator[AnymailTrackingEvent]:
    base = settings.ANYMAIL["MAILGUN_API_URL"].rstrip("/")
    url = f"{base}/{settings.ANYMAIL['MAILGUN_SENDER_DOMAIN']}/events"
    asked = {"begin": begin.timestamp(), "end": end.timestamp(), "limit": LIMIT, "event": ASKED}
    for _page in range(MOST_PAGES):
        page = _get(url, asked)
        items = page.get("items") or []
        yield from filter(None, map(_event, items))
        url, asked = (page.get("paging") or {}).get("next", ""), None
        if not items or not url:
            return
        if not url.startswith(f"{base}/"):  # our key goes nowhere else
            raise NoAnswer("its next page is on another host")
    raise NoAnswer(f"there are more than {MOST_PAGES * LIMIT} events; ask for fewer days")


def _get(url: str, asked: dict | None) -> dict:
    try:
        answer = requests.get(
            url,
            params=asked,
            auth=("api", settings.ANYMAIL["MAILGUN_API_KEY"]),
            timeout=settings.ANYMAIL["REQUESTS_TIMEOUT"],
            allow_redirects=False,
        )
        if answer.status_code in REFUSED:
            raise NotAllowed
        if answer.status_code != 200:
            raise NoAnswer(f"it answers with status {answer.status_code}")
        page = answer.json()
    except requests.exceptions.JSONDecodeError as error:
        raise NoAnswer("its answer is no JSON") from error
    except requests.RequestException as error:
        raise NoAnswer(type(error).__name__) from error
    if not isinstance(page, dict):
        raise NoAnswer("its answer is no list of events")
    return page


def _event(item: dict) -> AnymailTrackingEvent | None:
    """An event as the webhook would give it; None where it is of no mail of ours."""
    try:
        name = item["message"]["headers"]["message-id"].strip("<>")
        moment = datetime.fromtimestamp(item["timestamp"], tz=UTC)
        kind = item["event"]
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError):
        return None
    types = {
        "delivered": EventType.DELIVERED,
        "complained": EventType.COMPLAINED,
        "rejected": EventType.REJECTED,
        "failed": EventType.BOUNCED if item.get("severity") == "permanent" else EventType.DEFERRED,
    }
    status = item.get("delivery-status") or {}
    return AnymailTrackingEvent(
        event_type=types.get(kind, EventType.QUEUED),
        message_id=f"<{name}>",
        timestamp=moment,
        recipient=item.get("recipient"),
        mta_response=status.get("message") or status.get("description"),
        description=item.get("reason"),
        esp_event=item,
    )
