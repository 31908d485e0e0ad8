"""The results as plain rows."""

from dataclasses import dataclass, field


@dataclass(frozen=True, order=True)
class Setup:
    """A server with its database, beside the others of the run."""

    vendor: str
    tickets: int

    def __str__(self):
        return f"{self.vendor}, {self.tickets:,} tickets"


@dataclass(frozen=True)
class Measurement:
    """One page on one setup. Times in milliseconds; `failure` says why there are none."""

    queries: int = 0
    sql: float = 0.0
    p50: float = 0.0
    p95: float = 0.0
    times: int = 0
    a_second: float | None = None  # requests per second with several clients
    wire_bytes: int = 0
    failure: str = ""


@dataclass(frozen=True)
class Memory:
    """Memory of the largest worker in MB: at the start, middle and end of the mixed requests."""

    first: float
    middle: float
    last: float
    requests: int


@dataclass
class Results:
    figures: dict[Setup, dict[str, Measurement]] = field(default_factory=dict)
    memory: dict[Setup, Memory] = field(default_factory=dict)
    # Results that are no page (outbox, import, ...): {setup: {name: text}}
    works: dict[Setup, dict[str, str]] = field(default_factory=dict)

    def sizes(self, vendor: str) -> list[int]:
        return sorted(setup.tickets for setup in self.figures if setup.vendor == vendor)

    def p50(self, setup: Setup, visit: str) -> float | None:
        """The median in milliseconds; None if it was not measured."""
        figure = self.figures.get(setup, {}).get(visit)
        return figure.p50 if figure and figure.p50 and not figure.failure else None

    def ratio(self, setup: Setup, visit: str, *, to: str) -> float | None:
        own, other = self.p50(setup, visit), self.p50(setup, to)
        return own / other if own and other else None

    def share_of_requests(self, setup: Setup, visit: str, *, of: str) -> float | None:
        """Requests a second, as a part of those for another page; None where one was not measured."""
        figures = self.figures.get(setup, {})
        own, other = (figures[name].a_second if name in figures else None for name in (visit, of))
        return own / other if own and other else None

    def growth(self, vendor: str, visit: str) -> float | None:
        """The ratio of the largest to the smallest size; None if there is only one size."""
        sizes = self.sizes(vendor)
        if len(sizes) < 2:
            return None
        small, large = (self.p50(Setup(vendor, size), visit) for size in (sizes[0], sizes[-1]))
        return large / small if small and large else None
