"""Draws from what is believed of strengths: N(mean, cov) of an `Estimate`, from one of our own streams.

Written out in plain Python: a schedule must draw the same matches on every machine, whatever numpy is there, and the
matrices are small.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, log, sqrt, tau
from operator import mul

from arena.core.seeds import Rng
from arena.run.schedules import Estimate


class Belief:
    """The strengths of the first `n` agents of an estimate, as a distribution."""

    def __init__(self, estimate: Estimate, n: int) -> None:
        self.mean = [float(estimate.mean[i]) for i in range(n)]
        self._root = _cholesky([[float(estimate.cov[i][j]) for j in range(n)] for i in range(n)])

    def draw(self, rng: Rng) -> list[float]:
        z = [_normal(rng) for _ in self.mean]
        return [mean + sum(map(mul, row, z)) for mean, row in zip(self.mean, self._root, strict=True)]

    def draw_best(self, rng: Rng) -> int:
        """The agent that is best in one draw."""
        theta = self.draw(rng)
        return theta.index(max(theta))


def _normal(rng: Rng) -> float:
    """Box and Muller 1958. Python promises the values of random() alone, not those of gauss()."""
    return sqrt(-2 * log(1 - rng.random())) * cos(tau * rng.random())


def _cholesky(cov: Sequence[Sequence[float]]) -> list[list[float]]:
    """Rows of the lower root. Strengths are centred, so the last pivot is zero but for rounding."""
    root: list[list[float]] = []
    for i, row in enumerate(cov):
        new: list[float] = []
        for j in range(i):
            pivot = root[j][j]
            new.append((row[j] - sum(map(mul, new, root[j]))) / pivot if pivot > 0 else 0.0)
        root.append([*new, sqrt(max(row[i] - sum(map(mul, new, new)), 0.0))])
    return root
