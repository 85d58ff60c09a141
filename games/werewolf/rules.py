"""Werewolf's rules as pure functions: roles, who wins, who dies, which ballots exile.

A role is the word of the preset table ("doctor", "detective", "mafia"); its kind says what it does ("guard", "seer",
"wolf"). All rules speak of kinds. Wolf side = wolves and possessed; gods = seer, witch, guard, hunter, medium;
plain = villagers. A possessed is human: it counts as a non-wolf everywhere, but wins with the wolves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Literal, NamedTuple, TypeVar

from arena.core.text import has_word

T = TypeVar("T")

KIND = {
    "wolf": "wolf",
    "mafia": "wolf",
    "possessed": "possessed",
    "seer": "seer",
    "detective": "seer",
    "medium": "medium",
    "witch": "witch",
    "guard": "guard",
    "doctor": "guard",
    "hunter": "hunter",
    "villager": "villager",
}
ROLES = tuple(KIND)  # the order in which a deal counts them
GODS = frozenset({"seer", "witch", "guard", "hunter", "medium"})

Winner = Literal["village", "wolves", "draw"]
Threshold = Literal["plurality", "majority"]


class Ending(NamedTuple):
    """Who won, and by which rule."""

    winner: Winner
    reason: str


def side(role: str) -> Literal["wolves", "village"]:
    """The side that a role wins with: the possessed wins with the wolves."""
    return "wolves" if KIND[role] in ("wolf", "possessed") else "village"


def species(role: str) -> Literal["wolf", "human"]:
    """What a medium learns."""
    return "wolf" if KIND[role] == "wolf" else "human"


def check_result(role: str, info: str) -> str:
    """What a seer learns: the exact role, or wolf/good, where a possessed reads good."""
    return role if info == "role" else "wolf" if KIND[role] == "wolf" else "good"


def deck(roles: Mapping[str, int]) -> list[str]:
    """The role cards, in one order whatever the order of the mapping."""
    return [role for role in ROLES for _ in range(roles.get(role, 0))]


def ending(win: str, alive: Iterable[str]) -> Ending | None:
    """The end of the match, given the roles of the living. The village is checked first."""
    kinds = Counter(KIND[role] for role in alive)
    wolves = kinds["wolf"]
    others = kinds.total() - wolves
    if not wolves:
        return Ending("village", "no_wolves")
    if win == "parity" and wolves >= others:
        return Ending("wolves", "parity")
    if win == "side_kill" and not kinds["villager"]:
        return Ending("wolves", "villagers_dead")
    if win == "side_kill" and not any(kinds[god] for god in GODS):
        return Ending("wolves", "gods_dead")
    if win == "all_dead" and not others:
        return Ending("wolves", "all_dead")
    return None


# --- the night --------------------------------------------------------------------------------------------------


def deaths(
    target: str | None, guarded: Collection[str], healed: bool, poisoned: Iterable[str], clash: str
) -> dict[str, str]:
    """Seat -> cause of its death this night: wolves, poison, or both.

    The wolves' target lives if exactly one of guard and heal covers it; with both, `clash` decides. Neither helps
    against poison.
    """
    dead: dict[str, str] = {}
    if target is not None:
        covers = (target in guarded) + healed
        if covers == 0 or (covers == 2 and clash == "dies"):
            dead[target] = "wolves"
    for seat in poisoned:
        dead[seat] = "both" if dead.get(seat) in ("wolves", "both") else "poison"
    return dead


def may_shoot(cause: str, poisoned_shoots: bool) -> bool:
    """Whether a hunter dead of `cause` shoots: killed by wolves or exiled; poison takes the shot unless configured."""
    return cause in ("wolves", "exile") or (poisoned_shoots and cause in ("poison", "both"))


def most_named(named: Iterable[str | None]) -> list[str]:
    """The seats named most often, in the order in which they were first named; None names nobody."""
    counts = Counter(seat for seat in named if seat is not None)
    top = max(counts.values(), default=0)
    return [seat for seat, n in counts.items() if n == top]


def joint_target(picks: Sequence[str | None], tie: str, draw: Callable[[Sequence[str]], str]) -> str | None:
    """The wolves' victim by plurality of their picks (in seat order); `tie`: last, random or none.

    `last` takes the pick of the highest-index wolf that named one of the tied.
    """
    tied = most_named(picks)
    if len(tied) <= 1:
        return tied[0] if tied else None
    if tie == "last":
        return next(pick for pick in reversed(picks) if pick in tied)
    return draw(tied) if tie == "random" else None


# --- the day ----------------------------------------------------------------------------------------------------


class Count(NamedTuple):
    """The result of one ballot round: the exiled seat, or the seats that are tied, or neither."""

    exiled: str | None
    tied: list[str]


def count(ballots: Mapping[str, str | None], living: int, threshold: Threshold, seats: Sequence[str]) -> Count:
    """Plurality, or more than half of the living. A lone leader short of the majority is no tie: nobody leaves."""
    named = most_named(ballots.values())
    if len(named) > 1:
        return Count(None, [seat for seat in seats if seat in named])
    if not named:
        return Count(None, [])
    votes = sum(target == named[0] for target in ballots.values())
    return Count(named[0] if threshold == "plurality" or 2 * votes > living else None, [])


def rotated(seats: Sequence[T], offset: int) -> list[T]:
    """The seats in order, beginning at `offset` (0 to len - 1: each seat is first equally often)."""
    return [*seats[offset:], *seats[:offset]]


def bid_winners(bids: Mapping[str, int], previous: str, names: Mapping[str, str]) -> list[str]:
    """The seats that share the highest bid; one that the previous speech names stands twice, for the draw."""
    top = max(bids.values())
    return [seat for seat, bid in bids.items() if bid == top for _ in range(1 + is_mentioned(seat, previous, names))]


def is_mentioned(seat: str, text: str, names: Mapping[str, str]) -> bool:
    """Whether `text` names the seat: player_1 is not named by player_12."""
    return has_word(names.get(seat, seat), text)


def default_belief(wolves: int, seats: int) -> int:
    """P(wolf) in percent of a seat about which nothing is known."""
    return (200 * wolves + seats - 1) // (2 * (seats - 1))
