"""What a rating method returns, and the interval columns of every fitted one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from pandas import DataFrame

from arena.core.errors import UnknownName
from arena.leaderboards import contest
from arena.leaderboards.arrays import Bools, Floats, Ints
from arena.leaderboards.columns import role_columns
from arena.leaderboards.fitting.bootstrap import interval, p_top1, rank_bounds, replicates, stream
from arena.leaderboards.fitting.fit import SCALE, Fit, Solved, rating


class Rated(NamedTuple):
    """`table`: one row an agent, with `agent` and the method's own columns; `meta`: how it was computed."""

    table: DataFrame
    meta: dict[str, Any]


def rated(
    solved: Solved, fit: Fit, *, method: str, seed: int, bootstrap: int, anchor: str | None, done: DataFrame | None
) -> Rated:
    """The ratings of a fit with intervals, chances to be best, ranks and their bounds.

    With an anchor, ratings are differences to that agent, who stands at 1500 without an interval. `done`: the matches,
    for the pools of agents that they compare: where there are several, ratings and ranks are those within a pool, and
    the column `pool` tells them apart. An agent of a single deal, or alone in its pool, has no interval.
    """
    found = replicates(solved, stream(seed, method), bootstrap)
    order = [solved.named.agents.index(agent) for agent in fit.agents]
    params = found.params[:, : solved.named.n]
    pool = _pools(solved, fit, done)
    at = None if anchor is None else _place(fit.agents, anchor)
    zero = _zeros(pool, at)
    raw = params @ solved.named.overall()[order].T
    draws, shift = raw - raw @ zero.T, raw @ zero.T
    theta = fit.table["theta"].to_numpy()
    low, high = interval(rating(draws))
    columns = {
        "theta": theta - zero @ theta,
        "rating": rating(theta - zero @ theta),
        "rating_lo": low,
        "rating_hi": high,
        "rating_se": SCALE * _errors(fit.cov, zero),
        **_ranking(draws, pool),
    }
    columns["rank"] = columns["rank"].astype(np.intp)
    known = _several_deals(fit, done, solved.clusters.total)
    alone = np.bincount(pool)[pool] < 2
    for column in ("rating_lo", "rating_hi", "rating_se", "p_top1", "rank_lb", "rank_ub"):
        columns[column] = np.where(known("") & ~alone, columns[column], np.nan)
    for role in solved.named.roles:
        value = fit.table[f"theta_{role}"].to_numpy()
        low, high = interval(rating(params @ solved.named.in_role(role)[order].T - shift))
        point, lower, upper = role_columns([role])
        columns[point] = rating(value - zero @ theta)
        columns[lower] = np.where(np.isnan(value) | ~known(role), np.nan, low)
        columns[upper] = np.where(np.isnan(value) | ~known(role), np.nan, high)
    if pool.any():
        columns["pool"] = pool
    table = fit.table[["agent", "n_matches", "n_wins", "n_ties", "n_losses", *_extra(fit.table)]].assign(**columns)
    offsets = params[:, solved.named.first_offset :]
    meta = describe(fit) | {
        "bootstrap": {"replicates": bootstrap, "with_prior": found.n_prior},
        "intervals": "bootstrap over clusters" if bootstrap else "normal, sandwich covariance",
        "offsets": _offsets(fit, offsets),
    }
    return Rated(table, meta)


def _pools(solved: Solved, fit: Fit, done: DataFrame | None) -> Ints:
    """The pool of each agent in the order of the fit, numbered as they appear there."""
    labels = {} if done is None else contest.apart(done)
    named = dict(zip(solved.named.agents, solved.groups.tolist(), strict=True))
    found = contest.joined(list(map(str, fit.agents)), np.array([named[agent] for agent in fit.agents]), labels)
    return np.array([found[str(agent)] for agent in fit.agents], dtype=np.intp)


def _zeros(pool: Ints, at: int | None) -> Floats:
    """Row i weighs strengths to what agent i is measured by: the mean of its pool, or the anchor in it. A single pool
    is centred as it is."""
    same = (pool[:, None] == pool).astype(np.float64)
    zero = same / same.sum(axis=1, keepdims=True) if pool.any() else np.zeros_like(same)
    if at is not None:
        zero[pool == pool[at]] = np.eye(len(pool))[at]
    return np.asarray(zero)


def _ranking(draws: Floats, pool: Ints) -> dict[str, Floats]:
    """Chance to be best, rank and its bounds, each within a pool."""
    out = {key: np.empty(len(pool)) for key in ("p_top1", "rank", "rank_lb", "rank_ub")}
    for one in range(int(pool.max()) + 1):
        own = np.flatnonzero(pool == one)
        out["p_top1"][own] = p_top1(draws[:, own])
        out["rank"][own] = np.arange(1, len(own) + 1)
        out["rank_lb"][own], out["rank_ub"][own] = rank_bounds(draws[:, own])
    return out


def _several_deals(fit: Fit, done: DataFrame | None, clusters: int) -> Callable[[str], Bools]:
    """Which agents were, in a role ("": in any), in the two deals that an interval needs."""
    if done is None:
        return lambda role: np.full(len(fit.agents), clusters > 1)
    seen = contest.deals(done)
    return lambda role: np.array([seen.get((str(agent), role), 0) > 1 for agent in fit.agents], dtype=bool)


def _place(agents: list[Any], anchor: str) -> int:
    if anchor not in agents:
        raise UnknownName("agent to anchor the ratings on", anchor, map(str, agents))
    return agents.index(anchor)


def _errors(cov: Floats, zero: Floats) -> Floats:
    """Standard errors of the differences of strengths to what they are measured by."""
    own = np.eye(len(cov)) - zero
    return np.asarray(np.sqrt(np.maximum(np.diag(own @ cov @ own.T), 0.0)))


def _extra(table: DataFrame) -> list[str]:
    return [column for column in ("n_games", "provisional") if column in table]


def _offsets(fit: Fit, draws: Floats) -> dict[str, dict[str, float]]:
    if not fit.biases:
        return {}
    low, high = interval(draws)
    return {
        key: {"value": value, "lo": float(low[i]), "hi": float(high[i])}
        for i, (key, value) in enumerate(fit.biases.items())
        if key not in fit.details.get("undetermined", ())
    }


def describe(fit: Fit) -> dict[str, Any]:
    """The facts of a fit that a board's meta holds."""
    keys = ("regularised", "reason", "n_components", "n_matches", "n_clusters", "n_self", "iterations", "nu")
    return {key: getattr(fit, key) for key in keys} | {"log_likelihood": fit.log_likelihood, **fit.details}
