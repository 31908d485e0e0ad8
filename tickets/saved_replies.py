"""Saved replies and the texts of macros: what their variables stand for on a ticket, and finding them."""

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tickets import variables
from tickets.models import SavedReply, Ticket
from tickets.models.owned import OwnedQuerySet

VARIABLES = ("first_name", "requester", "ticket", "category", "agent")
HELP_ON_VARIABLES = _(
    "You can write {first_name} and {requester} for the requester's names, {ticket} for the number, "
    "{category}, and {agent} for the name of whoever answers."
)
LONGEST_SEARCH = 200


def fill(text: str, *, ticket: Ticket, agent) -> str:
    """`text` as `agent` says it on `ticket`; what is no variable stays as it was typed."""
    values = (
        ticket.requester.get_short_name(),
        ticket.requester,
        f"#{ticket.pk}",
        ticket.category,
        agent,
    )
    return variables.fill(text, dict(zip(VARIABLES, map(str, values), strict=True)))


def validate_variables(text: str) -> None:
    """Raises ValidationError for each variable that does not exist, with the one that was probably meant."""
    errors = []
    for name in variables.unknown(text, VARIABLES):
        if nearest := variables.nearest(name.lower(), VARIABLES):
            text = _("There is no {%(name)s}. Did you mean {%(nearest)s}?")
        else:
            text = _("There is no {%(name)s}. You can use %(known)s.")
        known = ", ".join(f"{{{variable}}}" for variable in VARIABLES)
        errors.append(ValidationError(text, params={"name": name, "nearest": nearest, "known": known}))
    if errors:
        raise ValidationError(errors)


def matching(words: str, *, user) -> OwnedQuerySet:
    """The saved replies that `user` may use whose title or text contains every word."""
    words = words[:LONGEST_SEARCH]
    replies = SavedReply.objects.visible_to(user)
    if "\0" in words:  # PostgreSQL refuses it, SQLite ends the text there
        return replies.none()
    for word in words.split():
        replies = replies.filter(Q(title__icontains=word) | Q(body__icontains=word))
    return replies
