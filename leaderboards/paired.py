"""Paired differences in a cross table: every other agent of a side less a baseline, against the same opponents on the
same deals.

A figure is the quotient of two sums over deals; a deal with several matches counts once, by their mean. Intervals are
percentile 95 % of a bootstrap over deals (`RESAMPLES`, seeded), in which both agents are resampled together. Resamples
of few deals say too much, so p is the largest of three: twice the share of resamples on the other side of 0; that of
Student's t for the linearised difference; and the chance that as many coins fall alike as deals came out differently.
Holm's correction is over the agents that are compared with the baseline against one opponent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from arena.core.errors import UsageError, nearest
from arena.leaderboards.cells import Deals, Grid

RESAMPLES = 2_000
LEVEL = 0.05
NOISE = 1e-9  # a difference below this share of what is compared is rounding
_CHUNK = 4_000_000  # drawn deals in memory

Floats = NDArray[np.float64]


class Estimate(NamedTuple):
    """`deals` had something to count, for whom there were fewer. With less than two of them nothing more is known."""

    value: float
    low: float | None
    high: float | None
    p: float | None
    deals: int


class Difference(NamedTuple):
    """An agent's figure less the baseline's, with p corrected."""

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
        return verdict(self.value, self.p)


def differences(gathered: Iterable[Grid[Deals]], baseline: str) -> list[Difference]:
    """Of every grid in which the baseline holds a side."""
    gathered = list(gathered)
    names = {name for grid in gathered for name in (*grid.rows, *grid.columns)}
    if baseline not in names:
        near = ", ".join(nearest(baseline, names))
        raise UsageError(f"{baseline!r} holds no side here." + (f" Nearest: {near}." if near else ""))
    found = []
    for grid in gathered:
        turned = {(column, row): cell for (row, column), cell in grid.cells.items()}
        first, second = grid.sides
        for side, cells in ((first, grid.cells), (second, turned)):
            for opponent in sorted({o for a, o in cells if a == baseline}):
                theirs = cells[baseline, opponent]
                others = sorted(a for a, o in cells if o == opponent and a != baseline)
                pairs = {a: paired(cells[a, opponent], theirs) for a in others}
                found += _corrected(grid, side, opponent, pairs)
    if not found:
        raise UsageError(
            f"nothing compares with {baseline}: nobody on its side met one of its opponents on the same deal with "
            "anything to count",
            hint="agents that name their side share deals: --agents blue=A,blue=B,red=C",
        )
    return found


def verdict(value: float, p: float | None) -> str:
    """What may be said of a difference, by rule."""
    if p is None or p >= LEVEL:
        return "no detectable difference"
    return "higher" if value > 0 else "lower"


def _corrected(grid: Grid[Deals], side: str, opponent: str, pairs: Mapping[str, Estimate | None]) -> list[Difference]:
    """Everybody's difference against one opponent, corrected together."""
    found = [Difference(grid.setup, grid.what, side, a, opponent, *e) for a, e in pairs.items() if e is not None]
    corrected = iter(holm([d.p for d in found if d.p is not None]))
    return [d if d.p is None else d._replace(p=next(corrected)) for d in found]


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down correction: p in rising order times how many are left, never less than the one before."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    corrected, highest = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * p_values[i]))
        corrected[i] = highest
    return corrected


def paired(mine: Deals, theirs: Deals) -> Estimate | None:
    """The difference of two figures on the deals of both; None where one of them has nothing to count there."""
    deals = sorted(mine.keys() & theirs.keys())
    a, b = (_by_deal(cell, deals) for cell in (mine, theirs))
    if not a[:, 1].sum() or not b[:, 1].sum():
        return None
    told = min(_told(a), _told(b))
    value = _quotient(a) - _quotient(b)
    if abs(value) < NOISE * (abs(_quotient(a)) + abs(_quotient(b))):
        value = 0.0
    coins = min(told, int((~np.isclose(a, b, rtol=NOISE, atol=0)).any(axis=1).sum()))
    return _judged(value, _drawn(a) - _drawn(b), _residuals(a) - _residuals(b), told, coins)


def figure(cell: Deals) -> Estimate | None:
    """One figure by the same rules; its p says nothing of interest."""
    counts = _by_deal(cell, sorted(cell))
    if not counts[:, 1].sum():
        return None
    told = _told(counts)
    found = _judged(_quotient(counts), _drawn(counts), _residuals(counts), told, told)
    return found._replace(low=None, high=None) if found.low == found.high else found


def _judged(value: float, drawn: Floats, residuals: Floats, deals: int, coins: int) -> Estimate:
    from scipy.stats import t as student

    drawn = drawn[np.isfinite(drawn)]
    if deals < 2:
        return Estimate(value, None, None, None, deals)
    error = float(residuals.std(ddof=1)) / len(residuals) ** 0.5
    if error < NOISE * max(abs(value), 1e-300):  # all deals alike, or no difference on any
        return Estimate(value, value, value, min(1.0, 2.0 ** (1 - coins)) if value else 1.0, deals)
    low, high = np.percentile(drawn, [2.5, 97.5])
    tail = min(int((drawn <= 0).sum()), int((drawn >= 0).sum()))
    of_t = 2 * float(student.sf(abs(value) / error, deals - 1))
    p = max(2 * (1 + tail) / (len(drawn) + 1), of_t, 2.0 ** (1 - coins)) if value else 1.0
    return Estimate(value, float(low), float(high), min(1.0, p), deals)


def _by_deal(cell: Deals, deals: Sequence[str]) -> Floats:
    """A row a deal: the means of its matches' two parts."""
    rows = [np.mean(cell[deal], axis=0) for deal in deals]
    return np.array(rows, dtype=np.float64).reshape(len(rows), 2)


def _told(counts: Floats) -> int:
    return int(np.count_nonzero(counts[:, 1]))


def _quotient(counts: Floats) -> float:
    above, below = counts.sum(0)
    return float(above / below)


def _residuals(counts: Floats) -> Floats:
    """What each deal adds to the quotient's error, to first order."""
    residuals: Floats = (counts[:, 0] - _quotient(counts) * counts[:, 1]) / counts[:, 1].mean()
    return residuals


def _drawn(counts: Floats) -> Floats:
    """The quotient over each resample of the deals: the same ones for equally many deals."""
    rng, n = np.random.default_rng(1), len(counts)
    size = max(1, _CHUNK // n)
    sums = [
        counts[rng.integers(0, n, size=(min(size, RESAMPLES - done), n))].sum(1) for done in range(0, RESAMPLES, size)
    ]
    above, below = np.concatenate(sums).T
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn: Floats = above / below
    return drawn
