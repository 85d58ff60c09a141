"""Fields of agents, and made-up worlds in which schedules that look at results are tried."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from math import exp
from typing import Any

from arena.core.seeds import stream
from arena.leaderboards.posterior import posterior
from arena.run.schedules import Block, BlockResult, Estimate, Field, Posterior, Stop, dynamic_schedules, find_schedule

Pay = Callable[[Mapping[str, str], int], dict[str, float]]  # seating, deal -> payoffs


def field_of(agents: int, matches: int, slots: int = 2, seed: int = 1, **options: Any) -> Field:
    names = tuple(f"a{i}" for i in range(agents))
    seats = tuple(f"player_{i}" for i in range(slots))
    return Field(seats, names, matches, seed, options=options, posterior=posterior)


def play(kind: str, field: Field, pay: Pay) -> list[BlockResult]:
    """A whole run in a world where `pay` says how matches end."""
    results: list[BlockResult] = []
    while blocks := find_schedule(kind).batch(field, results):
        results += [BlockResult(b, tuple(pay(seating, b.deal) for seating in b.seatings)) for b in blocks]
    return results


def stop_of(kind: str, field: Field, results: Sequence[BlockResult]) -> Stop:
    end = dynamic_schedules()[kind].stop(field, results)
    assert end is not None
    return end


def by_chance(seed: int) -> Pay:
    return lambda seating, deal: {slot: stream(seed, deal, slot, who).random() for slot, who in seating.items()}


def by_strength(strength: Sequence[float], seed: int, deal_sd: float) -> Pay:
    """Logistic matches with half a nat for the first seat, and deals that favour one seat."""

    def pay(seating: Mapping[str, str], deal: int) -> dict[str, float]:
        first, second = (strength[int(seating[slot][1:])] for slot in ("player_0", "player_1"))
        ahead = first - second + 0.5 + random.Random(f"{seed} {deal}").gauss(0, deal_sd)
        won = float(stream(seed, deal, seating["player_0"]).random() < 1 / (1 + exp(-ahead)))
        return {"player_0": won, "player_1": 1 - won}

    return pay


def known(mean: Sequence[float], sd: float = 0.0) -> Posterior:
    """A posterior that is given, not fitted."""
    cov = [[sd**2 * (i == j) for j in range(len(mean))] for i in range(len(mean))]
    return lambda agents, results: Estimate(mean, cov, cov)


def groups(blocks: Sequence[Block]) -> list[list[str]]:
    return [list(block.seatings[0].values()) for block in blocks]
