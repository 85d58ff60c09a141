"""How long the prompts of a game are for a model: simulated matches with random legal answers, rendered under the
agent's memory and counted with the model's own tokenizer. An estimate from below: real speech is longer."""

from __future__ import annotations

from statistics import fmean, median_high
from typing import NamedTuple

from arena.core.errors import UsageError
from arena.core.game import Game
from arena.core.match import Match
from arena.core.seeds import Rng
from arena.play import new_match
from arena.prompt.render import messages
from arena.training.league import Start

PROBED = 3  # matches that are looked at before a run starts


class Sizes(NamedTuple):
    """Of the average match, asks and prompt tokens; and the longest prompt of each match."""

    asks: float
    tokens: float
    longest: list[int]


def simulated(game: Game, start: Start, count: int) -> Sizes:
    """`notes` are never longer than the past that they stand for, and are counted as that."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(start.folder, trust_remote_code=False)
    memory = start.memory if start.memory != "notes" else "full"

    def size(match: Match, seat: str) -> int:
        text = tokenizer.apply_chat_template(
            messages(match.view(seat), memory), tokenize=False, add_generation_prompt=True
        )
        return len(tokenizer(text, add_special_tokens=False)["input_ids"])

    asks, tokens, longest = [], [], []
    for number in range(count):
        match, rng, found = new_match(game, number), Rng(number), list[int]()
        while not match.done:
            for seat, ask in list(match.pending().items()):
                found.append(size(match, seat))
                match.submit(seat, ask.sample(rng))
        asks.append(len(found))
        tokens.append(sum(found))
        longest.append(max(found, default=0))
    return Sizes(fmean(asks), fmean(tokens), longest)


def check_context(game: Game, start: Start, max_length: int | None, *, name: str = "") -> None:
    """Stop if most matches do not fit: what cannot be read cannot be played, and rows over `max_length` cannot be
    trained on."""
    limit = min(max_length or start.context, start.context)
    typical = median_high(simulated(game, start, PROBED).longest)
    if typical >= limit:
        what = "the model's context" if limit == start.context else "--param max_length"
        raise UsageError(
            f"most matches of {name or game.name} need prompts of {typical} tokens and more, and {what} is {limit}",
            hint="a smaller preset, a model with a longer context, or ?memory=window=N after the model's name",
        )
