"""The village half of the sample player, after the rules of the AIWolf sample agents; its wolves are in `liars.py`.

It states what it knows, believes nobody in particular, and follows the vote calls of others. Witch and hunter, whom
AIWolf does not have, are ours. It calls for a vote only on grounds of its own, never because others do.
"""

from __future__ import annotations

from arena.core import Rng
from arena.games.werewolf.bots.grounds import (
    grounds,
    is_claim_day,
    is_false,
    leading,
    most_called,
    proven_liars,
    results,
)
from arena.games.werewolf.bots.notes import Notes
from arena.games.werewolf.bots.respond import Style
from arena.games.werewolf.bots.words import Meaning
from arena.games.werewolf.rules import KIND


def vote(n: Notes, seats: list[str], rng: Rng) -> str:
    """Its own grounds, else the most frequent call of others; a seer then tries the unchecked. Second: the leader."""
    own = [s for s in grounds(n) if s in seats]
    if own:
        return rng.choice(own)
    if n.last_round and (leaders := leading(n.last_round, seats)):
        return rng.choice(leaders)
    trusted = [s for s in seats if s in n.checked and not n.says_wolf(n.checked[s].result)]
    open_seats = [s for s in seats if s not in trusted] or seats
    called = most_called((target for seat, target in n.calls.items() if seat != n.me), open_seats)
    return rng.choice(called or open_seats)


def check(n: Notes, seats: list[str], rng: Rng) -> str:
    return rng.choice(seats)


def guard(n: Notes, seats: list[str], rng: Rng) -> str:
    """The seat whose guarding went with a night without a dead, a claimed seer, a medium, anybody not doubted."""
    for night in sorted(n.guards, reverse=True):
        if night in n.peaceful and n.guards[night] in seats:
            return str(n.guards[night])
    doubted = proven_liars(n)
    for kind in ("seer", "medium"):
        if claimed := [s for s in n.claimants(kind) if s in seats and s not in doubted]:
            return rng.choice(claimed)
    return rng.choice([s for s in seats if s not in doubted] or seats)


def poison(n: Notes, seats: list[str], rng: Rng) -> str | None:
    """The living seat that most claimed seers and mediums report as a wolf."""
    doubted = proven_liars(n)
    against = [
        target
        for seat, role in n.claims.items()
        if KIND.get(role) == "seer" and seat not in doubted and seat != n.me
        for target, result in results(n, seat)
        if n.says_wolf(result)
    ]
    named = most_called(against, seats) or [s for s in doubted if s in seats]
    return rng.choice(named) if named else None


def meaning(n: Notes, rng: Rng) -> Meaning:
    """A seer and a medium state all that they learned, from the day they show themselves; others their doubts."""
    targets = grounds(n)
    call = rng.choice(targets) if targets else None
    if n.kind == "seer" and shows_itself(n, rng):
        return Meaning(n.role, tuple(n.checked.values()), call)
    if n.kind == "medium" and (n.own.claim or n.day >= 2 or any(is_false(n, *r) for r in _seer_results(n))):
        return Meaning(n.role, tuple(n.medium.values()), call)
    return Meaning(None, (), call)


def shows_itself(n: Notes, rng: Rng) -> bool:
    """A seer claims at once with a wolf found or a rival, else on a day drawn from 1 to 3."""
    found = any(n.says_wolf(report.result) for report in n.checked.values())
    return bool(n.own.claim or found or n.claimants("seer") or is_claim_day(n, rng))


def _seer_results(n: Notes) -> list[tuple[str, str]]:
    return [report for seat in n.claimants("seer") for report in results(n, seat)]


def suspicion(n: Notes) -> dict[str, int]:
    """What its own results and the proven lies say."""
    known = {s: 100 if n.says_wolf(report.result) else 0 for s, report in n.checked.items()}
    return dict.fromkeys(proven_liars(n), 90) | known


STYLE = Style(vote, check, guard, vote, poison, meaning, suspicion)
