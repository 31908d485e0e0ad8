"""Previews for staff: the result of each choice for a message in quarantine."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from tickets.mail.receiving.decisions import Decision, account_of, decide_for_staff, is_believed, person_of
from tickets.mail.receiving.handler import name_of_sender, refusal_of_ticket
from tickets.mail.receiving.parsing import Mail
from tickets.models import InboundEmail
from tickets.rules.typed import isolated


@dataclass(frozen=True)
class Forecast:
    """A sentence for each choice; "" if the choice is not offered."""

    accept: str
    create: str
    attach: str
    invites: str = ""  # the address of the account that "Create ticket" creates
    no_ticket: str = ""  # why "Create ticket" is not offered


def forecast(email: InboundEmail, mail: Mail) -> Forecast:
    accepted = decide_for_staff(email, mail)
    accept = _outcome(accepted, mail) if accepted.person else ""
    attach = _attached(email, mail)
    if why := refusal_of_ticket(mail):
        return Forecast(accept, "", attach, no_ticket=why)
    created = decide_for_staff(email, mail, is_new=True)
    invites = "" if created.person else mail.sender
    return Forecast(accept, _outcome(created, mail), attach, invites=invites)


def _outcome(decision: Decision, mail: Mail) -> str:
    person, ticket = decision.person, decision.ticket
    if person is None:
        account = account_of(mail.sender)
        name = account.full_name if account else name_of_sender(mail)
        sentence = (
            _("This accepts the unconfirmed account of %(name)s <%(address)s> and invites them by email.")
            if account
            else _("This creates an account for %(name)s <%(address)s> and invites them by email.")
        )
        return sentence % {"name": isolated(name), "address": mail.sender}
    words = {"number": ticket and ticket.pk, "name": isolated(person.full_name)}
    if decision.is_quote and ticket:
        return _("Will be added to #%(number)d as an internal note by you.") % words
    if decision.is_quote:
        return _("Creates a ticket in your name, with this email quoted in an internal note by you.")
    if ticket is None:
        return _("Creates a ticket for %(name)s.") % words
    if decision.is_internal:
        return _("Will be added to #%(number)d as an internal note by %(name)s.") % words
    return _("Will be added to #%(number)d as a reply by %(name)s.") % words


def _attached(email: InboundEmail, mail: Mail) -> str:
    person = person_of(mail.sender)
    if person is None or not is_believed(email, mail, person):
        return _("Will be added as an internal note by you.")
    return _(
        "Will be added as %(name)s's message. If they can't see the ticket, as an internal note by you."
    ) % {"name": isolated(person.full_name)}
