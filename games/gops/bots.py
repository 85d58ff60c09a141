"""Scripted GOPS players: fixed plans, which a better plan beats by a known margin."""

from __future__ import annotations

from arena.core import Ask, Rng, View


def match_prize(view: View, ask: Ask, rng: Rng) -> str:
    """Bids the card of the prize's value, whatever is carried to it."""
    return _card(ask, _prize(view))


def prize_plus_one(view: View, ask: Ask, rng: Rng) -> str:
    """Bids one more than the prize and gives up the highest one for its 1: beats match-prize."""
    prize = _prize(view)
    return _card(ask, prize + 1 if prize < view.rules["n"] else 1)


def top_down(view: View, ask: Ask, rng: Rng) -> str:
    """Bids its highest card each time."""
    return (ask.options or ())[-1]


BOTS = {"match-prize": match_prize, "prize-plus-one": prize_plus_one, "top-down": top_down}
ALIASES = {"match": "match-prize", "plus-one": "prize-plus-one", "top": "top-down"}


def _prize(view: View) -> int:
    shown = view.last("prize")
    return int(shown["value"]) if shown else 1


def _card(ask: Ask, wanted: int) -> str:
    """That card; if a fallback has played it, the next higher one, else the highest."""
    options = ask.options or ()
    return next((card for card in options if int(card) >= wanted), options[-1])
