"""Strategies of repeated dilemmas: each says whether to cooperate, from what both did before.

C is the scenario's friendly action and D its selfish one. With several others, "the other cooperated" means that at
least half of those whose actions were seen did.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from arena.core import Rng
from arena.games.matrix.memory import Bot, Memory, bot
from arena.games.matrix.rules import Action


def dilemma(cooperates: Callable[..., bool]) -> Bot:
    """A player from the rule that says whether it cooperates."""

    @wraps(cooperates)
    def strategy(memory: Memory, rng: Rng, **options: Any) -> Action:
        side = memory.game.friendly if cooperates(memory, rng, **options) else memory.game.selfish
        return side[memory.player]

    return bot(strategy)


@dilemma
def always_cooperate(memory: Memory, rng: Rng) -> bool:
    """Cooperates always."""
    return True


@dilemma
def always_defect(memory: Memory, rng: Rng) -> bool:
    """Defects always."""
    return False


@dilemma
def tit_for_tat(memory: Memory, rng: Rng) -> bool:
    """Cooperates first, then does what the other did last."""
    return memory.cooperated(1)


@dilemma
def suspicious_tit_for_tat(memory: Memory, rng: Rng) -> bool:
    """Defects first, then does what the other did last."""
    return bool(memory.rounds) and memory.cooperated(1)


@dilemma
def tit_for_two_tats(memory: Memory, rng: Rng) -> bool:
    """Defects only after two defections of the other in a row."""
    return memory.cooperated(1) or memory.cooperated(2)


@dilemma
def generous_tit_for_tat(memory: Memory, rng: Rng, *, g: float = 1 / 3) -> bool:
    """Tit for tat that forgives a defection with probability g."""
    return memory.cooperated(1) or rng.random() < g


@dilemma
def grim_trigger(memory: Memory, rng: Rng) -> bool:
    """Cooperates until the other has defected once, then never again."""
    read, betrayed = memory.kept.get("grim", (0, False))
    for back in range(len(memory.rounds) - read, 0, -1):
        betrayed = betrayed or not memory.cooperated(back)
    memory.kept["grim"] = len(memory.rounds), betrayed
    return not betrayed


@dilemma
def win_stay_lose_shift(memory: Memory, rng: Rng) -> bool:
    """Pavlov: cooperates if and only if both did the same last round."""
    return memory.cooperated(1) == memory.cooperated(1, memory.seat)


@dilemma
def alternate(memory: Memory, rng: Rng) -> bool:
    """Cooperates and defects by turns, cooperation first."""
    return memory.number % 2 == 1


@dilemma
def take_turns(memory: Memory, rng: Rng) -> bool:
    """Round by round another player is the selfish one, in seat order; for games that pay one at a time."""
    return (memory.number - 1) % len(memory.seats) != memory.player


@dilemma
def random_cooperate(memory: Memory, rng: Rng, *, p: float = 0.5) -> bool:
    """Cooperates with probability p."""
    return rng.random() < p


@dilemma
def zero_determinant(memory: Memory, rng: Rng, *, chi: float = 3.0) -> bool:
    """Extortion: its gain above mutual defection is chi times the other's (needs a symmetric two-action dilemma)."""
    if not memory.rounds:
        return True
    own, other = memory.cooperated(1, memory.seat), memory.cooperated(1)
    probabilities = extortion(memory, chi)
    return other if probabilities is None else rng.random() < probabilities[own, other]


def extortion(memory: Memory, chi: float) -> dict[tuple[bool, bool], float] | None:
    """Press and Dyson's extortionate strategy: the chance to cooperate after (own C, other C), at half of the largest
    phi that keeps all four in [0, 1]. None where the game is no such dilemma."""
    game = memory.game
    if game.n != 2 or any(len(own) != 2 for own in game.actions):
        return None
    (c, c_other), (d, d_other) = game.friendly, game.selfish
    reward, temptation = float(game.pay((c, c_other))[0]), float(game.pay((d, c_other))[0])
    sucker, punishment = float(game.pay((c, d_other))[0]), float(game.pay((d, d_other))[0])
    if not (temptation > reward > punishment >= sucker and chi >= 1):
        return None
    steps = {  # what phi multiplies, downwards from 1 after own C, upwards from 0 after own D
        (True, True): (chi - 1) * (reward - punishment),
        (True, False): punishment - sucker + chi * (temptation - punishment),
        (False, True): chi * (punishment - sucker) + temptation - punishment,
        (False, False): 0.0,
    }
    phi = 0.5 / max(steps.values())
    return {state: 1 - phi * step if state[0] else phi * step for state, step in steps.items()}
