"""How many games each schedule needs to name the best of eight models, 19 times in 20.

    python benchmarks/schedules.py [--repetitions 100] [--deal-sd 2.0]

The world: models half a nat apart, half a nat for the first seat, and a deal that favours the first seat by a normal
amount of the given sd. The best is named by the mean of `arena.leaderboards.posterior`. A repetition gives right or
wrong after so many games; the share of right ones is made monotone (pool adjacent violators), and where it crosses .95
is the figure. Its interval: 95 %, from resampled repetitions. "on different deals" plays the same seatings, each on its
own deal. The reference figures come from 150 repetitions of a prototype, and are known to about a quarter.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from math import exp
from typing import NamedTuple

import numpy as np

from arena.core.seeds import Rng, stream
from arena.leaderboards.posterior import posterior
from arena.run.schedules import Block, BlockResult, Field, find_schedule

GAP, SEAT, MODELS, TARGET = 0.5, 0.5, 8, 0.95
AGENTS = tuple(f"model-{i}" for i in range(MODELS))
STRENGTH = {agent: -GAP * i for i, agent in enumerate(AGENTS)}
FIRST, SECOND = "player_0", "player_1"


class Arm(NamedTuple):
    """`games`: where to stop looking; `reference`: the figure at deal sd 2."""

    name: str
    kind: str
    shared: bool
    games: int
    reference: int


ARMS = (
    Arm("random", "random", True, 2400, 1385),
    Arm("round-robin, on different deals", "round-robin", False, 1600, 883),
    Arm("paired", "paired", True, 1000, 560),
    Arm("swiss", "swiss", True, 700, 384),
    Arm("adaptive, on different deals", "adaptive", False, 600, 326),
    Arm("adaptive", "adaptive", True, 400, 200),
)


def played(block: Block, rng: Rng, deal_sd: float, shared: bool) -> BlockResult:
    """The result of a block: a first seat that is ahead by strength, seat and deal wins the more often."""
    payoffs, luck = [], rng.gauss(0, deal_sd)
    for seating in block.seatings:
        ahead = STRENGTH[seating[FIRST]] - STRENGTH[seating[SECOND]] + SEAT + luck
        won = rng.random() < 1 / (1 + exp(-ahead))
        payoffs.append({FIRST: float(won), SECOND: float(not won)})
        luck = luck if shared else rng.gauss(0, deal_sd)
    return BlockResult(block, tuple(payoffs))


def batches(arm: Arm, seed: int, deal_sd: float) -> Iterator[list[BlockResult]]:
    """All results so far, after every batch of a run (a static schedule has one)."""
    field = Field((FIRST, SECOND), AGENTS, arm.games, seed, posterior=posterior)
    schedule, rng = find_schedule(arm.kind), stream("world", seed)
    results: list[BlockResult] = []
    while blocks := schedule.batch(field, results):
        results = results + [played(block, rng, deal_sd, arm.shared) for block in blocks]
        yield results


def is_right(results: list[BlockResult]) -> bool:
    mean = posterior(AGENTS, results).mean
    return mean[0] == max(mean)


def checkpoints(arm: Arm) -> list[int]:
    """Numbers of games at which a run is judged, 4 % apart."""
    found, games = [], 48.0
    while games <= arm.games:
        found.append(round(games / 2) * 2)
        games *= 1.04
    return found


def repetition(arm: Arm, seed: int, deal_sd: float) -> list[bool]:
    """Right or wrong at each checkpoint. Batches are not larger than the gaps between late checkpoints, so a dynamic
    schedule is judged on its first so many games."""
    results = list(batches(arm, seed, deal_sd))[-1]
    size = len(results[0].block.seatings)
    return [is_right(results[: games // size]) for games in checkpoints(arm)]


def monotone(shares: np.ndarray) -> np.ndarray:
    """Pool adjacent violators."""
    pools: list[list[float]] = []
    for share in shares:
        pools.append([float(share), 1.0])
        while len(pools) > 1 and pools[-2][0] >= pools[-1][0]:
            (a, m), (b, n) = pools[-2:]
            pools[-2:] = [[(a * m + b * n) / (m + n), m + n]]
    return np.concatenate([np.full(int(n), share) for share, n in pools])


def games_needed(right: np.ndarray, games: list[int]) -> float:
    """Where the monotone share of right answers crosses the target; infinite where it never does."""
    shares = monotone(right.mean(axis=0))
    above = np.flatnonzero(shares >= TARGET)
    if not len(above):
        return float("inf")
    i = int(above[0])
    if i == 0:
        return float(games[0])
    part = (TARGET - shares[i - 1]) / (shares[i] - shares[i - 1])
    return float(games[i - 1] + part * (games[i] - games[i - 1]))


def measure(arm: Arm, repetitions: int, deal_sd: float) -> tuple[float, float, float]:
    """Games needed, and the ends of its interval."""
    right = np.array([repetition(arm, seed, deal_sd) for seed in range(repetitions)])
    games, rng = checkpoints(arm), np.random.default_rng(1)
    resampled = [games_needed(right[rng.integers(0, len(right), len(right))], games) for _ in range(400)]
    low, high = np.quantile(resampled, [0.025, 0.975], method="nearest")
    return games_needed(right, games), float(low), float(high)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=100)
    parser.add_argument("--deal-sd", type=float, default=2.0)
    given = parser.parse_args()
    print(
        f"{MODELS} models {GAP} nats apart, first seat {SEAT}, deal sd {given.deal_sd}; {given.repetitions} repetitions"
    )
    print(f"{'schedule':<34}{'games':>7}   {'95 % interval':<16}{'reference':>10}{'CPU s':>8}")
    for arm in ARMS:
        began = time.process_time()
        games, low, high = measure(arm, given.repetitions, given.deal_sd)
        reference = f"{arm.reference}" if given.deal_sd == 2.0 else ""
        spent = time.process_time() - began
        print(f"{arm.name:<34}{games:>7.0f}   {f'{low:.0f} to {high:.0f}':<16}{reference:>10}{spent:>8.0f}", flush=True)


if __name__ == "__main__":
    main()
