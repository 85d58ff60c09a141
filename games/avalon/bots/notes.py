"""What a scripted player keeps of a match: one pass over the events of its view, each read once (`View.fold`)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from arena.core import Event, View
from arena.games.avalon.bots.sets import set_of
from arena.games.avalon.rules import APPROVE, EVIL, PROPOSALS, side


class Proposed(NamedTuple):
    leader: int
    team: int


class Voted(NamedTuple):
    """`forced`: a fifth proposal whose rejection would end the match."""

    team: int
    needed: int
    approvals: int
    forced: bool


class Played(NamedTuple):
    """A quest: the fail cards needed, and those that were played."""

    team: int
    needed: int
    fails: int
    success: bool


class Learned(NamedTuple):
    """What the Lady of the Lake said to this seat."""

    seat: int
    is_evil: bool


Evidence = Proposed | Voted | Played | Learned


@dataclass
class Notes:
    """All that a bot knows; seats by number, sets of seats as bit masks."""

    seats: tuple[str, ...]
    evil_seats: int
    sizes: tuple[int, ...]
    fails: tuple[int, ...]
    last_chance: bool  # a fifth rejection ends the match
    hidden_roles: frozenset[str]  # of mordred and oberon, those in the match
    me: int
    role: str = ""
    seen: int = 0
    label: str = ""
    quest: int = 1
    proposal: int = 1
    leader: int = 0
    team: int = 0
    successes: int = 0
    failures: int = 0
    largest: int = 0  # the largest team so far whose quest succeeded
    evidence: list[Evidence] = field(default_factory=list)
    derived: dict[Any, Any] = field(default_factory=dict)  # what a weighing player made of the evidence so far

    @property
    def players(self) -> int:
        return len(self.seats)

    @property
    def everybody(self) -> int:
        return (1 << len(self.seats)) - 1

    @property
    def size(self) -> int:
        """Seats on the team of this quest."""
        return self.sizes[self.quest - 1]

    @property
    def needed(self) -> int:
        """Fail cards that fail this quest."""
        return self.fails[self.quest - 1]

    @property
    def is_evil(self) -> bool:
        return side(self.role) == EVIL

    @property
    def known_evil(self) -> int:
        """Every seat that this one knows to be evil, itself included."""
        return (self.seen if self.label == EVIL else 0) | (1 << self.me if self.is_evil else 0)

    @property
    def is_forced(self) -> bool:
        return self.last_chance and self.proposal == PROPOSALS

    def numbers(self, seats: list[str] | tuple[str, ...]) -> list[int]:
        return [self.seats.index(s) for s in seats]


def notes(view: View) -> Notes:
    return view.fold(partial(_start, view), _step)


def _start(view: View) -> Notes:
    rules = view.rules
    return Notes(
        seats=view.seats,
        evil_seats=rules["evil_seats"],
        sizes=tuple(rules["sizes"]),
        fails=tuple(rules["fails"]),
        last_chance=rules["fifth_reject"] == "evil_wins",
        hidden_roles=frozenset(role for role in ("mordred", "oberon") if rules["roles"].get(role)),
        me=view.seats.index(view.seat),
    )


def _step(n: Notes, event: Event) -> Notes:
    facts = event.facts
    match event.kind:
        case "role":
            n.role = facts["role"]
        case "sight":
            n.seen, n.label = set_of(n.numbers(facts["seen"])), facts["label"]
        case "leader":
            n.quest, n.proposal = facts["quest"], facts["proposal"]
            n.leader = n.seats.index(facts["leader"])
        case "proposed":
            n.team = set_of(n.numbers(facts["team"]))
            n.evidence.append(Proposed(n.leader, n.team))
        case "ballots":
            approvals = set_of(i for i, seat in enumerate(n.seats) if facts["votes"][seat] == APPROVE)
            n.evidence.append(Voted(n.team, n.needed, approvals, n.is_forced))
        case "quest_result":
            _note_quest(n, facts)
        case "lady_result":
            n.evidence.append(Learned(n.seats.index(facts["target"]), facts["side"] == EVIL))
    return n


def _note_quest(n: Notes, facts: dict[str, Any]) -> None:
    n.evidence.append(Played(n.team, facts["needed"], facts["fails"], facts["success"]))
    n.successes, n.failures = facts["score"]["good"], facts["score"]["evil"]
    if facts["success"] and n.team.bit_count() > n.largest.bit_count():
        n.largest = n.team
