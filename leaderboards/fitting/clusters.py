"""Clusters: what must be counted together in every uncertainty. Matches of one deal depend on each other.

A fit sees cells (distinct comparisons, or matches) with how often each occurred. A cluster is a multiset of cells.
Identical clusters are one type with a multiplicity: a bootstrap draws from types, which is the same and much faster.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array, eye_array

from arena.leaderboards.arrays import Floats, Ints, Sparse


class Clusters(NamedTuple):
    """`cells[t, c]`: how often cell c occurs in a cluster of type t; `count[t]`: how many clusters are of that type."""

    cells: Sparse
    times: Floats

    @property
    def total(self) -> int:
        return int(self.times.sum())


def by_row(count: Floats) -> Clusters:
    """Every row is a cluster of its own: the types are the cells."""
    return Clusters(csr_array(eye_array(len(count))), np.asarray(count, dtype=np.float64))


def by_label(cluster: Ints, cell: Ints, n_cells: int) -> Clusters:
    """Row i lies in cluster `cluster[i]` (codes from 0) and is an instance of cell `cell[i]`."""
    n = int(cluster.max()) + 1
    cells = csr_array((np.ones(len(cell)), (cluster, cell)), shape=(n, n_cells))
    cells.sum_duplicates()
    return Clusters(cells, np.ones(n))


def merged(clusters: Clusters) -> Clusters:
    """The same with identical clusters as one type. Types come in the order of their content, not of their rows."""
    cells = clusters.cells
    cells.sort_indices()
    sizes = np.diff(cells.indptr)
    parts: list[tuple[Ints, Floats, Floats]] = []
    for size in np.unique(sizes):
        rows = np.flatnonzero(sizes == size)
        at = cells.indptr[rows][:, None] + np.arange(size)
        content = np.hstack([cells.indices[at], cells.data[at]])
        distinct, which = np.unique(content, axis=0, return_inverse=True)
        times = np.bincount(which.ravel(), clusters.times[rows], minlength=len(distinct)).astype(np.float64)
        parts.append((distinct[:, :size].astype(np.intp), distinct[:, size:].astype(np.float64), times))
    indptr = np.cumsum(np.concatenate([[0], *(np.full(len(times), ids.shape[1]) for ids, _, times in parts)]))
    indices = np.concatenate([ids.ravel() for ids, _, _ in parts])
    data = np.concatenate([values.ravel() for _, values, _ in parts])
    total = np.concatenate([times for _, _, times in parts])
    return Clusters(csr_array((data, indices, indptr), shape=(len(total), cells.shape[1])), total)


def meat(clusters: Clusters, scores: Sparse | Floats) -> Floats:
    """sum over clusters of g g^T, where g is the sum of the score rows of the cluster's cells."""
    g = clusters.cells @ scores
    weighted = g.multiply(clusters.times[:, None]) if hasattr(g, "multiply") else g * clusters.times[:, None]
    product = g.T @ weighted
    return np.asarray(product.toarray() if hasattr(product, "toarray") else product)


def draws(clusters: Clusters, rng: np.random.Generator, n: int) -> Floats:
    """`n` resamples, one a row: how often each type was drawn, G draws from G clusters."""
    return rng.multinomial(clusters.total, clusters.times / clusters.times.sum(), size=n).astype(np.float64)
