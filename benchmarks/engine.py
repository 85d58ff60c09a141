"""The engine's speed: turns per CPU-second without text, with the store on, and memory of a live match.

    python benchmarks/engine.py            the peer is measured too where textarena is installed

CPU time, all in one run, so that the ratios hold on a shared machine.
"""

from __future__ import annotations

import gc
import random
import re
import tempfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from time import process_time

import arena
from arena.run.api import resolve_agents, start
from arena.run.runfile import settings_of


def ours(game: str, matches: int, **config: object) -> float:
    """Turns per CPU-second of random legal play, no text rendered."""
    rng, turns, since = random.Random(1), 0, process_time()
    for seed in range(matches):
        match = arena.match(game, seed=seed, **config)
        while not match.done:
            for seat, ask in match.pending().items():
                match.submit(seat, ask.sample(rng))
        turns += len(match.turns)
    return turns / (process_time() - since)


def textarena_ipd(matches: int) -> float | None:
    """Steps per CPU-second of the peer's iterated prisoner's dilemma: random legal play in its default form."""
    try:
        import textarena
    except ImportError:
        return None
    rng, steps, since = random.Random(1), 0, process_time()
    for seed in range(matches):
        env = textarena.make("IteratedPrisonersDilemma-v0")
        env.reset(num_players=2, seed=seed)
        done = False
        while not done:
            env.get_observation()
            done, _ = env.step(rng.choice(("[Cooperate]", "[Defect]")))
            steps += 1
        env.close()
    return steps / (process_time() - since)


def textarena_mafia(matches: int) -> float | None:
    """Steps per CPU-second of the peer's seven-player Secret Mafia: a random valid target where one is asked for, else
    one word of speech."""
    try:
        import textarena
    except ImportError:
        return None
    rng, steps, since = random.Random(1), 0, process_time()
    for seed in range(matches):
        env = textarena.make("SecretMafia-v0")
        env.reset(num_players=7, seed=seed)
        done = False
        while not done:
            _, told = env.get_observation()
            targets = (
                re.findall(r"\[(\d)\]", told[told.rfind("Valid targets") :]) if "Valid targets" in told[-200:] else []
            )
            done, _ = env.step(f"[{rng.choice(targets)}]" if targets else "Hello")
            steps += 1
        env.close()
    return steps / (process_time() - since)


def stored(matches: int) -> float:
    """Turns per CPU-second of two random players with everything recorded and on disk."""
    values = {
        "game": "matrix/ipd",
        "agents": ["bot/random", "bot/always?answer=cooperate"],
        "matches": matches,
        "seed": 1,
    }
    settings = settings_of(values)
    specs = resolve_agents(settings.agents, ["matrix/ipd"])
    with tempfile.TemporaryDirectory() as folder:
        since = process_time()
        result = start(settings, specs, Path(folder) / "run")
        spent = process_time() - since
    assert result.status == "complete"
    return matches * 20 / spent


def memory(game: str, live: int = 200) -> float:
    """KB of one match in play, half way through, its texts aside."""
    rng = random.Random(1)
    arena.match(game, seed=0)
    gc.collect()
    tracemalloc.start()
    matches = []
    for seed in range(live):
        match = arena.match(game, seed=seed)
        for _ in range(10):
            if match.done:
                break
            for seat, ask in match.pending().items():
                match.submit(seat, ask.sample(rng))
        matches.append(match)
    used = tracemalloc.get_traced_memory()[0] / live / 1024
    tracemalloc.stop()
    return used


def best(measure: Callable[[], float | None], times: int = 3) -> float | None:
    found = [measure() for _ in range(times)]
    return None if found[0] is None else max(value for value in found if value is not None)


def main() -> None:
    engine = best(lambda: ours("matrix/ipd", 3000)) or 0.0
    peer = best(lambda: textarena_ipd(500))
    print(f"matrix/ipd, random legal play      {engine:12,.0f} turns per CPU-second")
    mafia = best(lambda: ours("werewolf/mafia7", 200)) or 0.0
    peer_mafia = best(lambda: textarena_mafia(200))
    print(f"werewolf/mafia7, random legal play {mafia:12,.0f} turns per CPU-second")
    if peer is None or peer_mafia is None:
        print("textarena is not installed: no ratio (pip install textarena==0.7.4 into a scratch environment)")
    else:
        for name, theirs, own in (("IteratedPrisonersDilemma", peer, engine), ("SecretMafia", peer_mafia, mafia)):
            print(f"textarena {name:24} {theirs:12,.0f} steps per CPU-second: ratio {own / theirs:.1f}")
    print(f"matrix/ipd, two bots, store on     {stored(2000):12,.0f} turns per CPU-second")
    for game in ("matrix/ipd", "kuhn", "leduc"):
        print(f"live match of {game:12}         {memory(game):12,.1f} KB")


if __name__ == "__main__":
    main()
