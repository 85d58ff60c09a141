"""Proposals and ballots: who gets what it wants, and whether it wants the right thing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from arena.core.match import Match
from arena.games.avalon.metrics.outcome import mean, share


@dataclass
class Round:
    """One proposal: who led, the team, the teams that seats backed before it, the ballots, and what came of them."""

    leader: str
    needed: int
    team: list[str] = field(default_factory=list)
    backed: dict[str, list[str]] = field(default_factory=dict)
    votes: dict[str, str] = field(default_factory=dict)
    result: str = ""  # approved, rejected, auto_passed


def rounds(match: Match) -> list[Round]:
    found: list[Round] = []
    for event in match.events:
        facts: dict[str, Any] = event.facts
        if event.kind == "leader":
            found.append(Round(facts["leader"], match.rules["fails"][facts["quest"] - 1]))
        elif event.kind == "intent" and facts["backs"] and not found[-1].team:
            found[-1].backed[facts["speaker"]] = facts["backs"]
        elif event.kind == "proposed":
            found[-1].team = facts["team"]
        elif event.kind == "ballots":
            found[-1].votes = facts["votes"]
        elif event.kind in ("approved", "rejected", "auto_passed"):
            found[-1].result = event.kind
    return [r for r in found if r.result]


def votes(match: Match) -> dict[str, float | None]:
    """Per seat `influence`, `leadership`, `persuasion`, `vote_quality`; all: their means by side, `merlin_giveaway`."""
    played = rounds(match)
    decided = [r for r in played if r.result != "auto_passed"]
    found: dict[str, float | None] = {}
    for seat in match.seats:
        led = [r for r in decided if r.leader == seat]
        found[f"influence_{seat}"] = share((r.votes[seat] == "approve") == (r.result == "approved") for r in decided)
        found[f"leadership_{seat}"] = share(r.result == "approved" for r in led)
        found[f"persuasion_{seat}"] = share(
            r.team == r.backed[seat] for r in played if r.leader != seat and seat in r.backed
        )
        found[f"vote_quality_{seat}"] = quality(match, played, seat)
    called = [r for r in played if any(seat != r.leader for seat in r.backed)]
    found["persuasion"] = share(any(r.team == team for s, team in r.backed.items() if s != r.leader) for r in called)
    for side in ("good", "evil"):
        of_side = [seat for seat in match.seats if match.sides[seat] == side]
        found[f"vote_quality_{side}"] = pooled(match, played, of_side)
        for name in ("influence", "leadership"):
            found[f"{name}_{side}"] = mean(found[f"{name}_{seat}"] for seat in of_side)
    found["merlin_giveaway"] = giveaway(match, played)
    return found


def quality(match: Match, played: list[Round], seat: str) -> float | None:
    """Of its approvals: for good those of wholly good teams, for evil those of teams with enough evil."""
    return share(is_right(match, r, seat) for r in played if r.votes[seat] == "approve")


def pooled(match: Match, played: list[Round], seats: list[str]) -> float | None:
    return share(is_right(match, r, seat) for r in played for seat in seats if r.votes[seat] == "approve")


def is_right(match: Match, r: Round, seat: str) -> bool:
    evil = sum(match.sides[s] == "evil" for s in r.team)
    return evil == 0 if match.sides[seat] == "good" else evil >= r.needed


def giveaway(match: Match, played: list[Round]) -> float | None:
    """The share of Merlin's ballots that are those of one who knows all sides."""
    merlin = next((seat for seat, role in match.roles.items() if role == "merlin"), None)
    if merlin is None:
        return None
    return share((r.votes[merlin] == "approve") == all(match.sides[s] == "good" for s in r.team) for r in played)
