"""A small SVG writer, and where things go: places spread over a canvas, labels where they hide least.

Deterministic: sums, products and square roots of floats only, rounded to a tenth. Every text is escaped here.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

from arena.core.text import one_line

Style = dict[str, str | float]


class Point(NamedTuple):
    x: float
    y: float

    def towards(self, other: Point, by: float, aside: float = 0.0) -> Point:
        """The point `by` along the way to `other`, `aside` to its right."""
        dx, dy = other.x - self.x, other.y - self.y
        length = sqrt(dx * dx + dy * dy) or 1.0
        ux, uy = dx / length, dy / length
        return Point(self.x + ux * by - uy * aside, self.y + uy * by + ux * aside)

    def distance(self, other: Point) -> float:
        dx, dy = other.x - self.x, other.y - self.y
        return sqrt(dx * dx + dy * dy)


def number(value: float) -> str:
    text = f"{value:.1f}"
    text = text.removesuffix(".0")
    return "0" if text == "-0" else text


def escape(text: str) -> str:
    """Text as it may stand in an element or an attribute: one line, nothing invisible, no markup."""
    for char, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("'", "&#39;")):
        text = text.replace(char, entity)
    return one_line(text)


def tag(name: str, *inner: str, **attributes: str | float) -> str:
    """One element. `inner` is markup; underscores in attribute names become hyphens."""
    parts = [
        f'{key.rstrip("_").replace("_", "-")}="{number(value) if isinstance(value, float | int) else escape(value)}"'
        for key, value in attributes.items()
    ]
    head = " ".join([name, *parts])
    return f"<{head}>{''.join(inner)}</{name}>" if inner else f"<{head}/>"


def label(text: str, at: Point, size: float, fill: str, **attributes: str | float) -> str:
    """Text at a point."""
    return tag("text", escape(text), x=at.x, y=at.y, font_size=size, fill=fill, **attributes)


def path(points: Sequence[Point]) -> str:
    """The `d` of a line through points."""
    return "M" + "L".join(f"{number(p.x)} {number(p.y)}" for p in points)


def wrap(text: str, width: int, lines: int) -> list[str]:
    """Words in lines of at most `width` characters; what does not fit ends in an ellipsis."""
    found = [""]
    for word in one_line(text).split():
        for piece in [word[i : i + width] for i in range(0, len(word), width)]:
            if not found[-1]:
                found[-1] = piece
            elif len(found[-1]) + 1 + len(piece) <= width:
                found[-1] += f" {piece}"
            else:
                found.append(piece)
    return found if len(found) <= lines else [*found[: lines - 1], found[lines - 1][: width - 1].rstrip() + "…"]


def spread(points: Sequence[tuple[int, int]], width: float, height: float, gap: float) -> list[Point]:
    """Map points onto a canvas: half by place, half by rank, then pushed apart to `gap`, north up."""
    xs, ys = _stretched([p[0] for p in points]), _stretched([-p[1] for p in points])
    found = [[x * width, y * height] for x, y in zip(xs, ys, strict=True)]
    for _ in range(80):
        for i, a in enumerate(found):
            for b in found[:i]:
                dx, dy = a[0] - b[0], a[1] - b[1]
                apart = sqrt(dx * dx + dy * dy) or 1.0
                if apart < gap:
                    push = (gap - apart) / (2 * apart)
                    a[0], a[1], b[0], b[1] = a[0] + dx * push, a[1] + dy * push, b[0] - dx * push, b[1] - dy * push
        for a in found:
            a[0], a[1] = min(max(a[0], 0.0), width), min(max(a[1], 0.0), height)
    return [Point(x, y) for x, y in found]


def _stretched(values: Sequence[int]) -> list[float]:
    """0..1: the mean of a value's place between the extremes and its rank."""
    low, high, order = min(values), max(values), sorted(set(values))
    ranks = {value: i / max(len(order) - 1, 1) for i, value in enumerate(order)}
    return [0.5 * (value - low) / max(high - low, 1) + 0.5 * ranks[value] for value in values]


class Box(NamedTuple):
    left: float
    top: float
    right: float
    bottom: float

    def overlap(self, other: Box) -> float:
        across = min(self.right, other.right) - max(self.left, other.left)
        down = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(across, 0.0) * max(down, 0.0)

    def holds(self, point: Point) -> bool:
        return self.left <= point.x <= self.right and self.top <= point.y <= self.bottom


class Placed(NamedTuple):
    at: Point
    anchor: str
    box: Box


def place_label(text: str, at: Point, size: float, taken: Sequence[Box], busy: Sequence[Point], frame: Box) -> Placed:
    """Where a label hides least: not on other boxes, on few busy points, inside the frame."""
    wide, high = 0.61 * size * len(text), size
    options = []
    for rank, (dx, dy, anchor) in enumerate(
        ((14, 4, "start"), (-14, 4, "end"), (0, -15, "middle"), (0, 23, "middle"), (11, -9, "start"), (-11, -9, "end"))
        + ((11, 18, "start"), (-11, 18, "end"), (0, -27, "middle"), (0, 35, "middle"))
    ):
        left = at.x + dx - {"start": 0.0, "middle": wide / 2, "end": wide}[anchor]
        box = Box(left - 2, at.y + dy - high, left + wide + 2, at.y + dy + 4)
        cost = sum(box.overlap(other) for other in taken) + 22.0 * sum(box.holds(point) for point in busy) + rank
        outside = max(frame.left - box.left, 0.0) + max(box.right - frame.right, 0.0)
        outside += max(frame.top - box.top, 0.0) + max(box.bottom - frame.bottom, 0.0)
        options.append((cost + 60 * outside, rank, Placed(Point(at.x + dx, at.y + dy), anchor, box)))
    return min(options)[2]
