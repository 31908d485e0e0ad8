"""An email of the outbox as it would be sent now, for staff to read, without secrets such as login links."""

from django.core.exceptions import ObjectDoesNotExist
from django.core.mail import EmailMultiAlternatives
from django.utils.translation import gettext as _

from accounts.events import AccountMail
from accounts.links import KEY, without_keys
from tickets.mail.guard import UnsafeMail
from tickets.mail.writing import messages
from tickets.models import Notification
from tickets.models.notification import WITHOUT_PERSON

ABOUT_PARTS = ("content-type", "content-transfer-encoding", "mime-version")


def text(notification: Notification) -> str:
    """The decoded headers and parts. Only the headers for an email about an account: its links are secret."""
    if notification.person is None and notification.kind not in WITHOUT_PERSON:
        return _("The person was deleted, so this email can no longer be shown.")
    try:
        mail = messages.build(_rows_of_mail(notification))
    except (UnsafeMail, ObjectDoesNotExist) as error:
        return _("This email can no longer be shown: %(why)s") % {"why": error}
    headers = _headers(mail)
    if notification.kind in AccountMail:
        return f"{headers}\n\n" + _("The text is not shown: it may hold a link that opens the account.")
    parts = [(mail.body, "text/plain"), *mail.alternatives]
    return "\n\n".join([headers, *(f"[{kind}]\n\n{without_keys(content)}" for content, kind in parts)])


def _rows_of_mail(notification: Notification) -> list[Notification]:
    """The rows that were sent, or will be sent, as one email."""
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
