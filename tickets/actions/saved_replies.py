"""Saved replies and texts of macros: fills in their variables, and finds them."""

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from tickets.models import SavedReply, Ticket
from tickets.models.owned import OwnedQuerySet
from tickets.rules import variables

VARIABLES = ("first_name", "requester", "ticket", "category", "agent")
HELP_ON_VARIABLES = _(
    "You can use {first_name} and {requester} for the requester's name, {ticket} for the number, "
    "{category}, and {agent} for the name of the person who replies."
)
LONGEST_SEARCH, MOST_WORDS = 200, 10
MOST_PROBLEMS, LONGEST_NAME = 5, 40  # unknown variables that an error names, and characters of each


def fill(text: str, *, ticket: Ticket, agent) -> str:
    """Returns `text` with its variables filled in for `ticket` and `agent`. Unknown variables stay."""
    values = (
        ticket.requester.get_short_name(),
        ticket.requester,
        f"#{ticket.pk}",
        ticket.category,
        agent,
    )
    return variables.fill(text, dict(zip(VARIABLES, map(str, values), strict=True)))


def validate_variables(text: str) -> None:
    """Raises ValidationError for unknown variables, and suggests the ones that were probably meant."""
    errors, unknown = [], variables.unknown(text, VARIABLES)
    for name in unknown[:MOST_PROBLEMS]:
        if nearest := variables.nearest(name.lower(), VARIABLES):
            text = _("{%(name)s} does not exist. Did you mean {%(nearest)s}?")
        else:
            text = _("{%(name)s} does not exist. You can use %(known)s.")
        known = ", ".join(f"{{{variable}}}" for variable in VARIABLES)
        params = {"name": name[:LONGEST_NAME], "nearest": nearest, "known": known}
        errors.append(ValidationError(text, params=params))
    if (more := len(unknown) - MOST_PROBLEMS) > 0:
        text = ngettext("%(count)d more does not exist.", "%(count)d more do not exist.", more)
        errors.append(ValidationError(text, params={"count": more}))
    if errors:
        raise ValidationError(errors)


def matching(words: str, *, user) -> OwnedQuerySet:
    """Returns the saved replies of `user` whose title or text contains every word, up to MOST_WORDS."""
    words = words[:LONGEST_SEARCH]
    replies = SavedReply.objects.visible_to(user)
    if "\0" in words:  # PostgreSQL refuses it, SQLite ends the text there
        return replies.none()
    for word in list(dict.fromkeys(words.split()))[:MOST_WORDS]:
        replies = replies.filter(Q(title__icontains=word) | Q(body__icontains=word))
    return replies
