"""How long the prompts of a game are for a model: simulated matches with random legal answers, rendered under the
agent's memory and counted with the model's own tokenizer. An estimate from below: real speech is longer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from statistics import median_high
from typing import NamedTuple

from arena.core.errors import UsageError
from arena.core.game import Game
from arena.core.match import Match
from arena.core.seeds import Rng
from arena.play import new_match
from arena.prompt.render import messages
from arena.training.league import Start

PROBED = 3  # matches that are looked at before a run starts


class Simulated(NamedTuple):
    """One match: what each seat was asked, in asks and prompt tokens, and the longest of its prompts."""

    match: Match
    asks: Counter[str]
    tokens: Counter[str]
    longest: int


def simulated(start: Start, matches: Iterable[Match]) -> list[Simulated]:
    """`notes` are never longer than the past that they stand for, and are counted as that."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(start.folder, trust_remote_code=False)
    memory = start.memory if start.memory != "notes" else "full"

    def size(match: Match, seat: str) -> int:
        text = tokenizer.apply_chat_template(
            messages(match.view(seat), memory), tokenize=False, add_generation_prompt=True
        )
        return len(tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"])

    found = []
    for number, match in enumerate(matches):
        rng, longest = Rng(number), 0
        asks, tokens = Counter[str](), Counter[str]()
        while not match.done:
            for seat, ask in list(match.pending().items()):
                read = size(match, seat)
                asks[seat], tokens[seat], longest = asks[seat] + 1, tokens[seat] + read, max(longest, read)
                match.submit(seat, ask.sample(rng))
        found.append(Simulated(match, asks, tokens, longest))
    return found


def check_context(game: Game, start: Start, max_length: int | None, *, name: str = "") -> None:
    """Stop if most matches do not fit: what cannot be read cannot be played, and rows over `max_length` cannot be
    trained on."""
    limit = min(max_length or start.context, start.context)
    typical = median_high(one.longest for one in simulated(start, (new_match(game, n) for n in range(PROBED))))
    if typical >= limit:
        what = "the model's context" if limit == start.context else "--param max_length"
        raise UsageError(
            f"most matches of {name or game.name} need prompts of {typical} tokens and more, and {what} is {limit}",
            hint="a smaller preset, a model with a longer context, or ?memory=window=N after the model's name",
        )
