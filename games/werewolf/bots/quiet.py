"""The quiet player: the floor that talking and thinking are measured against."""

from __future__ import annotations

from arena.core import Answer, Ask, Form, Rng, View
from arena.games.werewolf.asks import OVER
from arena.games.werewolf.bots.notes import Notes, notes
from arena.games.werewolf.bots.respond import SPEECHES, seats_of


def quiet(view: View, ask: Ask, rng: Rng) -> Answer:
    """Acts and votes at random (never for itself or nobody; wolves spare wolves) and says nothing."""
    n = notes(view)
    if ask.name in SPEECHES:
        return {"text": OVER if ask.name == "talk" else ""}
    if ask.name == "whisper":
        return OVER
    if ask.name == "bid":
        return {"level": 0, "reason": None}
    if isinstance(ask, Form):
        return _witch(n, ask, rng)
    if not ask.options:
        return ask.fallback
    return any_of(n, seats_of(n, ask.options), rng) or ask.sample(rng)


def any_of(n: Notes, seats: list[str], rng: Rng) -> str | None:
    """One of the seats at random; a wolf names a wolf only where nobody else is left."""
    spared = [seat for seat in seats if seat not in n.wolves] or seats
    return rng.choice(spared) if spared else None


def _witch(n: Notes, ask: Form, rng: Rng) -> Answer:
    act = rng.choice(ask.fields[0].options or ())
    return {"act": act, "target": any_of(n, seats_of(n, n.alive), rng)} if act in ("poison", "both") else {"act": act}
