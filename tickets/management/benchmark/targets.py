"""What has to be reached, as data: ratios and growth within one run, never milliseconds."""

from collections.abc import Iterator
from dataclasses import dataclass

from tickets.management.benchmark.figures import Results, Setup
from tickets.management.benchmark.scratch import POSTGRES, SQLITE
from tickets.management.benchmark.visits import PLAIN, PLAIN_FILING, PLAIN_TICKET, VISITS

SQLITE_MOST = 100_000  # tickets
SQLITE_RATIO = 2.0  # to PostgreSQL at the same size
MEMORY_MB = 120
FLAT = 1.05  # of a worker's memory, in the second half of the mixed requests


@dataclass(frozen=True)
class Target:
    """What each of `visits` may take at the largest size; None: anything."""

    visits: tuple[str, ...]
    ratio: float | None = None  # to the yardstick
    growth: float | None = None  # from the smallest size
    queries: int | None = None
    a_second: float | None = None  # requests of many clients, at least, as a part of the plain page's
    yardstick: str = PLAIN


LISTS = ("own list", "own list, done", "staff list", "list by status", "deep page")
QUEUE = tuple(visit.name for visit in VISITS if visit.group == "queue")
PALETTE = tuple(visit.name for visit in VISITS if visit.name.startswith("palette"))
TARGETS = (
    Target(LISTS, ratio=1.5, growth=1.2),
    Target(("own list",), a_second=0.6),
    Target(QUEUE, ratio=3, growth=1.3, queries=12),
    Target(("admin ticket page",), ratio=3.5),
    Target(("bulk action on 50",), ratio=20, queries=100),
    Target(("ticket with 5 replies",), ratio=1.5, a_second=0.5),
    Target(("ticket with 5 replies",), ratio=1.7, yardstick=PLAIN_TICKET),
    Target(("ticket with 200 replies",), ratio=5),
    Target(("ticket with 10 pictures",), ratio=2.5),
    Target(("thumbnail",), ratio=1),
    # At most a second, where a plain page takes up to 30 ms
    Target(("worst text, search", "admin, worst text, search"), ratio=30),
    Target(("worst ticket page",), ratio=15),
    Target(("admin, worst ticket page",), ratio=25),
    Target(("similar tickets, the part",), ratio=0.6),
    Target(("rare word", "own rare word"), ratio=2, growth=1.3),
    Target(("common word",), ratio=4),
    Target(PALETTE, ratio=1.5, growth=1.3),
    Target(("file a ticket",), ratio=2.5, queries=20),
    Target(("file a ticket",), ratio=2.2, yardstick=PLAIN_FILING),
    Target(("live ticket", "live list", "live queue"), ratio=0.6),
    Target(("dashboard, month",), ratio=6, growth=3),
    Target(("dashboard, year",), ratio=15, growth=3),
    Target(("CSV of a week",), ratio=25),
)
COMPARED = tuple(dict.fromkeys(visit for target in TARGETS for visit in target.visits))


def missed(results: Results) -> list[str]:
    """A line for each target that is not reached."""
    lines = list(failures(results))
    for vendor in (POSTGRES, SQLITE):
        if sizes := results.sizes(vendor):
            largest = Setup(vendor, sizes[-1])
            if vendor == POSTGRES:
                lines += missed_on(results, largest)
            elif (postgres := Setup(POSTGRES, sizes[-1])) in results.figures:
                lines += missed_beside(results, largest, postgres)
    return lines + list(missed_memory(results))


def failures(results: Results) -> Iterator[str]:
    for setup, figures in results.figures.items():
        for visit, figure in figures.items():
            if figure.failure:
                yield f"{visit} ({setup}): {figure.failure}"


def missed_on(results: Results, setup: Setup) -> Iterator[str]:
    for target in TARGETS:
        for visit in target.visits:
            ratio = results.ratio(setup, visit, to=target.yardstick)
            a_second = results.share_of_requests(setup, visit, of=PLAIN)
            growth = results.growth(setup.vendor, visit)
            figure = results.figures[setup].get(visit)
            if target.ratio and ratio and ratio > target.ratio:
                yield f"{visit} ({setup}): {ratio:.2f} times the {target.yardstick}, at most {target.ratio:g}"
            if target.a_second and a_second and a_second < target.a_second:
                share = f"{a_second:.2f} of the plain page's requests a second"
                yield f"{visit} ({setup}): {share}, at least {target.a_second:g}"
            if target.growth and growth and growth > target.growth:
                yield f"{visit} ({setup}): grew {growth:.2f} times, at most {target.growth:g}"
            if target.queries and figure and figure.queries > target.queries:
                yield f"{visit} ({setup}): {figure.queries} queries, at most {target.queries}"


def missed_beside(results: Results, sqlite: Setup, postgres: Setup) -> Iterator[str]:
    for visit in COMPARED:
        own, other = results.p50(sqlite, visit), results.p50(postgres, visit)
        if own and other and own > SQLITE_RATIO * other:
            yield f"{visit} ({sqlite}): {own / other:.2f} times PostgreSQL, at most {SQLITE_RATIO:g}"


def missed_memory(results: Results) -> Iterator[str]:
    for setup, memory in results.memory.items():
        if memory.last >= MEMORY_MB:
            yield f"memory of a worker ({setup}): {memory.last:.0f} MB, under {MEMORY_MB}"
        if memory.middle and memory.last / memory.middle > FLAT:
            yield f"memory of a worker ({setup}): grows from {memory.middle:.0f} to {memory.last:.0f} MB"
