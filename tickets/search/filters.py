"""What the filters that are typed into a search box mean: status:waiting, before:2026-11-01, is:open ..."""

import itertools
import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta

from django.contrib.auth import get_user_model
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets import workflow
from tickets.models import Attachment, Category, SearchDocument, Status, Ticket
from tickets.search.asking import match_for
from tickets.search.assignees import named, names_in, possible_assignees
from tickets.search.query import FILTERS, Filter, nearest
from tickets.search.words import name_begins, words_of, words_of_name
from tickets.workflow import Phase

FOR_STAFF_ONLY = ("assignee", "requester")
ME, NOBODY = "me", ("unassigned", "nobody", "none")
UNITS = {"d": 1, "w": 7, "m": 30, "y": 365}  # days
AGO = re.compile(r"-(\d{1,4})([dwmy])", re.ASCII)
DAY = re.compile(r"\d{4}-\d{1,2}-\d{1,2}", re.ASCII)
MOST_PEOPLE = 500
PHASES = {"open": workflow.OPEN, "closed": (Phase.DONE,), **{phase.value: (phase,) for phase in Phase}}


class Wrong(Exception):
    """A filter that makes no sense. Says so in words, with the nearest right one where there is one.

    Most are never shown (those of saved views), so the nearest one is looked for when they are.
    """

    def __init__(self, problem: str, meant: Callable[[], str | None] = lambda: None):
        super().__init__(problem)
        self.problem, self.meant = problem, meant

    def __str__(self):
        if meant := self.meant():
            return self.problem + " " + _("Did you mean %(filter)s?") % {"filter": meant}
        return self.problem


def names_for(user) -> tuple[str, ...]:
    """The filters that `user` has."""
    return FILTERS if user.is_staff else tuple(name for name in FILTERS if name not in FOR_STAFF_ONLY)


def completions(user, categories: Iterable[str]) -> list[str]:
    """What a search box offers to complete."""
    offered = {
        "status": PHASES,
        "category": [f'"{name}"' if " " in name else name for name in categories],
        "assignee": (ME, NOBODY[0]),
        "requester": (ME,),
        "priority": Ticket.Priority.values,
        "before": ("today", "-7d", "-30d"),
        "after": ("today", "-7d", "-30d"),
        "is": (*PHASES, NOBODY[0]),
        "has": ("file",),
    }
    return [f"{name}:{value}" for name in names_for(user) for value in offered[name]]


def condition(asked: Filter, user) -> Q:
    """The tickets that pass. Raises Wrong."""
    if asked.name not in names_for(user):
        problem = _("There is no filter “%(name)s:”.") % {"name": asked.name}
        raise Wrong(problem, lambda: _filter_meant(nearest(asked.name, names_for(user)), asked.value))
    if not asked.value:
        problem = _("“%(name)s:” needs a value.") % {"name": asked.name}
        raise Wrong(problem, lambda: EXAMPLES[asked.name])
    passing = MEANINGS[asked.name](asked.value, user)
    return ~passing if asked.is_excluded else passing


def person_named(asked: Filter, user) -> str | None:
    """The name in requester:maria, which the words of the documents answer. Raises Wrong for nobody's."""
    is_name = asked.name == "requester" and user.is_staff and asked.value.lower() not in ("", ME)
    if not is_name or asked.is_excluded:
        return None
    if not _documents_of(asked.value).exists():
        raise _wrong_value("requester", asked.value, lambda: _names_like(asked.value))
    return asked.value


def assignees_named(asked: Filter, user) -> list | None:
    """The people in assignee:ann; None where the filter has no name. Raises Wrong for nobody's."""
    is_name = asked.name == "assignee" and user.is_staff and asked.value.lower() not in ("", ME, *NOBODY)
    if not is_name:
        return None
    people = possible_assignees()
    if found := named(asked.value, people):
        return found
    raise _wrong_value("assignee", asked.value, lambda: (ME, NOBODY[0], *names_in(people)))


def _documents_of(name: str):
    match = match_for((), (), people=[name])
    return SearchDocument.objects.filter(words__matches=match) if match.all else SearchDocument.objects.none()


def _names_like(value: str) -> set[str]:
    """Words of the names and addresses of people that begin with the same letter."""
    people = get_user_model().objects.all()
    names = people.filter(Q(full_name__icontains=f" {value[0]}") | Q(full_name__istartswith=value[0]))
    return {
        word for name in names.values_list("full_name", flat=True)[:MOST_PEOPLE] for word in words_of(name)
    }


def _status(value: str, user) -> Q:
    if value.lower() in PHASES:
        return Q(status__phase__in=PHASES[value.lower()])
    return Q(status__in=_named("status", value, Status.objects.values_list("pk", "name"), PHASES))


def _category(value: str, user) -> Q:
    return Q(category__in=_named("category", value, Category.objects.values_list("pk", "name")))


def _priority(value: str, user) -> Q:
    return Q(priority=_one_of("priority", value, Ticket.Priority.values))


def _assignee(value: str, user) -> Q:
    """Of a word for somebody; names are assignees_named()'s matter."""
    return Q(assignee=user if value.lower() == ME else None)


def _requester(value: str, user) -> Q:
    if value.lower() == ME:
        return Q(requester=user)
    return Q(pk__in=_documents_of(value).values("pk"))


def _before(value: str, user) -> Q:
    return Q(created_at__lt=_start("before", value))


def _after(value: str, user) -> Q:
    return Q(created_at__gte=_start("after", value))


def _is(value: str, user) -> Q:
    offered = (*PHASES, NOBODY[0], "merged") + (("mine",) if user.is_staff else ())
    match _one_of("is", value, offered):
        case "unassigned":
            return Q(assignee=None)
        case "mine":
            return Q(assignee=user)
        case "merged":
            return Q(merged_into__isnull=False)
        case phase:
            return Q(status__phase__in=PHASES[phase])


def _has(value: str, user) -> Q:
    """Files of internal notes count for staff alone."""
    _one_of("has", value, ("file", "files"))
    files = Attachment.objects.filter(ticket=OuterRef("pk"))
    if not user.is_staff:
        files = files.filter(Q(comment=None) | Q(comment__is_public=True))
    return Q(Exists(files.order_by()))


MEANINGS: dict[str, Callable[[str, object], Q]] = {
    "status": _status, "category": _category, "priority": _priority, "assignee": _assignee,
    "requester": _requester, "before": _before, "after": _after, "is": _is, "has": _has,
}  # fmt: skip
EXAMPLES = {
    "status": "status:waiting", "category": "category:other", "priority": "priority:urgent",
    "assignee": "assignee:me", "requester": "requester:me", "before": "before:2026-11-01",
    "after": "after:-7d", "is": "is:open", "has": "has:file",
}  # fmt: skip


def _one_of(name: str, value: str, offered: Iterable[str]) -> str:
    offered = tuple(offered)
    if value.lower() in offered:
        return value.lower()
    raise _wrong_value(name, value, lambda: offered)


def _named(name: str, value: str, rows: Iterable[tuple[int, str]], offered: Iterable[str] = ()) -> list[int]:
    """The rows whose name has words that begin with each of the first words of `value`."""
    rows = [(pk, words_of(text)) for pk, text in rows]
    asked = words_of_name(value)
    if found := [pk for pk, words in rows if name_begins(asked, words)]:
        return found
    raise _wrong_value(
        name, value, lambda: itertools.chain(offered, (word for _pk, words in rows for word in words))
    )


def _wrong_value(name: str, value: str, offered: Callable[[], Iterable[str]]) -> Wrong:
    problem = _("“%(value)s” is no value of “%(name)s:”.") % {"value": value, "name": name}
    return Wrong(problem, lambda: _filter_meant(name, nearest(value.lower(), offered())) or EXAMPLES[name])


def _filter_meant(name: str | None, value: str | None) -> str | None:
    return None if name is None or value is None else f"{name}:{value}"


def _start(name: str, value: str) -> datetime:
    """The first moment of a day: 2026-11-01, today, or -7d for a week ago."""
    day = timezone.localdate()
    try:
        if ago := AGO.fullmatch(value.lower()):
            day -= timedelta(days=int(ago[1]) * UNITS[ago[2]])
        elif DAY.fullmatch(value):
            day = date(*map(int, value.split("-")))
        elif value.lower() == "yesterday":
            day -= timedelta(days=1)
        elif value.lower() != "today":
            raise ValueError
        # As the database gets it: a first day of all times began before them, east of Greenwich.
        return timezone.make_aware(datetime.combine(day, time.min)).astimezone(UTC)
    except (ValueError, OverflowError):
        problem = _("“%(value)s” is no day like 2026-11-01 or -7d.") % {"value": value}
        days = ("today", "yesterday")
        raise Wrong(problem, lambda: _filter_meant(name, nearest(value.lower(), days))) from None
