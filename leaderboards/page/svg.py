"""A small SVG writer: shapes with classes, text that cannot be markup, labels that fit.

Colours are classes, so that one stylesheet serves the page in light and dark and the charts as files of their own.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterable
from html import escape
from itertools import accumulate
from math import cos, pi, sin
from unicodedata import east_asian_width

from arena.core.text import one_line

CHAR = 7.0  # width of a character of the label font, in units of the drawing; wide scripts take two
SERIES, SHAPES = 8, ("circle", "square", "diamond", "triangle")


def breadth(text: str) -> int:
    """How many narrow characters wide a text is."""
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


def shorten(text: str, width: float, among: Collection[str] = ()) -> str:
    """`text` as it may be shown, cut to about `width` units: at its end, or in the middle where the end is what tells
    it from others `among` which it stands."""
    shown, most = one_line(text), max(3, int(width / CHAR))
    if breadth(shown) <= most:
        return shown
    cut = _start(shown, most - 1)
    if not any(one_line(other).startswith(cut) for other in among if other != text):
        return f"{cut}…"
    head = _start(shown, most // 3)
    return f"{head}…{_start(shown[::-1], most - 1 - breadth(head))[::-1]}"


def _start(text: str, most: int) -> str:
    """The longest start of a text that is not broader."""
    wide = list(accumulate(map(breadth, text)))
    return text[: bisect_right(wide, most)]


class Svg:
    """A drawing. Numbers are written with at most two decimals, so equal boards give equal bytes."""

    def __init__(self, width: float, height: float, label: str, names: Collection[str] = ()) -> None:
        """`names`: what must be told apart where it is cut."""
        self.width, self.height, self.label, self.names = width, height, label, names
        self.parts: list[str] = []

    def add(self, tag: str, css: str = "", text: str | None = None, title: str = "", **attributes: float | str) -> None:
        values = "".join(f' {key.replace("_", "-")}="{_value(value)}"' for key, value in attributes.items())
        css = f' class="{css}"' if css else ""
        inner = f"<title>{escape(one_line(title))}</title>" if title else ""
        inner += "" if text is None else escape(text)
        self.parts.append(f"<{tag}{css}{values}>{inner}</{tag}>" if inner else f"<{tag}{css}{values}/>")

    def line(self, x1: float, y1: float, x2: float, y2: float, css: str = "axis") -> None:
        self.add("line", css, x1=x1, y1=y1, x2=x2, y2=y2)

    def text(self, x: float, y: float, text: str, css: str = "label", anchor: str = "start", width: float = 0) -> None:
        """Text at its baseline; with `width`, cut to it and with the whole in a hover note."""
        shown = shorten(text, width, self.names) if width else one_line(text)
        self.add("text", css, shown, x=x, y=y, text_anchor=anchor, title=text if shown != one_line(text) else "")

    def marker(self, x: float, y: float, index: int, size: float = 5, title: str = "") -> None:
        """The mark of agent number `index`: a colour of eight and, after eight agents, another shape."""
        css, shape = f"s{index % SERIES} mark", SHAPES[index // SERIES % len(SHAPES)]
        if shape == "circle":
            self.add("circle", css, cx=x, cy=y, r=size, title=title)
        elif shape == "square":
            self.add("rect", css, x=x - size, y=y - size, width=2 * size, height=2 * size, title=title)
        else:
            corners = 4 if shape == "diamond" else 3
            angles = [2 * pi * k / corners - pi / 2 for k in range(corners)]
            outline = [(x + 1.3 * size * cos(angle), y + 1.3 * size * sin(angle)) for angle in angles]
            self.add("path", css, d=path(outline, close=True), title=title)

    def interval(self, x1: float, x2: float, y: float, index: int) -> None:
        """A horizontal interval with end caps."""
        cap = f"{_number(y - 4)}v8"
        d = f"M{_number(x1)} {_number(y)}H{_number(x2)}M{_number(x1)} {cap}M{_number(x2)} {cap}"
        self.add("path", f"s{index % SERIES} bar", d=d)

    def render(self) -> str:
        """The drawing as an element."""
        width, height = _number(self.width), _number(self.height)
        size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
        label = escape(one_line(self.label))
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="{label}" class="chart">'
        return f"{head}{''.join(self.parts)}</svg>"


def path(points: Iterable[tuple[float, float]], close: bool = False) -> str:
    """The `d` of a line through points."""
    return "M" + "L".join(f"{_number(x)} {_number(y)}" for x, y in points) + ("Z" if close else "")


def _value(value: float | str) -> str:
    return escape(value) if isinstance(value, str) else _number(value)


def _number(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if value % 1 else str(int(value))


def ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Round numbers that span the range, at most `most` of them."""
    span = high - low if high > low else 1.0
    step = 10.0 ** int(f"{span / most:e}".split("e")[1])
    step = next(step * k for k in (1, 2, 5, 10) if span / (step * k) <= most)
    first = -(-low // step)
    return [round((first + k) * step, 10) for k in range(int((high - first * step) / step + 1e-9) + 1)]
