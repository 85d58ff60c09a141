"""Paired differences in a cross table: every other agent of a side less a baseline, against the same opponents on the
same deals.

Intervals are percentile 95 % of a cluster bootstrap over deals (`RESAMPLES` resamples, seeded), in which both cells are
resampled together; p is twice the share of resamples on the other side of 0, and no less than the chance that as many
coins all fall alike, since resamples of few deals say too much. Holm's correction is over the agents that are compared
with the baseline against one opponent.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from arena.core.errors import UsageError, nearest
from arena.leaderboards.cells import Gathered, Pair

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

RESAMPLES = 2_000
LEVEL = 0.05


class Difference(NamedTuple):
    """An agent's figure less the baseline's. `p` is corrected. None: not known, as with fewer than two deals."""

    setup: str
    what: str
    side: str
    agent: str
    opponent: str
    value: float
    low: float | None
    high: float | None
    p: float | None
    deals: int

    @property
    def verdict(self) -> str:
        if self.p is None or self.p >= LEVEL:
            return "no detectable difference"
        return "higher" if self.value > 0 else "lower"


def differences(gathered: Iterable[Gathered], baseline: str) -> list[Difference]:
    """Of every grid in which the baseline holds a side."""
    gathered = list(gathered)
    names = {name for grid in gathered for name in (*grid.rows, *grid.columns)}
    if baseline not in names:
        near = ", ".join(nearest(baseline, names))
        raise UsageError(f"{baseline} holds no side here." + (f" Nearest: {near}." if near else ""))
    found = []
    for grid in gathered:
        turned = {(column, row): cell for (row, column), cell in grid.cells.items()}
        first, second = grid.sides
        for side, cells in ((first, grid.cells), (second, turned)):
            for opponent in sorted({o for a, o in cells if a == baseline}):
                theirs = cells[baseline, opponent]
                pairs = {a: (cell, theirs) for (a, o), cell in cells.items() if o == opponent and a != baseline}
                found += _against(grid, side, opponent, dict(sorted(pairs.items())))
    if not found:
        raise UsageError(f"nobody met the opponents of {baseline} on its side on the same deals")
    return found


Deals = Mapping[str, Sequence[Pair]]


def _against(grid: Gathered, side: str, opponent: str, pairs: Mapping[str, tuple[Deals, Deals]]) -> list[Difference]:
    """Everybody's difference against one opponent, corrected together."""
    found = []
    for agent, (mine, theirs) in pairs.items():
        if deals := sorted(mine.keys() & theirs.keys()):
            estimate = paired([mine[deal] for deal in deals], [theirs[deal] for deal in deals])
            if estimate is not None:
                found.append(Difference(grid.setup, grid.what, side, agent, opponent, *estimate, len(deals)))
    corrected = iter(holm([d.p for d in found if d.p is not None]))
    return [d if d.p is None else d._replace(p=next(corrected)) for d in found]


Estimate = tuple[float, float | None, float | None, float | None]


def paired(mine: Sequence[Sequence[Pair]], theirs: Sequence[Sequence[Pair]]) -> Estimate | None:
    """The difference of two pooled figures over the same deals, its interval and p; None where one says nothing."""
    import numpy as np

    (value, drawn), (less, drawn_less) = resampled(mine), resampled(theirs)
    difference = value - less
    if math.isnan(difference):
        return None
    spread = drawn - drawn_less
    spread = spread[~np.isnan(spread)]
    if len(mine) < 2:
        return difference, None, None, None
    low, high = np.percentile(spread, [2.5, 97.5])
    tail = min(int((spread <= 0).sum()), int((spread >= 0).sum()))
    p = max(2 * (1 + tail) / (len(spread) + 1), 2.0 ** (1 - len(mine)))
    return difference, float(low), float(high), min(1.0, p)


def resampled(deals: Sequence[Sequence[Pair]]) -> tuple[float, NDArray[float64]]:
    """A pooled figure, and what it is over each resample of the deals: the same ones for equally many deals."""
    import numpy as np

    counts = np.array([[math.fsum(part) for part in zip(*pairs, strict=True)] for pairs in deals])
    drawn = np.random.default_rng(1).integers(0, len(deals), size=(RESAMPLES, len(deals)))
    above, below = counts.sum(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        tops, bottoms = (counts[:, part][drawn].sum(1) for part in (0, 1))
        return float(np.divide(above, below)), tops / bottoms


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction: p in rising order times how many are left, never less than the one before."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    corrected, highest = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * p_values[i]))
        corrected[i] = highest
    return corrected
