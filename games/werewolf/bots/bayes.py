"""The Bayes player: votes for whom its posterior calls most likely a wolf; as a wolf it is the greedy one."""

from __future__ import annotations

from arena.core import Answer, Ask, Rng, View
from arena.games.werewolf.bots import village
from arena.games.werewolf.bots.greedy import WOLF
from arena.games.werewolf.bots.liars import STYLE as LIAR
from arena.games.werewolf.bots.notes import Notes, notes
from arena.games.werewolf.bots.posterior import believe
from arena.games.werewolf.bots.respond import Style, respond
from arena.games.werewolf.bots.words import Meaning

POISON_FROM = 0.6  # P(wolf) from which a witch uses its poison
CALL_FROM = 0.5  # P(wolf) from which a vote is called for


def bayes(view: View, ask: Ask, rng: Rng) -> Answer:
    """Weighs all worlds by claims, reports, ballots and deaths; votes the likeliest wolf. As a wolf: greedy."""
    n = notes(view)
    style = {"wolf": WOLF, "possessed": LIAR}.get(n.kind, STYLE)
    return respond(n, ask, rng, style)


def vote(n: Notes, seats: list[str], rng: Rng) -> str:
    """The likeliest wolf."""
    belief = believe(n)
    return village.vote(n, seats, rng) if belief is None else _top(belief.wolf(n), seats, rng)


def _top(chance: dict[str, float], seats: list[str], rng: Rng) -> str:
    best = max(chance[s] for s in seats)
    return rng.choice([s for s in seats if chance[s] > best - 1e-9])


def check(n: Notes, seats: list[str], rng: Rng) -> str:
    return vote(n, seats, rng)


def guard(n: Notes, seats: list[str], rng: Rng) -> str:
    """The likeliest seer, once somebody claimed it."""
    belief = believe(n)
    if belief is None or not n.claimants("seer"):
        return village.guard(n, seats, rng)
    return _top(belief.seer(), seats, rng)


def poison(n: Notes, seats: list[str], rng: Rng) -> str | None:
    belief = believe(n)
    if belief is None:
        return village.poison(n, seats, rng)
    target = _top(belief.wolf(n), seats, rng)
    return target if belief.wolf(n)[target] >= POISON_FROM else None


def meaning(n: Notes, rng: Rng) -> Meaning:
    """A seer claims as soon as it holds a `wolf` result or has a rival; everybody calls for a likely wolf."""
    belief = believe(n)
    if belief is None or n.kind == "medium":
        return village.meaning(n, rng)
    chance = {s: p for s, p in belief.wolf(n).items() if s in n.alive and s != n.me}
    target = max(chance, key=lambda s: chance[s])
    call = target if chance[target] >= CALL_FROM else None
    found = any(n.says_wolf(report.result) for report in n.checked.values())
    if n.kind == "seer" and (found or n.own.claim or n.claimants("seer")):
        return Meaning(n.role, tuple(n.checked.values()), call)
    return Meaning(None, (), call)


def suspicion(n: Notes) -> dict[str, int]:
    """The posterior, in percent."""
    belief = believe(n)
    if belief is None:
        return village.suspicion(n)
    return {s: round(100 * p) for s, p in belief.wolf(n).items() if s != n.me}


STYLE = Style(vote, check, guard, vote, poison, meaning, suspicion)
