"""Who beats whom: every agent's score against every other, as a table of cells."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

import numpy as np
from pandas import DataFrame

from arena.leaderboards.page.charts import WIDTH, Chart, room
from arena.leaderboards.page.svg import Svg

PRINTED = 15  # the largest matrix with numbers in its cells
FEW = 5  # matches below which a cell is hatched
HATCH = (
    '<defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    '<line class="hatch" x1="0" y1="0" x2="0" y2="6"/></pattern></defs>'
)


class Cell(NamedTuple):
    """The score of a row's agent against a column's, in how many matches and deals, with its interval."""

    score: float
    matches: int
    low: float
    high: float


def win_matrix(played: DataFrame) -> dict[tuple[str, str], Cell]:
    """Mean score of each agent against each other, with Wilson's interval on the number of deals."""
    from arena.leaderboards.fitting.teams import seat_pairs, teams

    rows, others, score, _, match = seat_pairs(teams(played))
    agent, deal = played["agent"].to_numpy(), played["deal_id"].to_numpy()
    a, b = np.r_[agent[rows], agent[others]], np.r_[agent[others], agent[rows]]
    pairs = DataFrame({"a": a, "b": b, "score": np.r_[score, 1 - score]})
    pairs["match"], pairs["deal"] = np.r_[match, match], np.r_[deal[rows], deal[rows]]
    by_pair = pairs[pairs["a"] != pairs["b"]].groupby(["a", "b"], sort=True)
    found = by_pair.agg(score=("score", "mean"), matches=("match", "nunique"), deals=("deal", "nunique")).reset_index()
    return {
        (str(row["a"]), str(row["b"])): Cell(row["score"], row["matches"], *_wilson(row["score"], row["deals"]))
        for row in found.to_dict("records")
    }


def _wilson(p: float, n: int) -> tuple[float, float]:
    z = 1.959964
    centre, half = p + z * z / (2 * n), z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return (centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)


def wins(agents: Sequence[str], cells: dict[tuple[str, str], Cell]) -> Chart | None:
    """Who beats whom: row against column."""
    if not cells:
        return None
    n = len(agents)
    left = 34 + room(agents)
    size = max(12.0, min(46.0, (WIDTH - 210) / n))
    top = 26
    label = "Scores of the row's agent against the column's"
    svg = Svg(left + size * n + 20, top + size * n + 12, label, agents)
    svg.parts.append(HATCH)
    merged: dict[str, list[str]] = {}
    for i, a in enumerate(agents):
        y = top + size * i
        svg.text(left - 28, y + size / 2 + 4, a, "label", "end", width=left - 34)
        svg.text(left - 6, y + size / 2 + 4, f"{i + 1}", "tick", "end")
        if n <= PRINTED or i % 5 == 4:
            svg.text(left + size * (i + 0.5), top - 8, f"{i + 1}", "tick", "middle")
        for j, b in enumerate(agents):
            cell = cells.get((a, b))
            if cell is None:
                continue
            x, css = left + size * j, f"d{min(10, int(cell.score * 11))}"
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
