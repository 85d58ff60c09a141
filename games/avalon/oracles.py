"""Exact values of the simplest play, and the recursion behind them.

The leader proposes a uniformly random team, evil always plays fail, the assassin names a good seat at random. Either
everybody approves, or everybody votes at random and a fifth rejection ends the match for evil.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from math import comb

from arena.games.avalon.rules import EVIL_SEATS, PROPOSALS, TEAM_SIZES, TO_WIN, fails_needed


def quest_success(players: int) -> tuple[Fraction, ...]:
    """The chance of each quest to succeed: too few evil on a random team (hypergeometric)."""
    evil = EVIL_SEATS[players]
    return tuple(
        Fraction(sum(comb(evil, k) * comb(players - evil, size - k) for k in range(needed)), comb(players, size))
        for size, needed in zip(TEAM_SIZES[players], fails_needed(players), strict=True)
    )


def random_approval(players: int) -> Fraction:
    """The chance of a strict majority when everybody tosses a coin."""
    tie = Fraction(comb(players, players // 2), 2**players) if players % 2 == 0 else Fraction(0)
    return (1 - tie) / 2


def three_successes(players: int, approval: Fraction = Fraction(1)) -> Fraction:
    """The chance that three quests succeed, where a team is approved with chance `approval`."""
    goes = 1 - (1 - approval) ** PROPOSALS
    chances = quest_success(players)

    @cache
    def value(quest: int, successes: int, failures: int) -> Fraction:
        if successes == TO_WIN:
            return Fraction(1)
        if failures == TO_WIN:
            return Fraction(0)
        p = chances[quest]
        return goes * (
            p * value(quest + 1, successes + 1, failures) + (1 - p) * value(quest + 1, successes, failures + 1)
        )

    return value(0, 0, 0)


def good_wins(players: int, approval: Fraction = Fraction(1)) -> Fraction:
    """The same, and the assassin misses."""
    return three_successes(players, approval) * (1 - Fraction(1, players - EVIL_SEATS[players]))
