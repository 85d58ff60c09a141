"""What an auction match shows of its residents, from the record alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from arena.core.match import Match


def metrics(match: Match) -> dict[str, float | None]:
    """Per seat: `survival_round`, `spend`, `overbid`, `adaptation_index`. All: `average_survival_round`,
    `survival_rate`."""
    days = [event.facts for event in match.events if event.kind == "auction"]
    found: dict[str, float | None] = {"average_survival_round": None, "survival_rate": None}
    if match.payoffs is not None:
        # As published: the day on which a resident dies counts; who lives to the end has survived all days.
        died = {seat: facts["day"] for facts in days for seat in facts["out"]}
        lived = {seat: float(died.get(seat, match.rules["days"])) for seat in match.seats}
        found["average_survival_round"] = fmean(lived.values())
        found["survival_rate"] = fmean(match.payoffs.values())
        found |= {f"survival_round_{seat}": lived[seat] for seat in match.seats}
    for seat in match.seats:
        won = [facts for facts in days if seat in facts["winners"]]
        found[f"spend_{seat}"] = float(sum(facts["bids"][seat] for facts in won))
        found[f"overbid_{seat}"] = fmean(overbid(facts, seat) for facts in won) if won else None
        found[f"adaptation_index_{seat}"] = adaptation_index(days, seat, match.rules["days"])
    return found


def overbid(facts: Mapping[str, Any], seat: str) -> int:
    """What a winner paid beyond one more than the highest losing bid; all of it if nobody lost."""
    losing = [bid for other, bid in facts["bids"].items() if other not in facts["winners"]]
    bid: int = facts["bids"][seat]
    return max(0, bid - max(losing) - 1) if losing else bid


def adaptation_index(days: Sequence[Mapping[str, Any]], seat: str, length: int) -> float | None:
    """Mean |bid - highest bid of the others| in the second half of the days over that of the first half.

    Means, as published for this game, since few residents play both halves to the end. None with fewer than two days
    in a half, or when the first half's mean is 0.
    """
    halves: tuple[list[int], list[int]] = [], []
    for facts in days:
        others = [bid for other, bid in facts["bids"].items() if other != seat]
        if seat in facts["bids"] and others:
            halves[facts["day"] > length // 2].append(abs(facts["bids"][seat] - max(others)))
    first, second = halves
    if len(first) < 2 or len(second) < 2 or not sum(first):
        return None
    return fmean(second) / fmean(first)
