"""What results say of strengths while a run goes on: the Bradley-Terry posterior that adaptive schedules draw from.

The model is that of `bt.fit` with a prior of sd 1.4 nats on strengths and an offset for each side (each seat, where
there are no sides), fitted from blocks instead of a table, since it is asked for after every batch. Agents without a
match are in it, as wide as the prior. It always starts from zero: the same results give the same numbers in a resumed
run.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from arena.leaderboards.fitting.clusters import by_label
from arena.leaderboards.fitting.design import Parameters
from arena.leaderboards.fitting.existence import Edges
from arena.leaderboards.fitting.fit import Solved, solve
from arena.leaderboards.fitting.likelihoods import TeamLogit
from arena.run.outcomes import Team, matches_of, score
from arena.run.schedules import BlockResult, Estimate

PRIOR_SD = 1.4  # nats

Side = tuple[str, tuple[str, ...]]  # the side or seat, and its agents


class Comparison(NamedTuple):
    """Two teams of a match, and the score of the first."""

    first: Side
    second: Side
    score: float
    weight: float


def posterior(agents: Sequence[str], results: Sequence[BlockResult]) -> Estimate:
    """Mean, posterior covariance and clustered covariance of the strengths of `agents`, mean zero over them."""
    blocks = [[c for teams in matches_of(result) for c in _comparisons(teams)] for result in results]
    if not any(blocks):
        prior = PRIOR_SD**2 * (np.eye(len(agents)) - 1 / len(agents))
        return Estimate([0.0] * len(agents), prior.tolist(), np.zeros_like(prior).tolist())
    solved = _solved(list(agents), blocks)
    maps = solved.named.overall()
    mean = maps @ solved.solution.params
    cov = maps @ np.linalg.inv(solved.solution.curvature) @ maps.T
    clustered = maps @ solved.covariance @ maps.T
    return Estimate(mean.tolist(), cov.tolist(), clustered.tolist())


def _comparisons(teams: Sequence[Team]) -> list[Comparison]:
    """Every two teams of a match; a match weighs the same however many teams it has."""
    return [
        Comparison((a.level, a.agents), (b.level, b.agents), score(a.payoff, b.payoff), 1 / (len(teams) - 1))
        for a, b in combinations(teams, 2)
    ]


def _solved(agents: list[str], blocks: Sequence[Sequence[Comparison]]) -> Solved:
    """The fit: equal comparisons are one cell, the comparisons of a block one cluster."""
    blocks = [block for block in blocks if block]
    cells = {c: i for i, c in enumerate(dict.fromkeys(c for block in blocks for c in block))}
    cell = np.array([cells[c] for block in blocks for c in block], np.intp)
    cluster = np.repeat(np.arange(len(blocks)), [len(block) for block in blocks])
    levels = sorted({side[0] for c in cells for side in (c.first, c.second)})
    place = {name: i for i, name in enumerate([*agents, *(f"side={level}" for level in levels)])}
    design = np.zeros((len(cells), len(place)))
    for c, row in cells.items():
        for sign, (level, members) in ((1.0, c.first), (-1.0, c.second)):
            design[row, place[f"side={level}"]] += sign
            for agent in members:
                design[row, place[agent]] += sign / len(members)
    n, none = len(agents), np.zeros(0, np.intp)
    return solve(
        TeamLogit(csr_array(design), np.array([c.score for c in cells]), np.array([c.weight for c in cells])),
        Parameters(list(agents), offsets=list(place)[n:], blocks=[np.arange(n, len(place))]),
        by_label(cluster, cell, len(cells)),
        Edges(none, none, none, len(cells), n),  # only a fit without a prior asks who beat whom
        np.bincount(cell, minlength=len(cells)).astype(np.float64),
        fixed=np.zeros(len(place)),
        prior_sd=PRIOR_SD,
    )
