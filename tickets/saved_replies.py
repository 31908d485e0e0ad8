"""Saved replies and the texts of macros: what their variables stand for on a ticket, and finding them."""

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from tickets import variables
from tickets.models import SavedReply, Ticket
from tickets.models.owned import OwnedQuerySet

VARIABLES = ("first_name", "requester", "ticket", "category", "agent")
HELP_ON_VARIABLES = _(
    "You can write {first_name} and {requester} for the requester's names, {ticket} for the number, "
    "{category}, and {agent} for the name of whoever answers."
)
LONGEST_SEARCH, MOST_WORDS = 200, 10
MOST_PROBLEMS, LONGEST_NAME = 5, 40  # variables that don't exist and are named, and letters of each


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
    """Raises ValidationError for variables that do not exist, with those that were probably meant."""
    errors, unknown = [], variables.unknown(text, VARIABLES)
    for name in unknown[:MOST_PROBLEMS]:
        if nearest := variables.nearest(name.lower(), VARIABLES):
            text = _("There is no {%(name)s}. Did you mean {%(nearest)s}?")
        else:
            text = _("There is no {%(name)s}. You can use %(known)s.")
        known = ", ".join(f"{{{variable}}}" for variable in VARIABLES)
        params = {"name": name[:LONGEST_NAME], "nearest": nearest, "known": known}
        errors.append(ValidationError(text, params=params))
    if (more := len(unknown) - MOST_PROBLEMS) > 0:
        text = ngettext("%(count)d more does not exist.", "%(count)d more do not exist.", more)
        errors.append(ValidationError(text, params={"count": more}))
    if errors:
        raise ValidationError(errors)


def matching(words: str, *, user) -> OwnedQuerySet:
    """The saved replies that `user` may use whose title or text contains every word, up to MOST_WORDS."""
    words = words[:LONGEST_SEARCH]
    replies = SavedReply.objects.visible_to(user)
    if "\0" in words:  # PostgreSQL refuses it, SQLite ends the text there
        return replies.none()
    for word in list(dict.fromkeys(words.split()))[:MOST_WORDS]:
        replies = replies.filter(Q(title__icontains=word) | Q(body__icontains=word))
    return replies
