"""What has to be reached, as data: ratios and growth within one run, never milliseconds."""

from collections.abc import Iterator
from dataclasses import dataclass

from tickets.benchmark.figures import Results, Stand
from tickets.benchmark.scratch import POSTGRES, SQLITE
from tickets.benchmark.visits import PLAIN, VISITS

SQLITE_MOST = 100_000  # tickets
SQLITE_RATIO = 2.0  # to PostgreSQL at the same size
MEMORY_MB = 120
FLAT = 1.05  # of a worker's memory, in the second half of the mixed requests


@dataclass(frozen=True)
class Target:
    """What each of `visits` may take at the largest size; None: anything."""

    visits: tuple[str, ...]
    ratio: float | None = None  # to the plain page
    growth: float | None = None  # from the smallest size
    queries: int | None = None


LISTS = ("own list", "own list, done", "staff list", "list by status", "deep page")
QUEUE = tuple(visit.name for visit in VISITS if visit.group == "queue")
TARGETS = (
    Target(LISTS, ratio=1.5, growth=1.2),
    Target(QUEUE, ratio=4, growth=1.3, queries=12),
    Target(("ticket with 5 replies",), ratio=1.5),
    Target(("ticket with 200 replies",), ratio=5),
    Target(("ticket with 10 pictures",), ratio=2.5),
    Target(("thumbnail",), ratio=1),
    # At most a second, where a plain page takes up to 30 ms
    Target(("worst text, search", "admin, worst text, search"), ratio=30),
    Target(("worst ticket page",), ratio=15),
    Target(("admin, worst ticket page",), ratio=25),
    Target(("rare word", "own rare word"), ratio=2, growth=1.3),
    Target(("common word",), ratio=4),
    Target(("file a ticket",), ratio=2.5, queries=20),
    Target(("live ticket", "live list", "live queue"), ratio=0.6),
    Target(("dashboard, month",), ratio=10, growth=3),
)
COMPARED = tuple(visit for target in TARGETS for visit in target.visits)


def missed(results: Results) -> list[str]:
    """A line for each target that is not reached."""
    lines = list(failures(results))
    for vendor in (POSTGRES, SQLITE):
        if sizes := results.sizes(vendor):
            largest = Stand(vendor, sizes[-1])
            if vendor == POSTGRES:
                lines += missed_on(results, largest)
            elif (postgres := Stand(POSTGRES, sizes[-1])) in results.figures:
                lines += missed_beside(results, largest, postgres)
    return lines + list(missed_memory(results))


def failures(results: Results) -> Iterator[str]:
    for stand, figures in results.figures.items():
        for visit, figure in figures.items():
            if figure.failure:
                yield f"{visit} ({stand}): {figure.failure}"


def missed_on(results: Results, stand: Stand) -> Iterator[str]:
    for target in TARGETS:
        for visit in target.visits:
            ratio = results.ratio(stand, visit, to=PLAIN)
            growth = results.growth(stand.vendor, visit)
            figure = results.figures[stand].get(visit)
            if target.ratio and ratio and ratio > target.ratio:
                yield f"{visit} ({stand}): {ratio:.2f} times the plain page, at most {target.ratio:g}"
            if target.growth and growth and growth > target.growth:
                yield f"{visit} ({stand}): grew {growth:.2f} times, at most {target.growth:g}"
            if target.queries and figure and figure.queries > target.queries:
                yield f"{visit} ({stand}): {figure.queries} queries, at most {target.queries}"


def missed_beside(results: Results, sqlite: Stand, postgres: Stand) -> Iterator[str]:
    for visit in COMPARED:
        own, other = results.p50(sqlite, visit), results.p50(postgres, visit)
        if own and other and own > SQLITE_RATIO * other:
            yield f"{visit} ({sqlite}): {own / other:.2f} times PostgreSQL, at most {SQLITE_RATIO:g}"


def missed_memory(results: Results) -> Iterator[str]:
    for stand, memory in results.memory.items():
        if memory.last >= MEMORY_MB:
            yield f"memory of a worker ({stand}): {memory.last:.0f} MB, under {MEMORY_MB}"
        if memory.middle and memory.last / memory.middle > FLAT:
            yield f"memory of a worker ({stand}): grows from {memory.middle:.0f} to {memory.last:.0f} MB"
