"""The plain method: what every agent did, counted. No model, neither scipy nor pandas: quick on any number of matches.

Win rates and mean payoffs have 95 % intervals clustered by deal (Student's t; Wilson's form for rates, which stays
between 0 and 1). Void and failed matches are counted, never scored. `summary` takes the objects of a match file as
they are, `counted` the columns of any source.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from arena.core.errors import UsageError
from arena.leaderboards.arrays import Bools, Floats, Ints
from arena.leaderboards.matchfile import TURNS, seat_rows

if TYPE_CHECKING:
    from pandas import DataFrame

    from arena.leaderboards.rated import Rated

__all__ = ["Seats", "counted", "name", "rate", "summary"]

name = "plain"
STATUSES = ("done", "void", "failed")
Row = Mapping[str, Any]


class Seats(NamedTuple):
    """Names of agents, matches and deals; then one entry a seat: the numbers of its agent, match and deal, of its
    status (in STATUSES) and of its team in its match; what it was paid and did, not a number where that is unknown."""

    agents: list[str]
    matches: list[str]
    deals: list[str]
    agent: Ints
    match: Ints
    deal: Ints
    status: Ints
    team: Ints
    rank: Floats
    payoff: Floats
    turns: Floats
    illegal: Floats
    tokens: Floats
    cost: Floats
    contest: Bools  # whether who got more has won


def summary(matches: Iterable[Row]) -> list[dict[str, Any]]:
    """One row an agent from the objects of a match file, by win rate, then name."""
    return rows_of(seat_rows(matches))


def rows_of(seats: Iterable[Row]) -> list[dict[str, Any]]:
    """The same from flat rows, one a seat."""
    return counted(seats_of(seats))


def seats_of(rows: Iterable[Row]) -> Seats:
    """The columns of flat rows; what cannot be counted is an error that names the match."""
    rows = list(rows)
    agents, agent = codes(str(row["agent"]) for row in rows)
    matches, match = codes(str(row["match_id"]) for row in rows)
    deals, deal = codes(str(row.get("deal_id") or row["match_id"]) for row in rows)
    seat = codes(row.get("seat", "") for row in rows)[1]
    payoff = _numbers(rows, "payoff")
    given = np.array([row.get("payoff") is not None for row in rows], dtype=bool)
    status = [row.get("status") or "done" for row in rows]
    known = np.array([one in STATUSES for one in status], dtype=bool)
    once = np.zeros(len(rows), dtype=bool)
    once[_distinct(match, seat)] = True
    for at in np.flatnonzero(~known | ~once | given & ~np.isfinite(payoff)):
        row = rows[at]
        if not known[at]:
            raise UsageError(f"status: match {row['match_id']} is {status[at]!r}, not one of {', '.join(STATUSES)}")
        if not once[at]:
            raise UsageError(f"seat: match {row['match_id']} has {row.get('seat')} twice")
        raise UsageError(f"payoff: match {row['match_id']} pays {row['payoff']}, which is not a finite number")
    return Seats(
        agents=agents,
        matches=matches,
        deals=deals,
        agent=agent,
        match=match,
        deal=deal,
        status=np.array([STATUSES.index(one) for one in status], dtype=np.intp),
        team=codes(("team", row["team"]) if row.get("team") else ("seat", row.get("seat", "")) for row in rows)[1],
        rank=_numbers(rows, "rank"),
        payoff=payoff,
        turns=np.sum([np.nan_to_num(_numbers(rows, turn)) for turn in TURNS], axis=0),
        illegal=np.nan_to_num(_numbers(rows, "illegal")),
        tokens=_numbers(rows, "tokens_in") + _numbers(rows, "tokens_out"),
        cost=_numbers(rows, "cost_usd"),
        contest=np.array([row.get("contest", True) for row in rows], dtype=bool),
    )


def _numbers(rows: list[Row], key: str) -> Floats:
    """A column of numbers; unknown ones are none."""
    try:
        return np.array([row.get(key) for row in rows], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise UsageError(f"{key}: a value is not a number") from error


def codes(labels: Iterable[Any]) -> tuple[list[Any], Ints]:
    """The distinct labels, and the place of each label among them."""
    known: dict[Any, int] = {}
    places = [known.setdefault(label, len(known)) for label in labels]
    return list(known), np.array(places, dtype=np.intp)


def joined(parts: list[Seats]) -> Seats:
    """The seats of several sources. Agents and deals of one name are one; no match may be in two sources."""
    if len(parts) == 1:
        return parts[0]
    agents, agent = _merged([part.agents for part in parts], [part.agent for part in parts])
    matches, match = _merged([part.matches for part in parts], [part.match for part in parts])
    deals, deal = _merged([part.deals for part in parts], [part.deal for part in parts])
    if len(matches) < sum(len(part.matches) for part in parts):
        times = Counter(name for part in parts for name in part.matches)
        raise UsageError(f"match {times.most_common(1)[0][0]} is in two of the runs or match files")
    rest: dict[str, Any] = {key: np.concatenate([getattr(part, key) for part in parts]) for key in Seats._fields[6:]}
    return Seats(agents, matches, deals, agent, match, deal, **rest)


def _merged(names: list[list[str]], places: list[Ints]) -> tuple[list[str], Ints]:
    """The distinct names of several lists, and the places in each list as places among them."""
    distinct, place = codes(name for part in names for name in part)
    starts = np.cumsum([0, *map(len, names)])
    return distinct, np.concatenate([place[start + own] for start, own in zip(starts, places, strict=False)])


# --- counting -------------------------------------------------------------------------------------------------------


def counted(seats: Seats) -> list[dict[str, Any]]:
    """One row an agent, by win rate, then name. An amount that some seat lacks is None: never a sum of the others."""
    n = len(seats.agents)
    first = _distinct(seats.agent, seats.match)
    matches = [np.bincount(seats.agent[first[seats.status[first] == k]], minlength=n) for k in range(len(STATUSES))]
    done = Seats(*seats[:3], *(column[seats.status == 0] for column in seats[3:]))
    won = _won(done)
    entry = _distinct(done.agent, done.match, done.team)  # an agent with several seats in a team wins once
    entry = entry[~np.isnan(won[entry])]
    agent, share = done.agent[entry], won[entry]
    ended = [np.bincount(agent[kind], minlength=n) for kind in (share == 1, (share > 0) & (share < 1), share == 0)]
    win = shares(clustered_means(agent, done.deal[entry], share, n))
    paid = ~np.isnan(done.payoff)
    payoff = intervals(clustered_means(done.agent[paid], done.deal[paid], done.payoff[paid], n))
    turns, illegal, tokens, cost = (
        np.bincount(done.agent, amount, minlength=n) for amount in (done.turns, done.illegal, done.tokens, done.cost)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        columns = {
            "n_matches": matches[0],
            "n_void": matches[1],
            "n_failed": matches[2],
            "n_wins": ended[0],
            "n_ties": ended[1],
            "n_losses": ended[2],
            **{f"win_rate{end}": value for end, value in zip(("", "_lo", "_hi"), win, strict=True)},
            **{f"payoff{end}": value for end, value in zip(("", "_lo", "_hi"), payoff, strict=True)},
            "illegal_per_100_turns": 100 * illegal / turns,
            "tokens_per_match": tokens / matches[0],
            "cost_usd_per_match": cost / matches[0],
        }
    lists = {key: [None if value != value else value for value in column.tolist()] for key, column in columns.items()}
    rows = [
        {"agent": agent, **{key: values[i] for key, values in lists.items()}} for i, agent in enumerate(seats.agents)
    ]
    return sorted(rows, key=lambda row: (-(-math.inf if row["win_rate"] is None else row["win_rate"]), row["agent"]))


def _distinct(*codes: Ints) -> Ints:
    """The first place of each combination."""
    key = codes[0]
    for code in codes[1:]:
        key = key * (int(code.max(initial=0)) + 1) + code
    return np.asarray(np.unique(key, return_index=True)[1], dtype=np.intp)


def _won(done: Seats) -> Floats:
    """For each seat what its team won: 1 alone at the top, a share of it in a tie, 0 behind; unknown where a match has
    neither all ranks nor all payoffs, or is no contest."""
    n = int(done.match.max(initial=-1)) + 1
    key = done.match * (int(done.team.max(initial=0)) + 1) + done.team
    first, team = np.unique(key, return_index=True, return_inverse=True)[1:]
    match = done.match[first]
    mean = np.bincount(team, done.payoff, minlength=len(first)) / np.bincount(team, minlength=len(first))
    unranked = np.bincount(done.match, np.isnan(done.rank), minlength=n)[match] > 0
    score = np.where(unranked, mean, -done.rank[first])
    top = np.full(n, -np.inf)
    with np.errstate(invalid="ignore"):
        np.maximum.at(top, match, score)  # a score that is not known makes its match's top unknown
    best = score == top[match]
    share = best / np.maximum(np.bincount(match, best, minlength=n), 1)[match]
    return np.asarray(np.where(done.contest, np.where(np.isnan(top[match]), np.nan, share)[team], np.nan))


class Means(NamedTuple):
    """By group the mean of its values, the mean's standard error when clusters, not values, are independent, and how
    many clusters there are; not a number where there is nothing, or one cluster, to judge by."""

    mean: Floats
    error: Floats
    clusters: Ints


def clustered_means(group: Ints, cluster: Ints, value: Floats, n: int) -> Means:
    base = int(cluster.max(initial=0)) + 1
    key, at = np.unique(group * base + cluster, return_inverse=True)
    count, total = np.bincount(group, minlength=n), np.bincount(group, value, minlength=n)
    owner = key // base
    clusters = np.bincount(owner, minlength=n)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / count
        rest = np.bincount(at, value, minlength=len(key)) - mean[owner] * np.bincount(at, minlength=len(key))
        squares = np.bincount(owner, rest**2, minlength=n)
        error = np.where(clusters > 1, np.sqrt(clusters / (clusters - 1) * squares) / count, np.nan)
    return Means(mean, error, clusters)


def intervals(found: Means) -> tuple[Floats, Floats, Floats]:
    """Means with their 95 % intervals by Student's t."""
    half = np.array([t_quantile(g - 1) if g > 1 else math.nan for g in found.clusters.tolist()]) * found.error
    return found.mean, found.mean - half, found.mean + half


def shares(found: Means) -> tuple[Floats, Floats, Floats]:
    """The same of shares: intervals that stay between 0 and 1."""
    pairs = [share_interval(*one) for one in zip(*(column.tolist() for column in found), strict=True)]
    low, high = np.array(pairs, dtype=np.float64).reshape(-1, 2).T
    return found.mean, low, high


def share_interval(share: float, error: float, clusters: int) -> tuple[float, float]:
    """Wilson's 95 % interval of a share with this standard error, from its effective number of trials (of clusters,
    where these show no spread) and Student's quantile; not a number from one cluster."""
    if clusters < 2 or not error >= 0:
        return math.nan, math.nan
    spread, z = max(share * (1 - share), 0.0), t_quantile(clusters - 1)
    trials = max(spread / error**2, 1.0) if error > 1e-9 else float(clusters)
    centre = share + z * z / (2 * trials)
    half = z * math.sqrt(spread / trials + z * z / (4 * trials * trials))
    scale = 1 + z * z / trials
    return max(0.0, (centre - half) / scale), min(1.0, (centre + half) / scale)


def t_quantile(freedom: int) -> float:
    """The 97.5 % point of Student's t: by table up to 4, then by expansion around the normal one (error < .002)."""
    if freedom <= 4:
        return (12.7062, 4.3027, 3.1824, 2.7764)[freedom - 1]
    z = 1.959964
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + math.fsum(term / freedom ** (k + 1) for k, term in enumerate(terms))


def rate(table: DataFrame, *, seed: int = 0, bootstrap: int = 0, **options: Any) -> Rated:
    """The summary as a rating method; nothing is random, so seed, bootstrap and anchor change nothing."""
    from pandas import DataFrame

    from arena.leaderboards.matches import checked, records
    from arena.leaderboards.rated import Rated

    return Rated(DataFrame(rows_of(records(checked(table)))), {"settings": {}})
