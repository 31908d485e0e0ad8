from dataclasses import dataclass

from django.core.mail import EmailMessage

from tickets.models import Mailbox, Notification, OutboxPause


@dataclass(frozen=True)
class ReadyMail:
    """An email that is ready to send, with its rows, which are leased to this worker.

    `mailbox` sends it; None: the provider of the settings. `paused` is the state of this sender, because this
    email may be the trial after a pause.
    """

    notifications: list[Notification]
    mail: EmailMessage
    mailbox: Mailbox | None
    paused: OutboxPause

    @property
    def may_have_left(self) -> bool:
        """Whether an earlier attempt was made, which may have succeeded unnoticed."""
        first = self.notifications[0]
        return first.attempts > 1 or bool(first.last_error)
