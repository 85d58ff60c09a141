"""When a maximum exists (Ford 1957): every agent must have beaten, through some chain of wins and ties, every other."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from arena.leaderboards.arrays import Bools, Floats, Ints, Sparse


def is_strong(beats: Bools) -> bool:
    """Whether `beats` (i beat or tied j) is strongly connected."""
    near = beats.astype(np.float32)
    np.fill_diagonal(near, 1.0)
    if (near @ near > 0).all():  # everybody within two steps: the usual case, and much the cheapest test
        return True
    return bool(connected_components(_graph(beats), connection="strong")[0] == 1)


def n_components(beats: Bools) -> int:
    """How many groups of agents never met each other, not even through others."""
    return int(connected_components(_graph(beats), directed=False)[0])


def _graph(beats: Bools) -> Sparse:
    return csr_array(beats.astype(np.int8))


class Edges:
    """Which agent pairs (i beat or tied j) each cell holds, as a sparse matrix of cells by n * n."""

    def __init__(self, cell: Ints, winner: Ints, loser: Ints, n_cells: int, n_agents: int) -> None:
        self.n = n_agents
        other = winner != loser
        at = (cell[other], (winner * n_agents + loser)[other])
        self.matrix = csr_array((np.ones(int(other.sum())), at), shape=(n_cells, n_agents * n_agents))

    def beats(self, counts: Floats) -> Bools:
        """n by n for one vector of cell counts; B by n by n for B of them, one a row."""
        reached = counts @ self.matrix if counts.ndim == 1 else (self.matrix.T @ counts.T).T
        return np.asarray(reached > 0).reshape(*counts.shape[:-1], self.n, self.n)
