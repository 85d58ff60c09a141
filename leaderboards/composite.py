"""One rating across games: Bradley-Terry in which every game counts the same, however often it was played.

Each game's log-likelihood is divided by its number of comparisons; an agent may be better or worse than its overall
strength in a game by an offset with a normal prior (sd 0: the published composite, no offsets). The sides of a game
with roles have offsets of their own, as in `bt`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pandas import DataFrame
from scipy.sparse import block_diag, csr_array, hstack, vstack

from arena.core.errors import UnknownName, UsageError
from arena.leaderboards import contest, matches
from arena.leaderboards.arrays import Ints, Sparse
from arena.leaderboards.fitting.clusters import Clusters
from arena.leaderboards.fitting.comparisons import Comparisons, is_pair_table, sort_key
from arena.leaderboards.fitting.design import Parameters, compare, sides_of_matches, sides_of_pairs
from arena.leaderboards.fitting.existence import Edges
from arena.leaderboards.fitting.fit import Fit, Solved, finish, solve
from arena.leaderboards.fitting.likelihoods import TeamLogit
from arena.leaderboards.rated import Rated, rated

__all__ = ["fit", "name", "rate"]

name = "composite"


class _Game(NamedTuple):
    """One game's comparisons, their design over its own agents and sides, the place of those agents among all, the
    weight of its comparisons, and the keys of its sides."""

    compared: Comparisons
    design: Sparse
    place: Ints
    total: float
    sides: list[str]


def fit(tables: dict[str, DataFrame], *, weights: Mapping[str, float] | None = None, offset_sd: float = 0.5) -> Fit:
    """Overall strengths from the match or pair tables of several games. `weights`: of games, 1 where not given."""
    solved, games, table = _solved(tables, weights, offset_sd)
    return _finished(solved, games, table)


class _Weighted(NamedTuple):
    weights: dict[str, float]
    offsets: list[tuple[str, int]]  # the game and the agent of each offset


def _solved(
    tables: dict[str, DataFrame], weights: Mapping[str, float] | None, offset_sd: float
) -> tuple[Solved, dict[str, _Game], _Weighted]:
    if not tables:
        raise UsageError("tables: a composite needs at least one game")
    if not 0 <= offset_sd < np.inf:
        raise UsageError(f"offset_sd must be a finite number of at least 0, not {offset_sd}")
    games, agents = _games(tables)
    factors = _weights(games, weights or {})
    n = len(agents)
    offsets = [(key, int(a)) for key, game in games.items() for a in game.place] if offset_sd else []
    named = Parameters(agents)
    for game in games.values():
        if game.sides:
            named.blocks.append(np.arange(named.n, named.n + len(game.sides)))
            named.offsets.extend(game.sides)
    designs, scores, cell_weights = [], [], []
    for key, game in games.items():
        strengths = csr_array(game.design[:, : len(game.place)])
        rows = strengths.shape[0]
        wide = csr_array((strengths.data, game.place[strengths.indices], strengths.indptr), (rows, n))
        sides = csr_array(game.design[:, len(game.place) :])
        by_game = [sides if other == key else csr_array((rows, len(games[other].sides))) for other in games]
        own = [strengths if other == key else csr_array((rows, len(games[other].place))) for other in games]
        designs.append(hstack([wide, *by_game, *(own if offset_sd else [])]))
        scores.append(game.compared.cells.score)
        cell_weights.append(game.compared.cells.weight * factors[key])
    problem = TeamLogit(csr_array(vstack(designs)), np.concatenate(scores), np.concatenate(cell_weights))
    counts = np.concatenate([game.compared.cells.times for game in games.values()])
    fixed = np.r_[np.zeros(named.n), np.full(len(offsets), offset_sd**-2 if offset_sd else 0.0)]
    solved = solve(problem, named, _clusters(games), _edges(games, n), counts, fixed=fixed, prior_sd=None)
    return solved, games, _Weighted(factors, offsets)


def _games(tables: dict[str, DataFrame]) -> tuple[dict[str, _Game], list[Any]]:
    found = {}
    for key in sorted(tables):
        table = tables[key]
        sides = sides_of_pairs(table) if is_pair_table(table) else sides_of_matches(matches.played(table))
        with_sides = matches.has_roles(sides.seats)
        found[key] = compare(sides, "bias" if with_sides else "none", ["side"] if with_sides else [])
    agents = sorted({agent for compared, _, _ in found.values() for agent in compared.agents}, key=sort_key)
    games = {}
    for key, (compared, named, design) in found.items():
        place = np.array([agents.index(agent) for agent in compared.agents], dtype=np.intp)
        keys = [f"{key}:{offset}" for offset in named.offsets]
        games[key] = _Game(compared, design, place, float(compared.cells.weight @ compared.cells.times), keys)
    return games, agents


def _weights(games: dict[str, _Game], weights: Mapping[str, float]) -> dict[str, float]:
    """W_g = weight * N / N_g, N the harmonic mean of the N_g: the scale of the likelihood stays that of the data."""
    for key, weight in weights.items():
        if key not in games:
            raise UnknownName("game in the composite", key, games)
        if not 0 < weight < np.inf:
            raise UsageError(f"weights: {key} must have a finite weight above 0, not {weight}")
    mean = len(games) / sum(1 / game.total for game in games.values())
    return {key: float(weights.get(key, 1.0)) * mean / game.total for key, game in games.items()}


def _clusters(games: dict[str, _Game]) -> Clusters:
    """Clusters of all games; none spans two."""
    parts = [game.compared.clusters for game in games.values()]
    return Clusters(
        csr_array(block_diag([part.cells for part in parts])), np.concatenate([part.times for part in parts])
    )


def _edges(games: dict[str, _Game], n: int) -> Edges:
    cells, winners, losers, start = [], [], [], 0
    for game in games.values():
        entries = game.compared.edges.matrix.tocoo()
        winner, loser = np.divmod(entries.col, len(game.place))
        cells.append(entries.row + start)
        winners.append(game.place[winner])
        losers.append(game.place[loser])
        start += entries.shape[0]
    return Edges(np.concatenate(cells), np.concatenate(winners), np.concatenate(losers), start, n)


def _finished(solved: Solved, games: dict[str, _Game], weighted: _Weighted) -> Fit:
    agents = solved.named.agents
    n = len(agents)
    tallies = np.sum([_placed(game.compared.tallies, game.place, n) for game in games.values()], axis=0)
    params = solved.solution.params
    theta = params[:n] - params[:n].mean()
    per_game: dict[str, dict[str, float]] = {key: {} for key in games}
    for key, game in games.items():
        per_game[key] = {str(agents[a]): float(theta[a]) for a in game.place}
    for (key, a), offset in zip(weighted.offsets, params[solved.named.n :], strict=True):
        per_game[key][str(agents[a])] += float(offset)
    details = {
        "weights": weighted.weights,
        "comparisons": {key: game.total for key, game in games.items()},
        "per_game": per_game,
    }
    fit = finish(
        solved,
        DataFrame(tallies, columns=["n_matches", "n_wins", "n_ties", "n_losses"]),
        n_matches=sum(game.compared.n_matches for game in games.values()),
        n_self=sum(game.compared.n_self for game in games.values()),
        details=details,
    )
    n_games = pd.Series([str(a) for game in games.values() for a in game.place]).value_counts()
    by_agent = [int(n_games[str(agents.index(agent))]) for agent in fit.agents]
    table = fit.table.assign(n_games=by_agent, provisional=[2 * k < len(games) for k in by_agent])
    return replace(fit, table=table)


def _placed(tallies: DataFrame, place: Ints, n: int) -> Ints:
    full = np.zeros((n, 4), dtype=np.intp)
    full[place] = tallies[["n_matches", "n_wins", "n_ties", "n_losses"]].to_numpy()
    return full


def rate(table: DataFrame, *, seed: int = 0, bootstrap: int = 1000, anchor: str | None = None, **options: Any) -> Rated:
    """The composite over the games (and presets) of a match table; those with fewer than two agents are left out."""
    settings = {"weights": None, "offset_sd": 0.5, **options}
    done = matches.played(table)
    tables = dict(list(done.groupby(matches.setup_names(done))))
    left_out = [key for key, game in tables.items() if game["agent"].nunique() < 2]
    tables = {str(key): game for key, game in tables.items() if key not in left_out}
    if len(tables) < 2:
        raise UsageError(f"composite rates across games, and these matches are of {len(tables)} game")
    there = done[matches.setup_names(done).isin(tables).to_numpy()]
    several = [agent for agent, only in contest.apart(there).items() if not only]
    if len(several) < 2:
        who = f"only {several[0]} was" if several else "nobody was"
        raise UsageError(f"composite compares agents of several games, and {who} in two of the {len(tables)}")
    solved, games, weighted = _solved(tables, **settings)
    found = _finished(solved, games, weighted)
    result = rated(solved, found, method=name, seed=seed, bootstrap=bootstrap, anchor=anchor, done=done)
    return Rated(result.table, {**result.meta, "settings": settings, "left_out": left_out})
