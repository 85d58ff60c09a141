"""Measurements of Werewolf: scripted players against each other, time of a match, size of its prompts.

    python benchmarks/werewolf.py gate --deals 2000 makto9g makto7w       village win rate of quiet, sample, bayes
    python benchmarks/werewolf.py cpu makto9g arena8                      CPU ms of a match of random players
    python benchmarks/werewolf.py prompts makto9g --deals 10              size of the prompts under each memory
    python benchmarks/werewolf.py floor makto9g --deals 4000              wolves' win rate under random play

Times are CPU times of this process. Set OMP_NUM_THREADS=1: threads of the linear algebra would count as well.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import arena
from arena.core import Answer, Ask, Game, Match, Rng, Spoken, View, stream
from arena.prompt import messages
from arena.registry import game_bots, load_game, make_game
from arena.run.context import with_notes

Bot = Callable[[View, Ask, Rng], Answer]
MAIN = (
    "makto9g",
    "makto9h",
    "makto7g",
    "makto7w",
    "arena8",
    "aiwolf5",
    "aiwolf13",
    "mafia6",
    "mafia9",
    "mini5",
    "duel5",
)
WORDS = "I think that we should look at the votes of yesterday again. "
MEMORIES = ("full", "window=4", "window=1", "window=0", "notes")


def bot(name: str) -> Bot:
    if name == "random":
        return lambda view, ask, rng: ask.sample(rng)
    return game_bots(load_game("werewolf"))[name]


def play(game: Game, seed: int, wolves: str, village: str) -> Match:
    """One match: the seed fixes the deal and every player's stream."""
    match = Match(game, seed)
    streams = {seat: stream(seed, "agent", seat) for seat in match.seats}
    bots = {side: bot(name) for side, name in (("wolves", wolves), ("village", village))}
    while not match.done:
        for seat, ask in list(match.pending().items()):
            match.submit(seat, bots[match.sides[seat]](match.view(seat), ask, streams[seat]))
    return match


def interval(values: Sequence[float]) -> str:
    """Mean and 95 % interval of the mean."""
    n, mean = len(values), sum(values) / len(values)
    spread = math.sqrt(sum((v - mean) ** 2 for v in values) / max(1, n - 1))
    half = 1.96 * spread / math.sqrt(n)
    return f"{mean:+.3f} [{mean - half:+.3f}, {mean + half:+.3f}]"


def gate(presets: Sequence[str], deals: int, arms: Sequence[str], wolves: str) -> None:
    """The same wolves and deals, one village player after another; differences are paired by deal."""
    print(f"wolves: {wolves}; village win rate over {deals} deals, difference to the arm before, CPU ms a match")
    for preset in presets:
        game, _ = make_game(f"werewolf/{preset}")
        before: list[float] | None = None
        for arm in arms:
            start = time.process_time()
            won = [float(play(game, seed, wolves, arm).outcome["winner_team"] == "village") for seed in range(deals)]
            cpu_ms = 1000 * (time.process_time() - start) / deals
            gain = "" if before is None else interval([a - b for a, b in zip(won, before, strict=True)])
            print(f"{preset:14} {arm:8} {sum(won) / deals:.3f}  {gain:26} {cpu_ms:7.1f} ms", flush=True)
            before = won


def cpu(presets: Sequence[str], deals: int) -> None:
    for preset in presets:
        game, _ = make_game(f"werewolf/{preset}")
        play(game, 0, "random", "random")
        start, asks = time.process_time(), 0
        for seed in range(deals):
            asks += len(play(game, seed, "random", "random").turns)
        cpu_ms = 1000 * (time.process_time() - start) / deals
        print(f"{preset:14} {cpu_ms:7.2f} ms a match, {asks / deals:.0f} asks", flush=True)


def floor(presets: Sequence[str], deals: int) -> None:
    """Wolves' win rate when all answer at random, and days, beside the exact floor without powers."""
    for preset in presets:
        game, _ = make_game(f"werewolf/{preset}")
        played = [play(game, seed, "quiet", "quiet") for seed in range(deals)]
        wolves = sum(match.outcome["winner_team"] == "wolves" for match in played) / deals
        days = sum(match.metrics()["days"] or 0 for match in played) / deals
        exact = 1 - (played[0].metrics()["village_floor"] or 0)
        print(f"{preset:14} wolves win {wolves:.3f} (without powers {exact:.3f}), {days:.2f} days", flush=True)


def wordy(ask: Ask, rng: Rng) -> Answer:
    """A random answer whose speech is as long as it may be."""
    answer: Any = ask.sample(rng)
    if isinstance(answer, dict) and "text" in answer:
        cap = next(field for field in ask.fields if field.name == "text").max_chars  # type: ignore[attr-defined]
        return answer | {"text": Spoken((WORDS * (cap // len(WORDS) + 1))[:cap])}
    return answer


def reads(match: Match, seat: str, memory: str) -> str:
    """All that the seat's model reads at its open ask; its notes, if it keeps any, are as long as they may be."""
    view = match.view(seat)
    if memory == "notes" and view.ask is not None:
        sent = messages(view, memory, notes=(WORDS * 10)[:600], ask=with_notes(view.ask), as_objects=True)
    else:
        sent = messages(view, memory)
    return "\n".join(message["content"] for message in sent)


def prompts(presets: Sequence[str], deals: int, memories: Sequence[str]) -> None:
    """The prompts of all turns, all speeches at full length: characters, and tokens of the embedded model."""
    tokens = counter()
    for preset in presets:
        sizes: dict[str, list[tuple[int, int]]] = {memory: [] for memory in memories}
        for seed in range(deals):
            match, rng = arena.match(f"werewolf/{preset}", seed=seed), stream(seed, "prompts")
            while not match.done:
                for seat, ask in list(match.pending().items()):
                    for memory in memories:
                        text = reads(match, seat, memory)
                        sizes[memory].append((len(text), tokens(text)))
                    match.submit(seat, wordy(ask, rng))
        for memory, found in sizes.items():
            shown = [f"{memory:9} {len(found)} prompts"]
            for unit, column in zip(("characters", "tokens"), zip(*found, strict=True), strict=True):
                ordered = sorted(column)
                mean, high = sum(ordered) // len(ordered), ordered[len(ordered) * 95 // 100]
                shown.append(f"{unit}: mean {mean}, 95 % {high}, largest {ordered[-1]}")
            print(f"{preset:10} {'; '.join(shown)}", flush=True)


def counter() -> Callable[[str], int]:
    """Counts tokens with the tokenizer of SmolLM2-135M."""
    from tokenizers import Tokenizer

    from arena.models.smollm2 import converted

    tokenizer = Tokenizer.from_file(str(converted() / "tokenizer.json"))
    return lambda text: len(tokenizer.encode(text).ids)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["gate", "cpu", "prompts", "floor"])
    parser.add_argument("presets", nargs="*", default=list(MAIN))
    parser.add_argument("--deals", type=int, default=200)
    parser.add_argument("--arms", default="quiet,sample,bayes")
    parser.add_argument("--wolves", default="sample")
    parser.add_argument("--memory", action="append", help="may be repeated")
    chosen = parser.parse_intermixed_args()
    if chosen.what == "gate":
        gate(chosen.presets, chosen.deals, chosen.arms.split(","), chosen.wolves)
    elif chosen.what == "cpu":
        cpu(chosen.presets, chosen.deals)
    elif chosen.what == "floor":
        floor(chosen.presets, chosen.deals)
    else:
        prompts(chosen.presets, chosen.deals, chosen.memory or MEMORIES)


if __name__ == "__main__":
    main()
