"""From matches to the payoffs of alpha-Rank.

Symmetric games are a single population of agents; games with sides have a population for each side, of the agents that
played it. Payoffs are scores: the share of the other teams that a team beat, ties half. What was seen is kept as
observations with their deals, so that a resample of deals gives payoffs again.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
from pandas import DataFrame
from scipy.special import expit

from arena.core.errors import UsageError
from arena.leaderboards import bt, matches
from arena.leaderboards.arrays import Floats, Ints
from arena.leaderboards.fitting.bootstrap import replicates, resamples
from arena.leaderboards.fitting.clusters import Clusters, by_label
from arena.leaderboards.fitting.fit import Solved
from arena.leaderboards.fitting.teams import Teams, seat_pairs, team_pairs, teams

Form = Literal["auto", "single", "sides"]

MIN_DEALS = 2  # a profile with fewer has no variance to speak of
MAX_PROFILES = 50_000


class Tables(NamedTuple):
    """`payoffs`: what `stationary` takes; `strategies[k]`: the agents of population k, whose name is `populations[k]`;
    `counts`: deals of each profile; `source`: "empirical", or "model" where some profile has too few deals."""

    payoffs: list[Floats]
    strategies: list[list[str]]
    counts: Ints
    source: str
    populations: list[str]


class Seen(NamedTuple):
    """Distinct observations: the profile, and the score of each population in it; and their deals.

    Single population: profile i * n + j means that i sat before j, and the one score is that of i."""

    form: str
    populations: list[str]
    strategies: list[list[str]]
    shape: tuple[int, ...]
    profile: Ints
    scores: Floats  # observation by population
    clusters: Clusters
    deals: Ints  # of each profile

    def payoffs(self, counts: Floats, missing: list[Floats] | None = None) -> list[Floats]:
        """Mean scores when observations are counted so; `missing` stands in for profiles that were not seen."""
        cells = prod(self.shape)
        n = np.bincount(self.profile, counts, minlength=cells)
        found = []
        for k in range(self.scores.shape[1]):
            total = np.bincount(self.profile, counts * self.scores[:, k], minlength=cells)
            mean = np.divide(total, n, out=np.full(cells, np.nan), where=n > 0).reshape(self.shape)
            found.append(_both_orders(mean) if self.form == "single" else mean)
        if missing is not None:
            found = [np.where(np.isnan(table), other, table) for table, other in zip(found, missing, strict=True)]
        return found


def _both_orders(first: Floats) -> Floats:
    """M[i, j] from the scores of i when it sat first: both seat orders weigh the same, if both were played."""
    orders = np.stack([first, 1 - first.T])
    n = (~np.isnan(orders)).sum(axis=0)
    mean = np.divide(np.nansum(orders, axis=0), n, out=np.full(first.shape, np.nan), where=n > 0)
    np.fill_diagonal(mean, 0.5)
    return np.asarray(mean)


def payoff_tables(table: DataFrame, *, form: Form = "auto") -> Tables:
    """The payoffs of a match table. `auto`: sides when the matches have roles, else a single population."""
    done = matches.played(table)
    return tables_of(done, observe(done, form))


def observe(done: DataFrame, form: Form) -> Seen:
    """What a checked table of finished matches shows."""
    if form not in ("auto", "single", "sides"):
        raise UsageError(f"form must be 'auto', 'single' or 'sides', not {form!r}")
    if form == "auto":
        form = "sides" if matches.has_roles(done) else "single"
    return _observe_single(done) if form == "single" else _observe_sides(done)


def _observe_single(done: DataFrame) -> Seen:
    agents = sorted(done["agent"].unique())
    n = len(agents)
    code = pd.Categorical(done["agent"], categories=agents).codes.astype(np.intp)
    rows, others, score, _, _ = seat_pairs(teams(done))
    differ = code[rows] != code[others]
    rows, others, score = rows[differ], others[differ], score[differ]
    deal = pd.factorize(done["deal_id"])[0][rows]
    profile = code[rows] * n + code[others]
    pair = np.minimum(code[rows], code[others]) * n + np.maximum(code[rows], code[others])
    deals = _deals(pair, deal, (n, n))
    return _seen("single", ["agents"], [agents], (n, n), profile, score[:, None], deal, deals + deals.T)


def _observe_sides(done: DataFrame) -> Seen:
    """One observation a match in which every side is one agent; matches of mixed teams show no profile."""
    setups = sorted(matches.setup_names(done).unique())
    if len(setups) > 1:
        raise UsageError(f"alpha-Rank of sides needs matches of one setup; these are of {', '.join(setups)}")
    found = teams(done)
    side = matches.side_labels(done).to_numpy()[found.seat]
    populations = sorted(set(side))
    k = pd.Categorical(side, categories=populations).codes.astype(np.intp)
    held = np.bincount(found.match * len(populations) + k, minlength=len(found.match_size) * len(populations))
    if (held != 1).any():
        raise UsageError(
            f"alpha-Rank needs every side ({', '.join(populations)}) exactly once in each match; here "
            "a match lacks one, or several teams hold one"
        )
    agent = done["agent"].to_numpy()
    strategies = [sorted(set(agent[k[found.seat_team] == i])) for i in range(len(populations))]
    shape = tuple(len(names) for names in strategies)
    if prod(shape) > MAX_PROFILES:
        raise UsageError(
            f"alpha-Rank of {len(populations)} sides has {prod(shape):,} profiles here; at most {MAX_PROFILES:,} fit"
        )
    place = [{name: i for i, name in enumerate(names)} for names in strategies]
    uniform = pd.Series(agent).groupby(found.seat_team).nunique().to_numpy() == 1
    whole = np.bincount(found.match, uniform, minlength=len(held) // len(populations)) == len(populations)
    chosen = np.array([place[i][name] for i, name in zip(k, agent[found.seat], strict=True)], dtype=np.intp)
    by_match = np.zeros((len(whole), len(populations)), dtype=np.intp)
    by_match[found.match, k] = chosen
    scores = np.zeros(by_match.shape)
    scores[found.match, k] = _team_scores(found)
    profile = np.asarray(np.ravel_multi_index(tuple(by_match.T), shape), dtype=np.intp)[whole]
    first = np.flatnonzero(np.diff(found.match, prepend=-1))
    deal = pd.factorize(done["deal_id"])[0][found.seat[first]][whole]
    return _seen("sides", populations, strategies, shape, profile, scores[whole], deal, _deals(profile, deal, shape))


def _team_scores(found: Teams) -> Floats:
    """The share of the other teams of its match that each team beat, ties half."""
    first, second, score, weight = team_pairs(found)
    n = len(found.match)
    ahead = np.bincount(first, score * weight, minlength=n)
    return np.asarray(ahead + np.bincount(second, (1 - score) * weight, minlength=n), dtype=np.float64)


def _deals(profile: Ints, deal: Ints, shape: tuple[int, ...]) -> Ints:
    distinct = np.unique(np.column_stack([profile, deal]), axis=0)[:, 0]
    return np.asarray(np.bincount(distinct, minlength=prod(shape)).reshape(shape))


def _seen(
    form: str,
    populations: list[str],
    strategies: list[list[str]],
    shape: tuple[int, ...],
    profile: Ints,
    scores: Floats,
    deal: Ints,
    deals: Ints,
) -> Seen:
    rows = np.column_stack([profile, scores])
    distinct, cell = np.unique(rows, axis=0, return_inverse=True)
    none = Clusters(np.zeros((0, 0)), np.zeros(0))
    clusters = by_label(pd.factorize(deal)[0], cell.ravel(), len(distinct)) if len(deal) else none
    return Seen(form, populations, strategies, shape, distinct[:, 0].astype(np.intp), distinct[:, 1:], clusters, deals)


def tables_of(done: DataFrame, seen: Seen) -> Tables:
    """Payoffs as seen, or from the model where some profile was seen in fewer than two deals."""
    needed = ~np.eye(seen.shape[0], dtype=bool) if seen.form == "single" else np.ones(seen.shape, dtype=bool)
    if (seen.deals[needed] >= MIN_DEALS).all():
        counts = seen.clusters.times @ seen.clusters.cells
        return Tables(seen.payoffs(counts), seen.strategies, seen.deals, "empirical", seen.populations)
    solved, maps = _model(done, seen)
    payoffs = _model_payoffs(seen, maps @ solved.solution.params)
    return Tables(payoffs, seen.strategies, seen.deals, "model", seen.populations)


def resampled(done: DataFrame, seen: Seen, tables: Tables, rng: np.random.Generator, n: int) -> Iterator[list[Floats]]:
    """Payoffs of `n` resamples of the deals. A profile that a resample lacks keeps its payoff of the whole table."""
    if tables.source == "empirical":
        for counts in resamples(seen.clusters, rng, n):
            yield from (seen.payoffs(row, tables.payoffs) for row in counts)
        return
    solved, maps = _model(done, seen)
    for z in replicates(solved, rng, n).params @ maps.T:
        yield _model_payoffs(seen, z)


def _model(done: DataFrame, seen: Seen) -> tuple[Solved, Floats]:
    """The role-conditional fit, and the map from its parameters to the strength of each strategy of each population."""
    solved = bt.conditional(done)
    named = solved.named
    if seen.form == "single":
        return solved, named.overall()
    label = matches.side_labels(done).to_numpy()
    role = done["role"].to_numpy()
    n = len(named.agents)
    maps = []
    for side, strategies in zip(seen.populations, seen.strategies, strict=True):
        share = {r: float((role[label == side] == r).mean()) for r in named.roles}
        for agent in strategies:
            row = np.zeros(named.n)
            row[[named.agents.index(agent) + n * (1 + i) for i in range(len(named.roles))]] = list(share.values())
            row[named.agents.index(agent)] += 1
            row[named.first_offset + named.offsets.index(f"side={side}")] = 1
            maps.append(row)
    return solved, np.array(maps)


def _model_payoffs(seen: Seen, z: Floats) -> list[Floats]:
    """Chances under the model, every side being one agent."""
    if seen.form == "single":
        return [expit(z[:, None] - z)]
    k = len(seen.shape)
    ends = np.cumsum(seen.shape)
    by_side = [z[end - size : end].reshape([-1 if j == i else 1 for j in range(k)])
               for i, (end, size) in enumerate(zip(ends, seen.shape, strict=True))]  # fmt: skip
    payoffs = []
    for i in range(k):
        against = [expit(by_side[i] - by_side[j]) for j in range(k) if j != i]
        payoffs.append(np.broadcast_to(sum(np.broadcast_to(p, seen.shape) for p in against) / (k - 1), seen.shape))
    return payoffs
