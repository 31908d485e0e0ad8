"""What becomes of a ticket when a reply is sent: the choices of the button "Send"."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tickets.actions.conversation import is_asking
from tickets.models import Status, Ticket
from tickets.rules.workflow import Phase, may_follow


@dataclass(frozen=True)
class WayToSend:
    """One choice: the phase whose default status the ticket gets, and what it waits for then."""

    name: str
    label: Promise
    phase: Phase
    waiting_for: str = ""
    keys: str = ""

    @property
    def status(self) -> Status:
        return Status.objects.default_for(self.phase)


WAYS = (
    WayToSend("solved", _("Send and mark as solved"), Phase.DONE, keys="Ctrl Shift Enter"),
    WayToSend("waiting", _("Send and wait for the requester"), Phase.WAITING, Ticket.WaitingFor.REQUESTER),
)


def ways_to_send(ticket: Ticket, author) -> list[WayToSend]:
    """What `author` can choose beside sending alone; nothing on a ticket of the author's own."""
    if is_asking(ticket, author):
        return []
    return [way for way in WAYS if may_follow(ticket.phase, way.phase) and not _is_there(ticket, way)]


def find_way(ticket: Ticket, name: str) -> WayToSend | None:
    return next((way for way in WAYS if way.name == name and not _is_there(ticket, way)), None)


def _is_there(ticket: Ticket, way: WayToSend) -> bool:
    return ticket.is_done and way.phase == Phase.DONE
