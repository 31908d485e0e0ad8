"""Compares the outbox with Mailgun's events (GET /v3/<domain>/events).

Mailgun keeps events for a few days and lists them with a delay, so only this period is compared. Mailgun
writes a Message-ID without angle brackets.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import requests
from anymail.signals import AnymailTrackingEvent, EventType
from django.conf import settings

from helpdesk import clock
from tickets.mail.sending import delivery_events
from tickets.models import Notification

State = Notification.State
LIMIT = 300  # events per page, Mailgun's maximum
MOST_PAGES = 2000
DELAY = timedelta(minutes=30)
REMEMBERED_AT_LEAST = timedelta(days=1)
ASKED = "accepted OR delivered OR failed OR rejected OR complained"
HELD_FOR_SENT = (State.SENT, State.DELIVERED)
REFUSED = (401, 402, 403)


class NotAllowed(Exception):
    """The key has no permission to read events."""


class NoAnswer(Exception):
    """Mailgun can't be reached or returns an error. The message gives the reason."""


@dataclass
class ProviderComparison:
    """The result. `since` is the start of the period for which the provider has events."""

    since: datetime
    compared: int = 0
    never_accepted: list[Notification] = field(default_factory=list)
    unrecorded: list[tuple[Notification, AnymailTrackingEvent]] = field(default_factory=list)


def compare(begin: datetime) -> ProviderComparison:
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
    result = ProviderComparison(since=max(begin, since))
    sent = Notification.objects.filter(sent_at__gte=result.since, sent_at__lt=end).order_by("pk")
    for row in sent.exclude(message_id="").iterator():
        result.compared += 1
        ids = {row.message_id, row.provider_id} & known
        if not ids and row.state in HELD_FOR_SENT:
            result.never_accepted.append(row)
        for event in (event for name in ids for event in news.get(name, ())):
            if row.state in delivery_events.OVERRULES[delivery_events.STATES[event.event_type]]:
                result.unrecorded.append((row, event))
    return result


def repair(comparison: ProviderComparison) -> int:
    """Processes the missed events like those of the webhook. Returns their number."""
    events = {id(event): event for _row, event in comparison.unrecorded}
    for event in events.values():
        delivery_events.note(event)
    return len(events)


def _events(begin: datetime, end: datetime) -> Iterator[AnymailTrackingEvent]:
    base = settings.ANYMAIL["MAILGUN_API_URL"].rstrip("/")
    url = f"{base}/{settings.ANYMAIL['MAILGUN_SENDER_DOMAIN']}/events"
    asked = {"begin": begin.timestamp(), "end": end.timestamp(), "limit": LIMIT, "event": ASKED}
    for _page in range(MOST_PAGES):
        page = _get(url, asked)
        items, paging = page.get("items") or [], page.get("paging") or {}
        if not (isinstance(items, list) and isinstance(paging, dict)):
            raise NoAnswer("its answer is no list of events")
        yield from filter(None, map(_event, items))
        url, asked = str(paging.get("next", "")), None
        if not items or not url:
            return
        if not url.startswith(f"{base}/"):  # never send our key to another host
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
    """Converts an event to the format of the webhook; None if it is incomplete."""
    try:
        name = item["message"]["headers"]["message-id"].strip("<>")
        moment = datetime.fromtimestamp(item["timestamp"], tz=UTC)
        kind = item["event"]
        status = dict(item.get("delivery-status") or {})
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError):
        return None
    types = {
        "delivered": EventType.DELIVERED,
        "complained": EventType.COMPLAINED,
        "rejected": EventType.REJECTED,
        "failed": EventType.BOUNCED if item.get("severity") == "permanent" else EventType.DEFERRED,
    }
    return AnymailTrackingEvent(
        event_type=types.get(kind, EventType.QUEUED),
        message_id=f"<{name}>",
        timestamp=moment,
        recipient=item.get("recipient"),
        mta_response=status.get("message") or status.get("description"),
        description=item.get("reason"),
        esp_event=item,
    )
