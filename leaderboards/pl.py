"""Plackett-Luce ratings of orders: the batch fit with intervals, and the online `Ladder` for live display.

Sources: Luce 1959 and Plackett 1975; the average over the orders of a tie group is this project's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from pandas import DataFrame
from scipy.sparse import csr_array

from arena.core.errors import UsageError
from arena.leaderboards import matches
from arena.leaderboards.arrays import Ints
from arena.leaderboards.fitting.clusters import by_label
from arena.leaderboards.fitting.comparisons import make_edges
from arena.leaderboards.fitting.design import Sides, members_of, parameters, sides_of_matches, types_of
from arena.leaderboards.fitting.existence import Edges
from arena.leaderboards.fitting.fit import Fit, Solved, finish, solve
from arena.leaderboards.fitting.orders import Orders, PlackettLuce
from arena.leaderboards.ladder import Ladder
from arena.leaderboards.rated import Rated, rated

__all__ = ["Ladder", "fit", "name", "rate"]

name = "pl"


def fit(table: DataFrame, *, covariates: Sequence[str] = (), prior_sd: float | None = None) -> Fit:
    """The maximum-likelihood strengths behind the orders of a match table.

    `covariates`: columns whose levels get offsets, such as "seat" or "role". `prior_sd`: a prior on strengths, in nats.
    """
    solved, sides = _solved(table, covariates, prior_sd)
    return finish(solved, sides.tallies, n_matches=len(sides.teams.match_size))


def rate(table: DataFrame, *, seed: int = 0, bootstrap: int = 1000, anchor: str | None = None, **options: Any) -> Rated:
    """The fit as a rating method: bootstrap intervals over deals, chances to be best, ranks and their bounds. Where
    matches have roles, with an offset of the side."""
    done = matches.played(table)
    settings = {"covariates": ("side",) if matches.has_roles(done) else (), "prior_sd": None, **options}
    solved, sides = _solved(done, **settings)
    found = finish(solved, sides.tallies, n_matches=len(sides.teams.match_size))
    result = rated(solved, found, method=name, seed=seed, bootstrap=bootstrap, anchor=anchor, done=done)
    return Rated(result.table, {**result.meta, "settings": settings})


def _solved(table: DataFrame, covariates: Sequence[str], prior_sd: float | None) -> tuple[Solved, Sides]:
    if prior_sd is not None and not 0 < prior_sd < np.inf:
        raise UsageError(f"prior_sd must be a finite number above 0, not {prior_sd}")
    sides = sides_of_matches(matches.played(table))
    named, by_team = parameters(sides, "none", covariates)
    types, example = types_of(sides, named, covariates)
    orders, row_cell = _orders(sides, types)
    problem = PlackettLuce(orders, csr_array(by_team[example[orders.types]]))
    deal = sides.seats["deal_id"].to_numpy()[sides.teams.seat[np.flatnonzero(np.diff(sides.teams.match, prepend=-1))]]
    kept = row_cell >= 0
    clusters = by_label(pd.factorize(deal[kept])[0], row_cell[kept], len(orders.start))
    edges = _edges(sides, orders, example)
    fixed = np.zeros(problem.n_params)
    return solve(problem, named, clusters, edges, orders.times, fixed=fixed, prior_sd=prior_sd), sides


def _orders(sides: Sides, types: Ints) -> tuple[Orders, Ints]:
    """Distinct matches of at least two teams, and the number of each match's own (-1: it compares nobody)."""
    found = sides.teams
    order = np.lexsort((types, found.rank, found.match))
    place = np.arange(len(order)) - (np.cumsum(found.match_size) - found.match_size)[found.match[order]]
    width = int(found.match_size.max())
    rank, kind = np.full((len(found.match_size), width), -1), np.full((len(found.match_size), width), -1)
    new = np.r_[True, (np.diff(found.rank[order]) != 0) | (np.diff(found.match[order]) != 0)]
    dense = np.cumsum(new)
    rank[found.match[order], place] = dense - dense[np.flatnonzero(place == 0)][found.match[order]]
    kind[found.match[order], place] = types[order]
    several = found.match_size > 1
    if not several.any():
        raise UsageError("there is nothing to rate: no match compares two teams")
    content = np.hstack([kind, rank])[several]
    distinct, cell, count = np.unique(content, axis=0, return_inverse=True, return_counts=True)
    row_cell = np.full(len(several), -1)
    row_cell[several] = cell.ravel()
    there = distinct[:, :width] >= 0
    size = there.sum(axis=1)
    start = np.cumsum(size) - size
    return Orders(start, distinct[:, :width][there], distinct[:, width:][there], count.astype(np.float64)), row_cell


def _edges(sides: Sides, orders: Orders, example: Ints) -> Edges:
    """i -> j for agents of a team ahead of, or tied with, another of the same match."""
    size = np.diff(np.r_[orders.start, len(orders.types)])
    firsts, seconds = [], []
    for teams in np.unique(size):
        i, j = np.triu_indices(teams, 1)
        start = orders.start[size == teams][:, None]
        firsts.append((start + i).ravel())
        seconds.append((start + j).ravel())
    first, second = np.concatenate(firsts), np.concatenate(seconds)
    score = np.where(orders.ranks[first] < orders.ranks[second], 1.0, 0.5)
    cell = np.repeat(np.arange(len(size)), size)[first]
    members = members_of(sides, example)[:, orders.types]
    return make_edges(cell, score, members[:, first], members[:, second], len(size), len(sides.agents))
