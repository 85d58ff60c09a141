"""Exact win probabilities of matches without information, as fractions: the floors that presets are judged against.

Nobody has a power; a day exiles a uniformly drawn living seat, a night kills a uniformly drawn living non-wolf. `w`
wolves, and either `g` others (parity) or `a` gods and `v` villagers (side kill). The village is checked first.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from functools import cache

from arena.games.werewolf.rules import GODS, KIND

ZERO, ONE = Fraction(0), Fraction(1)


@cache
def parity_day(w: int, g: int) -> Fraction:
    """P(village wins) under parity with a day to come."""
    if w == 0:
        return ONE
    if w >= g:
        return ZERO
    n = w + g
    return Fraction(w, n) * parity_night(w - 1, g) + Fraction(g, n) * parity_night(w, g - 1)


def parity_night(w: int, g: int) -> Fraction:
    """P(village wins) under parity with a night to come."""
    if w == 0:
        return ONE
    return ZERO if w >= g else parity_day(w, g - 1)


@cache
def sides_day(w: int, a: int, v: int) -> Fraction:
    """P(village wins) under side kill with a day to come."""
    if w == 0:
        return ONE
    if a <= 0 or v <= 0:
        return ZERO
    n = w + a + v
    return (
        Fraction(w, n) * sides_night(w - 1, a, v)
        + Fraction(a, n) * sides_night(w, a - 1, v)
        + Fraction(v, n) * sides_night(w, a, v - 1)
    )


@cache
def sides_night(w: int, a: int, v: int) -> Fraction:
    """P(village wins) under side kill with a night to come."""
    if w == 0:
        return ONE
    if a <= 0 or v <= 0:
        return ZERO
    n = a + v
    return Fraction(a, n) * sides_day(w, a - 1, v) + Fraction(v, n) * sides_day(w, a, v - 1)


@cache
def all_dead_day(w: int, g: int) -> Fraction:
    """P(village wins) with a day to come, where wolves win only when no other is left."""
    if w == 0:
        return ONE
    if g == 0:
        return ZERO
    n = w + g
    return Fraction(w, n) * all_dead_night(w - 1, g) + Fraction(g, n) * all_dead_night(w, g - 1)


def all_dead_night(w: int, g: int) -> Fraction:
    """P(village wins) with a night to come, where wolves win only when no other is left."""
    if w == 0:
        return ONE
    return ZERO if g == 0 else all_dead_day(w, g - 1)


def village_floor(roles: Mapping[str, int], win: str, night_first: bool) -> Fraction:
    """P(village wins) of a role set without powers and information; a possessed counts as one of the others.

    Under side kill a possessed is neither god nor plain, so this is exact only without one.
    """
    wolves = sum(n for role, n in roles.items() if KIND[role] == "wolf")
    others = sum(roles.values()) - wolves
    if win == "side_kill":
        gods = sum(n for role, n in roles.items() if KIND[role] in GODS)
        return (sides_night if night_first else sides_day)(wolves, gods, others - gods)
    if win == "parity":
        return (parity_night if night_first else parity_day)(wolves, others)
    return (all_dead_night if night_first else all_dead_day)(wolves, others)
