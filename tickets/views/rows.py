"""The rows of the portal's lists, loaded without a model instance for each ticket and person."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from tickets.history.questions import NO_QUESTION, latest_questions
from tickets.history.status_words import status_sentence
from tickets.models import Category, Status, Ticket
from tickets.models.ticket_querysets import TicketQuerySet
from tickets.rules.typed import isolated
from tickets.search.passages import Passage
from tickets.views.badges import priority_mark, status_badge

COLUMNS = ("id", "subject", "priority", "done_at", "status_id", "category_id", "assignee_id")
OF_STATUS = ("requester_id", "waiting_for", "wakes_on")  # what status_sentence() needs besides
NONE = MappingProxyType({})


def columns_of(tickets: TicketQuerySet, user, *, has_text: bool = False) -> TicketQuerySet:
    """Returns the columns of `tickets` that rows() needs for a list of `user`."""
    of_reader = ("updated_at", "requester__full_name") if user.is_staff else ("public_at", *OF_STATUS)
    more = ("assignee__full_name", *of_reader, *["description"] * has_text)
    return tickets.values_list(*COLUMNS, *more, named=True)


def rows(
    found: Iterable, user, *, statuses: Mapping[int, Status] = NONE, categories: Mapping[int, str] = NONE
) -> list["Row"]:
    """Builds rows from columns_of(). `statuses` and names of `categories` are loaded already."""
    found = list(found)
    if not statuses.keys() >= {columns.status_id for columns in found}:
        statuses = Status.objects.in_bulk()
    if user.is_staff:
        if not categories.keys() >= {columns.category_id for columns in found}:
            categories = dict(Category.objects.values_list("pk", "name"))
        return [
            StaffRow(columns, statuses[columns.status_id], categories[columns.category_id])
            for columns in found
        ]
    own = [OwnRow(columns, statuses[columns.status_id], user) for columns in found]
    _attach_questions([row for row in own if row.needs_reply], user)
    return own


def _attach_questions(asked: list["OwnRow"], user) -> None:
    """Shows in each row what IT asks, in one query; none if no row needs a reply."""
    if not asked:
        return
    questions = latest_questions([row.pk for row in asked], user)
    for row in asked:
        name, question = questions.get(row.pk, NO_QUESTION)
        if question:
            row.status_line = _("%(name)s asks: %(question)s") % {
                "name": isolated(name),
                "question": isolated(question),
            }


class Row:
    """A row of a list. tickets.search.passages marks the matches of a search."""

    passage: Passage | None = None
    needs_reply = False
    priority_mark = ""  # without it, the template would look in vain for each row, which takes longer
    status_line = ""  # what happens now

    def __init__(self, columns, status: Status):
        self.pk, self.number = columns.id, str(columns.id)
        self.subject, self.description = columns.subject, getattr(columns, "description", "")
        self.marked_subject: str | SafeString = self.subject
        self.status_badge = status_badge(status)

    @property
    def details(self) -> str:
        return f"#{self.number} · {self.status_line}"


class OwnRow(Row):
    """A ticket as its requester or a watcher sees it."""

    def __init__(self, columns, status: Status, user):
        super().__init__(columns, status)
        self.changed_at = columns.public_at
        is_own = columns.requester_id == user.pk
        self.needs_reply = is_own and columns.waiting_for == Ticket.WaitingFor.REQUESTER
        self.status_line = status_sentence(
            status.phase,
            assignee=columns.assignee__full_name or "",
            waiting_for=columns.waiting_for,
            wakes_on=columns.wakes_on,
            is_own=is_own,
        )


class StaffRow(Row):
    def __init__(self, columns, status: Status, category: str):
        super().__init__(columns, status)
        self.changed_at = columns.updated_at
        if columns.priority != Ticket.Priority.NORMAL:
            self.priority_mark = priority_mark(columns.priority)
        self.status_line = " · ".join(
            filter(None, (isolated(columns.requester__full_name), isolated(category), _who_works(columns)))
        )


def _who_works(columns) -> str:
    if columns.assignee_id is None:
        return _("Unassigned")
    words = _("Solved by %(name)s") if columns.done_at else _("Assigned to %(name)s")
    return words % {"name": isolated(columns.assignee__full_name)}
