"""Matches as teams: who sat in which team, how teams ranked, and every two teams of a match compared."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd
from pandas import DataFrame

from arena.leaderboards.arrays import Floats, Ints
from arena.leaderboards.matches import team_codes


class Teams(NamedTuple):
    """Team t plays in match `match[t]`; row i of the table sits in team `seat_team[i]`. Teams of a match follow each
    other, in the order of their first seat, whose row is `seat[t]`."""

    seat_team: Ints
    match: Ints
    rank: Ints
    size: Ints
    seat: Ints
    match_size: Ints  # teams in each match


def teams(done: DataFrame) -> Teams:
    """The teams of a checked table of finished matches."""
    match = pd.factorize(done["match_id"])[0]
    key = team_codes(done)
    seat_team = pd.factorize(match * (int(key.max()) + 1) + key)[0]
    first = np.unique(seat_team, return_index=True)[1]
    # Rows are sorted by match, so the first rows of teams are too, and teams of a match are numbered together.
    return Teams(
        seat_team=seat_team,
        match=match[first],
        rank=done["rank"].to_numpy()[first].astype(np.intp),
        size=np.bincount(seat_team),
        seat=first,
        match_size=np.bincount(match[first]),
    )


def team_pairs(found: Teams) -> tuple[Ints, Ints, Floats, Floats]:
    """Every unordered pair of teams of every match: first, second, score of the first, weight 1/(T-1)."""
    start = np.cumsum(found.match_size) - found.match_size
    firsts, seconds = [], []
    for size in np.unique(found.match_size):
        i, j = np.triu_indices(size, 1)
        begin = start[found.match_size == size][:, None]
        firsts.append((begin + i).ravel())
        seconds.append((begin + j).ravel())
    first, second = np.concatenate(firsts), np.concatenate(seconds)
    order = np.lexsort((second, first))
    first, second = first[order], second[order]
    score = 0.5 + 0.5 * np.sign(found.rank[second] - found.rank[first])
    weight = 1.0 / (found.match_size[found.match[first]] - 1)
    return first, second, score, weight


def team_results(done: DataFrame, found: Teams) -> DataFrame:
    """One row for each agent of each team: how its match ended for it. An agent on both sides counts on each."""
    at_top = np.bincount(found.match[found.rank == 1], minlength=len(found.match_size))[found.match]
    result = np.where(found.rank > 1, 0.0, 1.0 / np.maximum(at_top, 1))
    rows = DataFrame({"agent": done["agent"].to_numpy(), "team": found.seat_team})
    rows = rows.drop_duplicates(ignore_index=True)
    rows["win"] = result[rows["team"]]
    rows["match"] = found.match[rows["team"]]
    return rows


def tallies(rows: DataFrame) -> DataFrame:
    """n_matches, n_wins, n_ties, n_losses of each agent: rank 1 alone, rank 1 shared, the rest."""
    won, lost = rows["win"] == 1, rows["win"] == 0
    columns = {"n_matches": True, "n_wins": won, "n_ties": ~won & ~lost, "n_losses": lost}
    return DataFrame({"agent": rows["agent"], **columns}).astype(dict.fromkeys(columns, int)).groupby("agent").sum()


def seat_pairs(found: Teams) -> tuple[Ints, Ints, Floats, Floats, Ints]:
    """Every two seats of different teams of a match: rows of both, score of the first, weight, match.

    The seats of two teams share the weight of their comparison; the first row is always the earlier seat.
    """
    first, second, score, weight = team_pairs(found)
    members = np.argsort(found.seat_team, kind="stable")
    start = np.cumsum(found.size) - found.size
    firsts, seconds, origins = [], [], []
    for size_a, size_b in np.unique(np.column_stack([found.size[first], found.size[second]]), axis=0):
        at = np.flatnonzero((found.size[first] == size_a) & (found.size[second] == size_b))
        i, j = np.divmod(np.arange(size_a * size_b), size_b)
        firsts.append(members[start[first[at]][:, None] + i].ravel())
        seconds.append(members[start[second[at]][:, None] + j].ravel())
        origins.append(np.repeat(at, size_a * size_b))
    if not firsts:
        none = np.zeros(0, dtype=np.intp)
        return none, none, np.zeros(0), np.zeros(0), none
    a, b, origin = np.concatenate(firsts), np.concatenate(seconds), np.concatenate(origins)
    score, later = score[origin], a > b
    share = weight[origin] / (found.size[first] * found.size[second])[origin]
    a, b, score = np.where(later, b, a), np.where(later, a, b), np.where(later, 1 - score, score)
    return a, b, score, share, found.match[first][origin]
