"""What a ticket waits for, and until which day. Pure."""

from dataclasses import dataclass
from datetime import date

from django.utils.translation import gettext_lazy as _

# By the values of Ticket.WaitingFor: the words of the timeline, macros and bulk changes. Other texts about
# waiting are the choices of Ticket.WaitingFor and history.status_words.
STATES = {
    "requester": _("waiting for the requester"),
    "supplier": _("waiting for a third party"),
    "date": _("waiting for a date"),
}


def waiting_for(reason: str) -> str:
    return str(STATES[reason])


@dataclass(frozen=True)
class Wait:
    """`reason` is one of Ticket.WaitingFor. If it is empty, reason and day stay as they are.

    A ticket can wait without a reason (an imported or an old one). Then the helpdesk does not know that it
    waits for the requester, so it sends no reminder and does not close it.
    """

    reason: str = ""
    until: date | None = None

    def after(self, present: "Wait") -> "Wait":
        """Returns how a ticket waits that waited as `present` before this change."""
        return self if self.reason else Wait(present.reason, self.until or present.until)


AS_IT_IS = Wait()
