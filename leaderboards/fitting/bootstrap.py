"""Bootstrap over clusters: refits from resampled clusters, and what is read off them.

Resamples without a maximum (Ford) get the prior, and are counted. Single-agent comparisons are refitted by Newton, one
after the other; everything else all at once with the curvature of the point estimate, and by Newton where that does not
settle.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from typing import NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from arena.leaderboards.arrays import Bools, Floats, Ints
from arena.leaderboards.fitting import newton
from arena.leaderboards.fitting.clusters import Clusters, draws, merged
from arena.leaderboards.fitting.existence import is_strong
from arena.leaderboards.fitting.fit import FALLBACK_SD, Solved
from arena.leaderboards.fitting.likelihoods import PairLogit
from arena.leaderboards.fitting.newton import Prior

TOLERANCE = 1e-6
GAUSSIAN_DRAWS = 2000
CHUNK_VALUES = 2_000_000  # numbers held at once


class Replicates(NamedTuple):
    """One parameter vector a row; `n_prior`: how many of them needed a prior that the point estimate did not."""

    params: Floats
    n_prior: int


def stream(seed: int, method: str) -> np.random.Generator:
    """The random stream of a method: other methods on the same board do not shift it."""
    return np.random.default_rng([seed, int.from_bytes(sha256(method.encode()).digest()[:8], "big")])


def replicates(solved: Solved, rng: np.random.Generator, n: int) -> Replicates:
    """`n` refits; with n = 0 draws from the normal approximation with the sandwich covariance."""
    if n == 0:
        gaussian = rng.multivariate_normal(
            solved.solution.params, solved.covariance, size=GAUSSIAN_DRAWS, method="eigh", check_valid="ignore"
        )
        return Replicates(gaussian, 0)
    found, n_prior = [], 0
    for counts in resamples(solved.clusters, rng, n):
        exists = _exists(solved, counts)
        params = _refit(solved, counts[exists], solved.prior)
        rows = np.empty((len(counts), solved.problem.n_params))
        rows[exists] = params
        lost = np.flatnonzero(~exists)
        lost = np.sort(np.r_[lost, np.flatnonzero(exists)[np.isnan(params).any(axis=1)]])
        for row in lost:
            rows[row] = _with_prior(solved, counts[row])
        n_prior += len(lost)
        found.append(rows)
    return Replicates(np.concatenate(found), n_prior)


def resamples(clusters: Clusters, rng: np.random.Generator, n: int) -> Iterator[Floats]:
    """Counts of the cells in `n` resamples, some rows at a time (the split changes no draw)."""
    types = merged(clusters)
    size = max(1, CHUNK_VALUES // max(*types.cells.shape, 1))
    for start in range(0, n, size):
        yield np.asarray(draws(types, rng, min(size, n - start)) @ types.cells)


def _exists(solved: Solved, counts: Floats) -> Bools:
    if solved.prior.precision[: len(solved.named.agents)].all():  # a prior on every strength: always a maximum
        return np.ones(len(counts), dtype=bool)
    return np.array([is_strong(beats) for beats in solved.edges.beats(counts)])


def _refit(solved: Solved, counts: Floats, prior: Prior) -> Floats:
    """Parameters of each row of counts; NaN where they do not settle."""
    if isinstance(solved.problem, PairLogit):
        rows = [_newton(solved, row, prior) for row in counts]
        return np.array(rows).reshape(len(counts), solved.problem.n_params)
    params = _chord(solved, counts, prior)
    for row in np.flatnonzero(np.isnan(params).any(axis=1)):
        params[row] = _newton(solved, counts[row], prior)
    return params


def _newton(solved: Solved, counts: Floats, prior: Prior) -> Floats:
    limit = None if isinstance(solved.problem, PairLogit) else newton.LIMIT
    objective = solved.problem.objective(counts)
    found = newton.maximise(objective, prior, solved.solution.params, tolerance=TOLERANCE, limit=limit)
    return found.params if found.settled else np.full(solved.problem.n_params, np.nan)


def _chord(solved: Solved, counts: Floats, prior: Prior) -> Floats:
    """Steps with the curvature of the point estimate, all resamples at once; NaN where that does not converge."""
    factor = cho_factor(solved.solution.curvature, check_finite=False)
    params = np.repeat(solved.solution.params[:, None], len(counts), axis=1)
    open_, columns = np.arange(len(counts)), counts.T
    for _ in range(60):
        gradient = solved.problem.gradients(params[:, open_], columns[:, open_])
        gradient -= prior.precision[:, None] * params[:, open_]
        step = cho_solve(factor, gradient, check_finite=False)
        params[:, open_] += np.clip(step, -newton.MAX_STEP, newton.MAX_STEP)
        size = np.abs(step).max(axis=0)
        lost = (size > 1e3) | (np.abs(params[:, open_]).max(axis=0) > newton.LIMIT)
        params[:, open_[lost]] = np.nan
        open_ = open_[(size > TOLERANCE / 10) & ~lost]
        if not len(open_):
            break
    params[:, open_] = np.nan
    return params.T


def _with_prior(solved: Solved, counts: Floats) -> Floats:
    precision = solved.prior.precision.copy()
    precision[: len(solved.named.agents)] += FALLBACK_SD**-2
    precision[solved.named.first_offset : solved.named.n] += FALLBACK_SD**-2
    prior = Prior(precision, solved.prior.gauges)
    objective = solved.problem.objective(counts)
    return newton.maximise(objective, prior, solved.solution.params, tolerance=TOLERANCE, limit=None).params


def interval(values: Floats) -> tuple[Floats, Floats]:
    """2.5 and 97.5 percentiles over the rows."""
    low, high = np.quantile(values, [0.025, 0.975], axis=0)
    return low, high


def p_top1(values: Floats) -> Floats:
    """The share of rows in which each column is the largest; ties are split."""
    best = values == values.max(axis=1, keepdims=True)
    return np.asarray((best / best.sum(axis=1, keepdims=True)).mean(axis=0))


def rank_bounds(values: Floats) -> tuple[Ints, Ints]:
    """Best and worst rank of each column: those surely above it, and those not surely below it."""
    n = values.shape[1]
    best, worst = np.empty(n, dtype=np.intp), np.empty(n, dtype=np.intp)
    for i in range(n):
        low, high = interval(values - values[:, [i]])
        best[i], worst[i] = 1 + (low > 0).sum(), n - (high < 0).sum()
    return best, worst
