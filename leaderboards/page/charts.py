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
NAME, NAMES = 80.0, 340.0  # the least and the most room for names; longer ones are cut, with the whole in a hover note
ROW = 26
RATINGS = ("rating", "rating_lo", "rating_hi")


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


def room(names: Collection[str]) -> float:
    """How much room these names need, side by side with the drawing."""
    return min(NAMES, max(NAME, 10 + CHAR * max(map(breadth, names), default=0)))


def _scale(values: Sequence[float], start: float, end: float) -> Scale:
    low, high = min(values), max(values)
    room = 0.06 * (high - low) or 1.0
    return Scale(low - room, high + room, start, end)


def _axis(svg: Svg, scale: Scale, top: float, bottom: float, label: str) -> None:
    for value in ticks(scale.low, scale.high):
        svg.line(scale(value), top, scale(value), bottom, "grid")
        svg.text(scale(value), bottom + 16, f"{value:g}", "tick", "middle")
    svg.text((scale.start + scale.end) / 2, bottom + 34, label, "tick", "middle")


class Ladder(NamedTuple):
    """Agents whose ratings compare, best first, under a heading ("" where there is one ladder only)."""

    heading: str
    rows: list[Row]


def ratings(ladders: Sequence[Ladder], colours: dict[str, int]) -> Chart | None:
    """Ratings with their intervals, ladder by ladder; shaded: those whose rank may be 1."""
    shown = [Ladder(ladder.heading, [row for row in ladder.rows if known(row.get("rating"))]) for ladder in ladders]
    shown = [ladder for ladder in shown if len(ladder.rows) > 1]
    rows = [row for ladder in shown for row in ladder.rows]
    if not any(known(row.get("rating_lo")) for row in rows):
        return None
    left = 52 + room([str(row["agent"]) for row in rows])
    right = left + 400
    width = right + 170
    height = ROW * (len(rows) + sum(bool(ladder.heading) for ladder in shown)) + 56
    svg = Svg(width, height, "Ratings with 95 % intervals", colours)
    scale = _scale([row[c] for row in rows for c in RATINGS if known(row.get(c))], left, right)
    y = 6.0
    lines = []
    for ladder in shown:
        if ladder.heading:
            lines.append((y + ROW / 2 + 4, ladder.heading))
            y += ROW
        first = [i for i, row in enumerate(ladder.rows) if row.get("rank_lb") == 1]
        for i in first if len(first) > 1 else ():
            svg.add("rect", "band", x=0, y=y - 2 + ROW * i, width=width, height=ROW)
        y += ROW * len(ladder.rows)
    _axis(svg, scale, 6, y + 2, "rating")
    for place, heading in lines:
        svg.text(6, place, heading, "panel", width=width - 12)
    y = 6.0
    for ladder in shown:
        y += ROW if ladder.heading else 0
        for row in ladder.rows:
            _rated_line(svg, scale, y + ROW / 2, row, colours[str(row["agent"])], left, right)
            y += ROW
    columns = ["agent", "rank", "rank_lb", "rank_ub", "rating", "rating_lo", "rating_hi"]
    many = [ladder.heading for ladder in shown if ladder.heading]
    table = [[*([ladder.heading] if many else []), *(row.get(c) for c in columns)]
             for ladder in shown for row in ladder.rows]  # fmt: skip
    note = "95 % intervals; at the left the range of ranks. Shaded agents may be the best: their range holds 1."
    note += " Ratings compare under one heading only." if many else ""
    return Chart("ratings", "Ratings", svg.render(), note, [*(["among"] if many else []), *columns], table)


def _rated_line(svg: Svg, scale: Scale, y: float, row: Row, colour: int, left: float, right: float) -> None:
    agent, value = str(row["agent"]), f"{row['rating']:.0f}"
    svg.text(6, y + 4, _ranks(row), "tick")
    svg.text(52, y + 4, agent, "label", width=left - 56)
    if known(row.get("rating_lo")) and known(row.get("rating_hi")):
        svg.interval(scale(row["rating_lo"]), scale(row["rating_hi"]), y, colour)
        value += f"  [{row['rating_lo']:.0f}, {row['rating_hi']:.0f}]"
    svg.marker(scale(row["rating"]), y, colour, title=f"{agent}: {row['rating']:.6g}")
    svg.text(right + 14, y + 4, value, "value")


def _ranks(row: Row) -> str:
    low, high = row.get("rank_lb"), row.get("rank_ub")
    if not known(low) or not known(high):
        return f"{row['rank']:.0f}" if known(row.get("rank")) else ""
    return f"{low:.0f}" if low == high else f"{low:.0f}–{high:.0f}"


def response(graph: Row | None, headline: bool, names: Collection[str] = ()) -> Chart | None:
    """The response graph of alpha-Rank: better strategies take over along the arrows; sink classes hold the mass."""
    if not graph or not graph["nodes"]:
        return None
    nodes, n = graph["nodes"], len(graph["nodes"])
    radius = min(165.0, 50.0 + 30 * n)
    side_room = room([line for node in nodes for line in node["label"].split(" / ")])
    width = 2 * (radius + 40 + side_room)
    centre_x, centre_y = width / 2, radius + 78
    svg = Svg(width, 2 * radius + 150, "Response graph of alpha-Rank", names)
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
            first, anchor, most = (
                y + (sizes[k] + 16 if below else -sizes[k] - 2 - 14 * len(lines)),
                "middle",
                2 * side_room,
            )
            x0 = x
        else:
            side = 1 if x > centre_x else -1
            first, anchor, most = y + 4 - 7 * (len(lines) - 1), "start" if side > 0 else "end", side_room
            x0 = x + side * (sizes[k] + 10)
        for i, line in enumerate(lines):
            svg.text(x0, first + 14 * i, line, "label", anchor, most)
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
        width = min(CHAR * breadth(name), 240.0)
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
    """Small multiples: in each panel the agents that it is about, each panel with its own scale."""
    series = [s for s in series if s.points]
    if not series:
        return None
    left = room([p[0] for s in series for p in s.points])
    across = 2 if len(series) > 1 and left <= 200 else 1
    width = left + 230 if across == 2 else max(left + 320, WIDTH / 2)
    bands = [series[k : k + across] for k in range(0, len(series), across)]
    heights = [20 * max(len(one.points) for one in band) + 66 for band in bands]
    svg = Svg(width * across, sum(heights), title, colours)
    for i, band in enumerate(bands):
        for k, one in enumerate(band):
            x0, y0 = width * k, float(sum(heights[:i]))
            svg.text(x0 + 6, y0 + 18, one.title, "panel", width=width - 20)
            scale = _scale([v for p in one.points for v in p[1:] if isfinite(v)], x0 + left + 16, x0 + width - 20)
            _axis(svg, scale, y0 + 28, y0 + 20 * len(one.points) + 28, "")
            for line, (agent, value, low, top) in enumerate(one.points):
                y = y0 + 38 + 20 * line
                svg.text(x0 + 6, y + 4, agent, "tick", width=left)
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
    side = room(list(curves))
    svg = Svg(600 + side, 340, "Rating against training iteration")
    x = _scale([float(k) for k, _ in every], 70, 590)
    y = _scale([row[c] for _, row in every for c in RATINGS if known(row.get(c))], 290, 16)
    _axis(svg, x, 16, 290, "iteration")
    for value in ticks(y.low, y.high):
        svg.text(62, y(value) + 4, f"{value:g}", "tick", "end")
    for name, points in sorted(curves.items()):
        index = colours[str(points[-1][1]["agent"])]
        for (k, row), (j, after) in pairwise(points):
            svg.line(x(k), y(row["rating"]), x(j), y(after["rating"]), f"s{index % 8} bar")
        for k, row in points:
            if known(row["rating_lo"]) and known(row["rating_hi"]):
                svg.line(x(k), y(row["rating_lo"]), x(k), y(row["rating_hi"]), f"s{index % 8} bar")
            svg.marker(x(k), y(row["rating"]), index, 4, title=f"{row['agent']}: {row['rating']:.6g}")
        svg.text(x(points[-1][0]) + 10, y(points[-1][1]["rating"]) + 4, name, "tick", width=side)
    table = [[name, k, row["rating"], row["rating_lo"], row["rating_hi"], row["n_matches"]]
             for name, points in sorted(curves.items()) for k, row in points]  # fmt: skip
    columns = ["policy", "iteration", "rating", "rating_lo", "rating_hi", "n_matches"]
    return Chart("learning", "Learning curves", svg.render(), "Bars are 95 % intervals.", columns, table)
