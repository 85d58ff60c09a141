"""What finished blocks say: the teams of each match with their payoffs, and the share of its rivals that each beat.

Scores are those of the match table (leaderboards): 1 for each team left behind, a half for a tie.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from arena.run.schedules import BlockResult


class Team(NamedTuple):
    """`level` is the team's side, or the slot where every slot is its own team; `agents` hold its slots."""

    level: str
    slots: tuple[str, ...]
    agents: tuple[str, ...]
    payoff: float


def matches_of(result: BlockResult) -> Iterator[list[Team]]:
    """The teams of each finished match of a block."""
    for i, (seating, payoffs) in enumerate(zip(result.block.seatings, result.payoffs, strict=True)):
        if payoffs is None:
            continue
        sides = result.teams[i] if result.teams else {}
        members: dict[str, list[str]] = defaultdict(list)
        for slot in seating:
            members[sides.get(slot, slot)].append(slot)
        yield [
            Team(level, tuple(slots), tuple(seating[s] for s in slots), sum(payoffs[s] for s in slots) / len(slots))
            for level, slots in members.items()
        ]


def share(team: Team, teams: Sequence[Team]) -> float:
    """The share of the other teams of its match that a team beat, ties half; a half where there is no other."""
    rivals = [other for other in teams if other.level != team.level]
    return sum(score(team.payoff, other.payoff) for other in rivals) / len(rivals) if rivals else 0.5


def score(payoff: float, other: float) -> float:
    return 0.5 + 0.5 * (payoff > other) - 0.5 * (payoff < other)


def deals_played(results: Sequence[BlockResult]) -> int:
    """Deals with a finished match."""
    return sum(any(payoffs is not None for payoffs in result.payoffs) for result in results)
