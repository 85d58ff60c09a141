"""Scripted Leduc players: the solved one, one too loose, one too tight."""

from __future__ import annotations

from arena.core import Ask, Rng, View
from arena.games.leduc.exact import nash_policy


def nash(view: View, ask: Ask, rng: Rng) -> str:
    """The equilibrium player (CFR+; policy.json says how far it is from exact)."""
    chances = nash_policy()[f"{_cards(view)}:{' '.join(_history(view))}"]
    return rng.choices(_moves(ask), weights=[float(p) for p in chances])[0]


def loose(view: View, ask: Ask, rng: Rng) -> str:
    """Never folds; bets or raises half of the time, whatever it holds."""
    moves = _moves(ask)
    return moves[-1] if moves[-1] != "call" and rng.random() < 0.5 else _stay(moves)


def tight(view: View, ask: Ask, rng: Rng) -> str:
    """Bets and raises with a pair, or a king before the public card; calls with a king or a pair; else folds."""
    cards, moves = _cards(view), _moves(ask)
    if len(set(cards)) < len(cards) or cards == "K":
        return moves[-1]
    return _stay(moves) if cards[0] == "K" else moves[0]


BOTS = {"nash": nash, "loose": loose, "tight": tight}


def _cards(view: View) -> str:
    """Own card, and the public one if it lies open."""
    return "".join(str(event.facts["card"]) for event in view.of_kind("card", "public"))


def _history(view: View) -> list[str]:
    return [event.facts["move"] for event in view.of_kind("action")]


def _moves(ask: Ask) -> tuple[str, ...]:
    return ask.options or ()


def _stay(moves: tuple[str, ...]) -> str:
    """Check, or call."""
    return "check" if "check" in moves else "call"
