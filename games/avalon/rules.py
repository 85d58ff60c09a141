"""The rules of Avalon as pure functions: the table of the box, the role list, who sees whom, votes and quests.

Follows the rulebook of The Resistance: Avalon (Don Eskridge, 2012). Nothing here touches a table or a view.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

GOOD, EVIL = "good", "evil"
APPROVE, REJECT = "approve", "reject"
SUCCESS, FAIL = "success", "fail"

GOOD_ROLES = ("merlin", "percival", "servant")
EVIL_ROLES = ("assassin", "minion", "morgana", "mordred", "oberon")
ROLES = (*GOOD_ROLES, *EVIL_ROLES)

QUESTS = 5
TO_WIN = 3  # three successes end the quests for good, three failures for evil
PROPOSALS = 5  # for one quest
LADY_AFTER = (2, 3, 4)  # the quests after which the Lady of the Lake is used

EVIL_SEATS = {5: 2, 6: 2, 7: 3, 8: 3, 9: 3, 10: 4}
TEAM_SIZES = {
    5: (2, 3, 2, 3, 3),
    6: (2, 3, 4, 3, 4),
    7: (2, 3, 3, 4, 4),
    8: (3, 4, 4, 5, 5),
    9: (3, 4, 4, 5, 5),
    10: (3, 4, 4, 5, 5),
}


class Sight(NamedTuple):
    """Whom a seat sees, in seat order, and as what: "evil", "merlin", or "merlin or morgana", not told apart."""

    seen: tuple[str, ...]
    label: str


class Ending(NamedTuple):
    winner: str
    reason: str


def side(role: str) -> str:
    return GOOD if role in GOOD_ROLES else EVIL


def fails_needed(players: int) -> tuple[int, ...]:
    """How many fail cards each quest takes to fail: the fourth one takes two from seven players on."""
    return (1, 1, 1, 2 if players >= 7 else 1, 1)


def specials(merlin: bool, percival: bool, morgana: bool, mordred: bool, oberon: bool) -> tuple[list[str], list[str]]:
    """The named roles of good and of evil. The assassin comes with Merlin."""
    good = ["merlin"] * merlin + ["percival"] * percival
    evil = ["assassin"] * merlin + ["morgana"] * morgana + ["mordred"] * mordred + ["oberon"] * oberon
    return good, evil


def role_list(players: int, good: Sequence[str], evil: Sequence[str]) -> list[str]:
    """The cards that are dealt: the named roles, filled up with servants and minions."""
    bad = EVIL_SEATS[players]
    servants, minions = players - bad - len(good), bad - len(evil)
    return [*good, *["servant"] * servants, *evil, *["minion"] * minions]


def sight(roles: Mapping[str, str], seat: str) -> Sight | None:
    """What `seat` is shown at the start; None for a role that sees nobody."""
    role = roles[seat]
    if role == "merlin":  # all evil but Mordred
        return Sight(tuple(s for s, r in roles.items() if side(r) == EVIL and r != "mordred"), "evil")
    if role == "percival":  # Merlin, and Morgana who looks like him
        both = tuple(s for s, r in roles.items() if r in ("merlin", "morgana"))
        return Sight(both, "merlin or morgana" if len(both) > 1 else "merlin")
    if knows_evil(role):  # each other without roles; Oberon neither sees nor is seen
        return Sight(tuple(s for s, r in roles.items() if knows_evil(r) and s != seat), "evil")
    return None


def knows_evil(role: str) -> bool:
    """Whether the role is one of the evil that know each other."""
    return side(role) == EVIL and role != "oberon"


def is_approved(approvals: int, players: int) -> bool:
    """A strict majority of all players."""
    return 2 * approvals > players


def ending(successes: int, failures: int, rejections: int, merlin: bool) -> Ending | None:
    """Whether the match is over before an assassination. With Merlin three successes lead to one."""
    if rejections == PROPOSALS:
        return Ending(EVIL, "five_rejections")
    if failures == TO_WIN:
        return Ending(EVIL, "three_fails")
    if successes == TO_WIN and not merlin:
        return Ending(GOOD, "three_successes")
    return None


def known_sides(roles: Mapping[str, str], seat: str) -> dict[str, str]:
    """The sides of other seats that `seat` can be sure of from its role, its sight and the public role list.

    Evil knows that whoever it does not see is good, unless an Oberon is in the match; Merlin knows the same, unless a
    Mordred is. Percival is sure of Merlin only where nobody looks like him.
    """
    role, seen = roles[seat], sight(roles, seat)
    if seen is None or seen.label == "merlin or morgana":
        return {}
    if seen.label == "merlin":
        return dict.fromkeys(seen.seen, GOOD)
    hidden = "mordred" if role == "merlin" else "oberon"
    known = dict.fromkeys(seen.seen, EVIL)
    if hidden not in roles.values():
        known |= {s: GOOD for s in roles if s != seat and s not in known}
    return known


def prior(roles: Mapping[str, str], seat: str) -> dict[str, int]:
    """P(evil) in percent of each other seat, from what `seat` knows at the start and counting alone."""
    known, seen = known_sides(roles, seat), sight(roles, seat)
    others = [s for s in roles if s != seat]
    evil_left = sum(side(r) == EVIL for r in roles.values()) - (side(roles[seat]) == EVIL)
    evil_left -= sum(s == EVIL for s in known.values())
    chances = {s: 100 if k == EVIL else 0 for s, k in known.items()}
    if seen is not None and seen.label == "merlin or morgana":
        chances |= dict.fromkeys(seen.seen, 50)
        evil_left -= 1
    unknown = [s for s in others if s not in chances]
    chances |= dict.fromkeys(unknown, round(100 * evil_left / len(unknown)) if unknown else 0)
    return {s: chances[s] for s in others}
