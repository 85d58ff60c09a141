"""The greedy wolf: kills who is worth most to the village, and votes with the village so as not to stand out."""

from __future__ import annotations

from arena.core import Answer, Ask, Rng, View
from arena.games.werewolf.bots import liars, village
from arena.games.werewolf.bots.grounds import leading, most_called
from arena.games.werewolf.bots.notes import Notes, notes
from arena.games.werewolf.bots.respond import Style, respond


def greedy(view: View, ask: Ask, rng: Rng, *, bus: int = 0) -> Answer:
    """A wolf that kills seers and trusted seats and votes with the majority; bus=1 drops a partner that is lost."""
    n = notes(view)
    if n.kind == "wolf":
        return respond(n, ask, rng, BUS if bus else WOLF)
    return respond(n, ask, rng, liars.STYLE if n.kind == "possessed" else village.STYLE)


def kill(n: Notes, seats: list[str], rng: Rng) -> str:
    """A claimed seer, then another claimed god, then the seat that the village has accused least."""
    among = liars.prey(n, seats)
    for kinds in (("seer",), ("witch", "guard", "hunter", "medium")):
        if claimed := [s for kind in kinds for s in n.claimants(kind) if s in among]:
            return rng.choice(claimed)
    least = min(n.accused.get(s, 0) for s in among)
    return rng.choice([s for s in among if n.accused.get(s, 0) == least])


def vote(n: Notes, seats: list[str], rng: Rng) -> str:
    """With the village's majority so far (ballots of the last or open vote, else calls), but for no wolf."""
    among = liars.prey(n, seats)
    ballots = n.round or n.last_round
    return rng.choice(leading(ballots, among) or most_called(n.calls.values(), among) or among)


def bus_vote(n: Notes, seats: list[str], rng: Rng) -> str:
    """For a fellow that half of the expected ballots already go to: it is lost, and voting for it earns trust."""
    for fellow in n.fellows:
        called = sum(target == fellow for target in (n.round or n.calls).values())
        if fellow in seats and 2 * called >= len(n.alive) - 1:
            return fellow
    return vote(n, seats, rng)


WOLF = Style(kill, liars.check, liars.check, vote, liars.poison, liars.meaning, liars.suspicion)
BUS = WOLF._replace(vote=bus_vote)
