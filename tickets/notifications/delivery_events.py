"""What the provider tells of a mail after it took it: it arrived, came back, or was called spam.

Events come late, twice and in any order, so what is worse stands: spam over come back over arrived. Only
our own Message-ID, or the id that the provider gave us, makes an event count.
"""

from datetime import datetime

from anymail.signals import AnymailTrackingEvent, EventType
from django.db import transaction

from helpdesk import clock
from tickets.models import Notification, SuppressedAddress

State = Notification.State
Reason = SuppressedAddress.Reason
LONGEST_ID = 200
LONGEST_DETAIL = 1000
STATES = {
    EventType.DELIVERED: State.DELIVERED,
    EventType.REJECTED: State.FAILED,
    EventType.BOUNCED: State.BOUNCED,
    EventType.COMPLAINED: State.COMPLAINED,
}
SUPPRESSES = {State.BOUNCED: Reason.BOUNCED, State.COMPLAINED: Reason.COMPLAINED}
UNSURE = (State.WAITING, State.SENDING, State.SENT)
OVERRULES = {
    # Waiting or failed, although it arrived: the provider's answer was lost, and it need not go again.
    State.DELIVERED: (*UNSURE, State.FAILED),
    State.FAILED: UNSURE,
    State.BOUNCED: (*UNSURE, State.DELIVERED, State.FAILED),
    State.COMPLAINED: (*UNSURE, State.DELIVERED, State.FAILED, State.BOUNCED),
}


def note(event: AnymailTrackingEvent) -> None:
    """Writes down what became of a mail. Events that say nothing of that change nothing."""
    state = STATES.get(event.event_type)
    if state is None or not _is_id(event.message_id):
        return
    with transaction.atomic():
        rows = _rows(event.message_id)
        values = {"state": state, "leased_until": None}
        if state == State.DELIVERED:
            values |= {"delivered_at": _moment(event.timestamp), "last_error": ""}
        else:
            values["last_error"] = detail = _detail(event)
        told = [row for row in rows if row.state in OVERRULES[state]]
        Notification.objects.filter(pk__in=[row.pk for row in told]).update(**values)
        Notification.objects.filter(pk__in=[row.pk for row in told], sent_at=None).update(
            sent_at=_moment(event.timestamp)
        )
        if told and state in SUPPRESSES:
            _suppress(told[0], SUPPRESSES[state], detail)


def _rows(message_id: str) -> list[Notification]:
    """The rows of one mail, locked."""
    rows = Notification.objects.select_for_update().order_by("pk")
    return list(rows.filter(message_id=message_id)) or list(rows.filter(provider_id=message_id))


def _suppress(notification: Notification, reason: Reason, detail: str) -> None:
    found, is_new = SuppressedAddress.objects.get_or_create(
        address=notification.address.lower(),
        defaults={"reason": reason, "detail": detail, "notification": notification},
    )
    if not is_new and reason == Reason.COMPLAINED:
        found.reason, found.detail, found.notification = reason, detail, notification
        found.save()


def _is_id(text: object) -> bool:
    return isinstance(text, str) and text.isascii() and text.isprintable() and len(text) <= LONGEST_ID


def _detail(event: AnymailTrackingEvent) -> str:
    """The other side's words; they are its own, so only what can be stored is kept."""
    said = [text for text in (event.mta_response, event.description) if isinstance(text, str) and text]
    words = said[0] if said else f"{event.event_type}: {event.reject_reason or ''}".strip(": ")
    return words.encode("utf-8", "replace").decode().replace("\0", "")[:LONGEST_DETAIL]


def _moment(timestamp: datetime | None) -> datetime:
    """When it happened; now where the event doesn't say or says the future."""
    now = clock.now()
    return min(timestamp, now) if timestamp else now
