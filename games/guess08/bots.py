"""Scripted guessers: those of the K-Level Reasoning study, the level-k player and the equilibrium.

Numbers that are drawn are cut to their whole part and clipped to 1..100, as published.
"""

from __future__ import annotations

from typing import Any

from arena.core import Ask, Form, Rng, View
from arena.core.bots import Bot
from arena.games.guess08.rules import HIGH, LOW, level


def fixed(view: View, ask: Ask, rng: Rng, *, mean: float = 40, sd: float = 5) -> Any:
    """Draws from one normal distribution in every round (published: sd 0 and sd 5)."""
    return _answer(ask, _normal(rng, mean, sd))


def last_target(view: View, ask: Ask, rng: Rng, *, mean: float = 40, sd: float = 5) -> Any:
    """Draws around the last target; around `mean` in the first round (published: sd 0 and sd 5)."""
    last = view.last("round")
    return _answer(ask, _normal(rng, last["target"] if last else mean, sd))


def monotone(view: View, ask: Ask, rng: Rng, *, start: int = 40, step: int = 5) -> Any:
    """Goes down by `step` each round: 40, 35, 30, …"""
    return _answer(ask, start - step * (_round(view) - 1))


def monotone_random(view: View, ask: Ask, rng: Rng, *, start: int = 40, most: int = 5) -> Any:
    """Goes down by the same step each round; the step is drawn from 0..`most` at the start of a match."""
    if _round(view) == 1:
        return _answer(ask, start)
    # The step is drawn in round 2 and read off the own first two numbers afterwards, so nothing has to be remembered.
    own = [event.facts["numbers"][view.seat] for event in view.of_kind("round")]
    step = own[0] - own[1] if len(own) > 1 else rng.below(most + 1)
    return _answer(ask, own[-1] - step)


def level_k(view: View, ask: Ask, rng: Rng, *, k: int = 1) -> Any:
    """Thinks k steps ahead of a player who says 50, in every round: 50·0.8^k."""
    return _answer(ask, level(k))


def equilibrium(view: View, ask: Ask, rng: Rng) -> Any:
    """Always says 1, where repeated reasoning ends."""
    return _answer(ask, LOW)


BOTS: dict[str, Bot] = {
    "fixed": fixed,
    "last-target": last_target,
    "monotone": monotone,
    "monotone-random": monotone_random,
    "level-k": level_k,
    "equilibrium": equilibrium,
}
ALIASES = {"fix": "fixed", "last": "last-target", "mono": "monotone", "monorand": "monotone-random"}


def _round(view: View) -> int:
    now = view.last("open")
    return int(now["round"]) if now else 1


def _normal(rng: Rng, mean: float, sd: float) -> int:
    return int(rng.normalvariate(mean, sd)) if sd else int(mean)


def _answer(ask: Ask, number: int) -> Any:
    number = min(max(number, LOW), HIGH)
    return {"number": number} if isinstance(ask, Form) else number
