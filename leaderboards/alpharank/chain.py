"""The Markov chain of alpha-Rank: its payoff forms, its states, its moves and how fast each is made.

A move changes one strategy: of the single population, or of one of K populations. `gain` is what the mover's payoff
changes by; the rate of a move is eta * rho(alpha * gain), and as eta is the same for all moves it is left out.
Source: Omidshafiei et al. 2019, "alpha-Rank: Multi-Agent Evaluation by Evolution" (local selection).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from arena.core.errors import UsageError
from arena.leaderboards.arrays import Bools, Floats, Ints

TIE = 1e-12  # relative: numpy's default of 1e-5 would call different payoffs equal


class Payoffs(NamedTuple):
    """`tables[k][profile]` is population k's payoff; one square table is a single population."""

    tables: list[Floats]
    single: bool

    @property
    def n_states(self) -> int:
        return len(self.tables[0]) if self.single else self.tables[0].size


class Moves(NamedTuple):
    """Every move once: from a state, to a state, what the mover gains, and the size of the two payoffs compared."""

    source: Ints
    target: Ints
    gain: Floats
    scale: Floats


def read(payoffs: Any, single_population: bool | None = None) -> Payoffs:
    """The payoffs in one of the accepted forms (specification: a list of K arrays, a square array, a stack of K)."""
    tables = _tables(payoffs)
    single = len(tables) == 1 if single_population is None else single_population
    if len(tables) == 1 and not single:
        raise UsageError("payoffs: one table is a single population; several populations need one table each")
    if len(tables) == 2 and single:
        if tables[0].ndim != 2 or tables[1].shape != tables[0].T.shape or not np.array_equal(tables[1], tables[0].T):
            raise UsageError("payoffs: two tables are one population only if the second is the first transposed")
        tables = tables[:1]
    if len(tables) > 2 and single:
        raise UsageError(f"payoffs: {len(tables)} tables cannot be a single population")
    return Payoffs(tables, single)


def _tables(payoffs: Any) -> list[Floats]:
    try:
        entries = [np.asarray(entry, dtype=np.float64) for entry in payoffs]
    except (TypeError, ValueError) as error:
        raise UsageError("payoffs: expected numbers, in a square array or in one array a population") from error
    if entries and all(entry.ndim == 1 for entry in entries):
        if len({entry.shape for entry in entries}) > 1:
            raise UsageError("payoffs: the rows of the array differ in length")
        entries = [np.stack(entries)]
    if not entries or not all(entry.size for entry in entries):
        raise UsageError("payoffs: the table is empty")
    if len({entry.shape for entry in entries}) > 1:
        raise UsageError(f"payoffs: tables of different shapes: {', '.join(str(entry.shape) for entry in entries)}")
    shape = entries[0].shape
    if len(entries) == 1 and (len(shape) != 2 or shape[0] != shape[1]):
        raise UsageError(f"payoffs: the table of a single population must be square, not {shape}")
    if len(entries) > 1 and len(shape) != len(entries):
        raise UsageError(f"payoffs: {len(entries)} populations need {len(entries)} dimensions, not {shape}")
    for k, entry in enumerate(entries):
        if not np.isfinite(entry).all():
            raise UsageError(f"payoffs: table {k} holds a value that is not finite")
    return entries


def moves(payoffs: Payoffs) -> Moves:
    """All moves of the chain."""
    return Moves(*(np.concatenate(columns) for columns in zip(*moves_by_population(payoffs), strict=True)))


def moves_by_population(payoffs: Payoffs) -> Iterator[Moves]:
    """The moves of one population after the other, so that large games need not hold them all at once."""
    if payoffs.single:
        table = payoffs.tables[0]
        source, target = np.nonzero(~np.eye(len(table), dtype=bool))
        yield _moves(source, target, table[target, source], table[source, target])
        return
    states = np.arange(payoffs.n_states).reshape(payoffs.tables[0].shape)
    for k, table in enumerate(payoffs.tables):
        lines = np.moveaxis(states, k, -1).reshape(-1, table.shape[k])
        old, new = np.nonzero(~np.eye(table.shape[k], dtype=bool))
        source, target = lines[:, old].ravel(), lines[:, new].ravel()
        flat = table.ravel()
        yield _moves(source, target, flat[target], flat[source])


def _moves(source: Ints, target: Ints, after: Floats, before: Floats) -> Moves:
    return Moves(source, target, after - before, np.maximum(np.abs(after), np.abs(before)))


def log_rho(u: Floats, m: int) -> Floats:
    """ln of the fixation probability (1 - e^-u) / (1 - e^-mu), without overflow at any u; -ln m at u = 0."""
    size = np.abs(u)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(-np.expm1(-size)) - np.log(-np.expm1(-m * size))
    logs = np.where(u < 0, logs - (m - 1) * size, logs)
    # First order where the quotient of two tiny numbers would lose digits; the next term is of size (m u)^2 / 24.
    return np.asarray(np.where(m * size < 1e-8, (m - 1) / 2 * u - np.log(m), logs))


def log_rates(gains: Floats, alpha: float, m: int) -> Floats:
    """The logs of the rates of moves with these gains."""
    with np.errstate(over="ignore"):
        u = alpha * gains
        if not np.isfinite(m * u).all():
            raise UsageError(f"payoffs: alpha = {alpha:g} times a payoff difference is too large for a float")
    return log_rho(u, m)


def log_rates_perturbed(moves: Moves, eps: float) -> Floats:
    """Infinite alpha with errors: better 1 - eps, worse eps, tie one half."""
    better, worse = compare(moves)
    return np.where(better, np.log1p(-eps), np.where(worse, np.log(eps), np.log(0.5)))


def compare(moves: Moves) -> tuple[Bools, Bools]:
    """Which moves gain and which lose; the rest are ties."""
    tie = TIE * np.maximum(1.0, moves.scale)
    return moves.gain > tie, moves.gain < -tie
