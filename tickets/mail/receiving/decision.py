"""What becomes of a message: the answer of decisions.decide()."""

from dataclasses import dataclass

from tickets.models import InboundEmail, Ticket

Reason = InboundEmail.Reason
State = InboundEmail.State


@dataclass(frozen=True)
class Decision:
    """State FILED: add to `ticket`, or create a ticket if it is None. Other states have a `reason`.

    `invites`: the sender gets an account first. `is_quote`: not as a message by `person`, but quoted in an
    internal note by the deciding member of staff.
    """

    state: State
    reason: Reason | str = ""
    detail: str = ""
    person: object = None
    ticket: Ticket | None = None
    is_internal: bool = False
    is_quote: bool = False
    invites: bool = False


def quarantined(
    reason: Reason, person=None, ticket: Ticket | None = None, *, is_signed: bool = False
) -> Decision:
    """Quarantines a message. On `ticket` it is shown and stops reminders.

    Therefore the ticket is set only if `person` may see it, or the address has a valid signature. A stranger
    can write any ticket number into an address.
    """
    takes_part = person and ticket and Ticket.objects.visible_to(person).filter(pk=ticket.pk).exists()
    place = ticket and (ticket.merged_into or ticket) if takes_part or is_signed else None
    return Decision(State.QUARANTINED, reason, person=person, ticket=place)
