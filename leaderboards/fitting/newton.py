"""Newton's method for concave log-likelihoods, with priors and gauges, and the sandwich standard errors after it.

A gauge is a block of parameters whose common shift changes nothing (strengths; the offsets of one column in one
setup): it is pinned by adding a constant to its block of the Hessian, which moves the solution not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from arena.leaderboards.arrays import Floats, Ints

MAX_STEP = 4.0  # nats
MAX_ITERATIONS = 100
LIMIT = 30.0  # a parameter beyond this has no finite maximum: nothing observed is e^30 to one
FLAT = 1e-11  # a direction whose curvature is this much smaller than the largest one is not determined by the data


class Evaluation(NamedTuple):
    """An objective at a point."""

    value: Callable[[], float]  # asked for seldom, and no cheaper than the rest
    gradient: Floats
    curvature: Floats  # minus the Hessian


Objective = Callable[[Floats], Evaluation]


class Problem(Protocol):
    """A log-likelihood as a function of parameters and of how often each cell (comparison, match) was observed."""

    n_params: int

    def objective(self, counts: Floats) -> Objective:
        """The log-likelihood with cells counted so."""

    def gradients(self, params: Floats, counts: Floats) -> Floats:
        """Its gradient for many parameter vectors and counts at once, one of each a column."""

    def scores(self, params: Floats) -> Floats:
        """The gradient of one instance of each cell, a row each (dense or sparse)."""


class Prior(NamedTuple):
    """`precision`: 1/sd² of each parameter, 0 for none; `gauges`: the blocks to pin."""

    precision: Floats
    gauges: list[Ints]


class Solution(NamedTuple):
    """Where Newton's method ended."""

    params: Floats
    curvature: Floats  # of the penalised, pinned objective at params
    log_likelihood: float  # without the prior
    iterations: int
    settled: bool


def maximise(
    objective: Objective, prior: Prior, start: Floats, *, tolerance: float = 1e-10, limit: float | None = LIMIT
) -> Solution:
    """Newton steps of at most 4 nats, halved while the objective falls, until the largest is below `tolerance`."""
    params = start.copy()
    at = objective(params)
    curvature = at.curvature
    for iteration in range(1, MAX_ITERATIONS + 1):
        gradient = at.gradient - prior.precision * params
        curvature = pinned(at.curvature, prior)
        try:
            step = cho_solve(cho_factor(curvature, check_finite=False), gradient, check_finite=False)
        except LinAlgError:
            return Solution(params, curvature, at.value(), iteration, False)
        size = float(np.abs(step).max())
        if not np.isfinite(size):
            return Solution(params, curvature, at.value(), iteration, False)
        step *= min(1.0, MAX_STEP / max(size, 1e-300))
        params, at = _climb(objective, prior, params, at, step, check=size > 0.5)
        if limit is not None and np.abs(params).max() > limit:
            return Solution(params, curvature, at.value(), iteration, False)
        if size < tolerance:
            return Solution(params, pinned(at.curvature, prior), at.value(), iteration, True)
    return Solution(params, curvature, at.value(), MAX_ITERATIONS, False)


def _climb(
    objective: Objective, prior: Prior, params: Floats, at: Evaluation, step: Floats, check: bool
) -> tuple[Floats, Evaluation]:
    """The step, halved until the objective does not fall; near the top, where that is mere rounding, unchecked."""
    if not check:
        new = _centred(params + step, prior)
        return new, objective(new)
    before = at.value() - 0.5 * prior.precision @ params**2
    for _ in range(30):
        new = _centred(params + step, prior)
        found = objective(new)
        if found.value() - 0.5 * prior.precision @ new**2 >= before - 1e-9 * abs(before):
            break
        step = step / 2
    return new, found


def _centred(params: Floats, prior: Prior) -> Floats:
    """Rounding makes a gauge drift; without a prior on it the drift is taken out."""
    for block in prior.gauges:
        if not prior.precision[block].any():
            params[block] -= params[block].mean()
    return params


def pinned(curvature: Floats, prior: Prior) -> Floats:
    """The curvature with the prior's, and with a constant added to each gauge block."""
    full = curvature + np.diag(prior.precision)
    for block in prior.gauges:
        full[np.ix_(block, block)] += full[block, block].mean() / len(block)
    return full


def is_determined(curvature: Floats) -> bool:
    """Whether the data and the prior say something in every direction."""
    diagonal = np.sqrt(np.diag(curvature))
    if not (diagonal > 0).all():
        return False
    values = np.linalg.eigvalsh(curvature / np.outer(diagonal, diagonal))
    return bool(values[0] > FLAT * values[-1])


def sandwich(curvature: Floats, meat: Floats) -> Floats:
    """H^-1 M H^-1. Scores have no part along a gauge, so the pins drop out."""
    factor = cho_factor(curvature, check_finite=False)
    half = cho_solve(factor, meat, check_finite=False)
    covariance = cho_solve(factor, half.T, check_finite=False)
    return np.asarray((covariance + covariance.T) / 2)
