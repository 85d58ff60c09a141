"""alpha-Rank: the long-run share of each strategy when better ones take over and errors are rare.

One population or many, finite or infinite alpha; alpha None is the exact limit of infinite alpha without errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from arena.core.errors import UsageError
from arena.leaderboards.alpharank import finite, limit
from arena.leaderboards.alpharank.chain import log_rates, log_rates_perturbed, moves, read
from arena.leaderboards.alpharank.method import masses, rate
from arena.leaderboards.alpharank.tables import Tables, payoff_tables
from arena.leaderboards.arrays import Floats, Ints

__all__ = ["Tables", "masses", "name", "payoff_tables", "rate", "sinks", "stationary", "sweep"]

name = "alpharank"


def stationary(
    payoffs: Any,
    alpha: float | None = None,
    *,
    m: int = 50,
    single_population: bool | None = None,
    eps: float | None = None,
) -> Floats:
    """The stationary distribution over states: strategies, or profiles in C order (last population fastest).

    `m` is the population size. `eps` (infinite alpha only) asks for the chain with that error rate, not for the limit.
    """
    _check(alpha, m, eps)
    game = read(payoffs, single_population)
    n = game.n_states
    if n == 1 or alpha == 0:
        return np.full(n, 1 / n)
    if alpha is None and eps is None:
        return limit.solve(game)
    steps = moves(game)
    if alpha is None and eps is not None:
        return finite.solve(steps, log_rates_perturbed(steps, eps), n)
    return finite.solve(steps, log_rates(steps.gain, float(alpha or 0), m), n)


def sinks(payoffs: Any, *, single_population: bool | None = None) -> list[Ints]:
    """The states of every sink class of the response graph at infinite alpha, sorted."""
    return finite.sink_classes(limit.response_graph(read(payoffs, single_population)))


def sweep(payoffs: Any, alphas: Sequence[float], *, m: int = 50) -> Floats:
    """One row of `stationary` for each alpha: how the ranking settles as selection grows."""
    return np.stack([stationary(payoffs, float(alpha), m=m) for alpha in alphas])


def _check(alpha: float | None, m: int, eps: float | None) -> None:
    if alpha is not None and not 0 <= alpha < np.inf:
        raise UsageError(f"alpha must be at least 0 and finite (None for infinite), not {alpha}")
    if m != int(m) or m < 2:
        raise UsageError(f"m must be a whole number of at least 2, not {m}")
    if eps is not None and alpha is not None:
        raise UsageError("eps belongs to infinite alpha; leave alpha out, or eps")
    if eps is not None and not 0 < eps < 0.5:
        raise UsageError(f"eps must lie between 0 and 1/2, not {eps}")
