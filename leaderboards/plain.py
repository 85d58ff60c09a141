"""The plain method: what every agent did, counted. No model, no scipy: fit for a live display and for any match table.

Win rates and mean payoffs have 95 % intervals clustered by deal (Student's t). Void and failed matches are counted,
never scored. `summary` takes the objects of a match file as they are.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from arena.leaderboards.matchfile import TURNS, seat_rows

if TYPE_CHECKING:
    from pandas import DataFrame

    from arena.leaderboards.rated import Rated

__all__ = ["name", "rate", "summary"]

name = "plain"
Row = Mapping[str, Any]


def summary(matches: Iterable[Row]) -> list[dict[str, Any]]:
    """One row an agent from the objects of a match file, by win rate, then name."""
    return rows_of(seat_rows(matches))


def rows_of(seats: Iterable[Row]) -> list[dict[str, Any]]:
    """The same from flat rows, one a seat. An amount that some seat lacks is None: never a sum of the others."""
    by_match: dict[str, list[Row]] = defaultdict(list)
    for seat in seats:
        by_match[str(seat["match_id"])].append(seat)
    agents: dict[str, _Agent] = defaultdict(_Agent)
    for match_id, match in by_match.items():
        status = match[0].get("status") or "done"
        deal = str(match[0].get("deal_id") or match_id)
        won = _won(match) if status == "done" else {}
        for agent in {str(seat["agent"]) for seat in match}:
            own = [seat for seat in match if str(seat["agent"]) == agent]
            agents[agent].add(status, deal, own, [won.get(team) for team in {_team(seat) for seat in own}])
    found = [agents[agent].row(agent) for agent in sorted(agents)]
    return sorted(found, key=lambda row: -math.inf if row["win_rate"] is None else row["win_rate"], reverse=True)


def _team(seat: Row) -> tuple[str, str]:
    return ("team", str(seat["team"])) if seat.get("team") else ("seat", str(seat.get("seat", "")))


def _won(match: list[Row]) -> dict[tuple[str, str], float | None]:
    """1 for a team that won alone, a share for each that tied at the top, 0 for the rest; by payoff without ranks."""
    scores: dict[tuple[str, str], float] = {}
    for team in {_team(seat) for seat in match}:
        own = [seat for seat in match if _team(seat) == team]
        if all(seat.get("rank") is not None for seat in own):
            scores[team] = -float(own[0]["rank"])
        elif all(seat.get("payoff") is not None for seat in own):
            scores[team] = math.fsum(seat["payoff"] for seat in own) / len(own)
        else:
            return {}
    top = [team for team, score in scores.items() if score == max(scores.values())]
    return {team: 1 / len(top) if team in top else 0.0 for team in scores}


class _Agent:
    """The running counts of one agent."""

    def __init__(self) -> None:
        self.n = {"done": 0, "void": 0, "failed": 0}
        self.results = [0, 0, 0]
        self.wins: dict[str, list[float]] = defaultdict(list)
        self.payoffs: dict[str, list[float]] = defaultdict(list)
        self.turns, self.illegal = 0.0, 0.0
        self.tokens: float | None = 0.0
        self.cost: float | None = 0.0

    def add(self, status: str, deal: str, own: list[Row], won: list[float | None]) -> None:
        """One match: the agent's seats in it, and how each of its teams ended."""
        self.n[status] = self.n.get(status, 0) + 1
        if status != "done":
            return
        for share in won:
            if share is not None:
                self.results[0 if share == 1 else 1 if share else 2] += 1
                self.wins[deal].append(share)
        for seat in own:
            if seat.get("payoff") is not None:
                self.payoffs[deal].append(float(seat["payoff"]))
            self.turns += sum(seat.get(turn) or 0 for turn in TURNS)
            self.illegal += seat.get("illegal") or 0
            self.tokens = _plus(self.tokens, seat.get("tokens_in"), seat.get("tokens_out"))
            self.cost = _plus(self.cost, seat.get("cost_usd"))

    def row(self, agent: str) -> dict[str, Any]:
        win, payoff = clustered_mean(self.wins), clustered_mean(self.payoffs)
        n = self.n["done"]
        return {
            "agent": agent,
            "n_matches": n,
            "n_void": self.n["void"],
            "n_failed": self.n["failed"],
            "n_wins": self.results[0],
            "n_ties": self.results[1],
            "n_losses": self.results[2],
            "win_rate": win[0],
            "win_rate_lo": win[1],
            "win_rate_hi": win[2],
            "payoff": payoff[0],
            "payoff_lo": payoff[1],
            "payoff_hi": payoff[2],
            "illegal_per_100_turns": 100 * self.illegal / self.turns if self.turns else None,
            "tokens_per_match": self.tokens / n if n and self.tokens is not None else None,
            "cost_usd_per_match": self.cost / n if n and self.cost is not None else None,
        }


def _plus(total: float | None, *amounts: Any) -> float | None:
    if total is None or any(amount is None for amount in amounts):
        return None
    return total + sum(float(amount) for amount in amounts)


def clustered_mean(clusters: Mapping[str, list[float]]) -> tuple[float | None, float | None, float | None]:
    """The mean of all values, and its 95 % interval when clusters, not values, are independent; None: not known."""
    n = sum(map(len, clusters.values()))
    if not n:
        return None, None, None
    mean = math.fsum(value for values in clusters.values() for value in values) / n
    g = len(clusters)
    if g < 2:
        return mean, None, None
    squares = math.fsum((math.fsum(values) - mean * len(values)) ** 2 for values in clusters.values())
    half = t_quantile(g - 1) * math.sqrt(g / (g - 1) * squares) / n
    return mean, mean - half, mean + half


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
