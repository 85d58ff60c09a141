"""Scripted Kuhn players: the equilibrium family, one too loose, one too tight."""

from __future__ import annotations

from fractions import Fraction

from arena.core import Ask, Rng, View


def bet_probability(card: str, history: tuple[str, ...], alpha: Fraction) -> Fraction:
    """How often the equilibrium player of parameter `alpha` (0 to 1/3) bets or calls."""
    third, none, always = Fraction(1, 3), Fraction(0), Fraction(1)
    table = {
        (): {"J": alpha, "Q": none, "K": 3 * alpha},
        ("check",): {"J": third, "Q": none, "K": always},
        ("bet",): {"J": none, "Q": third, "K": always},
        ("check", "bet"): {"J": none, "Q": alpha + third, "K": always},
    }
    return table[history][card]


def nash(view: View, ask: Ask, rng: Rng, *, alpha: float = 1 / 3) -> str:
    """The equilibrium player; alpha in 0..1/3 picks the member of the family."""
    bets = rng.random() < bet_probability(_card(view), _history(view), Fraction(alpha).limit_denominator(1000))
    return _move(ask, bets)


def loose(view: View, ask: Ask, rng: Rng) -> str:
    """Bets and calls with everything, the jack included, three times in four."""
    return _move(ask, _card(view) == "K" or rng.random() < 0.75)


def tight(view: View, ask: Ask, rng: Rng) -> str:
    """Bets and calls with the king only."""
    return _move(ask, _card(view) == "K")


BOTS = {"nash": nash, "loose": loose, "tight": tight}


def _card(view: View) -> str:
    return str(next(e.facts["card"] for e in view.events if e.kind == "card"))


def _history(view: View) -> tuple[str, ...]:
    return tuple(e.facts["move"] for e in view.events if e.kind == "action")


def _move(ask: Ask, bets: bool) -> str:
    return (ask.options or ())[1 if bets else 0]
