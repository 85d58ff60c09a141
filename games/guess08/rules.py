"""Guess 0.8 of the average (K-Level Reasoning, G08A): who wins a round. All comparisons are exact.

The target is 0.8 times the mean of the numbers. The number nearest to it wins, of two as near the smaller one; all who
chose it win. If two or more players all choose the same number, nobody wins. Who does not win loses 1 health.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import NamedTuple

LOW, HIGH = 1, 100


class Outcome(NamedTuple):
    winning: int | None
    winners: tuple[str, ...]


def target(numbers: Mapping[str, int]) -> Fraction:
    return Fraction(4 * sum(numbers.values()), 5 * len(numbers))


def outcome(numbers: Mapping[str, int]) -> Outcome:
    """The winning number and those who chose it."""
    if len(numbers) > 1 and len(set(numbers.values())) == 1:
        return Outcome(None, ())
    players, total = len(numbers), sum(numbers.values())
    # |x - 4·total / (5·players)| in whole numbers. The published code rounds the target to two decimals, which can only
    # make ties that the rule does not know, and none with up to 20 players.
    winning = min(numbers.values(), key=lambda x: (abs(5 * x * players - 4 * total), x))
    return Outcome(winning, tuple(seat for seat, x in numbers.items() if x == winning))


def level(k: int) -> int:
    """What a level-k player guesses: 50 times 0.8 to the k, rounded to the nearest integer, at least 1."""
    return max(LOW, int(Fraction(50) * Fraction(4, 5) ** k + Fraction(1, 2)))
