"""Leduc poker (Southey et al., 2005): six cards in three ranks, two betting rounds, one public card between them.

Ante 1. A bet or raise is 2 chips in the first round and 4 in the second, at most two of them a round. Folding is legal
only when facing one. A pair with the public card wins, else the higher rank; equal ranks split the pot. Player 0 acts
first in both rounds. A history is the tuple of moves of both rounds, by their poker words.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from itertools import product
from typing import NamedTuple

RANKS = "JQK"
DECK = "JJQQKK"
SIZES = (2, 4)
MOST_RAISES = 2
MOST_CHIPS = 1 + MOST_RAISES * sum(SIZES)

CHECK, BET, FOLD, CALL, RAISE = "check", "bet", "fold", "call", "raise"


class Hand(NamedTuple):
    """Where a hand stands: `chips` are in the pot, `player` acts next unless it is over."""

    round: int = 0
    player: int = 0
    raises: int = 0
    chips: tuple[int, int] = (1, 1)
    over: bool = False
    folded: int | None = None

    @property
    def owed(self) -> int:
        """What the player to act must add to call."""
        return max(self.chips) - self.chips[self.player]


@cache
def hand(history: tuple[str, ...]) -> Hand:
    return _after(hand(history[:-1]), history[-1]) if history else Hand()


@cache
def legal(history: tuple[str, ...]) -> tuple[str, ...]:
    now = hand(history)
    if not now.owed:
        return (CHECK, BET)
    return (FOLD, CALL, RAISE) if now.raises < MOST_RAISES else (FOLD, CALL)


def is_over(history: tuple[str, ...]) -> bool:
    return hand(history).over


def to_act(history: tuple[str, ...]) -> int:
    return hand(history).player


def won(deal: str, history: tuple[str, ...]) -> int:
    """Chips that player 0 wins, less than 0 if it loses. `deal` = its card, the other's, the public one."""
    end = hand(history)
    if end.folded is not None:
        return end.chips[1] if end.folded == 1 else -end.chips[0]
    first, second = strength(deal[0], deal[2]), strength(deal[1], deal[2])
    return end.chips[0] * ((first > second) - (first < second))


def strength(card: str, public: str) -> tuple[bool, int]:
    """A pair with the public card comes first, then the rank."""
    return card == public, RANKS.index(card)


def left(*seen: str) -> list[str]:
    """The deck without these cards."""
    cards = list(DECK)
    for card in seen:
        cards.remove(card)
    return cards


def known(deal: str, history: tuple[str, ...], player: int) -> str:
    """The information set: own card, the public card once it lies open, and the betting."""
    cards = deal[player] + (deal[2] if hand(history).round else "")
    return f"{cards}:{' '.join(history)}"


def _after(now: Hand, move: str) -> Hand:
    player, other = now.player, 1 - now.player
    if move == FOLD:
        return now._replace(over=True, folded=player)
    if move in (BET, RAISE):
        total = max(now.chips) + SIZES[now.round]
        chips = (total, now.chips[1]) if player == 0 else (now.chips[0], total)
        return now._replace(player=other, raises=now.raises + 1, chips=chips)
    if move == CHECK and player == 0:
        return now._replace(player=other)
    # The second check, or a call, ends the round: the public card comes, or the showdown.
    chips = (max(now.chips), max(now.chips))
    return now._replace(chips=chips, over=True) if now.round else Hand(round=1, chips=chips)


def _deals() -> dict[str, Fraction]:
    """Every deal by ranks, with its share of the 120 deals of six different cards."""
    found: dict[str, Fraction] = {}
    for ranks in product(RANKS, repeat=3):
        ways = 1
        for i, rank in enumerate(ranks):
            ways *= DECK.count(rank) - ranks[:i].count(rank)
        if ways:
            found["".join(ranks)] = Fraction(ways, 120)
    return found


DEALS = _deals()
