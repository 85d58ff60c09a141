"""GOPS, the game of pure strategy: equal hands 1..n bid for the prizes 1..n, turned up one by one.

Both play one card at once; the higher card takes every point at stake. Equal cards leave the points at stake for the
next prize (`carry`); points at stake after the last prize are lost. Without the carry a tied prize is lost at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Trick(NamedTuple):
    """One prize decided: who took how many points (winner 0 or 1, None = nobody), what stays at stake."""

    winner: int | None
    points: int
    carried: int


def total(n: int) -> int:
    """All points of the prizes 1..n."""
    return n * (n + 1) // 2


def trick(at_stake: int, bids: Sequence[int], *, carry: bool = True) -> Trick:
    first, second = bids
    if first == second:
        return Trick(None, 0, at_stake if carry else 0)
    return Trick(0 if first > second else 1, at_stake, 0)


def play_out(prizes: Sequence[int], bids: Sequence[Sequence[int]], *, carry: bool = True) -> tuple[int, int]:
    """The points of both players after these prizes and pairs of bids."""
    points, carried = [0, 0], 0
    for prize, pair in zip(prizes, bids, strict=True):
        done = trick(prize + carried, pair, carry=carry)
        if done.winner is not None:
            points[done.winner] += done.points
        carried = done.carried
    return points[0], points[1]
