"""Tickets whose category is known: filed from a CSV file, then asked for by those that came later.

For `manage.py measure_similar`, in its scratch database.
"""

import csv
import gzip
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter

from django.contrib.auth import get_user_model
from django.db import connection

from tickets.models import Category, Status, Ticket
from tickets.rules.workflow import Phase
from tickets.search import documents
from tickets.search.frequencies import kept
from tickets.search.similar import nearest, words_of_ticket
from tickets.search.votes import majority, ranked

COLUMNS = {"description", "category"}
SUBJECT_WORDS, SUBJECT_LENGTH = 8, 150  # such files have no subjects: the first words are one
Row = dict[str, str]


class Unreadable(Exception):
    """The file is no such CSV file; says why."""


@dataclass
class Figures:
    """How often the category of a ticket is the first, or among the first three, that its neighbours vote
    for; how often it is suggested, and is right then.
    """

    asked: int = 0
    first: int = 0
    first_three: int = 0
    suggested: int = 0
    right: int = 0
    milliseconds: float = 0  # for the neighbours of one

    def as_dict(self) -> dict:
        return asdict(self)


def read(path: Path) -> list[Row]:
    """The rows that have both columns. Raises Unreadable."""
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise Unreadable(f"{path} can't be read: {error}") from error
    if not rows or not rows[0].keys() >= COLUMNS:
        raise Unreadable(f"{path} has no columns description and category.")
    return [row for row in rows if row["description"] and row["category"]]


def spread(rows: list[Row], count: int) -> list[Row]:
    """`count` of `rows`, as far from each other as can be."""
    count = min(count, len(rows))
    return [rows[number * len(rows) // count] for number in range(count)]


def subject_of(row: Row) -> str:
    return " ".join(row["description"].split()[:SUBJECT_WORDS])[:SUBJECT_LENGTH]


def file(rows: list[Row]) -> None:
    """Files them in their order, without a log: nobody works in this database."""
    requester = get_user_model().objects.create_user("everybody@example.com")
    names = sorted({row["category"] for row in rows})
    categories = {name: Category.objects.get_or_create(name=name)[0] for name in names}
    status = Status.objects.default_for(Phase.NEW)
    tickets = [
        Ticket(
            subject=subject_of(row),
            description=row["description"],
            category=categories[row["category"]],
            status=status,
            requester=requester,
        )
        for row in rows
    ]
    Ticket.objects.bulk_load(tickets, record=lambda created: documents.build([one.pk for one in created]))


def settle() -> None:
    """What autovacuum would do sooner or later: the planner gets to know the tables."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def measure(asked: list[Row]) -> Figures:
    """What the filed tickets say of those of `asked`."""
    kept.forget()
    kept.get()
    figures = Figures(asked=len(asked))
    categories = dict(Ticket.objects.values_list("pk", "category__name"))
    for row in asked:
        started = perf_counter()
        found = nearest(words_of_ticket(subject_of(row), row["description"]))
        figures.milliseconds += 1000 * (perf_counter() - started) / len(asked)
        votes = [(categories[one.number], one.score) for one in found]
        best, clear = ranked(votes), majority(votes)
        figures.first += best[:1] == [row["category"]]
        figures.first_three += row["category"] in best[:3]
        if clear and clear.is_clear:
            figures.suggested += 1
            figures.right += clear.choice == row["category"]
    return figures
