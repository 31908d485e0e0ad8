"""Declares each filter of lists of tickets once.

The declarations are used by the list on the portal (tickets.forms.filters), the queue
(tickets.admin.queue.filters), the search box and its completion, saved views and the export. Filters of links
from reports are declared in tickets.reports.filters.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tickets.models import Ticket
from tickets.models.ticket_querysets import TicketQuerySet
from tickets.search import meanings, narrowing
from tickets.search.choices import Period, Show, Who
from tickets.search.meanings import ME, NOBODY, PHASES, Meaning, Word, Wrong, filter_meant, nearest
from tickets.search.narrowing import Asking
from tickets.search.terms import Asked

DAYS = ("today", "-7d", "-30d")


@dataclass(frozen=True)
class Box:
    """The form field of a search keyword, in "More filters"."""

    parameter: str  # on the portal; in the queue it is "with_" and the keyword
    kind: str = "text"  # or date, or tick
    ticked: str = ""  # the value of a checked tick


@dataclass(frozen=True)
class Filter:
    """One filter.

    Its values are listed in `values`. If there are too many, `named` returns the label of one value, or ""
    for an invalid one. `narrow` filters a queryset; without it the filter is only a search keyword.
    """

    name: str  # the parameter in URLs
    label: str
    narrow: Callable[[TicketQuerySet, str, Asking], TicketQuerySet] | None = None
    values: Callable[[Asking], Iterable[tuple[object, str]]] | None = None
    named: Callable[[str, Asking], str] | None = None
    everything: str = ""  # the label for no choice
    default: str = ""  # the value for no choice, if it needs one
    is_for_staff: bool = False
    word: Word | None = None
    box: Box | None = None

    def choices(self, asking: Asking) -> list[tuple[str, str]]:
        return [(str(value), label) for value, label in self.values(asking)]

    def label_of(self, value: str, asking: Asking) -> str:
        """The label of `value`; "" for a value that is not offered."""
        if self.named:
            return self.named(value, asking)
        return str(dict(self.choices(asking)).get(value, ""))

    def may_be_used_by(self, user) -> bool:
        return user.is_staff or not self.is_for_staff


FILTERS = (
    Filter(
        "status",
        _("status"),
        narrow=narrowing.by_number("status"),
        values=lambda asking: ((status.pk, status.name) for status in asking.statuses),
        named=narrowing.status_named,
        everything=_("Any status"),
        word=Word("status", "status:waiting", meanings.of_status, lambda names: PHASES),
    ),
    Filter(
        "category",
        _("category"),
        narrow=narrowing.by_category,
        values=lambda asking: asking.categories.items(),
        everything=_("All categories"),
        word=Word("category", "category:other", meanings.of_category, lambda names: map(_in_quotes, names)),
    ),
    Filter(
        "assignee",
        _("assignee"),
        narrow=narrowing.by_number("assignee"),
        named=narrowing.assignee_named,
        is_for_staff=True,
        word=Word("assignee", "assignee:me", meanings.of_assignee, lambda names: (ME, NOBODY[0])),
        box=Box("assignee"),
    ),
    Filter(
        "requester",
        _("requester"),
        narrow=narrowing.by_number("requester"),
        named=narrowing.requester_named,
        is_for_staff=True,
        word=Word("requester", "requester:me", meanings.of_requester, lambda names: (ME,)),
        box=Box("requester"),
    ),
    Filter(
        "priority",
        _("priority"),
        narrow=narrowing.by_priority,
        values=lambda asking: reversed(Ticket.Priority.choices),
        everything=_("Any priority"),
        word=Word("priority", "priority:urgent", meanings.of_priority, lambda names: Ticket.Priority.values),
    ),
    Filter(
        "before",
        _("created before"),
        word=Word("before", "before:2026-11-01", meanings.filed_before, lambda names: DAYS),
        box=Box("filed_before", "date"),
    ),
    Filter(
        "after",
        _("created from"),
        word=Word("after", "after:-7d", meanings.filed_after, lambda names: DAYS),
        box=Box("filed_from", "date"),
    ),
    Filter(
        "is",
        _("unassigned"),
        word=Word("is", "is:open", meanings.being, lambda names: (*PHASES, NOBODY[0])),
        box=Box("unassigned", "tick", ticked="unassigned"),
    ),
    Filter(
        "has",
        _("with files"),
        word=Word("has", "has:file", meanings.having, lambda names: ("file",)),
        box=Box("has_file", "tick", ticked="file"),
    ),
    Filter(
        "phase",
        _("phase"),
        narrow=narrowing.by_phase,
        values=lambda asking: Show.choices,
    ),
    Filter(
        "who",
        _("assigned to"),
        narrow=narrowing.by_who,
        values=lambda asking: Who.choices,
        everything=Who.ALL.label,
        default=Who.ALL.value,
        is_for_staff=True,
    ),
    Filter(
        "period",
        _("period"),
        narrow=narrowing.by_period,
        values=lambda asking: Period.choices,
        everything=_("Created at any time"),
        is_for_staff=True,
    ),
)
BY_NAME = {declared.name: declared for declared in FILTERS}
WORDS = {declared.word.name: declared for declared in FILTERS if declared.word}


def words_for(user) -> list[Filter]:
    """The keywords that `user` may type into a search box."""
    return [declared for declared in WORDS.values() if declared.may_be_used_by(user)]


def completions(user, categories: Iterable[str]) -> list[str]:
    """The completions of a search box. `categories` are names."""
    words = [declared.word for declared in words_for(user)]
    names = list(categories)
    return [f"{word.name}:{value}" for word in words for value in word.offers(names)]


def meaning(asked: Asked, user) -> Meaning:
    """The condition of a typed filter. Raises Wrong."""
    words = {declared.word.name: declared.word for declared in words_for(user)}
    if asked.name not in words:
        problem = gettext("There is no filter “%(name)s:”.") % {"name": asked.name}
        raise Wrong(problem, lambda: filter_meant(nearest(asked.name, words), asked.value))
    word = words[asked.name]
    if not asked.value:
        problem = gettext("“%(name)s:” needs a value.") % {"name": asked.name}
        raise Wrong(problem, lambda: word.example)
    passing = word.means(asked, user, word)
    return replace(passing, condition=~passing.condition) if asked.is_excluded else passing


def _in_quotes(name: str) -> str:
    return f'"{name}"' if " " in name else name
