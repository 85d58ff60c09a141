"""The scripted players of `matrix`: what they cost, what they pay each other, how their regret grows.

    python benchmarks/matrix_bots.py               all of it, about a minute of CPU
    python benchmarks/matrix_bots.py --only speed  speed, dilemma, regret or looks

CPU time, not wall time. Means come with the half width of their 95 % interval over seeds (normal approximation).
"""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Callable, Sequence
from time import process_time
from typing import Any

import arena
from arena.core import Match, Rng
from arena.games.matrix.bots import ALIASES, BOTS

DILEMMA = ("allc", "alld", "tft", "suspicious", "tf2t", "gtft", "grim", "pavlov", "zd", "random-cooperate")
LEARNERS = ("hedge", "ftpl", "ftl", "exp3", "minimax", "random-cooperate")
SEEDS = 200


def play(name: str, bots: Sequence[str], seed: int, **config: Any) -> Match:
    """A match between bots, each with a stream of its own."""
    match = arena.match(name, seed=seed, **config)
    players = [BOTS[ALIASES.get(bot, bot)] for bot in bots]
    rngs = [Rng(seed * 100 + i) for i in range(len(bots))]
    number = {seat: i for i, seat in enumerate(match.seats)}
    while not match.done:
        for seat, ask in match.pending().items():
            match.submit(seat, players[number[seat]](match.view(seat), ask, rngs[number[seat]]))
    return match


def mean(values: Sequence[float]) -> str:
    middle = math.fsum(values) / len(values)
    spread = math.sqrt(math.fsum((v - middle) ** 2 for v in values) / max(1, len(values) - 1) / len(values))
    return f"{middle:7.3f} ±{1.96 * spread:5.3f}"


def speed() -> None:
    def randomly(name: str, matches: int) -> float:
        rng, turns, since = random.Random(1), 0, process_time()
        for seed in range(matches):
            match = arena.match(name, seed=seed)
            while not match.done:
                for seat, ask in match.pending().items():
                    match.submit(seat, ask.sample(rng))
            turns += len(match.turns)
        return turns / (process_time() - since)

    for name in ("matrix/ipd", "matrix/rps", "matrix/public_goods", "matrix/conflict", "matrix/network_pd"):
        print(f"random play of {name:20} {max(randomly(name, 500) for _ in range(3)):10,.0f} turns per CPU-second")
    for pair in (("tft", "grim"), ("zd", "gtft")):
        since = process_time()
        for seed in range(2000):
            play("matrix/ipd", pair, seed)
        print(
            f"{pair[0]} against {pair[1]}, ten rounds {2000 / (process_time() - since):10,.0f} matches per CPU-second"
        )


def dilemma() -> None:
    """Points a round in the ten-round dilemma: row against column."""
    print("row against column".ljust(18) + "".join(f"{name[:8]:>9}" for name in DILEMMA) + "     mean")
    for row in DILEMMA:
        cells = []
        for column in DILEMMA:
            paid = [(play("matrix/ipd", (row, column), s).payoffs or {})["player_0"] / 10 for s in range(SEEDS)]
            cells.append(sum(paid) / SEEDS)
        print(f"{row:18}" + "".join(f"{cell:9.2f}" for cell in cells) + f"{sum(cells) / len(cells):9.2f}")


def regret() -> None:
    """Average external regret a round over 25 rounds of stated mixes."""
    print(
        "average regret".ljust(18)
        + "".join(f"{world:>18}" for world in ("rps/fictitious", "iid", "sine", "adversarial"))
    )
    for bot in LEARNERS:
        cells = [_regrets("matrix/regret/rps", (bot, "fictitious"))]
        cells += [_regrets("matrix/online", (bot,), losses=losses) for losses in ("iid", "sine", "adversarial")]
        print(f"{bot:18}" + "".join(f"{mean(cell):>18}" for cell in cells))


def _regrets(name: str, bots: Sequence[str], **config: Any) -> list[float]:
    figures = [play(name, bots, s, mixed=True, **config).metrics() for s in range(SEEDS)]
    return [value for f in figures if (value := f["average_regret_player_0"]) is not None]


def looks() -> None:
    """Trust with a part level, the investor always looking: theory says (.2 - c, 1.4) a round."""
    for partial, shows in ((False, "mixed"), (True, "mixed"), (False, "pure")):
        config = {"simulate": "forced", "partial": partial, "simulate_shows": shows}
        paid = [play("matrix/trust_sim", ("leader", "leader"), s, **config).payoffs or {} for s in range(SEEDS)]
        first, second = ([p[seat] / 10 for p in paid] for seat in ("player_0", "player_1"))
        print(f"looks at {shows:5}, part level {partial!s:5}: investor {mean(first)}, trustee {mean(second)}")


def main() -> None:
    parts: dict[str, Callable[[], None]] = {"speed": speed, "dilemma": dilemma, "regret": regret, "looks": looks}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=parts)
    only = parser.parse_args().only
    for name, part in parts.items():
        if only in (None, name):
            part()


if __name__ == "__main__":
    main()
