"""The Plackett-Luce likelihood of orders with ties, of teams with offsets. A `Problem` whose cells are matches.

The winner is drawn with odds e^z, then the second among the rest, and so on. A tie group contributes the average
log-likelihood over all orders of its members. That is a sum of logs of sums of e^z over sets of teams, so a match is
its list of sets, each with a coefficient; matches with the same pattern of ranks have the same sets.
"""

from __future__ import annotations

from itertools import combinations
from math import comb
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array, diags_array

from arena.leaderboards.arrays import Floats, Ints, Sparse
from arena.leaderboards.fitting.newton import Evaluation, Objective

EXACT_TIE = 7  # larger tie groups are approximated


class Orders(NamedTuple):
    """Distinct matches: `start[c]` is the first slot of match c; slots hold the type and dense rank of a team, best
    first; `count` how often the match occurred."""

    start: Ints
    types: Ints
    ranks: Ints
    times: Floats


def choice_sets(ranks: tuple[int, ...]) -> list[tuple[float, dict[int, float]]]:
    """The sets of a match with these dense ranks (ascending): a coefficient, and the weight of e^z of each place."""
    sets: list[tuple[float, dict[int, float]]] = []
    for rank in dict.fromkeys(ranks):
        group = [i for i, r in enumerate(ranks) if r == rank]
        below = {i: 1.0 for i, r in enumerate(ranks) if r > rank}
        g = len(group)
        for u in range(1, g + 1):
            if g > EXACT_TIE:
                sets.append((1.0, below | dict.fromkeys(group, u / g)))
            else:
                sets += [(1 / comb(g, u), below | dict.fromkeys(chosen, 1.0)) for chosen in combinations(group, u)]
    return sets


class PlackettLuce:
    """The likelihood of orders, as sums over choice sets."""

    def __init__(self, orders: Orders, design: Sparse) -> None:
        """`design`: one row a slot."""
        self.design, self.transposed, self.n_params = design, design.T.tocsr(), int(design.shape[1])
        self.start = orders.start
        size = np.diff(np.r_[orders.start, len(orders.types)])
        self.slot_cell = np.repeat(np.arange(len(size)), size)
        rows, columns, weights, coefficients, cells = _sets(orders, size)
        self.sets: Sparse = csr_array((weights, (rows, columns)), shape=(len(coefficients), len(orders.types)))
        self.sets_transposed: Sparse = self.sets.T.tocsr()
        self.coefficient, self.set_cell = coefficients, cells

    def _powers(self, params: Floats) -> tuple[Floats, Floats, Floats]:
        """z of each slot, the largest z of its match, and e^(z - largest)."""
        z = self.design @ params
        top = np.maximum.reduceat(z, self.start, axis=0)
        return z, top, np.exp(z - top[self.slot_cell])

    def objective(self, counts: Floats) -> Objective:
        weights = self.coefficient * counts[self.set_cell]
        slot_counts = counts[self.slot_cell]

        def evaluate(params: Floats) -> Evaluation:
            z, top, power = self._powers(params)
            total = self.sets @ power
            expected = (self.sets_transposed @ (weights / total)) * power
            gradient = self.transposed @ (slot_counts - expected)
            chosen = csr_array(diags_array(1 / total) @ self.sets @ diags_array(power)) @ self.design
            spread = self.transposed @ csr_array(diags_array(expected) @ self.design)
            curvature = spread - chosen.T @ csr_array(diags_array(weights) @ chosen)

            def value() -> float:
                return float(slot_counts @ z - weights @ (np.log(total) + top[self.set_cell]))

            return Evaluation(value, gradient, np.asarray(curvature.toarray()))

        return evaluate

    def scores(self, params: Floats) -> Sparse:
        _, _, power = self._powers(params)
        expected = (self.sets_transposed @ (self.coefficient / (self.sets @ power))) * power
        slots = np.arange(len(power))
        cells = csr_array((1 - expected, (self.slot_cell, slots)), shape=(len(self.start), len(power)))
        return csr_array(cells @ self.design)

    def gradients(self, params: Floats, counts: Floats) -> Floats:
        _, _, power = self._powers(params)
        weights = self.coefficient[:, None] * counts[self.set_cell]
        expected = (self.sets_transposed @ (weights / (self.sets @ power))) * power
        return np.asarray(self.transposed @ (counts[self.slot_cell] - expected))


def _sets(orders: Orders, size: Ints) -> tuple[Ints, Ints, Floats, Floats, Ints]:
    """All sets of all matches: (set, slot, weight) triples, and the coefficient and match of each set."""
    ends = orders.start + size
    patterns: dict[tuple[int, ...], list[int]] = {}
    for cell, (start, end) in enumerate(zip(orders.start, ends, strict=True)):
        patterns.setdefault(tuple(orders.ranks[start:end].tolist()), []).append(cell)
    rows, columns, weights, coefficients, owners = [], [], [], [], []
    n_sets = 0
    for ranks, members in patterns.items():
        cells = np.array(members)
        for coefficient, places in choice_sets(ranks):
            rows.append(np.repeat(n_sets + np.arange(len(cells)), len(places)))
            columns.append((orders.start[cells][:, None] + np.array([*places])).ravel())
            weights.append(np.tile(np.array([*places.values()]), len(cells)))
            coefficients.append(np.full(len(cells), coefficient))
            owners.append(cells)
            n_sets += len(cells)
    return tuple(np.concatenate(part) for part in (rows, columns, weights, coefficients, owners))  # type: ignore[return-value]  # mypy does not count a generator
