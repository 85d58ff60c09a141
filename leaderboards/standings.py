"""The ratings that head a board: over all its set-ups, and of each set-up by itself; and which of them compare.

Several set-ups have one rating, by the method that heads the board, of the agents that were in two of them or more. An
agent of a single set-up is rated there, among those who played there: it never met the others.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
import pandas as pd
from pandas import DataFrame

from arena.core.errors import UsageError
from arena.leaderboards import contest, matches
from arena.leaderboards.columns import RANKS, RATING, SEVERAL, role_columns, roles
from arena.leaderboards.rated import Rated

FITTED = ("bt", "pl", "composite")  # their tables have what a headline needs, and meta the ratings of the others
TOLD = ("rating", "rating_lo", "rating_hi", "rank", "rank_lb", "rank_ub", "p_top1")


class Standings(NamedTuple):
    """`table`: by agent its rating columns, the method that gave them, whether that needed a prior, and its pool by
    name; `games`: of each set-up, where there are several, the same as facts for the meta."""

    table: DataFrame
    games: dict[str, Any]


class Rate(Protocol):
    """A rating method by name, applied to a table."""

    def __call__(self, name: str, table: DataFrame) -> Rated: ...


def standings(done: DataFrame, headline: str, found: Rated, rate: Rate, anchor: str | None = None) -> Standings:
    """`found`: what the method `headline` says of these finished matches. `anchor`: the agent at 1500 where it is."""
    overall = _rows(headline, found, anchor)
    overall["pool"] = overall["agent"].map(pool_names(done, _pools(found)))
    setup = matches.setup_names(done)
    if setup.nunique() < 2 or headline not in FITTED:
        return Standings(overall, {})
    only = contest.apart(done)
    games, tables = {}, [overall[overall["agent"].map(only) == ""]]
    method = "bt" if headline == "composite" else headline
    for name in sorted(setup.unique()):
        own = matches.Checked(done[(setup == name).to_numpy()].reset_index(drop=True))
        try:
            one = rate(method, own)
        except UsageError as error:
            games[name] = {"why": str(error)}
            continue
        rows = _rows(method, one, anchor)
        rows["pool"] = rows["agent"].map(pool_names(own, _pools(one)))
        games[name] = _told(method, one, rows)
        rows["pool"] = name + rows["pool"].map(lambda side: f": {side}" if side else "")
        tables.append(rows[rows["agent"].map(only) == name])
    rated = [part for part in tables if len(part)] or [overall.iloc[:0]]  # nobody: `games` says why
    return Standings(pd.concat(rated, ignore_index=True), games)


def _rows(name: str, found: Rated, anchor: str | None) -> DataFrame:
    """The columns of a rating that a board publishes; `anchor` only of those whom it is a measure of."""
    table = found.table.assign(agent=found.table["agent"].astype(str))
    kept = ["agent", *RANKS, *RATING, *role_columns(roles(table.columns))]
    out = table[[c for c in kept if c in table]].copy()
    out["method"], out["regularised"] = name, bool(found.meta.get("regularised", False))
    pools = _pools(found)
    out["anchor"] = [anchor if anchor in pools and pools[agent] == pools[anchor] else None for agent in out["agent"]]
    return out.assign(provisional=table.get("provisional", False))


def _pools(found: Rated) -> dict[str, int]:
    table = found.table
    pool = table["pool"] if "pool" in table else np.zeros(len(table), dtype=int)
    return dict(zip(table["agent"].astype(str), map(int, pool), strict=True))


def pool_names(done: DataFrame, pools: dict[str, int]) -> dict[str, str]:
    """A name for the pool of each agent: its set-up and, where that has several pools, the side that its agents held,
    else a number; "" where one pool is all."""
    if not len(set(pools.values())) > 1:
        return dict.fromkeys(pools, "")
    only = contest.apart(done)
    held = matches.side_labels(done).groupby(done["agent"]).agg(lambda sides: "/".join(sorted(set(sides))))
    of_pool: dict[int, tuple[str, str]] = {}
    for agent in sorted(pools):
        setup = (only.get(agent) or SEVERAL) if only else ""
        side = str(held.get(agent, ""))
        known = of_pool.setdefault(pools[agent], (setup, side))
        if known[1] != side:
            of_pool[pools[agent]] = (setup, "")
    pairs = list(of_pool.values())
    roles_known = matches.has_roles(done)
    names = {}
    for number, (pool, (setup, side)) in enumerate(sorted(of_pool.items()), start=1):
        alone = sum(other[0] == setup for other in pairs) == 1
        told = side if roles_known and side and pairs.count((setup, side)) == 1 else f"pool {number}"
        names[pool] = ": ".join(part for part in (setup, "" if alone else told) if part)
    return {agent: names[pool] for agent, pool in pools.items()}


def _told(method: str, found: Rated, rows: DataFrame) -> dict[str, Any]:
    """A set-up's own ratings and how they were made, for the meta."""
    several = rows["pool"].nunique() > 1
    kept = [c for c in (*TOLD, *(["pool"] if several else [])) if c in rows]
    meta = found.meta
    facts = ("regularised", "reason", "n_components", "n_matches", "n_clusters", "offsets", "undetermined", "anytime")
    return {
        "method": method,
        "agents": {str(row["agent"]): {c: row[c] for c in kept} for row in rows.to_dict("records")},
        **{key: meta[key] for key in facts if key in meta},
    }
