"""`bot/random`: a legal answer drawn uniformly, in any game."""

from __future__ import annotations

from arena.core import Answer, Ask, Rng, View


def bot(view: View, ask: Ask, rng: Rng) -> Answer:
    """Any legal answer, drawn uniformly."""
    return ask.sample(rng)
