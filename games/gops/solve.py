"""Exact play of small GOPS games, as differences of points, in Fractions.

`game_value` solves every state as a matrix game (recursive linear programming); `reply_to_uniform` plays best against
a bidder who draws from its hand. Sizes: n = 5 takes seconds, each further card about a hundredfold.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache

from arena.games.gops.rules import trick

Cards = tuple[int, ...]


def game_value(n: int, *, carry: bool = True) -> Fraction:
    """What the first player gains at best in mixed strategies: 0, by symmetry, which is not used."""
    cards = tuple(range(1, n + 1))
    return _value(cards, cards, cards, 0, carry)


def reply_to_uniform(n: int, *, carry: bool = True) -> tuple[Fraction, dict[int, list[int]]]:
    """The best expected difference against a uniform bidder, and the best first bids on each first prize."""
    cards = tuple(range(1, n + 1))
    best: dict[int, list[int]] = {}
    worth = Fraction(0)
    for prize in cards:
        values = {bid: _against_uniform(cards, cards, cards, 0, prize, bid, carry) for bid in cards}
        top = max(values.values())
        best[prize] = [bid for bid in cards if values[bid] == top]
        worth += top / n
    return worth, best


def matrix_value(rows: Sequence[Sequence[Fraction]]) -> Fraction:
    """The value of a matrix game to the row player, by the simplex method in Fractions with Bland's rule."""
    low = max(min(row) for row in rows)
    high = min(max(column) for column in zip(*rows, strict=True))
    if low == high:
        return low
    # With all entries positive: the column player's weights y maximise sum(y) subject to rows·y <= 1, y >= 0, and the
    # value is 1 / sum(y). The slack basis is feasible at the start.
    shift = 1 - min(min(row) for row in rows)
    height, width = len(rows), len(rows[0])
    table = [
        [*(entry + shift for entry in row), *(Fraction(int(i == j)) for j in range(height)), Fraction(1)]
        for i, row in enumerate(rows)
    ]
    gain = [*([Fraction(1)] * width), *([Fraction(0)] * (height + 1))]
    basis = list(range(width, width + height))
    while (enter := next((j for j in range(width + height) if gain[j] > 0), None)) is not None:
        ratios = [(table[i][-1] / table[i][enter], basis[i], i) for i in range(height) if table[i][enter] > 0]
        leave = min(ratios)[2]
        pivot = table[leave][enter]
        table[leave] = [entry / pivot for entry in table[leave]]
        for i in range(height):
            if i != leave and (factor := table[i][enter]):
                table[i] = [a - factor * b for a, b in zip(table[i], table[leave], strict=True)]
        factor = gain[enter]
        gain = [a - factor * b for a, b in zip(gain, table[leave], strict=True)]
        basis[leave] = enter
    return -1 / gain[-1] - shift


@cache
def _value(prizes: Cards, mine: Cards, theirs: Cards, carried: int, carry: bool) -> Fraction:
    if not prizes:
        return Fraction(0)
    worth = Fraction(0)
    for prize in prizes:
        rest = _without(prizes, prize)
        rows = []
        for bid in mine:
            row = []
            for reply in theirs:
                done = trick(prize + carried, (bid, reply), carry=carry)
                later = _value(rest, _without(mine, bid), _without(theirs, reply), done.carried, carry)
                row.append(_gain(done.winner, done.points) + later)
            rows.append(row)
        worth += matrix_value(rows)
    return worth / len(prizes)


@cache
def _against_uniform(
    prizes: Cards, mine: Cards, theirs: Cards, carried: int, prize: int, bid: int, carry: bool
) -> Fraction:
    """The expected difference from here on when `bid` meets `prize` and best play follows."""
    rest, hand = _without(prizes, prize), _without(mine, bid)
    worth = Fraction(0)
    for reply in theirs:
        done = trick(prize + carried, (bid, reply), carry=carry)
        left = _without(theirs, reply)
        later = sum(
            max(_against_uniform(rest, hand, left, done.carried, after, card, carry) for card in hand) for after in rest
        )
        worth += _gain(done.winner, done.points) + (Fraction(later) / len(rest) if rest else 0)
    return worth / len(theirs)


def _gain(winner: int | None, points: int) -> int:
    return 0 if winner is None else points if winner == 0 else -points


def _without(cards: Cards, card: int) -> Cards:
    return tuple(c for c in cards if c != card)
