"""How much of what a model is sent it was sent before, as an exact prefix: what prompt caches can reuse.

python benchmarks/prefix.py
"""

from __future__ import annotations

import random
from itertools import pairwise

import arena


def reused(game: str, **config: object) -> tuple[float, int]:
    """The share of prompt characters that are an exact prefix of the seat's prompt before, and the number of asks."""
    match, rng = arena.match(game, seed=1, **config), random.Random(1)
    prompts: dict[str, list[str]] = {seat: [] for seat in match.seats}
    while not match.done:
        for seat, ask in match.pending().items():
            messages = match.view(seat).messages()
            prompts[seat].append("".join(f"<{m['role']}>{m['content']}" for m in messages))
            match.submit(seat, ask.sample(rng))
    total = sum(len(text) for texts in prompts.values() for text in texts)
    known = sum(len(old) for texts in prompts.values() for old, new in pairwise(texts) if new.startswith(old))
    return known / total, max(len(texts) for texts in prompts.values())


def main() -> None:
    for game, config in (("matrix/ipd", {"rounds": 20}), ("guess08", {}), ("gops", {}), ("leduc", {})):
        share, asks = reused(game, **config)
        print(f"{game:12} {asks:3} asks a seat: {share:6.1%} of the prompt characters are an exact prefix sent before")


if __name__ == "__main__":
    main()
