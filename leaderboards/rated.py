"""What a rating method returns, and the interval columns of every fitted one."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from pandas import DataFrame

from arena.core.errors import UnknownName
from arena.leaderboards.arrays import Floats
from arena.leaderboards.columns import role_columns
from arena.leaderboards.fitting.bootstrap import interval, p_top1, rank_bounds, replicates, stream
from arena.leaderboards.fitting.fit import SCALE, Fit, Solved, rating


class Rated(NamedTuple):
    """`table`: one row an agent, with `agent` and the method's own columns; `meta`: how it was computed."""

    table: DataFrame
    meta: dict[str, Any]


def rated(solved: Solved, fit: Fit, *, method: str, seed: int, bootstrap: int, anchor: str | None) -> Rated:
    """The ratings of a fit with intervals, chances to be best, ranks and their bounds.

    With an anchor, ratings are differences to that agent, who stands at 1500 without an interval.
    """
    found = replicates(solved, stream(seed, method), bootstrap)
    order = [solved.named.agents.index(agent) for agent in fit.agents]
    params = found.params[:, : solved.named.n]
    at = None if anchor is None else _place(fit.agents, anchor)
    raw = params @ solved.named.overall()[order].T
    shift = np.zeros((len(raw), 1)) if at is None else raw[:, [at]]
    theta = fit.table["theta"].to_numpy()
    zero = 0.0 if at is None else theta[at]
    draws = raw - shift
    low, high = interval(rating(draws))
    best, worst = rank_bounds(draws)
    columns = {
        "theta": theta - zero,
        "rating": rating(theta - zero),
        "rating_lo": low,
        "rating_hi": high,
        "rating_se": SCALE * _errors(fit.cov, at),
        "p_top1": p_top1(draws),
        "rank": np.arange(1, len(theta) + 1),
        "rank_lb": best,
        "rank_ub": worst,
    }
    for role in solved.named.roles:
        known = fit.table[f"theta_{role}"].to_numpy()
        low, high = interval(rating(params @ solved.named.in_role(role)[order].T - shift))
        point, lower, upper = role_columns([role])
        columns[point] = rating(known - zero)
        columns[lower] = np.where(np.isnan(known), np.nan, low)
        columns[upper] = np.where(np.isnan(known), np.nan, high)
    table = fit.table[["agent", "n_matches", "n_wins", "n_ties", "n_losses", *_extra(fit.table)]].assign(**columns)
    offsets = params[:, solved.named.first_offset :]
    meta = describe(fit) | {
        "bootstrap": {"replicates": bootstrap, "with_prior": found.n_prior},
        "intervals": "bootstrap over clusters" if bootstrap else "normal, sandwich covariance",
        "offsets": _offsets(fit, offsets),
    }
    return Rated(table, meta)


def _place(agents: list[Any], anchor: str) -> int:
    if anchor not in agents:
        raise UnknownName("agent to anchor the ratings on", anchor, map(str, agents))
    return agents.index(anchor)


def _errors(cov: Floats, at: int | None) -> Floats:
    """Standard errors of strengths, or of their differences to the anchor."""
    variance = np.diag(cov) if at is None else np.diag(cov) + cov[at, at] - 2 * cov[at]
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)))


def _extra(table: DataFrame) -> list[str]:
    return [column for column in ("n_games", "provisional") if column in table]


def _offsets(fit: Fit, draws: Floats) -> dict[str, dict[str, float]]:
    if not fit.biases:
        return {}
    low, high = interval(draws)
    return {
        key: {"value": value, "lo": float(low[i]), "hi": float(high[i])}
        for i, (key, value) in enumerate(fit.biases.items())
    }


def describe(fit: Fit) -> dict[str, Any]:
    """The facts of a fit that a board's meta holds."""
    keys = ("regularised", "reason", "n_components", "n_matches", "n_clusters", "n_self", "iterations", "nu")
    return {key: getattr(fit, key) for key in keys} | {"log_likelihood": fit.log_likelihood, **fit.details}
