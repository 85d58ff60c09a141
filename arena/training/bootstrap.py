"""A paired difference and how sure one can be of it: percentile bootstrap over deals, a t-interval beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import fmean, stdev
from typing import Any, NamedTuple

RESAMPLES = 10_000


class Estimate(NamedTuple):
    """The mean of paired differences, one a deal. Intervals are of 95 %; with fewer than two deals they are open."""

    diff: float
    low: float
    high: float
    t_low: float
    t_high: float
    n: int

    def as_json(self) -> dict[str, Any]:
        t = [_number(self.t_low), _number(self.t_high)]
        return {"diff": self.diff, "ci": [_number(self.low), _number(self.high)], "t_ci": t, "n": self.n}


def estimate(differences: Sequence[float], seed: int, resamples: int = RESAMPLES) -> Estimate:
    """The mean difference with its intervals; the resamples come from the seed alone."""
    import numpy as np
    from scipy.stats import t as student

    n = len(differences)
    if n == 0:
        return Estimate(0.0, -math.inf, math.inf, -math.inf, math.inf, 0)
    mean = fmean(differences)
    if n == 1:
        return Estimate(mean, -math.inf, math.inf, -math.inf, math.inf, 1)
    values = np.asarray(differences, dtype=float)
    rng = np.random.default_rng(seed)
    means = np.concatenate([values[rng.integers(0, n, size=(size, n))].mean(axis=1) for size in _chunks(resamples, n)])
    low, high = np.percentile(means, [2.5, 97.5])
    half = float(student.ppf(0.975, n - 1)) * stdev(differences) / math.sqrt(n)
    return Estimate(mean, float(low), float(high), mean - half, mean + half, n)


def needed(sd: float, difference: float) -> int:
    """Deals for 80 % power at that true difference."""
    return math.ceil(7.84 * (sd / difference) ** 2) if difference else 0


def _chunks(resamples: int, n: int) -> list[int]:
    """Resamples in parts that fit into memory."""
    size = max(1, 4_000_000 // n)
    return [min(size, resamples - done) for done in range(0, resamples, size)]


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
