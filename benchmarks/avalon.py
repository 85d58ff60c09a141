"""Avalon's scripted players: who beats whom with intervals, CPU time a match, size of what a model reads.

    OMP_NUM_THREADS=1 python benchmarks/avalon.py strength [DEALS]   paired deals: each bot good against each bot evil
    OMP_NUM_THREADS=1 python benchmarks/avalon.py gate [DEALS]       good as bayes less good as naive, same deals
    OMP_NUM_THREADS=1 python benchmarks/avalon.py speed              CPU ms a match
    OMP_NUM_THREADS=1 python benchmarks/avalon.py prompts            characters and asks of a match

Speech decides nothing for these players, so `strength` and `gate` play without it. Seeds are 0, 1, 2, …
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from itertools import combinations
from math import sqrt
from typing import Any

import arena
from arena.agents.random import bot as random_bot
from arena.core import Match, stream
from arena.core.bots import Bot
from arena.games.avalon.bots import BOTS
from arena.games.avalon.game import Avalon

PLAYERS: dict[str, Bot] = {"random": random_bot, **BOTS}
MAIN = ("mute5", "p5", "p6", "p7", "p8", "p9", "p10", "full5", "full7", "full8", "full10", "resist5")


def play(preset: str, seed: int, good: str, evil: str, **config: Any) -> Match:
    match, rng = arena.match(f"avalon/{preset}", seed=seed, **config), stream("benchmark", seed)
    bots = {"good": PLAYERS[good], "evil": PLAYERS[evil]}
    while not match.done:
        for seat, ask in list(match.pending().items()):
            match.submit(seat, bots[match.sides[seat]](match.view(seat), ask, rng))
    return match


def good_won(preset: str, seed: int, good: str, evil: str) -> int:
    return int(play(preset, seed, good, evil, talk_rounds=0).outcome["winner_team"] == "good")


def mean_and_half(values: Sequence[float]) -> tuple[float, float]:
    """Mean and 95 % half-width; each value is one deal, so deals are the clusters."""
    n = len(values)
    mean = sum(values) / n
    return mean, 1.96 * sqrt(sum((v - mean) ** 2 for v in values) / (n - 1) / n)


def strength(deals: int) -> None:
    """A wins a deal's share: half for good with A, half for evil with A, on the same deal."""
    print(f"{deals} deals, each played twice with the sides swapped\n")
    names = list(PLAYERS)
    print("| preset | " + " | ".join(f"{a} : {b}" for a, b in combinations(names[::-1], 2)) + " |")
    print("|---|" + "---|" * (len(names) * (len(names) - 1) // 2))
    for preset in MAIN:
        row = []
        for a, b in combinations(names[::-1], 2):
            shares = [(good_won(preset, s, a, b) + 1 - good_won(preset, s, b, a)) / 2 for s in range(deals)]
            row.append("{:.3f} ± {:.3f}".format(*mean_and_half(shares)))
        print(f"| {preset} | " + " | ".join(row) + " |", flush=True)


def gate(deals: int) -> None:
    print(f"{deals} paired deals, evil naive\n")
    print("| players | good naive | good bayes | difference |\n|---|---|---|---|")
    for players in range(5, 11):
        pairs = [[good_won(f"p{players}", s, bot, "naive") for bot in ("naive", "bayes")] for s in range(deals)]
        naive, bayes = (sum(p[i] for p in pairs) / deals for i in range(2))
        mean, half = mean_and_half([b - a for a, b in pairs])
        print(f"| {players} | {naive:.3f} | {bayes:.3f} | {mean:+.3f} ± {half:.3f} |", flush=True)


def speed(matches: int = 100) -> None:
    """The least of three means: the machine is shared."""
    print("| preset | " + " | ".join(PLAYERS) + " |\n|---|" + "---|" * len(PLAYERS))
    for preset in Avalon.presets:
        row = []
        for name in PLAYERS:
            best = float("inf")
            for part in range(3):
                start = time.process_time()
                for seed in range(part * matches, (part + 1) * matches):
                    play(preset, seed, name, name)
                best = min(best, (time.process_time() - start) / matches * 1000)
            row.append(f"{best:.2f}")
        print(f"| {preset} | " + " | ".join(row) + " |", flush=True)


def prompts(matches: int = 40) -> None:
    """Characters that a model reads in one seat: rules, first ask, last ask. Everybody answers as the Bayes player."""
    print("| preset | asks a match | rules | first ask | last ask |\n|---|---|---|---|---|")
    for preset in Avalon.presets:
        asks, rules, first, last = 0, 0, 0, 0
        for seed in range(matches):
            match, rng = arena.match(f"avalon/{preset}", seed=seed), stream("prompts", seed)
            watched = match.seats[seed % len(match.seats)]
            sizes = []
            while not match.done:
                for seat, ask in list(match.pending().items()):
                    if seat == watched:
                        sizes.append(sum(len(m["content"]) for m in match.view(seat).messages()))
                    match.submit(seat, BOTS["bayes"](match.view(seat), ask, rng))
            asks += len(match.turns)
            rules += len(match.view(watched).messages()[0]["content"])
            first, last = first + sizes[0], last + sizes[-1]
        row = [f"{total / matches:.0f}" for total in (asks, rules, first, last)]
        print(f"| {preset} | " + " | ".join(row) + " |", flush=True)


def main(words: list[str]) -> None:
    what, number = words[0] if words else "", int(words[1]) if len(words) > 1 else 1000
    match what:
        case "strength":
            strength(number)
        case "gate":
            gate(number)
        case "speed":
            speed()
        case "prompts":
            prompts()
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
