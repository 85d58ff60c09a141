"""World pairs for the no-leak test: the other hand, and the public card while it is hidden, differ; the betting is
the same, and nobody has shown yet."""

from __future__ import annotations

from arena.core import Game, Match
from arena.core.seeds import stream
from arena.games.leduc.rules import DEALS, DECK, hand, is_over


def twins(game: Game, seed: int, seat: str) -> list[tuple[Match, Match]]:
    """Two deals that give `seat` the same card, played alike up to the moment before they would be told apart.

    Half of the pairs share the public card and may go on to the end of the betting; the others stop before it lies
    open. A fold ends the hand without a word about the cards, so such a pair is equal to the very end.
    """
    rng = stream(seed, "twins")
    share = rng.below(2) == 0
    own, other = (0, 1) if seat == "player_0" else (1, 0)
    first = "".join(rng.sample(DECK, 3))
    alike = [d for d in DEALS if d[own] == first[own] and d[other] != first[other] and (d[2] == first[2]) == share]
    a, b = (Match(type(game)(game.config_type.make({"deal": d})), seed) for d in (first, rng.choice(alike)))
    history: tuple[str, ...] = ()
    while not a.done:
        mover, ask = next(iter(a.pending().items()))
        move = ask.sample(rng)
        ahead = hand((*history, move))
        if (is_over((*history, move)) and ahead.folded is None) or (ahead.round and not share):
            break
        a.submit(mover, move)
        b.submit(mover, move)
        history = (*history, move)
    return [(a, b)]
