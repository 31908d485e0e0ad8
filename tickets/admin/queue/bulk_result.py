"""Applies a bulk change: a ticket that is refused is named with the reason, and the others are changed."""

from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts import actor
from tickets.actions import undoing
from tickets.admin.queue.bulk_changes import BulkChange
from tickets.admin.queue.bulk_preview import PreviewLine, Seen
from tickets.models import NotStaff, Ticket
from tickets.rules.refusals import reason_of

CHANGED = _("This ticket changed after the preview. Check it and try again.")
GONE = _("This ticket no longer exists.")


@dataclass
class BulkResult:
    is_deletion: bool
    changed: int = 0
    refused: dict[int, str] = field(default_factory=dict)  # reasons by the number of the ticket
    undo: list[str] = field(default_factory=list)  # one text of undoing.written() for each change

    def __str__(self):
        if not self.changed and not self.refused:
            return gettext("No changes were needed.")
        if self.is_deletion:
            text = ngettext("%(count)d ticket deleted.", "%(count)d tickets deleted.", self.changed)
        else:
            text = ngettext("%(count)d ticket updated.", "%(count)d tickets updated.", self.changed)
        return text % {"count": self.changed}

    def as_json(self) -> dict:
        refused = list(self.refused.items())
        return {"changed": self.changed, "refused": refused, "undo": " ".join(self.undo)}


def apply_to_each(
    change: BulkChange, value, seen: dict[int, Seen], *, lines: list[PreviewLine], person
) -> BulkResult:
    """Changes the tickets in one transaction, which `person` can undo for a moment, except deletions.

    `seen` holds what the person saw of each ticket, `lines` what the preview would show now.
    """
    result, now = BulkResult(is_deletion=not change.field), {line.ticket.pk: line.seen for line in lines}
    with actor.undoably(bool(change.field)) as act, change.locks(seen) as tickets:
        for ticket in tickets:
            number = ticket.pk
            if change.stays(ticket, value):
                continue
            stamps = undoing.stamps_of(ticket)
            try:
                _validate_seen(change, ticket, seen[number], now=now.get(number))
                change.apply(ticket, value)
                result.changed += 1
                if change.field:
                    result.undo.append(undoing.written(ticket, stamps, batch=act.batch, person=person))
            except (ValidationError, NotStaff) as error:
                result.refused[number] = reason_of(error)
    if change.field:
        result.refused |= {number: str(GONE) for number in seen if number not in now}
    return result


def _validate_seen(change: BulkChange, ticket: Ticket, seen: Seen, *, now: Seen | None) -> None:
    """Raises ValidationError if the locked ticket is not as the person saw it."""
    if news := change.news(ticket, seen.value):
        raise ValidationError(news)
    if seen != now:
        raise ValidationError(CHANGED)
