"""A small SVG writer: shapes with classes, text that cannot be markup, labels that fit.

Colours are classes, so that one stylesheet serves the page in light and dark and the charts as files of their own.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from math import cos, pi, sin

from arena.core.text import one_line

CHAR = 6.6  # width of a character of the label font, in units of the drawing
SERIES, SHAPES = 8, ("circle", "square", "diamond", "triangle")


def shorten(text: str, width: float) -> str:
    """`text` as it may be shown, cut to about `width` units."""
    shown = one_line(text)
    most = max(3, int(width / CHAR))
    return shown if len(shown) <= most else shown[: most - 1] + "…"


class Svg:
    """A drawing. Numbers are written with at most two decimals, so equal boards give equal bytes."""

    def __init__(self, width: float, height: float, label: str) -> None:
        self.width, self.height, self.label = width, height, label
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
        shown = shorten(text, width) if width else one_line(text)
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
        size = f'viewBox="0 0 {_number(self.width)} {_number(self.height)}"'
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
