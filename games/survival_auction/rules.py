"""Survival auction (K-Level Reasoning; Alympics): who gets water, and what a day does to a resident.

A day without water costs as much health as days have gone by since the last water (1, 2, 3, …); water gives 2 health,
at most up to the cap. At 0 health a resident is out and its money is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby
from typing import Literal, NamedTuple

Ties = Literal["nobody", "need"]

WATER_GIVES = 2


class Resident(NamedTuple):
    """`thirst` is the health that the next day without water costs."""

    health: int
    thirst: int = 1
    money: int = 0


def allocate(bids: Mapping[str, int], needs: Mapping[str, int], supply: int, ties: Ties) -> tuple[str, ...]:
    """Who gets water: from the highest bid down, everybody whose need the water left still meets.

    `ties` = "nobody": equal bids that cannot all be served end the auction, and none of them gets water (K-Level
    Reasoning). "need": of equal bids the lower need comes first (Alympics), then the lower seat (ours).
    """
    seats = list(bids)
    order = sorted(seats, key=lambda seat: (-bids[seat], needs[seat], seats.index(seat)))
    winners: list[str] = []
    if ties == "need":
        for seat in order:
            if needs[seat] <= supply:
                winners.append(seat)
                supply -= needs[seat]
        return tuple(winners)
    for _, group in groupby(order, key=lambda seat: bids[seat]):
        tied = [seat for seat in group if needs[seat] <= supply]
        wanted = sum(needs[seat] for seat in tied)
        if wanted > supply:
            break
        winners += tied
        supply -= wanted
    return tuple(winners)


def after(resident: Resident, *, paid: int | None, cap: int) -> Resident:
    """The resident after a day: `paid` for water, or None without it. Health is never shown below 0."""
    if paid is not None:
        return Resident(min(cap, resident.health + WATER_GIVES), 1, resident.money - paid)
    health = max(0, resident.health - resident.thirst)
    return Resident(health, resident.thirst + 1, resident.money if health else 0)
