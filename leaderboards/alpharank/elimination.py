"""Stationary distributions by subtraction-free elimination (Grassmann, Taylor and Heyman): blocked, in logs, in orders.

Only sums, products and quotients of positive numbers occur, so every entry keeps its relative accuracy, however small.
All three eliminate the highest state first and leave state 0 as the root. They work on off-diagonal rates; the
diagonal is never read.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arena.leaderboards.arrays import Floats

Orders = NDArray[np.int64]

BLOCK = 32  # states of a panel: few enough for its rows to stay near, enough for one product behind it
NO_ORDER = 2**28  # the order of a rate that is zero; sums of orders are capped here


def eliminate(rates: Floats, keep: int) -> bool:
    """Eliminate states n-1 … keep in place. False: some state had no rate left to a lower one.

    Afterwards the first `keep` states hold the rates of the censored chain, and column k ≥ keep holds, above the
    diagonal, the expected visits of k for each visit of a lower state (what back substitution reads).
    """
    high = len(rates)
    while high > keep:
        low = max(keep, high - BLOCK)
        panel = rates[low:high]  # rows of the panel: kept up to date as its states go
        above = np.ascontiguousarray(rates[:low, low:high].T)  # its columns in the rows above, each contiguous
        for i in range(high - low - 1, -1, -1):
            total = panel[i, : low + i].sum()
            if not 0 < total < np.inf:
                return False
            above[i] /= total
            if i:
                column = panel[:i, low + i] / total
                panel[:i, low + i] = column
                panel[:i, : low + i] += column[:, None] * panel[i, : low + i]
                above[:i] += panel[i, low : low + i, None] * above[i]
        rates[:low, low:high] = above.T
        if low:
            rates[:low, :low] += above.T @ rates[low:high, :low]
        high = low
    return True


def gth(rates: Floats) -> Floats | None:
    """The stationary distribution of a chain on one class, None where float rates did not suffice. Destroys `rates`."""
    if len(rates) == 1:
        return np.ones(1)
    if not eliminate(rates, 1):
        return None
    mass = _substitution(rates)
    if mass is not None:
        return np.asarray(mass / mass.sum())
    with np.errstate(divide="ignore"):
        logs = np.log(rates)
    return _normalised(_back_substitution(logs))


def _substitution(rates: Floats) -> Floats | None:
    """p, up to a factor, from the visits that elimination left; None where one is too small or large for a float."""
    visits = np.ascontiguousarray(rates.T)
    mass = np.ones(len(rates))
    for k in range(1, len(rates)):
        mass[k] = mass[:k] @ visits[k, :k]
    total = mass.sum()
    return mass if mass.min() > 0 and np.isfinite(total) else None


def gth_logs(logs: Floats) -> Floats:
    """The same from logs of rates (-inf: none), where a float could not hold the rates themselves. Destroys `logs`."""
    for k in range(len(logs) - 1, 0, -1):
        column = logs[:k, k]
        column -= _log_sum(logs[k, :k])
        sources, targets = np.flatnonzero(column > -np.inf), np.flatnonzero(logs[k, :k] > -np.inf)
        cells = np.ix_(sources, targets)
        logs[cells] = np.logaddexp(logs[cells], column[sources, None] + logs[k, targets])
    return _normalised(_back_substitution(logs))


def gth_orders(orders: Orders, factors: Floats) -> Floats:
    """The limit eps -> 0 of the stationary distribution of a chain with rates `factors * eps**orders`. Destroys both.

    A number is its leading term: a product adds orders, a quotient subtracts them, a sum keeps the smaller one. As all
    factors are positive, leading terms never cancel and the limit is exact.
    """
    n = len(orders)
    for k in range(n - 1, 0, -1):
        order, factor = _leading_sum(orders[k, :k], factors[k, :k])
        sources, targets = np.flatnonzero(orders[:k, k] < NO_ORDER), np.flatnonzero(orders[k, :k] < NO_ORDER)
        orders[sources, k] -= order
        factors[sources, k] /= factor
        cells = np.ix_(sources, targets)
        new_orders = orders[sources, k][:, None] + orders[k, targets]
        new_factors = factors[sources, k][:, None] * factors[k, targets]
        old_orders, old_factors = orders[cells], factors[cells]
        orders[cells] = np.minimum(old_orders, new_orders)
        factors[cells] = old_factors * (old_orders <= new_orders) + new_factors * (new_orders <= old_orders)
    mass_orders, mass = np.zeros(n, np.int64), np.ones(n)
    for k in range(1, n):
        sums = np.minimum(mass_orders[:k] + orders[:k, k], NO_ORDER)
        mass_orders[k], mass[k] = _leading_sum(sums, mass[:k] * factors[:k, k])
    mass[mass_orders > mass_orders.min()] = 0.0
    return np.asarray(mass / mass.sum())


def _leading_sum(orders: Orders, factors: Floats) -> tuple[int, float]:
    least = int(orders.min())
    return least, float(factors[orders == least].sum())


def _back_substitution(logs: Floats) -> Floats:
    """ln p, up to a constant, from the logs of the same visits."""
    mass = np.zeros(len(logs))
    for k in range(1, len(logs)):
        mass[k] = _log_sum(mass[:k] + logs[:k, k])
    return mass


def _log_sum(terms: Floats) -> float:
    """logsumexp that answers -inf, not NaN, when every term is -inf (rates into a state that underflowed)."""
    top = terms.max()
    return float(top + np.log(np.exp(terms - top).sum())) if top > -np.inf else -np.inf


def _normalised(logs: Floats) -> Floats:
    mass = np.exp(logs - logs.max())
    return np.asarray(mass / mass.sum(), dtype=np.float64)
