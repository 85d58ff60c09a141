"""World pairs for the no-leak test: the other hand differs, the betting is the same, and nobody has shown yet."""

from __future__ import annotations

from arena.core import Game, Match
from arena.core.seeds import stream
from arena.games.kuhn.rules import CARDS


def twins(game: Game, seed: int, seat: str) -> list[tuple[Match, Match]]:
    """Two deals that give `seat` the same card, played alike up to the moment before a showdown."""
    rng = stream(seed, "twins")
    own, *others = rng.sample(CARDS, 3)
    pair = []
    for other in others:
        deal = own + other if seat == "player_0" else other + own
        pair.append(Match(type(game)(game.config_type.make({"deal": deal})), seed))
    a, b = pair
    while not a.done:
        mover, ask = next(iter(a.pending().items()))
        move = ask.sample(rng)
        if move == "call" or (move == "check" and mover == "player_1"):
            break  # a showdown tells the cards, and then the worlds may differ
        a.submit(mover, move)
        b.submit(mover, move)
    return [(a, b)]
