"""The stationary distribution at finite alpha, by arithmetic that is safe in every cell.

Rates under e^-690 cannot be held in floats, and dropping them blindly is wrong: two equilibria left at e^-680 and
e^-691 have odds e^-11, not zero. They may be dropped when every state still reaches one root cheaply: by the
Markov-chain tree theorem a tree that uses a dropped move can be turned into one without it at a cost of at most e^D,
so with D ≤ 600 the error is below e^-90. Otherwise elimination in logs, on all states with all moves, is exact.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order, connected_components, dijkstra

from arena.core.errors import UsageError
from arena.leaderboards.alpharank.chain import Moves
from arena.leaderboards.alpharank.elimination import gth, gth_logs
from arena.leaderboards.arrays import Floats, Ints, Sparse

FLOOR = -690.0
CHEAP = 600.0
MAX_FAST, MAX_SAFE = 10_000, 3_000


def solve(moves: Moves, logs: Floats, n: int) -> Floats:
    """pi of the chain whose moves have the rates e^logs."""
    if n == 1:
        return np.ones(1)
    if (logs == logs[0]).all():
        return np.full(n, 1 / n)
    members = _fast_class(moves, logs, n)
    if members is not None:
        if len(members) > MAX_FAST:
            raise _too_many(n, f"the fast path holds up to {MAX_FAST:,}")
        pi = np.zeros(n)
        mass = gth(np.exp(_dense(moves, logs, members, n)))
        if mass is not None:
            pi[members] = mass
            return pi
    if n > MAX_SAFE:
        raise _too_many(n, f"the safe path, which these payoffs need at this alpha, holds up to {MAX_SAFE:,}")
    return gth_logs(_dense(moves, logs, np.arange(n), n))


def _too_many(n: int, limit: str) -> UsageError:
    return UsageError(
        f"payoffs: {n:,} states are too many: {limit}. Use infinite alpha (alpha=None) or fewer strategies"
    )


def _fast_class(moves: Moves, logs: Floats, n: int) -> Ints | None:
    """The only sink class of the moves that floats can hold, root first, if every state reaches the root cheaply."""
    costs = np.log(n) - logs
    inflow = np.bincount(moves.target, np.exp(logs), minlength=n)
    if len(logs) == n * (n - 1) and logs.min() > FLOOR:
        root = int(inflow.argmax())
        if costs[moves.target == root].max() <= CHEAP:  # one move from anywhere: no search needed
            return np.concatenate([[root], np.delete(np.arange(n), root)])
    kept = logs > FLOOR
    source, target = moves.source[kept].astype(np.int32), moves.target[kept].astype(np.int32)
    graph: Sparse = csr_array((costs[kept], (source, target)), shape=(n, n))
    reverse: Sparse = csr_array((costs[kept], (target, source)), shape=(n, n))
    root = int(inflow.argmax())
    if dijkstra(reverse, indices=np.array([root])).max() <= CHEAP:  # then it lies in the only sink class
        members = breadth_first_order(graph, root, return_predecessors=False)
        return np.concatenate([[root], np.sort(members[members != root])]).astype(np.intp)
    sinks = sink_classes(graph)
    if len(sinks) != 1:
        return None
    root = int(sinks[0][inflow[sinks[0]].argmax()])
    if dijkstra(reverse, indices=np.array([root])).max() > CHEAP:
        return None
    return np.concatenate([[root], sinks[0][sinks[0] != root]])


def sink_classes(graph: Sparse) -> list[Ints]:
    """The strongly connected classes that no edge leaves, each as sorted states, in the order of their first state."""
    n_classes, labels = connected_components(graph, connection="strong")
    coo = graph.tocoo()
    left = np.zeros(n_classes, dtype=bool)
    left[labels[coo.row[labels[coo.row] != labels[coo.col]]]] = True
    order = np.argsort(labels, kind="stable")
    classes = np.split(order, np.cumsum(np.bincount(labels, minlength=n_classes))[:-1])
    return sorted((c for label, c in enumerate(classes) if not left[label]), key=lambda c: int(c[0]))


def _dense(moves: Moves, logs: Floats, members: Ints, n: int) -> Floats:
    """The log rates among `members`, in their order; -inf where there is no move."""
    position = np.full(n, -1)
    position[members] = np.arange(len(members))
    inside = (position[moves.source] >= 0) & (position[moves.target] >= 0)
    dense = np.full((len(members), len(members)), -np.inf)
    dense[position[moves.source[inside]], position[moves.target[inside]]] = logs[inside]
    return dense
