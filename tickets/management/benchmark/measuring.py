"""One interleaved run: each round requests each page on each setup once, so that noise affects all."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median, quantiles

from tickets.management.benchmark.browser import Browser
from tickets.management.benchmark.figures import Measurement, Memory, Setup
from tickets.management.benchmark.place import Place
from tickets.management.benchmark.processes import Server
from tickets.management.benchmark.visits import VISITS, PageVisit

ROUNDS_A_SECOND = 20  # requests per second for a fast page
LEAST = 3  # requests for the slowest page
CLIENTS = 8  # simultaneous clients, for requests per second


@dataclass
class OpenSetup:
    """A setup with a running server, and with a logged-in browser for each person."""

    setup: Setup
    server: Server
    place: Place
    counts: dict[str, dict[str, float]]
    browsers: dict[str | None, Browser] = field(default_factory=dict)

    def log_in(self) -> None:
        self.browsers = {who: Browser(self.server.port) for who in {visit.who for visit in VISITS}}
        for who, browser in self.browsers.items():
            if who:
                browser.log_in(who)

    def more_browsers(self, who: str | None, count: int) -> list[Browser]:
        """More browsers with the session of a logged-in person."""
        return [Browser(self.server.port, self.browsers[who].cookies) for _browser in range(count)]


@dataclass
class Cell:
    """One page on one setup, with the times of its requests."""

    at: OpenSetup
    visit: PageVisit
    seconds: list[float] = field(default_factory=list)
    spent: float = 0.0
    wire_bytes: int = 0
    turn: int = 0
    a_second: float | None = None
    failure: str = ""

    def ask(self, browser: Browser, *, keep: bool = True) -> None:
        started, visit, self.turn = time.perf_counter(), self.visit, self.turn + 1
        before = browser.ask(visit.before(self.at.place, self.turn)).text if visit.before else ""
        answer = browser.ask(visit.request(self.at.place, self.turn, before))
        self.spent += time.perf_counter() - started
        if answer.status != visit.status:
            self.failure = f"answered {answer.status}, not {visit.status}"
        elif keep:
            self.seconds.append(answer.seconds)
            self.wire_bytes = answer.wire_bytes

    def is_due(self, round_number: int, rounds: int, seconds: float) -> bool:
        """Whether to request the page in this round. Slow pages are requested less often, but evenly."""
        if self.failure or (self.visit.most is not None and self.turn >= self.visit.most):
            return False
        due = round_number / rounds
        return self.spent <= seconds * due or len(self.seconds) < LEAST * due

    def figure(self) -> Measurement:
        counted = self.at.counts.get(self.visit.name, {})
        taken = [1000 * taken for taken in self.seconds]
        return Measurement(
            queries=int(counted.get("queries", 0)),
            sql=counted.get("sql", 0.0),
            p50=median(taken) if taken else 0.0,
            p95=quantiles(taken, n=20)[-1] if len(taken) > 1 else sum(taken),
            times=len(taken),
            a_second=self.a_second,
            wire_bytes=self.wire_bytes,
            failure=self.failure,
        )


Progress = Callable[[int], None]


def cells_of(setups: list[OpenSetup]) -> list[Cell]:
    """The cells in the order of a round: a page on all setups, then the next page."""
    return [Cell(setup, visit) for visit in VISITS for setup in setups]


def rounds_in(seconds: float) -> int:
    return max(LEAST, round(seconds * ROUNDS_A_SECOND))


def measure(cells: list[Cell], seconds: float, on_round: Progress) -> None:
    """Measures each cell for up to `seconds`."""
    for cell in cells:
        cell.ask(cell.at.browsers[cell.visit.who], keep=False)
        cell.spent = 0.0
    rounds = rounds_in(seconds)
    for number in range(1, rounds + 1):
        for cell in cells:
            if cell.is_due(number, rounds, seconds):
                cell.ask(cell.at.browsers[cell.visit.who])
        on_round(1)


def measure_throughput(cells: list[Cell], seconds: float, on_cell: Progress) -> None:
    """Measures requests per second with CLIENTS clients, for the pages that only read."""
    for cell in cells:
        if cell.visit.is_read and not cell.failure:
            cell.a_second = requests_a_second(cell, seconds)
        on_cell(1)


def requests_a_second(cell: Cell, seconds: float) -> float:
    answered = []
    started = time.perf_counter()

    def go_on(browser: Browser) -> None:
        while time.perf_counter() - started < seconds:
            browser.ask(cell.visit.request(cell.at.place, 0, ""))
            answered.append(time.perf_counter())

    together(go_on, cell.at.more_browsers(cell.visit.who, CLIENTS))
    return len(answered) / (max(answered) - started) if answered else 0.0


def measure_memory(cells: list[Cell], first: float, requests: int, on_request: Progress) -> Memory:
    """Sends `requests` requests for pages of one setup, in a random order."""
    pages = [cell for cell in cells if cell.visit.is_read and not cell.failure]
    # Slow pages would only take time.
    pages = sorted(pages, key=lambda cell: median(cell.seconds or [0.0]))[: len(pages) * 3 // 4 + 1]
    setup, middle = cells[0].at, 0.0
    for half in range(2):
        chance = random.Random(half)  # noqa: S311 - an order
        share = [chance.choice(pages) for _request in range(requests // 2 // CLIENTS)]

        def go_on(browsers: dict[str | None, Browser], share=share) -> None:
            for cell in share:
                browsers[cell.visit.who].ask(cell.visit.request(setup.place, 0, ""))
                on_request(1)

        whos = {cell.visit.who for cell in pages}
        teams = [{who: setup.more_browsers(who, 1)[0] for who in whos} for _client in range(CLIENTS)]
        together(go_on, teams)
        middle = middle or setup.server.memory
    return Memory(first, middle, setup.server.memory, requests)


def together(work: Callable, each_of: list) -> None:
    threads = [threading.Thread(target=work, args=(one,)) for one in each_of]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
