"""The charts of a board. Each is a drawing with the numbers behind it, so that nothing is told by a picture alone."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from itertools import pairwise
from math import cos, isfinite, log10, pi, sin, sqrt
from typing import Any, NamedTuple

from arena.leaderboards.page.svg import CHAR, Svg, breadth, path, ticks

Row = dict[str, Any]

WIDTH = 760
LEFT = 190  # room for names
ROW = 26
PRINTED = 15  # the largest win matrix with numbers in its cells
FEW = 5  # matches below which a cell is hatched
HATCH = (
    '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<line class="hatch" x1="0" y1="0" x2="0" y2="6"/></pattern></defs>'
)


class Chart(NamedTuple):
    """`columns` and `rows`: the data behind the drawing; `note`: what a reader must know to read it."""

    key: str
    title: str
    svg: str
    note: str
    columns: list[str]
    rows: list[list[Any]]


class Scale(NamedTuple):
    """From values to a horizontal place."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / ((self.high - self.low) or 1.0) * (self.end - self.start)


def known(value: Any) -> bool:
    """Whether a cell holds a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _scale(values: Sequence[float], start: float, end: float) -> Scale:
    low, high = min(values), max(values)
    room = 0.06 * (high - low) or 1.0
    return Scale(low - room, high + room, start, end)


def _axis(svg: Svg, scale: Scale, top: float, bottom: float, label: str) -> None:
    for value in ticks(scale.low, scale.high):
        svg.line(scale(value), top, scale(value), bottom, "grid")
        svg.text(scale(value), bottom + 16, f"{value:g}", "tick", "middle")
    svg.text((scale.start + scale.end) / 2, bottom + 34, label, "tick", "middle")


def ratings(rows: Sequence[Row], colours: dict[str, int]) -> Chart | None:
    """Ratings with their intervals, best first; shaded: those whose rank may be 1."""
    shown = [row for row in rows if all(known(row.get(c)) for c in ("rating", "rating_lo", "rating_hi"))]
    if not shown:
        return None
    right = WIDTH - 170
    height = ROW * len(shown) + 56
    svg = Svg(WIDTH, height, "Ratings with 95 % intervals", colours)
    scale = _scale([row[c] for row in shown for c in ("rating_lo", "rating_hi")], LEFT + 40, right)
    first = [i for i, row in enumerate(shown) if row.get("rank_lb") == 1]
    for i in first if len(first) > 1 else ():
        svg.add("rect", "band", x=0, y=4 + ROW * i, width=WIDTH, height=ROW)
    _axis(svg, scale, 6, ROW * len(shown) + 8, "rating")
    for i, row in enumerate(shown):
        y, agent = ROW * i + ROW / 2 + 6, str(row["agent"])
        svg.text(6, y + 4, _ranks(row), "tick")
        svg.text(52, y + 4, agent, "label", width=LEFT - 20)
        svg.interval(scale(row["rating_lo"]), scale(row["rating_hi"]), y, colours[agent])
        svg.marker(scale(row["rating"]), y, colours[agent], title=f"{agent}: {row['rating']:.6g}")
        svg.text(right + 14, y + 4, f"{row['rating']:.0f}  [{row['rating_lo']:.0f}, {row['rating_hi']:.0f}]", "value")
    columns = ["agent", "rank", "rank_lb", "rank_ub", "rating", "rating_lo", "rating_hi", "n_matches"]
    note = "95 % intervals; at the left the range of ranks. Shaded agents may be the best: their range holds 1."
    return Chart("ratings", "Ratings", svg.render(), note, columns, [[row.get(c) for c in columns] for row in shown])


def _ranks(row: Row) -> str:
    low, high = row.get("rank_lb"), row.get("rank_ub")
    if not known(low) or not known(high):
        return f"{row['rank']:.0f}" if known(row.get("rank")) else ""
    return f"{low:.0f}" if low == high else f"{low:.0f}–{high:.0f}"


class Cell(NamedTuple):
    """The score of a row's agent against a column's, in how many matches and deals, with its interval."""

    score: float
    matches: int
    low: float
    high: float


def wins(agents: Sequence[str], cells: dict[tuple[str, str], Cell]) -> Chart | None:
    """Who beats whom: row against column."""
    if not cells:
        return None
    n = len(agents)
    size = max(12.0, min(46.0, (WIDTH - LEFT - 20) / n))
    top = 26
    label = "Scores of the row's agent against the column's"
    svg = Svg(max(WIDTH, LEFT + size * n + 20), top + size * n + 12, label, agents)
    svg.parts.append(HATCH)
    merged: dict[str, list[str]] = {}
    for i, a in enumerate(agents):
        y = top + size * i
        svg.text(LEFT - 28, y + size / 2 + 4, a, "label", "end", width=LEFT - 36)
        svg.text(LEFT - 6, y + size / 2 + 4, f"{i + 1}", "tick", "end")
        if n <= PRINTED or i % 5 == 4:
            svg.text(LEFT + size * (i + 0.5), top - 8, f"{i + 1}", "tick", "middle")
        for j, b in enumerate(agents):
            cell = cells.get((a, b))
            if cell is None:
                continue
            x, css = LEFT + size * j, f"d{min(10, int(cell.score * 11))}"
            if n > PRINTED:
                merged.setdefault(css, []).append(f"M{x:.1f} {y:.1f}h{size - 1:.1f}v{size - 1:.1f}h{1 - size:.1f}z")
                continue
            svg.add("rect", css, title=_told(a, b, cell), x=x, y=y, width=size - 1, height=size - 1)
            if cell.matches < FEW:
                svg.add("rect", "thin", x=x, y=y, width=size - 1, height=size - 1)
            svg.text(x + size / 2, y + size / 2 + 4, f"{cell.score:.2f}", f"{css}t", "middle")
    for css, paths in sorted(merged.items()):
        svg.add("path", css, d="".join(paths))
    note = (
        f"Score of the row's agent against the column's, by number (win 1, tie ½). Hatched: fewer than {FEW} matches."
    )
    table = [[a, b, c.score, c.low, c.high, c.matches] for (a, b), c in sorted(cells.items()) if a < b]
    columns = ["agent", "against", "score", "low", "high", "matches"]
    return Chart("wins", "Who beats whom", svg.render(), note, columns, table)


def _told(a: str, b: str, cell: Cell) -> str:
    return f"{a} against {b}: {cell.score:.2f} [{cell.low:.2f}, {cell.high:.2f}] in {cell.matches} matches"


def response(graph: Row | None, headline: bool, names: Collection[str] = ()) -> Chart | None:
    """The response graph of alpha-Rank: better strategies take over along the arrows; sink classes hold the mass."""
    if not graph or not graph["nodes"]:
        return None
    nodes, n = graph["nodes"], len(graph["nodes"])
    radius = min(165.0, 50.0 + 30 * n)
    centre_x, centre_y = WIDTH / 2, radius + 78
    svg = Svg(WIDTH, 2 * radius + 150, "Response graph of alpha-Rank", names)
    at = [(centre_x + radius * sin(2 * pi * k / n), centre_y - radius * cos(2 * pi * k / n)) for k in range(n)]
    sizes = [5 + 22 * sqrt(node["mass"]) for node in nodes]
    for edge in graph["edges"]:
        _arrow(svg, at[edge["from"]], at[edge["to"]], sizes[edge["from"]], sizes[edge["to"]], edge["unsure"])
    for k, (node, (x, y)) in enumerate(zip(nodes, at, strict=True)):
        if node["sink"]:
            svg.add("circle", "ring", cx=x, cy=y, r=sizes[k] + 4)
        svg.add("circle", "node sinks" if node["sink"] else "node", cx=x, cy=y, r=sizes[k],
                title=f"{node['label']}: mass {node['mass']:.4g}")  # fmt: skip
        lines = node["label"].split(" / ")  # a profile: the agent of each side on a line
        if abs(x - centre_x) < 1:
            below = y > centre_y
            first, anchor, width = y + (sizes[k] + 16 if below else -sizes[k] - 2 - 14 * len(lines)), "middle", 220
            x0 = x
        else:
            side = 1 if x > centre_x else -1
            first, anchor, width = y + 4 - 7 * (len(lines) - 1), "start" if side > 0 else "end", 190
            x0 = x + side * (sizes[k] + 10)
        for i, line in enumerate(lines):
            svg.text(x0, first + 14 * i, line, "label", anchor, width)
    note = "Arrows lead to what beats it, dotted where the sign is unsure; area is mass; ringed: sink classes."
    note += "" if headline else " The sign of a difference between sinks is unsure: read p_in_sink, not a ranking."
    note += f" {graph['left_out']} states of less mass are left out." if graph["left_out"] else ""
    table = [[node["label"], node["mass"], "yes" if node["sink"] else "no"] for node in nodes]
    return Chart("response", "Response graph", svg.render(), note, ["state", "mass", "in a sink class"], table)


def _arrow(svg: Svg, a: tuple[float, float], b: tuple[float, float], ra: float, rb: float, unsure: bool) -> None:
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = sqrt(dx * dx + dy * dy) or 1.0
    ux, uy = dx / length, dy / length
    tip = (b[0] - ux * (rb + 6), b[1] - uy * (rb + 6))
    start = (a[0] + ux * (ra + 2), a[1] + uy * (ra + 2))
    svg.add("path", "edge unsure" if unsure else "edge", d=path([start, tip]))
    head = [
        (tip[0] - 7 * ux - 3.5 * uy, tip[1] - 7 * uy + 3.5 * ux),
        tip,
        (tip[0] - 7 * ux + 3.5 * uy, tip[1] - 7 * uy - 3.5 * ux),
    ]
    svg.add("path", "head", d=path(head, close=True))


def cost(rows: Sequence[Row], colours: dict[str, int]) -> Chart | None:
    """Rating against cost per match, on a log scale; agents without a price on a strip of their own."""
    rated = [row for row in rows if known(row.get("rating"))]
    priced = [row for row in rated if known(row.get("cost_usd_per_match")) and row["cost_usd_per_match"] > 0]
    if not priced:
        return None
    free = [row for row in rated if row not in priced]
    height, top, bottom = 380, 16, 320
    right = WIDTH - 150 if free else WIDTH - 30
    svg = Svg(WIDTH, height, "Rating against cost per match", colours)
    x = _scale([log10(row["cost_usd_per_match"]) for row in priced], 70, right)
    y = _scale([row["rating"] for row in rated], bottom, top)
    for value in ticks(y.low, y.high):
        svg.line(70, y(value), WIDTH - 20, y(value), "grid")
        svg.text(62, y(value) + 4, f"{value:g}", "tick", "end")
    for power in range(int(x.low // 1), int(x.high // 1) + 1):
        for factor in (1, 2, 5) if x.high - x.low < 3 else (1,):
            place = power + log10(factor)
            if x.low <= place <= x.high:
                svg.line(x(place), top, x(place), bottom, "grid")
                svg.text(x(place), bottom + 16, f"{factor * 10.0**power:g}", "tick", "middle")
    svg.text((70 + right) / 2, bottom + 36, "cost per match, US dollars (log scale)", "tick", "middle")
    front = _front(priced)
    svg.add("path", "front", d=path([(x(log10(r["cost_usd_per_match"])), y(r["rating"])) for r in front]))
    if free:
        svg.add("rect", "band", x=right + 26, y=top, width=WIDTH - right - 46, height=bottom - top)
        svg.text((right + 26 + WIDTH - 20) / 2, bottom + 16, "free or no price", "tick", "middle")
    places: list[tuple[float, float, str]] = []
    for row in rated:
        agent = str(row["agent"])
        place = x(log10(row["cost_usd_per_match"])) if row in priced else right + 40
        svg.marker(place, y(row["rating"]), colours[agent], title=f"{agent}: {row['rating']:.6g}")
        places.append((place, y(row["rating"]), agent))
    _labels(svg, places)
    columns = ["agent", "cost_usd_per_match", "rating", "rating_lo", "rating_hi", "n_matches"]
    note = "The line is the Pareto front: nobody is both cheaper and rated higher."
    return Chart(
        "cost", "Rating and cost", svg.render(), note, columns, [[row.get(c) for c in columns] for row in rated]
    )


def _labels(svg: Svg, places: Sequence[tuple[float, float, str]]) -> None:
    """A name beside each mark, on the first side where it covers neither a name nor a mark; else none but the note."""
    taken = [(x - 6, y - 6, x + 6, y + 6) for x, y, _ in places]
    for x, y, name in places:
        width = min(CHAR * breadth(name), 120.0)
        for left, bottom in ((x + 9, y + 4), (x - 9 - width, y + 4), (x - width / 2, y - 9), (x - width / 2, y + 19)):
            box = (left, bottom - 11, left + width, bottom + 2)
            free = all(box[2] < t[0] or box[0] > t[2] or box[3] < t[1] or box[1] > t[3] for t in taken)
            if free and left > 64 and left + width < WIDTH:
                taken.append(box)
                svg.text(left, bottom, name, "tick", width=width + 2)
                break


def _front(priced: Sequence[Row]) -> list[Row]:
    """Agents that nobody beats at their price or below, cheapest first."""
    best, front = float("-inf"), []
    for row in sorted(priced, key=lambda r: (r["cost_usd_per_match"], -r["rating"])):
        if row["rating"] > best:
            best = row["rating"]
            front.append(row)
    return front


class Series(NamedTuple):
    """One panel of small multiples: a value with an interval for each agent."""

    title: str
    points: list[tuple[str, float, float, float]]


def panels(key: str, title: str, series: Sequence[Series], note: str, colours: dict[str, int]) -> Chart | None:
    """Small multiples: the same agents in each panel, each panel with its own scale."""
    series = [s for s in series if s.points]
    if not series:
        return None
    agents = list(dict.fromkeys(p[0] for s in series for p in s.points))
    across = 2 if len(series) > 1 else 1
    width = WIDTH / across
    high = 20 * len(agents) + 66
    svg = Svg(WIDTH, high * -(-len(series) // across), title, agents)
    for k, one in enumerate(series):
        x0, y0 = width * (k % across), high * (k // across)
        svg.text(x0 + 6, y0 + 18, one.title, "panel", width=width - 20)
        scale = _scale([v for p in one.points for v in p[1:] if isfinite(v)], x0 + 140, x0 + width - 20)
        _axis(svg, scale, y0 + 28, y0 + high - 38, "")
        for agent, value, low, top in one.points:
            y = y0 + 38 + 20 * agents.index(agent)
            svg.text(x0 + 6, y + 4, agent, "tick", width=124)
            if isfinite(low) and isfinite(top):
                svg.interval(scale(low), scale(top), y, colours[agent])
            svg.marker(scale(value), y, colours[agent], 4, title=f"{agent}: {value:.6g}")
    rows = [[s.title, *point] for s in series for point in s.points]
    return Chart(key, title, svg.render(), note, ["panel", "agent", "value", "low", "high"], rows)


def learning(rows: Sequence[Row], colours: dict[str, int]) -> Chart | None:
    """Iteration against rating of trained policies: league/NAME-k3 is iteration 3 of league/NAME."""
    curves: dict[str, list[tuple[int, Row]]] = {}
    for row in rows:
        found = re.fullmatch(r"(league/.+)-k(\d+)", str(row["agent"]))
        if found and known(row.get("rating")):
            curves.setdefault(found[1], []).append((int(found[2]), row))
    curves = {name: sorted(points, key=lambda p: p[0]) for name, points in curves.items() if len(points) > 1}
    if not curves:
        return None
    every = [point for points in curves.values() for point in points]
    svg = Svg(WIDTH, 340, "Rating against training iteration")
    x = _scale([float(k) for k, _ in every], 70, WIDTH - 170)
    y = _scale([row[c] for _, row in every for c in ("rating_lo", "rating_hi") if known(row.get(c))], 290, 16)
    _axis(svg, x, 16, 290, "iteration")
    for value in ticks(y.low, y.high):
        svg.text(62, y(value) + 4, f"{value:g}", "tick", "end")
    for name, points in sorted(curves.items()):
        index = colours[str(points[-1][1]["agent"])]
        for (k, row), (j, after) in pairwise(points):
            svg.line(x(k), y(row["rating"]), x(j), y(after["rating"]), f"s{index % 8} bar")
        for k, row in points:
            svg.line(x(k), y(row["rating_lo"]), x(k), y(row["rating_hi"]), f"s{index % 8} bar")
            svg.marker(x(k), y(row["rating"]), index, 4, title=f"{row['agent']}: {row['rating']:.6g}")
        svg.text(x(points[-1][0]) + 10, y(points[-1][1]["rating"]) + 4, name, "tick", width=150)
    table = [[name, k, row["rating"], row["rating_lo"], row["rating_hi"], row["n_matches"]]
             for name, points in sorted(curves.items()) for k, row in points]  # fmt: skip
    columns = ["policy", "iteration", "rating", "rating_lo", "rating_hi", "n_matches"]
    return Chart("learning", "Learning curves", svg.render(), "Bars are 95 % intervals.", columns, table)
