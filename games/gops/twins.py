"""World pairs for the no-leak test: the prizes to come lie in another order, and the other seat's card of the open
round, which is in already, is another."""

from __future__ import annotations

from arena.core import Game, Match
from arena.core.seeds import stream


def twins(game: Game, seed: int, seat: str) -> list[tuple[Match, Match]]:
    """Two orders of prizes with the same beginning, played alike for as long; then the other seat bids differently."""
    rng = stream(seed, "twins")
    n = game.config.n
    played = rng.below(n - 1)
    order = rng.sample(range(1, n + 1), n)
    rest = order[played + 1 :]
    orders = [order, order[: played + 1] + rng.sample(rest, len(rest))]
    settings = game.config.as_json()
    a, b = (Match(type(game)(game.config_type.make({**settings, "deal": deal})), seed) for deal in orders)
    for _ in range(played):
        for mover, ask in list(a.pending().items()):
            card = ask.sample(rng)
            a.submit(mover, card)
            b.submit(mover, card)
    other = next(s for s in a.seats if s != seat)
    cards = rng.sample(a.pending()[other].options or (), 2)
    a.submit(other, cards[0])
    b.submit(other, cards[1])
    return [(a, b)]
