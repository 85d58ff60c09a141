"""Sets of seats and sets of worlds as integers, so that counting worlds is counting bits.

A set of seats has bit i for seat i. A world is a set of evil seats; a set of worlds has bit w for the w-th world of
`worlds(players, evil)`, in the order of combinations. Ten seats have 210 worlds and at most 252 teams.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, lru_cache
from itertools import combinations


@cache
def sets(players: int, size: int) -> tuple[int, ...]:
    """Every set of `size` seats."""
    return tuple(sum(1 << i for i in chosen) for chosen in combinations(range(players), size))


def worlds(players: int, evil: int) -> tuple[int, ...]:
    """Every set that the evil seats can be."""
    return sets(players, evil)


@cache
def all_worlds(players: int, evil: int) -> int:
    return (1 << len(worlds(players, evil))) - 1


@lru_cache(maxsize=16384)
def at_least(players: int, evil: int, team: int, count: int) -> int:
    """The worlds with at least `count` evil seats on the team."""
    found = 0
    for w, world in enumerate(worlds(players, evil)):
        if (world & team).bit_count() >= count:
            found |= 1 << w
    return found


def clean(players: int, evil: int, team: int) -> int:
    """The worlds in which the whole team is good."""
    return all_worlds(players, evil) & ~at_least(players, evil, team, 1)


@cache
def clean_teams(players: int, evil: int, size: int) -> tuple[tuple[int, ...], ...]:
    """For each world the numbers (in `sets(players, size)`) of the teams that are wholly good in it."""
    teams = sets(players, size)
    return tuple(tuple(t for t, team in enumerate(teams) if not team & world) for world in worlds(players, evil))


def members(seats: int) -> list[int]:
    """The seats of a set, in seat order."""
    found = []
    while seats:
        low = seats & -seats
        found.append(low.bit_length() - 1)
        seats ^= low
    return found


def set_of(seats: Iterable[int]) -> int:
    found = 0
    for seat in seats:
        found |= 1 << seat
    return found
