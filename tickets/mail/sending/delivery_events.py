"""Processes the provider's delivery events: an email was delivered, bounced or reported as spam.

Events arrive late, twice and in any order, so the worst state wins: complained, then bounced, then delivered.
An event must contain our Message-ID, or the provider's id of our email.
"""

from datetime import datetime

from anymail.signals import AnymailTrackingEvent, EventType
from django.db import transaction

from helpdesk import clock
from tickets.mail.failures import storable
from tickets.models import Notification, SuppressedAddress

State = Notification.State
Reason = SuppressedAddress.Reason
LONGEST_ID = 200
STATES = {
    EventType.DELIVERED: State.DELIVERED,
    EventType.REJECTED: State.FAILED,
    EventType.BOUNCED: State.BOUNCED,
    EventType.COMPLAINED: State.COMPLAINED,
}
SUPPRESSES = {State.BOUNCED: Reason.BOUNCED, State.COMPLAINED: Reason.COMPLAINED}
UNSURE = (State.WAITING, State.SENDING, State.SENT)
OVERRULES = {
    # A delivered email may be waiting or failed here if the provider's answer was lost. It is not sent again.
    State.DELIVERED: (*UNSURE, State.FAILED),
    State.FAILED: UNSURE,
    State.BOUNCED: (*UNSURE, State.DELIVERED, State.FAILED),
    State.COMPLAINED: (*UNSURE, State.DELIVERED, State.FAILED, State.BOUNCED),
}


def note(event: AnymailTrackingEvent) -> None:
    """Saves the new state of an email. Ignores events of other types."""
    state = STATES.get(event.event_type)
    if state is None or not is_id(event.message_id):
        return
    with transaction.atomic():
        rows = _rows(event.message_id)
        values = {"state": state, "leased_until": None}
        if state == State.DELIVERED:
            values |= {"delivered_at": _moment(event.timestamp), "last_error": ""}
        else:
            values["last_error"] = detail = _detail(event)
        changed = [row for row in rows if row.state in OVERRULES[state]]
        Notification.objects.filter(pk__in=[row.pk for row in changed]).update(**values)
        Notification.objects.filter(pk__in=[row.pk for row in changed], sent_at=None).update(
            sent_at=_moment(event.timestamp)
        )
        if changed and state in SUPPRESSES:
            suppress(changed[0], SUPPRESSES[state], detail)


def _rows(message_id: str) -> list[Notification]:
    """The rows of one email, locked."""
    rows = Notification.objects.select_for_update().order_by("pk")
    return list(rows.filter(message_id=message_id)) or list(rows.filter(provider_id=message_id))


def suppress(notification: Notification, reason: Reason, detail: str) -> None:
    found, is_new = SuppressedAddress.objects.get_or_create(
        address=notification.address.lower(),
        defaults={"reason": reason, "detail": detail, "notification": notification},
    )
    if not is_new and reason == Reason.COMPLAINED:
        found.reason, found.detail, found.notification = reason, detail, notification
        found.save()


def is_id(text: object) -> bool:
    """Whether `text` is a valid id of an email."""
    return isinstance(text, str) and text.isascii() and text.isprintable() and len(text) <= LONGEST_ID


def _detail(event: AnymailTrackingEvent) -> str:
    """The response of the recipient's mail server, or the provider's description."""
    said = [text for text in (event.mta_response, event.description) if isinstance(text, str) and text]
    words = said[0] if said else f"{event.event_type}: {event.reject_reason or ''}".strip(": ")
    return storable(words)


def _moment(timestamp: datetime | None) -> datetime:
    """The time of the event; now if it is missing or in the future."""
    now = clock.now()
    return min(timestamp, now) if timestamp else now
