"""Kuhn poker (H. W. Kuhn, 1950): three cards, ante 1, one bet of 1. Who acts, what is legal, who wins how much."""

from __future__ import annotations

from itertools import permutations

CARDS = "JQK"
DEALS = tuple(a + b for a, b in permutations(CARDS, 2))  # "KQ": player 0 holds K, player 1 holds Q

PASS, BET = "pass", "bet"  # a pass is a check, or a fold when facing a bet; a bet is a call when facing one
_ENDED = {(PASS, PASS), (PASS, BET, PASS), (PASS, BET, BET), (BET, PASS), (BET, BET)}


def legal(history: tuple[str, ...]) -> tuple[str, str]:
    """The two moves, by their poker words."""
    return ("fold", "call") if BET in history else ("check", "bet")


def plain(move: str) -> str:
    """The move as pass or bet: what histories are made of."""
    return BET if move in ("bet", "call") else PASS


def to_act(history: tuple[str, ...]) -> int:
    return len(history) % 2


def is_over(history: tuple[str, ...]) -> bool:
    return history in _ENDED


def folded(history: tuple[str, ...]) -> int | None:
    """The player who folded, if one did."""
    return to_act(history[:-1]) if len(history) > 1 and history[-2:] == (BET, PASS) else None


def won(deal: str, history: tuple[str, ...]) -> int:
    """Chips that player 0 wins, less than 0 if it loses."""
    if (loser := folded(history)) is not None:
        return 1 if loser == 1 else -1
    stake = 2 if history[-1] == BET else 1
    return stake if CARDS.index(deal[0]) > CARDS.index(deal[1]) else -stake
