"""A mail of the outbox as it would leave now, to be read by staff. What opens something is left out."""

from django.core.exceptions import ObjectDoesNotExist
from django.core.mail import EmailMultiAlternatives
from django.utils.translation import gettext as _

from accounts.events import AccountMail
from accounts.links import KEY, without_keys
from tickets.models import Notification
from tickets.models.notification import CANARY
from tickets.notifications import messages
from tickets.notifications.guard import UnsafeMail

ABOUT_PARTS = ("content-type", "content-transfer-encoding", "mime-version")


def text(notification: Notification) -> str:
    """Headers and parts, decoded. Of a mail about an account the headers alone: its links are secrets."""
    if notification.person is None and notification.kind != CANARY:
        return _("The person is gone, so this mail can't be made any more.")
    try:
        mail = messages.build(_rows_of_mail(notification))
    except (UnsafeMail, ObjectDoesNotExist) as error:
        return _("This mail can't be made any more: %(why)s") % {"why": error}
    headers = _headers(mail)
    if notification.kind in AccountMail:
        return f"{headers}\n\n" + _("The text is not shown: it may hold a link that opens the account.")
    parts = [(mail.body, "text/plain"), *mail.alternatives]
    return "\n\n".join([headers, *(f"[{kind}]\n\n{without_keys(content)}" for content, kind in parts)])


def _rows_of_mail(notification: Notification) -> list[Notification]:
    """The rows that left as one mail, or would."""
    rows = Notification.objects.filter(pk=notification.pk)
    if notification.message_id:
        rows = Notification.objects.filter(message_id=notification.message_id)
    elif notification.activity_id:
        same = ["is_digest", "person_id", "address", "message_id", "state"]
        same += [] if notification.is_digest else ["ticket_id", "batch"]
        rows = Notification.objects.filter(**{name: getattr(notification, name) for name in same})
    rows = list(rows.select_related("person", "activity").order_by("pk"))
    rows[0].message_id = rows[0].message_id or messages.new_message_id(rows[0])
    return rows


def _headers(mail: EmailMultiAlternatives) -> str:
    lines = mail.message().items()
    return "\n".join(
        f"{name}: {value if name == 'Message-ID' else KEY.sub('…', str(value))}"
        for name, value in lines
        if name.lower() not in ABOUT_PARTS
    )
