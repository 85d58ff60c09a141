"""`bot/always?answer=LABEL`: a constant player, in any game."""

from __future__ import annotations

from arena.core import Answer, Ask, Rng, View


def bot(view: View, ask: Ask, rng: Rng, *, answer: str = "") -> Answer:
    """The label `answer` whenever it is offered, else any legal answer."""
    return answer if ask.options and answer in ask.options else ask.sample(rng)
