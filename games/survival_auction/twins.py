"""World pairs for the no-leak test: the water of the days to come differs, and so do the bids that others have just
made."""

from __future__ import annotations

from arena.core import Game, Match
from arena.core.seeds import stream


def twins(game: Game, seed: int, seat: str) -> list[tuple[Match, Match]]:
    """Some days played alike; then the others have bid differently, and `seat` is still to bid."""
    rng = stream(seed, "twins")
    config = game.config
    span = range(config.supply_low, config.supply_high + 1)
    past = rng.below(min(4, config.days))
    first = [rng.choice(span) for _ in range(config.days)]
    second = first[: past + 1] + [rng.choice(span) for _ in range(config.days - past - 1)]
    a, b = (Match(type(game)(type(config).make({**config.as_json(), "deal": deal})), seed) for deal in (first, second))
    for _ in range(past):
        if a.done or seat not in a.pending():
            break
        for mover, ask in list(a.pending().items()):
            bid = ask.sample(rng)
            a.submit(mover, bid)
            b.submit(mover, bid)
    for mover, ask in list(a.pending().items()):
        if mover != seat and seat in a.pending():
            a.submit(mover, ask.sample(rng))
            b.submit(mover, ask.sample(rng))
    return [(a, b)]
