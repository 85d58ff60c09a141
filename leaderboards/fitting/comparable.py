"""Which agents the matches compare: those whose difference in strength the data determine.

Strengths and the offsets of sides are confounded where every agent held one side only: all of a side may be as much
stronger as the side itself is weaker. The same null space of the design shows agents who never met through anybody,
and those who always shared a team.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse.csgraph import connected_components

from arena.leaderboards.arrays import Bools, Floats, Ints
from arena.leaderboards.fitting.design import Parameters
from arena.leaderboards.fitting.existence import Edges
from arena.leaderboards.fitting.likelihoods import PairLogit
from arena.leaderboards.fitting.newton import Problem

NULL = 1e-9  # an eigenvalue below this share of the largest one is none
SAME = 1e-6


def groups(problem: Problem, named: Parameters, counts: Floats, edges: Edges) -> tuple[Ints, Bools]:
    """The group of each agent: within one, all differences are determined. And which offsets are not."""
    n = len(named.agents)
    if isinstance(problem, PairLogit):
        beats = edges.beats(counts).astype(np.int8)
        return connected_components(beats, directed=False)[1].astype(np.intp), np.zeros(0, dtype=bool)
    # At zero every observed comparison has curvature: what is flat there says nothing of any data.
    free = np.r_[np.arange(n), np.arange(named.first_offset, named.n)]
    seen = problem.objective(np.minimum(counts, 1.0))(np.zeros(problem.n_params)).curvature[np.ix_(free, free)]
    scale = np.sqrt(np.where(np.diag(seen) > 0, np.diag(seen), 1.0))
    values, vectors = np.linalg.eigh(seen / np.outer(scale, scale))
    flat = vectors[:, values < NULL * max(values[-1], NULL)] / scale[:, None]
    return _alike(flat[:n]), _moving(flat[n:], named)


def _alike(rows: Floats) -> Ints:
    """Equal numbers for equal rows, from 0 in the order of first appearance."""
    found = np.full(len(rows), -1)
    size = max(float(np.abs(rows).max(initial=0.0)), 1e-300)
    for i in range(len(rows)):
        if found[i] < 0:
            found[np.abs(rows - rows[i]).max(axis=1, initial=0.0) < SAME * size] = found.max() + 1
    return found.astype(np.intp)


def _moving(rows: Floats, named: Parameters) -> Bools:
    """Offsets that may differ from others of their block as they like: a shift of a whole block means nothing."""
    loose = np.zeros(len(rows), dtype=bool)
    size = max(float(np.abs(rows).max(initial=0.0)), 1e-300)
    for block in named.blocks:
        own = block - named.first_offset
        spread = rows[own] - rows[own].mean(axis=0)
        loose[own] = np.abs(spread).max(initial=0.0) > SAME * size
    return loose
