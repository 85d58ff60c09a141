"""Scripted bidders."""

from __future__ import annotations

from arena.core import Ask, Range, Rng, View
from arena.core.bots import Bot


def shade(view: View, ask: Ask, rng: Rng, *, f: float = 0.5) -> int:
    """Bids the share `f` of its money, every day."""
    return min(max(int(f * _money(ask)), 0), _money(ask))


def rotator(view: View, ask: Ask, rng: Rng) -> int:
    """Takes turns: on day d the d-th resident bids 1, all others 0; the turn of a dead one is lost."""
    return min(int(view.seats[(_day(view) - 1) % len(view.seats)] == view.seat), _money(ask))


def last_plus_one(view: View, ask: Ask, rng: Rng) -> int:
    """Bids one more than the highest bid of the day before, if it has it; 1 on the first day."""
    last = view.last("auction")
    return min(max(last["bids"].values()) + 1 if last else 1, _money(ask))


def all_in(view: View, ask: Ask, rng: Rng) -> int:
    """Bids all its money."""
    return _money(ask)


BOTS: dict[str, Bot] = {"shade": shade, "rotator": rotator, "last-plus-one": last_plus_one, "all-in": all_in}
ALIASES = {"plus-one": "last-plus-one", "rotate": "rotator"}


def _money(ask: Ask) -> int:
    return ask.high if isinstance(ask, Range) else 0


def _day(view: View) -> int:
    now = view.last("day")
    return int(now["day"]) if now else 1
