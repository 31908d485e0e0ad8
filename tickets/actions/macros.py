"""Macros: a reply and new field values as one act. A refused macro changes nothing."""

import uuid

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts import actor
from tickets.actions import claiming, conversation, saved_replies
from tickets.actions.conversation import Message
from tickets.models import Because, Comment, Macro, Ticket
from tickets.rules.waiting import AS_IT_IS, waiting_for

FIELDS = ("status", "priority", "category")


def summary(macro: Macro) -> str:
    """Describes the effect of a click."""
    words = [_("reply")] if macro.body else []
    if macro.status:
        words.append(_("status %(status)s") % {"status": macro.status})
    words += _wait(macro) if macro.is_waiting else []
    if macro.priority:
        words.append(_("priority %(priority)s") % {"priority": macro.get_priority_display()})
    if macro.category:
        words.append(_("category %(category)s") % {"category": macro.category})
    if macro.assigns_to_me:
        words.append(_("assigned to you"))
    return capfirst(", ".join(words))


def _wait(macro: Macro) -> list[str]:
    """Describes what the ticket waits for afterwards."""
    if not macro.waiting_for:
        return [_("no reason for waiting")]
    words = []
    if macro.waiting_for != Ticket.WaitingFor.DATE:
        words.append(waiting_for(macro.waiting_for))
    if macro.wakes_after:
        days = {"count": macro.wakes_after}
        words.append(
            ngettext("snoozed for %(count)d day", "snoozed for %(count)d days", macro.wakes_after) % days
        )
    return words


def apply(
    macro: Macro, ticket: Ticket, *, agent, key: uuid.UUID, seen: int | None = None, claims: bool = True
) -> bool:
    """Applies `macro` to `ticket`. Fields that the macro does not name keep their stored values.

    Its reply claims the ticket like any other reply, unless `claims` is off; fields named by the macro win.
    Returns False if this `key` was applied before. Raises ValidationError if the ticket does not allow it,
    and claiming.Claimed if it assigns the ticket and another person than the page showed (`seen`) has it.
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
        ticket = Ticket.objects.get(pk=ticket.pk)  # the reply may have moved the ticket
    values = {name: value for name in FIELDS if (value := getattr(macro, name))}
    takes = macro.assigns_to_me and ticket.assignee_id != agent.pk
    for name, value in (values | {"assignee": agent} if takes else values).items():
        setattr(ticket, name, value)
    if macro.is_waiting:
        ticket.wait = macro.wait.after(ticket.wait)
    if values or takes:
        ticket.clean()
    if values:
        ticket.save(update_fields=values.keys())
    if takes:
        ticket.assign(agent, because=Because.TOOK)


def _validate(macro: Macro, ticket: Ticket) -> None:
    if ticket.merged_into_id:
        number = {"number": ticket.merged_into_id}
        raise ValidationError(_("This ticket was merged into #%(number)d. Work there."), params=number)
    if macro.category and not macro.category.is_active:
        raise ValidationError(_("The category %(name)s is inactive."), params={"name": macro.category})
    if macro.is_waiting and not macro.wait.after(ticket.wait).reason:
        text = _("The macro does not say what the ticket is waiting for. Edit the macro first.")
        raise ValidationError(text)


def _reply(macro: Macro, ticket: Ticket, *, agent, key: uuid.UUID, claims: bool) -> None:
    """Sends the text. Unsent text of the agent stays a draft.

    Sets the status in the same act, so that a new ticket does not become active first.
    """
    body = saved_replies.fill(macro.body, ticket=ticket, agent=agent)
    Comment._meta.get_field("body").run_validators(body)
    message = Message(author=agent, body=body, key=key, source=actor.ADMIN)
    wait = macro.wait if macro.is_waiting else AS_IT_IS
    said = conversation.reply(ticket, message, status=macro.status, wait=wait, claims=claims)
    if isinstance(said, Ticket):
        raise ValidationError(
            _("This ticket was solved long ago, so your reply needs a new ticket. Create one.")
        )
