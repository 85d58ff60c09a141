"""Likelihoods of comparisons: logistic between single agents, logistic between teams, and Davidson's with ties.

A cell is a distinct comparison: two sides, the score of the first, a weight. All three are `Problem`s.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array, diags_array
from scipy.special import expit, log_expit

from arena.leaderboards.arrays import Floats, Ints, Sparse
from arena.leaderboards.fitting.newton import Evaluation, Objective


class Cells(NamedTuple):
    """Distinct comparisons: the types of both sides (first ≤ second), score of the first, weight, how often seen."""

    first: Ints
    second: Ints
    score: Floats
    weight: Floats
    times: Floats


class PairLogit:
    """P(i beats j) = s(th_i - th_j). Works on the n by n table of counts, whatever the number of comparisons."""

    def __init__(self, cells: Cells, n: int) -> None:
        self.cells, self.n_params = cells, n
        self.flat = cells.first * n + cells.second

    def objective(self, counts: Floats) -> Objective:
        n, cells = self.n_params, self.cells
        weights = counts * cells.weight
        played = np.bincount(self.flat, weights, minlength=n * n).reshape(n, n)
        won = np.bincount(self.flat, weights * cells.score, minlength=n * n).reshape(n, n)
        both = played + played.T
        wins = won.sum(axis=1) + (played - won).sum(axis=0)

        def evaluate(params: Floats) -> Evaluation:
            difference = params[:, None] - params
            expected = expit(difference)
            spread = both * expected
            gradient = wins - spread.sum(axis=1)
            spread *= expected.T
            curvature = -spread
            curvature[np.diag_indices(n)] += spread.sum(axis=1)

            def value() -> float:
                return float((won * log_expit(difference) + (played - won) * log_expit(-difference)).sum())

            return Evaluation(value, gradient, curvature)

        return evaluate

    def scores(self, params: Floats) -> Sparse:
        cells = self.cells
        residual = cells.weight * (cells.score - expit(params[cells.first] - params[cells.second]))
        rows = np.arange(len(residual))
        at = (np.r_[rows, rows], np.r_[cells.first, cells.second])
        return csr_array((np.r_[residual, -residual], at), shape=(len(rows), self.n_params))

    def gradients(self, params: Floats, counts: Floats) -> Floats:
        return np.column_stack([self.objective(counts[:, b])(params[:, b]).gradient for b in range(params.shape[1])])


class TeamLogit:
    """P(first ahead of second) = s(x·params), a row of `design` for each cell."""

    def __init__(self, design: Sparse, score: Floats, weight: Floats) -> None:
        self.design, self.score, self.weight = design, score, weight
        self.transposed = design.T.tocsr()
        self.n_params = design.shape[1]

    def objective(self, counts: Floats) -> Objective:
        weights = counts * self.weight

        def evaluate(params: Floats) -> Evaluation:
            z = self.design @ params
            expected = expit(z)
            gradient = self.transposed @ (weights * (self.score - expected))
            curvature = _weighted_square(self.transposed, weights * expected * (1 - expected), self.design)

            def value() -> float:
                return float(weights @ (self.score * log_expit(z) + (1 - self.score) * log_expit(-z)))

            return Evaluation(value, gradient, curvature)

        return evaluate

    def scores(self, params: Floats) -> Sparse:
        residual = self.weight * (self.score - expit(self.design @ params))
        return csr_array(diags_array(residual) @ self.design)

    def gradients(self, params: Floats, counts: Floats) -> Floats:
        residual = self.score[:, None] - expit(self.design @ params)
        return np.asarray(self.transposed @ (residual * counts * self.weight[:, None]))


class Davidson:
    """Weights e^(D/2), e^(-D/2), nu for win, loss and tie (Davidson 1970). The last parameter is ln nu."""

    def __init__(self, design: Sparse, score: Floats, weight: Floats) -> None:
        self.design, self.score, self.weight = design, score, weight
        self.tie = (score == 0.5).astype(np.float64)
        self.n_params = design.shape[1] + 1

    def _chances(self, params: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        half = self.design @ params[:-1] / 2
        logs = np.stack([half, -half, np.broadcast_to(params[-1], half.shape)])
        total = np.logaddexp.reduce(logs)
        win, loss, tie = np.exp(logs - total)
        return win, loss, tie, (self.score.reshape(-1, *[1] * (half.ndim - 1)) - 0.5) * 2 * half - total

    def objective(self, counts: Floats) -> Objective:
        weights = counts * self.weight

        def evaluate(params: Floats) -> Evaluation:
            win, loss, tie, log_chance = self._chances(params)
            gap = win - loss
            by_strength = self.design.T @ (weights * (self.score - 0.5 - gap / 2))
            gradient = np.r_[by_strength, weights @ (self.tie - tie)]
            curvature = np.empty((self.n_params, self.n_params))
            curvature[:-1, :-1] = _weighted_square(self.design.T, weights * (win + loss - gap**2) / 4, self.design)
            curvature[-1, -1] = weights @ (tie * (1 - tie))
            curvature[-1, :-1] = curvature[:-1, -1] = self.design.T @ (weights * tie * gap / -2)
            value = float(weights @ (log_chance + self.tie * params[-1]))
            return Evaluation(lambda: value, gradient, curvature)

        return evaluate

    def scores(self, params: Floats) -> Floats:
        win, loss, tie, _ = self._chances(params)
        by_strength = csr_array(diags_array(self.weight * (self.score - 0.5 - (win - loss) / 2)) @ self.design)
        return np.column_stack([by_strength.toarray(), self.weight * (self.tie - tie)])

    def gradients(self, params: Floats, counts: Floats) -> Floats:
        win, loss, tie, _ = self._chances(params)
        weights = counts * self.weight[:, None]
        by_strength = self.design.T @ (weights * (self.score[:, None] - 0.5 - (win - loss) / 2))
        return np.vstack([by_strength, (weights * (self.tie[:, None] - tie)).sum(axis=0)])


def _weighted_square(transposed: Sparse, weights: Floats, design: Sparse) -> Floats:
    return np.asarray((csr_array(transposed) @ csr_array(diags_array(weights) @ design)).toarray())
