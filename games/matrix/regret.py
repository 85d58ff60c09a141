"""Regret and what is read off it: pure functions of what was played and what each action would have paid.

`mixes[t][a]` is the probability with which the player took action a in round t: its stated distribution, or 1 at the
action that it played. `pays[t][a]` is what action a would have paid it, the others having done what they did. So the
regret of a player who states distributions is that of the distributions, not of the draws.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

Vectors = Sequence[Sequence[float]]


def external_regret(mixes: Vectors, pays: Vectors) -> float:
    """max_a Σ_t u(a) - Σ_t u(played): what the best single action in hindsight would have brought on top."""
    if not pays:
        return 0.0
    best = max(math.fsum(column) for column in zip(*pays, strict=True))
    return best - math.fsum(_gained(mixes, pays))


def swap_regret(mixes: Vectors, pays: Vectors) -> float:
    """Σ_a max_b Σ_t p_t(a) [u(b) - u(a)]: what replacing each action by another throughout would have brought."""
    if not pays:
        return 0.0
    actions = range(len(pays[0]))
    whole = 0.0
    for a in actions:
        at = [(mix[a], pay) for mix, pay in zip(mixes, pays, strict=True) if mix[a]]
        if at:
            whole += max(math.fsum(w * (pay[b] - pay[a]) for w, pay in at) for b in actions)
    return whole


def running_regret(mixes: Vectors, pays: Vectors) -> list[float]:
    """The external regret after 1, 2, …, T rounds."""
    found, sums, gained = [], [0.0] * (len(pays[0]) if pays else 0), 0.0
    for mix, pay in zip(mixes, pays, strict=True):
        sums = [s + p for s, p in zip(sums, pay, strict=True)]
        gained += math.fsum(w * p for w, p in zip(mix, pay, strict=True))
        found.append(max(sums) - gained)
    return found


def _gained(mixes: Vectors, pays: Vectors) -> list[float]:
    return [math.fsum(w * p for w, p in zip(mix, pay, strict=True) if w) for mix, pay in zip(mixes, pays, strict=True)]


def falls(regrets: Sequence[float]) -> int:
    """In how many of the T-1 steps the average regret Regret(t)/t went down."""
    means = [regret / t for t, regret in enumerate(regrets, start=1)]
    return sum(1 for now, after in pairwise(means) if now > after)


def trend_p_value(steps: int, down: int) -> float:
    """The chance of at least `down` falls in `steps` steps if rises and falls were equally likely."""
    ways = chosen = math.comb(steps, down)
    for j in range(down, steps):
        chosen = chosen * (steps - j) // (j + 1)
        ways += chosen
    return ways / (1 << steps)


class Slope(NamedTuple):
    """Regret ≈ e^intercept · t^exponent, and the one-sided p-value of exponent >= 1 (small: no regret)."""

    exponent: float
    intercept: float
    p_value: float


def growth(regrets: Sequence[float]) -> Slope | None:
    """Least squares of log Regret(t) on log t over the t with positive regret; None with fewer than three of them."""
    points = [(math.log(t), math.log(r)) for t, r in enumerate(regrets, start=1) if r > 0]
    n = len(points)
    if n < 3:
        return None
    mean_x, mean_y = math.fsum(x for x, _ in points) / n, math.fsum(y for _, y in points) / n
    spread = math.fsum((x - mean_x) ** 2 for x, _ in points)
    slope = math.fsum((x - mean_x) * (y - mean_y) for x, y in points) / spread
    intercept = mean_y - slope * mean_x
    error = math.fsum((y - intercept - slope * x) ** 2 for x, y in points)
    if error <= 1e-18 * n:  # the points lie on a line
        return Slope(slope, intercept, 0.0 if slope < 1 else 1.0)
    t = (slope - 1) / math.sqrt(error / (n - 2) / spread)
    return Slope(slope, intercept, student_cdf(t, n - 2))


def student_cdf(t: float, freedom: int) -> float:
    """P(T <= t) of Student's t with whole degrees of freedom, by the finite sums of its closed form."""
    angle = math.atan(t / math.sqrt(freedom))
    cosine, sine = math.cos(angle), math.sin(angle)
    term = sine * cosine if freedom % 2 else sine
    first = 3 if freedom % 2 else 2
    inside = 0.0 if freedom == 1 else term
    for i in range(first, freedom - 1, 2):
        term *= cosine * cosine * (i - 1) / i
        inside += term
    within = 2 / math.pi * (angle + inside) if freedom % 2 else inside  # P(-t <= T <= t), signed
    return (1 + within) / 2
