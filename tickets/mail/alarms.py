"""Current problems with email and files, as sentences for the admin, /readyz, mail_report and the log."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Max, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from helpdesk import clock
from tickets.files import probe
from tickets.mail import fetching_alarms, pause, sending_alarms
from tickets.models import InboundEmail, JobRun, Mailbox, Notification, OutboxPause, RaisedAlarm
from tickets.models.notification import CANARY

logger = logging.getLogger(__name__)
State, Pause = Notification.State, OutboxPause.Reason
OUTBOX_IS_OLD_AFTER = timedelta(minutes=10)
JOBS_ARE_LATE_AFTER = timedelta(minutes=10)  # one of them runs every minute
CANARY_IS_LATE_AFTER = timedelta(minutes=30)
FILING_IS_LATE_AFTER = timedelta(hours=1)
LONGEST_DELIVERY = timedelta(days=4)  # longer than all attempts of an email together


def alarms() -> list[str]:
    """The alarms about email."""
    return list(_alarms().values())


def file_alarms() -> list[str]:
    """The alarms about the attachment storage."""
    return list(_file_alarms().values())


def log_new() -> None:
    """Logs each alarm once, when it is raised."""
    found = _alarms() | _file_alarms()
    raised = set(RaisedAlarm.objects.values_list("name", flat=True))
    for name in found.keys() - raised:
        _alarm, is_new = RaisedAlarm.objects.get_or_create(name=name)
        if is_new:
            logger.error("Alarm: %s", found[name])
    if ended := raised - found.keys():
        RaisedAlarm.objects.filter(name__in=ended).delete()


def outbox_is_old(now: datetime) -> bool:
    """`now` is the database's time, here and below."""
    return Notification.objects.due(now - OUTBOX_IS_OLD_AFTER).exists()


def jobs_are_late(now: datetime) -> bool:
    """Whether the timed jobs ran before, but have stopped. Without a provider no worker is needed."""
    if not settings.HAS_MAIL_PROVIDER:
        return False
    last = JobRun.objects.aggregate(last=Max("started_at"))["last"]
    return last is not None and last < now - JOBS_ARE_LATE_AFTER


def _alarms() -> dict[str, str]:
    """{name: sentence}. The name identifies the alarm, because figures in the sentence change."""
    now, found = clock.now(), {}
    if not settings.SENDS_WITHOUT_MAILBOX and Mailbox.objects.default() is None:
        found["no-mailbox"] = _("There is no mailbox that sends emails. All emails wait. Add a mailbox.")
    elif outbox_is_old(now):
        found["outbox"] = _(
            "Emails have waited in the outbox for more than ten minutes. Is a worker running?"
        )
    if jobs_are_late(now):
        found["jobs"] = _("No worker has run the timed jobs for more than ten minutes. Is a worker running?")
    reason = pause.reason()
    if reason == Pause.SILENT:
        found["unanswered"] = _(
            "The email provider does not respond. All emails wait; one is tried every five minutes."
        )
    if reason == Pause.REFUSED:
        found["refused"] = _("The email provider refuses us: check its key and the domain. All emails wait.")
    if reason == Pause.BREAKER:
        found["breaker"] = _("The email provider rejected several emails in a row. All emails wait.")
    if _nothing_has_left(now):
        found["silence"] = _("No email has been sent for %(hours)d hours, although some are due.") % {
            "hours": settings.MAIL_SILENCE_HOURS
        }
    if _nothing_has_come_in(now):
        found["inbound"] = _("No email has been received for %(hours)d hours.") % {
            "hours": settings.INBOUND_SILENCE_HOURS
        }
    if settings.MAIL_CANARY and _canary_is_lost(now):
        found["canary"] = _("The test email did not come back within 30 minutes: some emails get lost.")
    if count := InboundEmail.objects.filter(state=InboundEmail.State.FAILED).count():
        words = ngettext(
            "%(count)d incoming email could not be read. It is kept: try again, or discard it.",
            "%(count)d incoming emails could not be read. They are kept: try again, or discard them.",
            count,
        )
        found["unread"] = words % {"count": count}
    if count := _strangers_above_limit(now):
        words = ngettext(
            "Too many new people wrote within an hour. %(count)d email of them waits for review.",
            "Too many new people wrote within an hour. %(count)d emails of them wait for review.",
            count,
        )
        found["strangers"] = words % {"count": count}
    if count := _waiting_long(now):
        words = ngettext(
            "%(count)d incoming email has waited for more than an hour. Its page says why.",
            "%(count)d incoming emails have waited for more than an hour. Their pages say why.",
            count,
        )
        found["unfiled"] = words % {"count": count}
    return found | fetching_alarms.found(now) | sending_alarms.found(now)


def _file_alarms() -> dict[str, str]:
    """The name contains the state: a storage that is nearly full and then fails raises two alarms."""
    finding = probe.latest()
    return {f"files.{finding.state}": finding.alarm} if finding.alarm else {}


def _nothing_has_left(now: datetime) -> bool:
    """Whether no email was sent in MAIL_SILENCE_HOURS, although one is due, is being tried or has failed."""
    since = now - timedelta(hours=settings.MAIL_SILENCE_HOURS)
    queued = Notification.objects.filter(created_at__lt=now - OUTBOX_IS_OLD_AFTER)
    is_tried = Q(state__in=(State.WAITING, State.SENDING)) & (Q(attempts__gt=0) | Q(next_try_at__lte=now))
    has_failed = Q(state=State.FAILED, created_at__gte=since)
    if not settings.MAIL_SILENCE_HOURS or not queued.filter(is_tried | has_failed).exists():
        return False
    recent = Notification.objects.filter(created_at__gte=since - LONGEST_DELIVERY)
    return not recent.filter(sent_at__gte=since).exists()


def _nothing_has_come_in(now: datetime) -> bool:
    since = now - timedelta(hours=settings.INBOUND_SILENCE_HOURS)
    is_watched = settings.INBOUND_SILENCE_HOURS > 0
    return is_watched and not InboundEmail.objects.filter(received_at__gte=since).exists()


def _waiting_long(now: datetime) -> int:
    """The number of messages that wait for processing because the database fails or no worker runs."""
    since = now - FILING_IS_LATE_AFTER
    return InboundEmail.objects.filter(state=InboundEmail.State.RECEIVED, received_at__lt=since).count()


def _strangers_above_limit(now: datetime) -> int:
    """The number of emails of new people that wait since yesterday, because of the limit of accounts."""
    waiting = InboundEmail.objects.filter(state=InboundEmail.State.QUARANTINED, person=None)
    since = now - timedelta(days=1)
    return waiting.filter(reason=InboundEmail.Reason.TOO_MANY, received_at__gt=since).count()


def _canary_is_lost(now: datetime) -> bool:
    """Whether the last canary that is due has not come back, and no later one either."""
    sent = Notification.objects.filter(kind=CANARY).order_by("-pk")
    last = sent.filter(created_at__lte=now - CANARY_IS_LATE_AFTER).first()
    if last is None:
        return False
    came_in = InboundEmail.objects.filter(
        reason=InboundEmail.Reason.CANARY, received_at__gte=last.created_at
    ).values_list("identity", "recipient")
    back = {text.lower() for row in came_in for text in row}
    candidates = sent.filter(pk__gte=last.pk).values_list("message_id", "address")
    return not any({message_id.lower(), address.lower()} & back - {""} for message_id, address in candidates)
