"""The report: a short table of all setups, then each setup in full, as Markdown with plots beside it."""

import os
import platform
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path

import django
from django.utils import timezone

from tickets.management.benchmark.figures import Measurement, Results, Setup
from tickets.management.benchmark.plots import plots
from tickets.management.benchmark.targets import missed
from tickets.management.benchmark.visits import PLAIN, VISITS


def write(path: Path, results: Results, versions: list[str], how: str) -> None:
    """Writes the report, and the plots into a folder of the same name beside it."""
    folder = path.with_suffix("")
    drawn = plots(results)
    folder.mkdir(parents=True, exist_ok=True)
    for name, svg in drawn.items():
        (folder / name).write_text(svg, encoding="utf-8")
    links = [f"![{Path(name).stem}]({folder.name}/{name})" for name in drawn]
    path.write_text("\n".join([*lines(results, versions, how), *links, ""]), encoding="utf-8")


def lines(results: Results, versions: list[str], how: str) -> Iterator[str]:
    yield f"# Benchmark of {timezone.localdate()}\n"
    yield f"{machine()}. {', '.join(versions)}. {how}\n"
    yield "Times are milliseconds of one client; the ratio is to the plain page of the same database.\n"
    yield from short_table(results)
    yield "\n## Targets\n"
    yield from ([f"- {line}" for line in missed(results)] or ["All are reached."])
    yield from memory_table(results)
    yield from works_table(results)
    for setup in sorted(results.figures):
        yield from full_table(results, setup)
    yield "\n## Plots\n"


def machine() -> str:
    cores = os.cpu_count()
    try:
        info = Path("/proc/meminfo").read_text(encoding="utf-8").split()
        return f"{platform.machine()}, {cores} cores, {int(info[1]) / 1024**2:.0f} GiB"
    except OSError:
        return f"{platform.machine()}, {cores} cores"


def versions() -> list[str]:
    python = f"Python {platform.python_version()}"
    return [python, f"Django {django.get_version()}", f"SQLite {sqlite3.sqlite_version}"]


def row(cells: Iterable[object]) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def head(first: str, *others: str) -> Iterator[str]:
    yield row([first, *others])
    yield f"|---|{'---:|' * len(others)}"


def short_table(results: Results) -> Iterator[str]:
    """Time and ratio of each page on each setup, and its growth on each database."""
    setups, vendors = sorted(results.figures), sorted({setup.vendor for setup in results.figures})
    grown = [vendor for vendor in vendors if len(results.sizes(vendor)) > 1]
    yield from head("page", *map(str, setups), *(f"growth, {vendor}" for vendor in grown))
    for visit in VISITS:
        cells = [time_and_ratio(results, setup, visit.name) for setup in setups]
        growth = [number(results.growth(vendor, visit.name), ".2f") for vendor in grown]
        yield row([visit.name, *cells, *growth])


def time_and_ratio(results: Results, setup: Setup, visit: str) -> str:
    if (taken := results.p50(setup, visit)) is None:
        return "failed"
    ratio = number(results.ratio(setup, visit, to=PLAIN), ".2f")
    return f"{taken:,.1f} ({ratio})"


def full_table(results: Results, setup: Setup) -> Iterator[str]:
    yield f"\n## {setup}\n"
    columns = ("queries", "SQL ms", "p50", "p95", "times", "requests a second", "bytes", "ratio")
    yield from head("page", *columns)
    for visit in VISITS:
        figure = results.figures[setup].get(visit.name, Measurement(failure="not measured"))
        if figure.failure:
            yield row([visit.name, figure.failure, *[""] * (len(columns) - 1)])
            continue
        yield row(
            [
                visit.name,
                figure.queries,
                f"{figure.sql:,.1f}",
                f"{figure.p50:,.1f}",
                f"{figure.p95:,.1f}",
                figure.times,
                number(figure.a_second, ",.0f"),
                f"{figure.wire_bytes:,}",
                number(results.ratio(setup, visit.name, to=PLAIN), ".2f"),
            ]
        )


def memory_table(results: Results) -> Iterator[str]:
    yield "\n## Memory of a worker, MB\n"
    yield from head("", "at first", "halfway", "at the end", "mixed requests")
    for setup, memory in sorted(results.memory.items()):
        sizes = (f"{size:.0f}" for size in (memory.first, memory.middle, memory.last))
        yield row([setup, *sizes, f"{memory.requests:,}"])


def works_table(results: Results) -> Iterator[str]:
    yield "\n## Not pages\n"
    setups = sorted(results.works)
    yield from head("", *map(str, setups))
    for name in dict.fromkeys(name for setup in setups for name in results.works[setup]):
        yield row([name, *(results.works[setup].get(name, "") for setup in setups)])


def number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
