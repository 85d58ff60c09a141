"""World pairs for the no-leak test: all else is public, so the worlds differ in what others have just chosen."""

from __future__ import annotations

from arena.core import Game, Match
from arena.core.seeds import stream


def twins(game: Game, seed: int, seat: str) -> list[tuple[Match, Match]]:
    """Some rounds played alike; then the others have chosen differently, and `seat` is still to choose."""
    rng = stream(seed, "twins")
    a, b = Match(game, seed), Match(game, seed)
    for _ in range(rng.below(game.config.rounds)):
        if a.done or seat not in a.pending():
            break
        for mover, ask in list(a.pending().items()):
            answer = ask.sample(rng)
            a.submit(mover, answer)
            b.submit(mover, answer)
    for mover, ask in list(a.pending().items()):
        if mover != seat and seat in a.pending():
            a.submit(mover, ask.sample(rng))
            b.submit(mover, ask.sample(rng))
    return [(a, b)]
