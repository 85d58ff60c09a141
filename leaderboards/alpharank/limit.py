"""The stationary distribution at infinite alpha: the exact limit of vanishing errors.

G0 is the graph without errors: to better states at rate 1, to tied ones at rate 1/2, both ways. The mass lies in its
sink classes. One class: the answer is its own stationary distribution. Several: the chance of each step from class to
class by a single error decides (contraction). If that leaves several closed groups, two errors at once are needed, and
elimination in leading orders of eps finds the answer on all states.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_array, eye_array
from scipy.sparse.csgraph import breadth_first_order
from scipy.sparse.linalg import gmres, spsolve

from arena.core.errors import UsageError
from arena.leaderboards.alpharank.chain import Moves, Payoffs, compare, moves, moves_by_population
from arena.leaderboards.alpharank.elimination import NO_ORDER, eliminate, gth, gth_orders
from arena.leaderboards.alpharank.finite import sink_classes
from arena.leaderboards.arrays import Floats, Ints, Sparse

MAX_DENSE, MAX_ORDERS = 4_000, 3_000


def response_graph(payoffs: Payoffs) -> Sparse:
    """G0 as a sparse matrix of rates. Built one population at a time: only the moves that are kept take memory."""
    sources, targets, rates = [], [], []
    for step in moves_by_population(payoffs):
        better, worse = compare(step)
        kept = ~worse
        sources.append(step.source[kept].astype(np.int32))
        targets.append(step.target[kept].astype(np.int32))
        rates.append(np.where(better[kept], 1.0, 0.5))
    n = payoffs.n_states
    indices = (np.concatenate(sources), np.concatenate(targets))
    return csr_array((np.concatenate(rates), indices), shape=(n, n))


def solve(payoffs: Payoffs) -> Floats:
    """pi in the limit, over all states."""
    graph = response_graph(payoffs)
    sinks = sink_classes(graph)
    inner = [_stationary(graph[members][:, members]) for members in sinks]
    pi = np.zeros(payoffs.n_states)
    weights: Floats | None = np.ones(1) if len(sinks) == 1 else _contraction(graph, sinks, inner)
    if weights is None:
        if len(pi) > MAX_ORDERS:
            raise UsageError(
                f"payoffs: {len(pi):,} states are too many: leaving an equilibrium takes several errors at once, which "
                f"is solved up to {MAX_ORDERS:,} states. Use fewer strategies"
            )
        return _leading_orders(moves(payoffs), len(pi))
    for members, mass, weight in zip(sinks, inner, weights, strict=True):
        pi[members] = weight * mass
    return pi


def _stationary(rates: Sparse) -> Floats:
    """The stationary distribution of one strongly connected class."""
    n = rates.shape[0]
    if n <= MAX_DENSE:
        mass = gth(rates.toarray())
        if mass is None:
            raise ArithmeticError("elimination met a state without exits in a connected class")
        return mass
    out = rates.sum(axis=1)
    jump = csr_array(rates.multiply(1 / out[:, None])).T.tocsr()
    x = np.full(n, 1 / n)
    for _ in range(5_000):
        new = 0.5 * (x + jump @ x)
        if np.abs(new - x).sum() < 1e-13:
            x = new
            break
        x = new
    else:
        system = (eye_array(n) - jump).tolil()
        system[0] = 1.0
        x = np.maximum(spsolve(system.tocsc(), np.eye(1, n)[0]), 0.0)
    mass = x / out
    return np.asarray(mass / mass.sum(), dtype=np.float64)


def _contraction(graph: Sparse, sinks: list[Ints], inner: list[Floats]) -> Floats | None:
    """The mass of each sink class when single errors connect them into one closed group, else None."""
    steps = _error_steps(graph, sinks, inner)
    closed = sink_classes(csr_array(steps))
    if len(closed) != 1:
        return None
    weights = np.zeros(len(sinks))
    members = closed[0]
    mass = gth(steps[np.ix_(members, members)])
    if mass is None:
        return None
    weights[members] = mass
    return weights


def _error_steps(graph: Sparse, sinks: list[Ints], inner: list[Floats]) -> Floats:
    """q[C, C']: how fast class C is left by one error that G0 then carries to class C'."""
    n, n_sinks = graph.shape[0], len(sinks)
    label = np.full(n, -1)
    for c, members in enumerate(sinks):
        label[members] = c
    transient = np.flatnonzero(label < 0)
    # An error goes from s to a worse state r, that is against a strict edge r -> s of G0.
    strict = graph.copy()
    strict.data = (strict.data == 1.0).astype(np.float64)
    mass = np.zeros(n)
    for members, p in zip(sinks, inner, strict=True):
        mass[members] = p
    to_class = csr_array((np.ones(n - len(transient)), (np.flatnonzero(label >= 0), label[label >= 0])), (n, n_sinks))
    errors = csr_array(strict.multiply(mass[None, :]) @ to_class)  # [r, C]: mass that falls from C to r by one error
    direct = (errors.T @ to_class).toarray()
    np.fill_diagonal(direct, 0.0)
    if not len(transient):
        return np.asarray(direct)
    falls = errors[transient]
    inside, exits = graph[transient][:, transient], csr_array(graph[transient] @ to_class)
    if len(transient) + n_sinks <= MAX_DENSE:
        return np.asarray(direct + _carried_dense(inside, exits, falls))
    return np.asarray(direct + _carried_sparse(inside, exits, falls))


def _carried_dense(inside: Sparse, exits: Sparse, falls: Sparse) -> Floats:
    """Eliminating the transient states leaves exactly the steps between classes; nothing is subtracted."""
    n_sinks = exits.shape[1]
    chain = np.zeros((n_sinks + inside.shape[0],) * 2)
    chain[:n_sinks, n_sinks:] = falls.T.toarray()
    chain[n_sinks:, :n_sinks] = exits.toarray()
    chain[n_sinks:, n_sinks:] = inside.toarray()
    if not eliminate(chain, n_sinks):
        raise ArithmeticError("elimination met a transient state that reaches no sink class")
    steps = chain[:n_sinks, :n_sinks].copy()
    np.fill_diagonal(steps, 0.0)
    return steps


def _carried_sparse(inside: Sparse, exits: Sparse, falls: Sparse) -> Floats:
    """The same by one linear solve a class, with exact zeros where a class cannot be reached."""
    n, n_sinks = exits.shape
    out = inside.sum(axis=1) + exits.sum(axis=1)
    system = csr_array(eye_array(n) - inside.multiply(1 / out[:, None]))
    absorbed = np.zeros((n, n_sinks))
    for c in range(n_sinks - 1):
        entry = exits[:, [c]].toarray()[:, 0]
        solution, failed = gmres(system, entry / out, rtol=1e-13, atol=0.0, restart=100, maxiter=200)
        if failed:
            raise UsageError(f"payoffs: the absorption chances of {n:,} states did not settle. Use fewer strategies")
        absorbed[:, c] = np.clip(solution, 0.0, 1.0) * _reaches(inside, entry)
    absorbed[:, -1] = (1 - absorbed.sum(axis=1)).clip(0.0) * _reaches(inside, exits[:, [-1]].toarray()[:, 0])
    steps = np.asarray(falls.T @ absorbed)
    np.fill_diagonal(steps, 0.0)
    return steps


def _reaches(inside: Sparse, entry: Floats) -> Floats:
    """1 where a walk along `inside` can come to a state with a positive `entry`."""
    n = len(entry)
    doors = np.flatnonzero(entry)
    back = inside.T.tocoo()
    rows, columns = np.r_[back.row, np.full(len(doors), n)], np.r_[back.col, doors]
    reverse = csr_array((np.ones(len(rows)), (rows.astype(np.int32), columns.astype(np.int32))), shape=(n + 1, n + 1))
    found = np.zeros(n + 1)
    found[breadth_first_order(reverse, n, return_predecessors=False)] = 1.0
    return found[:n]


def _leading_orders(steps: Moves, n: int) -> Floats:
    better, worse = compare(steps)
    orders = np.full((n, n), NO_ORDER, dtype=np.int64)
    factors = np.zeros((n, n))
    orders[steps.source, steps.target] = np.where(worse, 1, 0)
    factors[steps.source, steps.target] = np.where(better | worse, 1.0, 0.5)
    return gth_orders(orders, factors)
