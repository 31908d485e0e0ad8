"""Macros: a reply and new values of fields as one act. One that is refused changes nothing."""

import uuid

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from accounts import actor
from tickets import claiming, conversation, saved_replies
from tickets.models import Because, Comment, Macro, Ticket

FIELDS = ("status", "priority", "category")


def deeds(macro: Macro) -> str:
    """What a click does, in words."""
    words = [_("replies")] if macro.body else []
    if macro.status:
        words.append(_("sets %(status)s") % {"status": macro.status})
    if macro.priority:
        words.append(
            _("makes the priority %(priority)s") % {"priority": macro.get_priority_display().lower()}
        )
    if macro.category:
        words.append(_("moves it to %(category)s") % {"category": macro.category})
    if macro.assigns_to_me:
        words.append(_("takes the ticket"))
    return capfirst(", ".join(words))


def apply(
    macro: Macro, ticket: Ticket, *, agent, key: uuid.UUID, seen: int | None = None, claims: bool = True
) -> bool:
    """Does on `ticket` what `macro` names; other fields stay as they are now, whoever set them.

    Its reply claims a ticket like any other, unless `claims` is off; what the macro names wins. Returns False
    where it said its reply with this `key` before. Raises ValidationError where the ticket does not allow it,
    claiming.Claimed where it takes the ticket and somebody has it whom the page did not show (`seen`).
    """
    try:
        with transaction.atomic():
            _apply(macro, ticket, agent=agent, key=key, seen=seen, claims=claims)
    except IntegrityError:
        if not Comment.objects.filter(author=agent, key=key).exists():
            raise
        return False
    return True


def _apply(macro: Macro, ticket: Ticket, *, agent, key: uuid.UUID, seen: int | None, claims: bool) -> None:
    ticket = Ticket.objects.select_for_update().get(pk=ticket.pk)
    _validate(macro, ticket)
    if macro.assigns_to_me:
        claiming.validate_owner(ticket, agent, seen=seen)
    if macro.body:
        _reply(macro, ticket, agent=agent, key=key, claims=claims or macro.assigns_to_me)
        ticket = Ticket.objects.get(pk=ticket.pk)  # a reply may have moved it
    values = {name: value for name in FIELDS if (value := getattr(macro, name))}
    takes = macro.assigns_to_me and ticket.assignee_id != agent.pk
    for name, value in (values | {"assignee": agent} if takes else values).items():
        setattr(ticket, name, value)
    if values or takes:
        ticket.clean()
    if values:
        ticket.save(update_fields=values.keys())
    if takes:
        ticket.assign(agent, because=Because.TOOK)


def _validate(macro: Macro, ticket: Ticket) -> None:
    if ticket.merged_into_id:
        number = {"number": ticket.merged_into_id}
        raise ValidationError(_("This ticket is merged into #%(number)d. Please work there."), params=number)
    if macro.category and not macro.category.is_active:
        raise ValidationError(_("The category %(name)s is switched off."), params={"name": macro.category})


def _reply(macro: Macro, ticket: Ticket, *, agent, key: uuid.UUID, claims: bool) -> None:
    """Says the text. What the agent has typed on the ticket and not sent stays a draft.

    With the status, so that a new ticket does not become active first.
    """
    body = saved_replies.fill(macro.body, ticket=ticket, agent=agent)
    Comment._meta.get_field("body").run_validators(body)
    act = {"key": key, "source": actor.ADMIN, "status": macro.status, "claims": claims}
    said = conversation.reply(ticket, author=agent, body=body, **act)
    if isinstance(said, Ticket):
        raise ValidationError(_("It was done long ago, so your answer needs a new ticket. Please write it."))
