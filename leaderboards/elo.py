"""Sequential Elo, for live display: it depends on the order of matches, carries no interval, and ranks no board.

A team's rating is the mean of its seats', and every agent in it moves by the team's whole change. A match of T teams
counts k/(T-1) for each two of them, all from the ratings before it.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
from pandas import DataFrame

from arena.core.errors import UsageError
from arena.leaderboards import matches
from arena.leaderboards.fitting.comparisons import is_pair_table, pair_columns, sort_key
from arena.leaderboards.rated import Rated

__all__ = ["name", "rate", "run"]

name = "elo"


class Match(NamedTuple):
    """Teams of agents, one entry a seat; comparisons: two teams, the score of the first, a weight."""

    teams: Sequence[Sequence[Hashable]]
    comparisons: Sequence[tuple[int, int, float, float]]


def run(table: DataFrame, *, k: float = 32.0, initial: float = 1500.0, scale: float = 400.0) -> DataFrame:
    """agent, rating, n_matches after all matches of a match table or a pair table, best first. Row order is time,
    unless the table has an `order` column."""
    for key, value in (("k", k), ("scale", scale)):
        if not 0 < value < np.inf:
            raise UsageError(f"{key} must be a finite number above 0, not {value}")
    ratings: dict[Hashable, float] = {}
    played: dict[Hashable, int] = {}
    for match in _pairs(table) if is_pair_table(table) else _matches(table):
        strength = [sum(ratings.setdefault(agent, initial) for agent in team) / len(team) for team in match.teams]
        change = [0.0] * len(match.teams)
        for i, j, score, weight in match.comparisons:
            move = k * weight * (score - 1 / (1 + 10 ** ((strength[j] - strength[i]) / scale)))
            change[i] += move
            change[j] -= move
        for team, move in zip(match.teams, change, strict=True):
            for agent in dict.fromkeys(team):
                ratings[agent] += move
                played[agent] = played.get(agent, 0) + 1
    order = sorted(ratings, key=lambda agent: (-ratings[agent], sort_key(agent)))
    columns = {"agent": order, "rating": [ratings[a] for a in order], "n_matches": [played[a] for a in order]}
    return DataFrame(columns)


def _pairs(table: DataFrame) -> Iterator[Match]:
    if "order" in table:
        table = table.sort_values("order", kind="stable")
    agents, a, b, score, weight = pair_columns(table)
    weights = np.ones(len(table)) if weight is None else weight
    for i, j, s, w in zip(a.tolist(), b.tolist(), score.tolist(), weights.tolist(), strict=True):
        yield Match(((agents[i],), (agents[j],)), ((0, 1, s, w),))


def _matches(table: DataFrame) -> Iterator[Match]:
    done = matches.played(table).sort_values(["order", "match_id", "seat"], kind="stable")
    columns = (done["match_id"], matches.team_codes(done), done["agent"], done["rank"])
    teams: dict[int, list[Hashable]] = {}
    ranks: dict[int, float] = {}
    current = ""
    for match_id, team, agent, rank in zip(*(column.tolist() for column in columns), strict=True):
        if match_id != current and teams:
            yield _match(teams, ranks)
            teams, ranks = {}, {}
        current = match_id
        teams.setdefault(team, []).append(agent)
        ranks[team] = rank
    yield _match(teams, ranks)


def _match(teams: dict[int, list[Hashable]], ranks: dict[int, float]) -> Match:
    order = list(ranks.values())
    weight = 1 / max(len(order) - 1, 1)
    comparisons = [
        (i, j, 0.5 if order[i] == order[j] else float(order[i] < order[j]), weight)
        for i, j in combinations(range(len(order)), 2)
    ]
    return Match(list(teams.values()), comparisons)


def rate(table: DataFrame, *, seed: int = 0, bootstrap: int = 0, **options: Any) -> Rated:
    """The column `elo`. There is no interval, so seed, bootstrap and anchor change nothing."""
    options.pop("anchor", None)
    settings = {"k": 32.0, "initial": 1500.0, "scale": 400.0, **options}
    found = run(table, **settings)
    return Rated(found[["agent", "rating"]].rename(columns={"rating": "elo"}), {"settings": settings})
