"""What a rating may compare: matches that are contests, and agents whom they set against each other.

Both are in the match table, so that a board can be recomputed from its match file.

- A set-up is no contest if its matches say so (`contest` is false): its game pays the sides in units of their own, and
  who was paid more has not won. Methods that count wins leave such a set-up out.
- Agents form pools. Ratings and ranks compare within a pool only. Apart are: agents of one set-up, among several
  set-ups, from those of another; and agents whose difference no match determines (`fitting.comparable`).
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
from pandas import DataFrame

from arena.core.errors import UsageError
from arena.leaderboards import matches
from arena.leaderboards.arrays import Bools, Floats, Ints
from arena.leaderboards.fitting.comparable import groups
from arena.leaderboards.fitting.design import Roles, compare, sides_of_matches
from arena.leaderboards.fitting.likelihoods import TeamLogit
from arena.leaderboards.fitting.teams import Teams, teams

NO_CONTEST = "the game pays its sides in units of their own: who got more has not won"
SPREAD = 1e-9  # of sums that are equal


def no_contest(done: DataFrame) -> dict[str, str]:
    """The set-ups of these finished matches in which nobody wins against anybody, with the reason."""
    idle = matches.setup_names(done)[~matches.is_contest(done)]
    return dict.fromkeys(sorted(idle.unique()), NO_CONTEST)


def open_sums(done: DataFrame) -> list[str]:
    """The set-ups in which the payoffs of a match's teams do not add up to the same in all matches, forfeits aside:
    there being ahead is not the same as being paid well."""
    if "payoff" not in done:
        return []
    found = teams(done)
    first = np.flatnonzero(np.diff(found.match, prepend=-1))
    sums = np.bincount(found.match, _means(done, found))
    rows = DataFrame({"setup": matches.setup_names(done).to_numpy()[found.seat[first]], "sum": sums})
    by_setup = rows[~_forfeited(done, found)[first]].groupby("setup")["sum"]
    low, high, known = by_setup.min(), by_setup.max(), by_setup.count() == by_setup.size()
    varies = known & (high - low > SPREAD * np.maximum(1.0, np.maximum(high.abs(), low.abs())))
    return [str(name) for name in varies.index[varies]]


def _means(done: DataFrame, found: Teams) -> Floats:
    """The mean payoff of each team."""
    return np.asarray(np.bincount(found.seat_team, done["payoff"]) / found.size)


def _forfeited(done: DataFrame, found: Teams) -> Bools:
    """Teams of matches that ended by forfeit, which is paid by the policy and not by the rules."""
    if "forfeit" not in done:
        return np.zeros(len(found.match), dtype=bool)
    ended = pd.to_numeric(done["forfeit"], errors="coerce").fillna(0).to_numpy(dtype=float) > 0
    return np.asarray(np.bincount(found.match[found.seat_team], ended)[found.match] > 0)


# --- pools ----------------------------------------------------------------------------------------------------------


def apart(done: DataFrame) -> dict[str, str]:
    """For agents that were in one of several set-ups only, that set-up; "" for agents of several."""
    setup = matches.setup_names(done)
    if setup.nunique() < 2:
        return {}
    by_agent = setup.groupby(done["agent"]).agg(["nunique", "first"])
    only = np.where(by_agent["nunique"] == 1, by_agent["first"], "")
    return dict(zip(map(str, by_agent.index), map(str, only), strict=True))


def pools(done: DataFrame) -> dict[str, int]:
    """The pool of each agent, before any method has run."""
    sides = sides_of_matches(done)
    roles: Roles = "bias" if matches.has_roles(done) else "none"
    try:
        compared, named, design = compare(sides, roles, ["side"] if roles == "bias" else [])
    except UsageError:  # nothing compares anybody
        return {str(agent): i for i, agent in enumerate(sides.agents)}
    cells = compared.cells
    group, _ = groups(TeamLogit(design, cells.score, cells.weight), named, cells.times, compared.edges)
    return joined(list(map(str, named.agents)), group, apart(done))


def joined(agents: list[str], group: Ints, labels: dict[str, str]) -> dict[str, int]:
    """Pools: agents of equal group and equal label."""
    known: dict[tuple[int, str], int] = {}
    return {
        agent: known.setdefault((int(g), labels.get(agent, "")), len(known))
        for agent, g in zip(agents, group, strict=True)
    }


def deals(done: DataFrame) -> dict[tuple[str, str], int]:
    """In how many deals each agent was, over all its roles ("") and in each: an interval needs two."""
    rows = done[["agent", "role", "deal_id"]].drop_duplicates()
    held = zip(rows["agent"].tolist(), rows["role"].tolist(), strict=True)
    there = rows[["agent", "deal_id"]].drop_duplicates()["agent"].tolist()
    return {**Counter((agent, role) for agent, role in held), **Counter((agent, "") for agent in there)}
