"""Latency by number of tickets as SVG, drawn by hand: both axes logarithmic, a line for each page."""

from html import escape
from math import ceil, floor, log10

from tickets.management.benchmark.figures import Results, Setup
from tickets.management.benchmark.visits import VISITS

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 860, 420, 60, 240, 40, 40
COLOURS = (
    "#1f4fd1", "#b3261e", "#1b7f4b", "#8a5a00", "#6a3fb5", "#00788a", "#a3346b", "#555555", "#c2571a",
    "#3d6b00",
)  # fmt: skip
LEGEND_LINE = 18


def plots(results: Results) -> dict[str, str]:
    """{file name: SVG}, one for each group of pages and each database."""
    drawn = {}
    for vendor in sorted({setup.vendor for setup in results.figures}):
        for group in dict.fromkeys(visit.group for visit in VISITS):
            lines = {
                visit.name: points
                for visit in VISITS
                if visit.group == group and (points := line_of(results, vendor, visit.name))
            }
            if lines:
                drawn[f"{vendor.lower()}-{group}.svg"] = drawing(f"{vendor}: {group}, p50 in ms", lines)
    return drawn


def line_of(results: Results, vendor: str, visit: str) -> list[tuple[int, float]]:
    pairs = ((size, results.p50(Setup(vendor, size), visit)) for size in results.sizes(vendor))
    return [(size, taken) for size, taken in pairs if taken]


def drawing(title: str, lines: dict[str, list[tuple[int, float]]]) -> str:
    sizes = sorted({size for points in lines.values() for size, _taken in points})
    times = [taken for points in lines.values() for _size, taken in points]
    low, high = floor(log10(min(times))), max(ceil(log10(max(times))), floor(log10(min(times))) + 1)
    span = log10(sizes[-1] / sizes[0]) or 1
    height = max(HEIGHT, TOP + BOTTOM + LEGEND_LINE * len(lines))

    def x(size: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * log10(size / sizes[0]) / span

    def y(taken: float) -> float:
        return height - BOTTOM - (height - TOP - BOTTOM) * (log10(taken) - low) / (high - low)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'font-family="sans-serif" font-size="12"><title>{escape(title)}</title>'
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>'
        f'<text x="{LEFT}" y="22" font-size="15">{escape(title)}</text>'
    ]
    for power in range(low, high + 1):
        at = y(10**power)
        parts.append(f'<path d="M{LEFT} {at:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{at + 4:.1f}" text-anchor="end">{10**power:g}</text>')
    for size in sizes:
        at = f'x="{x(size):.1f}" y="{height - BOTTOM + 20}"'
        parts.append(f'<text {at} text-anchor="middle">{size:,}</text>')
    for number, (name, points) in enumerate(lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        dashes = f' stroke-dasharray="{3 * (number // len(COLOURS)) or "none"}"'
        path = " ".join(f"{x(size):.1f},{y(taken):.1f}" for size, taken in points)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"{dashes}/>')
        parts += [f'<circle cx="{x(s):.1f}" cy="{y(t):.1f}" r="3" fill="{colour}"/>' for s, t in points]
        at = TOP + LEGEND_LINE * number + 8
        start = WIDTH - RIGHT + 20
        parts.append(f'<path d="M{start} {at}h20" stroke="{colour}" stroke-width="2"{dashes}/>')
        label = f"{name}: {points[-1][1]:.0f}"
        parts.append(f'<text x="{start + 28}" y="{at + 4}">{escape(label)}</text>')
    return "".join(parts) + "</svg>\n"
