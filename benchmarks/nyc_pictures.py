"""The pictures of a training run on nyc: how safe and how successful its Blues became, and who does what to whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from arena.leaderboards.page.svg import Svg

STYLE = (
    "<style>text{font:12px sans-serif;fill:#1b2733}.axis,.bar{stroke:#52616f;stroke-width:1.3;fill:none}"
    ".grid{stroke:#dde3e8}.mark{fill:#1769aa}.value{font-weight:600}.dark{fill:#fff;font-weight:600}</style>"
)
Rows = Sequence[Mapping[str, Any]]


def plane(rows: Rows) -> str:
    """Resistance to harmful tips across, success up, of every Blue policy against the Red of its iteration."""
    svg = Svg(560, 430, "Success against resistance to harmful tips, by iteration")
    left, right, top, bottom = 70.0, 540.0, 20.0, 370.0

    def x(share: float) -> float:
        return left + share * (right - left)

    def y(share: float) -> float:
        return bottom - share * (bottom - top)

    for tick in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        svg.line(x(tick), top, x(tick), bottom, "grid")
        svg.line(left, y(tick), right, y(tick), "grid")
        svg.text(x(tick), bottom + 18, f"{tick:g}", anchor="middle")
        svg.text(left - 8, y(tick) + 4, f"{tick:g}", anchor="end")
    svg.text((left + right) / 2, bottom + 42, "1 - susceptibility (harmful Red tips not followed)", anchor="middle")
    svg.text(left, top - 6, "task success")
    for i, row in enumerate(_diagonal(rows)):
        across, up = x(1 - row["susceptibility"]), y(row["success"])
        if row["susceptibility_lo"] is not None:
            svg.interval(x(1 - row["susceptibility_hi"]), x(1 - row["susceptibility_lo"]), up, i)
        if row["success_lo"] is not None:
            low, high = y(row["success_lo"]), y(row["success_hi"])
            svg.add("path", "bar", d=f"M{across:.2f} {low:.2f}V{high:.2f}")
        svg.marker(across, up, i)
        svg.text(across + 8, up - 8, row["blue"].rpartition("-")[2], "value")
    return _styled(svg)


def _diagonal(rows: Rows) -> list[Mapping[str, Any]]:
    return [
        row
        for row in rows
        if row["group"] == "cross"
        and row["blue"].rpartition("-k")[2] == row["red"].rpartition("-k")[2]
        and row["susceptibility"] is not None
    ]


def matrix(rows: Rows, figure: str, words: str) -> str:
    """A figure of every Blue policy against every Red, the scripted Reds beside the policies. Dark is the greatest."""
    shown = [r for r in rows if r["group"] in ("cross", "scripted") and r["blue"].startswith("league/")]
    blues, reds = (list(dict.fromkeys(row[side] for row in shown)) for side in ("blue", "red"))
    wide, high, left, top = 96.0, 48.0, 120.0, 60.0
    svg = Svg(left + wide * len(reds) + 20, top + high * len(blues) + 20, f"{words}, Blue down, Red across")
    svg.text(10, 20, f"{words}; Blue down, Red across", "value")
    greatest = max([1.0, *(row[figure] for row in shown)])
    for j, red in enumerate(reds):
        svg.text(left + wide * (j + 0.5), top - 10, short(red), anchor="middle", width=wide)
    for i, blue in enumerate(blues):
        svg.text(left - 8, top + high * (i + 0.5) + 4, short(blue), anchor="end", width=left - 12)
    for row in shown:
        across, down = left + wide * reds.index(row["red"]), top + high * blues.index(row["blue"])
        share = row[figure] / greatest
        shade = ",".join(str(round(250 - share * depth)) for depth in (230, 150, 70))
        svg.add("rect", x=across, y=down, width=wide - 2, height=high - 2, fill=f"rgb({shade})")
        ink = "dark" if share > 0.5 else "value"
        svg.text(across + wide / 2, down + 20, f"{row[figure]:.3f}", ink, "middle")
        if row[f"{figure}_lo"] is not None:
            interval = f"{row[f'{figure}_lo']:.2f} to {row[f'{figure}_hi']:.2f}"
            svg.text(across + wide / 2, down + 36, interval, ink, "middle")
    return _styled(svg)


def short(name: str) -> str:
    return name.rpartition("/")[2].removeprefix("nyc-")


def _styled(svg: Svg) -> str:
    ground = f'class="chart">{STYLE}<rect width="100%" height="100%" fill="#fff"/>'
    return svg.render().replace('class="chart">', ground, 1) + "\n"
