"""Nash averaging: the maximum-entropy equilibrium of who beats whom, and how far from a ladder that is.

Source: Balduzzi et al. 2018, "Re-evaluating Evaluation". Clones of an agent share its mass and change nothing else.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from pandas import DataFrame
from scipy.optimize import linprog, minimize
from scipy.special import logsumexp, softmax

from arena.core.errors import UsageError
from arena.leaderboards import bt, matches
from arena.leaderboards.arrays import Bools, Floats
from arena.leaderboards.fitting.bootstrap import interval, resamples, stream
from arena.leaderboards.fitting.clusters import Clusters, by_label
from arena.leaderboards.fitting.comparisons import cluster_codes, is_pair_table, make_cells, pair_columns
from arena.leaderboards.fitting.likelihoods import Cells
from arena.leaderboards.fitting.teams import seat_pairs, teams
from arena.leaderboards.rated import Rated

__all__ = ["Logits", "NashAverage", "cyclic_share", "logits", "maxent", "name", "rate"]

name = "nash"


class NashAverage(NamedTuple):
    """`nash`: the mass of each strategy; `rating`: its payoff against the equilibrium (0 inside, below 0 outside)."""

    nash: Floats
    rating: Floats


class Logits(NamedTuple):
    """A[i, j]: log odds that i beats j; its variance; how often they were compared. Agents in the order of the rows."""

    agents: list[Any]
    A: Floats
    variance: Floats
    counts: Floats


# --- from matches ---------------------------------------------------------------------------------------------------


class _Wins(NamedTuple):
    """Comparisons between agents as cells (i, j, score, weight), and their clusters."""

    agents: list[Any]
    cells: Cells
    clusters: Clusters

    def won(self, counts: Floats) -> Floats:
        """w[i, j]: weighted wins of i over j, half of each tie included."""
        n, cells = len(self.agents), self.cells
        weight = counts * cells.weight
        won = np.bincount(cells.first * n + cells.second, weight * cells.score, minlength=n * n)
        lost = np.bincount(cells.second * n + cells.first, weight * (1 - cells.score), minlength=n * n)
        return np.asarray((won + lost).reshape(n, n))


def _wins(table: DataFrame) -> _Wins:
    if is_pair_table(table):
        agents, a, b, score, weight = pair_columns(table)
        labels = cluster_codes(table)
        cluster = np.arange(len(table)) if labels is None else labels
    else:
        done = matches.played(table)
        agents = sorted(done["agent"].unique())
        code = pd.Categorical(done["agent"], categories=agents).codes.astype(np.intp)
        rows, others, score, weight, _ = seat_pairs(teams(done))
        a, b = code[rows], code[others]
        differ = a != b
        rows, a, b, score, weight = rows[differ], a[differ], b[differ], score[differ], weight[differ]
        if not len(a):
            raise UsageError("there is nothing to rate: no match compares two agents")
        cluster = pd.factorize(done["deal_id"].to_numpy()[rows])[0]
    cells, row_cell = make_cells(a, b, score, weight, len(agents))
    return _Wins(list(agents), cells, by_label(cluster, row_cell, len(cells.score)))


def logits(table: DataFrame, *, source: Literal["empirical", "model"] = "empirical") -> Logits:
    """Log odds between every two agents, half a win added each way. Seats of a team share its comparison.

    `source="model"` takes differences of Bradley-Terry strengths, which are transitive by construction.
    """
    found = _wins(table)
    won = found.won(found.cells.times)
    if source == "model":
        fit = bt.fit(table)
        order = [fit.agents.index(agent) for agent in found.agents]
        theta, cov = fit.table["theta"].to_numpy()[order], fit.cov[np.ix_(order, order)]
        variance = np.diag(cov)[:, None] + np.diag(cov) - 2 * cov
        return Logits(found.agents, theta[:, None] - theta, variance, won + won.T)
    if source != "empirical":
        raise UsageError(f"source must be 'empirical' or 'model', not {source!r}")
    never = np.argwhere(np.triu(won + won.T == 0, 1))
    if len(never):
        names = ", ".join(f"{found.agents[i]} and {found.agents[j]}" for i, j in never[:5])
        more = f" and {len(never) - 5} more pairs" if len(never) > 5 else ""
        raise UsageError(f"agents that never met: {names}{more}; source='model' fills the gaps from Bradley-Terry")
    return _logits(found.agents, won)


def _logits(agents: list[Any], won: Floats) -> Logits:
    odds = np.log(won + 0.5)
    variance = 1 / (won + 0.5) + 1 / (won.T + 0.5)
    np.fill_diagonal(variance, 0.0)
    return Logits(agents, odds - odds.T, variance, won + won.T)


def rate(table: DataFrame, *, seed: int = 0, bootstrap: int = 1000, **options: Any) -> Rated:
    """Equilibrium masses with bootstrap intervals, and the cyclic share of the whole table."""
    options.pop("anchor", None)
    found = logits(table, **options)
    average = maxent(found.A)
    wins = _wins(table)
    masses = [
        maxent(_logits(wins.agents, wins.won(row)).A).nash
        for counts in resamples(wins.clusters, stream(seed, name), bootstrap)
        for row in counts
    ]
    low, high = interval(np.array(masses)) if masses else (np.full(len(found.agents), np.nan),) * 2
    share = cyclic_share(found.A, found.variance)
    columns = {"agent": found.agents, "nash_mass": average.nash, "nash_lo": low, "nash_hi": high, "cyclic_share": share}
    meta = {
        "settings": {"source": "empirical", **options},
        "bootstrap": {"replicates": bootstrap},
        "rating": dict(zip(map(str, found.agents), average.rating.tolist(), strict=True)),
        "cyclic_share": share,
    }
    return Rated(DataFrame(columns), meta)


# --- from payoffs ---------------------------------------------------------------------------------------------------


def maxent(payoffs: Any) -> NashAverage:
    """The maximum-entropy p with A p ≤ 0 of an antisymmetric A, and the rating A p."""
    A = np.asarray(payoffs, dtype=np.float64)
    if A.ndim != 2 or A.shape[0] != A.shape[1] or not A.size or not np.isfinite(A).all():
        raise UsageError(f"payoffs: expected a square table of finite numbers, not one of shape {A.shape}")
    scale = float(np.abs(A).max())
    if np.abs(A + A.T).max() > 1e-9 * max(1.0, scale):
        raise UsageError("payoffs: the table must be antisymmetric, A[i, j] = -A[j, i]")
    if scale == 0:
        return NashAverage(np.full(len(A), 1 / len(A)), np.zeros(len(A)))
    unit = (A - A.T) / (2 * scale)
    support = _support(unit)
    p = np.zeros(len(A))
    p[support] = _spread(unit[np.ix_(support, support)], unit[np.ix_(~support, support)])
    return NashAverage(p, A @ p)


def _support(A: Floats) -> Bools:
    """The union of all equilibrium supports: maximise sum t with t ≤ p, t ≤ 1, A p ≤ 0, p ≥ 0 of any size."""
    n = len(A)
    constraints = np.block([[A, np.zeros((n, n))], [-np.eye(n), np.eye(n)]])
    bounds: Any = [(0, None)] * n + [(0, 1)] * n
    found = linprog(np.r_[np.zeros(n), -np.ones(n)], A_ub=constraints, b_ub=np.zeros(2 * n), bounds=bounds)
    if found.status != 0 or found.x is None:
        raise UsageError(f"payoffs: the linear program of the equilibrium failed: {found.message}")
    return np.asarray(found.x[n:] > 0.5)


def _spread(inside: Floats, outside: Floats) -> Floats:
    """The p > 0 of largest entropy with inside @ p = 0 and outside @ p ≤ 0, by its dual."""
    k = len(inside)
    _, sizes, basis = np.linalg.svd(inside)
    if k == 1 or (sizes > 1e-9).sum() == k - 1:  # a single equilibrium: nothing to choose
        p = np.abs(basis[-1])
        return np.asarray(p / p.sum())
    rows = np.vstack([inside, outside])

    def dual(y: Floats) -> tuple[float, Floats]:
        exponent = -rows.T @ y
        return float(logsumexp(exponent)), -rows @ softmax(exponent)

    bounds = [(None, None)] * k + [(0, None)] * len(outside)
    options: Any = {"maxiter": 5000, "maxfun": 20_000, "ftol": 1e-16, "gtol": 1e-12}
    y = minimize(dual, np.zeros(len(rows)), jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
    return _polish(rows, y, k)


def _polish(rows: Floats, y: Floats, k: int) -> Floats:
    """Newton's method on the rows that bind; kept only if it leaves every inequality satisfied."""
    rough = softmax(-rows.T @ y)
    binding = np.r_[np.ones(k, dtype=bool), y[k:] > 1e-7]
    active, z = rows[binding], y[binding]
    for _ in range(50):
        p = softmax(-active.T @ z)
        gap = active @ p
        if np.abs(gap).max() < 1e-15:
            break
        curvature = active @ (np.diag(p) - np.outer(p, p)) @ active.T
        z = z + np.linalg.lstsq(curvature, gap, rcond=1e-12)[0]
    fine = softmax(-active.T @ z)
    better = np.abs(active @ fine).max() <= np.abs(active @ rough).max() and (rows[k:] @ fine <= 1e-9).all()
    return np.asarray(fine if better and (z[k:] >= -1e-9).all() else rough)


def cyclic_share(A: Any, variance: Any = None) -> float:
    """The part of the differences that no ladder explains: 0 for a perfect ladder, 1 for rock-paper-scissors.

    With the variance of the entries, the part that is mere noise is taken out of both sums; NaN if that is all.
    """
    A = np.asarray(A, dtype=np.float64)
    n = len(A)
    strength = A.mean(axis=1)
    upper = np.triu_indices(n, 1)
    total = float((A[upper] ** 2).sum())
    residual = float(((A - (strength[:, None] - strength))[upper] ** 2).sum())
    noise = 0.0 if variance is None else float(np.asarray(variance, dtype=np.float64)[upper].sum())
    if total <= noise:
        return float("nan")
    share = max(0.0, residual - (1 - 2 / n) * noise) / max(np.finfo(float).tiny, total - noise)
    return float(np.clip(share, 0.0, 1.0))
