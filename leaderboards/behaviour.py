"""How agents play: win rates, payoffs, failures, costs and the game's own metrics, each with its standard error.

A game's metric that is undefined in a match is missing there, never 0, and left empty when seen in fewer than five
deals. Win rates are of contests. Standard errors are over the means of deals: matches of one deal are no independent
evidence.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from pandas import DataFrame

from arena.leaderboards import matches
from arena.leaderboards.arrays import Floats, Ints
from arena.leaderboards.fitting.teams import teams
from arena.leaderboards.matchfile import NOT_METRICS, TURNS

__all__ = ["game_metrics", "table"]

MIN_DEALS = 5
RATES = ("illegal", "repaired", "refused", "timeout")
AMOUNTS = ("tokens_in", "tokens_out", "cost_usd", "seconds")


def table(match_table: DataFrame) -> DataFrame:
    """One row for each agent and role, and one with role "" for the agent in all its roles: `<metric>`, `<metric>_sem`
    and `<metric>_n`, the number of deals."""
    done = matches.finished(match_table)
    rows = _seats(done)
    parts = [_summary(rows.assign(role=""), done)]
    if matches.has_roles(done):
        held = (done["role"] != "").to_numpy()
        parts.append(_summary(rows[held], done[held]))
    out = pd.concat(parts, ignore_index=True)
    return out.sort_values(["agent", "role"], kind="stable", ignore_index=True)


def game_metrics(done: DataFrame) -> list[str]:
    """The columns that are metrics of the games: numbers, and none of the columns that every match table may have."""
    return [c for c in sorted(map(str, done.columns)) if c not in NOT_METRICS and _is_number(done[c])]


def of_matches(done: DataFrame) -> list[str]:
    """The metrics that say the same of every seat of a match: figures of the match, for everybody who was in it."""
    start = np.flatnonzero(matches.new_values(done["match_id"]))
    several = np.diff(np.r_[start, len(done)]) > 1
    out = []
    for name in game_metrics(done):
        values = _numbers(done, name)
        low, high = np.minimum.reduceat(values, start), np.maximum.reduceat(values, start)  # not a number if one is not
        known = np.add.reduceat((~np.isnan(values)).astype(np.intp), start) > 0
        if (several & known).any() and (low == high)[several & known].all():
            out.append(name)
    return out


def _is_number(column: pd.Series) -> bool:
    if pd.api.types.is_numeric_dtype(column):
        return True
    return bool(column.notna().any() and pd.to_numeric(column, errors="coerce").notna().equals(column.notna()))


def _seats(done: DataFrame) -> DataFrame:
    """Each seat: agent, role, deal, match, team, side, and what its team won; not a number in what is no contest."""
    found = teams(done)
    top = np.bincount(found.match[found.rank == 1], minlength=len(found.match_size))[found.match]
    won = np.where(found.rank == 1, 1.0 / np.maximum(top, 1), 0.0)[found.seat_team]
    return DataFrame(
        {
            "agent": done["agent"],
            "role": done["role"],
            "deal": pd.factorize(done["deal_id"])[0],
            "match": pd.factorize(done["match_id"])[0],
            "team": found.seat_team,
            "side": matches.side_labels(done),
            "won": np.where(matches.is_contest(done), won, np.nan),
        }
    )


def _summary(rows: DataFrame, done: DataFrame) -> DataFrame:
    keys = rows[["agent", "role"]].drop_duplicates().sort_values(["agent", "role"], ignore_index=True)
    group = np.asarray(rows.groupby(["agent", "role"], sort=True).ngroup(), dtype=np.intp)
    deal = rows["deal"].to_numpy()
    won, side = rows["won"].to_numpy(), rows["side"].to_numpy()
    out: dict[str, Floats | Ints] = {}

    def add(name: str, value: Floats, at: Ints, base: Floats | None = None, least: int = 1) -> None:
        mean, sem, n = _means(group[at], deal[at], value, np.ones(len(value)) if base is None else base, len(keys))
        out[name] = np.asarray(np.where(n < least, np.nan, mean))
        out[f"{name}_sem"] = np.asarray(np.where(n < least, np.nan, sem))
        out[f"{name}_n"] = n

    every = np.arange(len(rows))
    # An agent with several seats in a team wins once; its amounts in a match add up.
    entries = np.unique(group * (rows["team"].max() + 1) + rows["team"], return_index=True)[1]
    _, units, unit = np.unique(
        group * (rows["match"].max() + 1) + rows["match"], return_index=True, return_inverse=True
    )
    add("win_rate", won[entries], entries)
    for name in sorted(set(side)):
        add(f"win_rate_{name}", np.where(side == name, won, np.nan)[entries], entries)
    add("payoff", _numbers(done, "payoff"), every)
    turns = np.nansum([_numbers(done, c) for c in TURNS], axis=0)
    for rate in RATES:
        add(f"{rate}_rate", _numbers(done, rate), every, turns)
    add("forfeit_rate", np.minimum(_sums(unit, _numbers(done, "forfeit")), 1.0), units)
    for amount in AMOUNTS:
        add(f"{amount}_per_match", _sums(unit, _numbers(done, amount)), units)
    for metric in game_metrics(done):
        taken = metric in out or metric in keys
        add(f"metric_{metric}" if taken else metric, _numbers(done, metric), every, least=MIN_DEALS)
    return pd.concat([keys, DataFrame(out, index=keys.index)], axis=1)


def _sums(unit: Ints, value: Floats) -> Floats:
    """The sum over each unit; unknown where a part of it is."""
    return np.asarray(np.bincount(unit.ravel(), value), dtype=np.float64)


def _numbers(done: DataFrame, column: str) -> Floats:
    if column not in done:
        return np.full(len(done), np.nan)
    return pd.to_numeric(done[column], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


def _means(group: Ints, deal: Ints, value: Floats, base: Floats, n_groups: int) -> tuple[Floats, Floats, Ints]:
    """For each group the sum of value over the sum of base, the standard error over the same of each deal, and the
    number of deals. Entries without a value or with nothing to divide by are not there."""
    there = np.isfinite(value) & (base > 0)
    group, deal, value, base = group[there], deal[there], value[there], base[there]
    if not len(group):
        none = np.full(n_groups, np.nan)
        return none, none, np.zeros(n_groups, dtype=np.intp)
    total, bases = np.bincount(group, value, minlength=n_groups), np.bincount(group, base, minlength=n_groups)
    key, at = np.unique(group * (deal.max() + 1) + deal, return_inverse=True)
    by_deal = np.bincount(at.ravel(), value) / np.bincount(at.ravel(), base)
    owner = key // (deal.max() + 1)
    n = np.bincount(owner, minlength=n_groups)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / bases
        centre = np.bincount(owner, by_deal, minlength=n_groups) / n
        spread = np.bincount(owner, (by_deal - centre[owner]) ** 2, minlength=n_groups) / (n - 1)
        sem = np.where(n > 1, np.sqrt(spread / n), np.nan)
    return mean, sem, n
