"""Streets, costs and best routes: the exact quantities that payoffs, regrets and scripted players rest on.

Integers only. A route is judged by cost (minutes + lam * billboards), then minutes, then the smaller place number at
each step; both are packed into one integer, so that one Dijkstra search orders routes by the pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from heapq import heappop, heappush
from itertools import pairwise
from typing import NamedTuple

_SHIFT = 24  # minutes of any route without a loop fit below: 50 places, 12 minutes a street
_MINUTES = (1 << _SHIFT) - 1

Ways = Sequence[Sequence[tuple[int, int]]]  # place -> (neighbour, street number), neighbours in order


class Street(NamedTuple):
    u: int
    v: int
    minutes: int
    boards: int


class Exit(NamedTuple):
    """One street leaving a place, seen from there on the way to a destination."""

    head: int
    street: int
    minutes: int  # of the street
    boards: int
    arrival: int  # minutes to the destination by the fastest route through it
    total: int  # cost to the destination by the best route through it
    regret: int  # total less the cost of the best route


class Trip(NamedTuple):
    """From where to where, by when, and the best route: what an all-knowing traveller would spend."""

    origin: int
    destination: int
    deadline: int
    cost: int
    minutes: int
    boards: int
    route: tuple[int, ...]


def ways_of(count: int, streets: Sequence[tuple[int, ...]]) -> list[list[tuple[int, int]]]:
    """The neighbours of every place, in order."""
    ways: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for number, (u, v, *_) in enumerate(streets):
        ways[u].append((v, number))
        ways[v].append((u, number))
    for exits in ways:
        exits.sort()
    return ways


def weight(cost: int, minutes: int) -> int:
    """A street's weight: sums of weights order routes by cost, then minutes."""
    return cost << _SHIFT | minutes


def distances(ways: Ways, weights: Sequence[int], destination: int) -> list[int]:
    """The least sum of weights from every place to the destination (-1: no way)."""
    found = [-1] * len(ways)
    heap = [(0, destination)]
    while heap:
        far, place = heappop(heap)
        if found[place] >= 0:
            continue
        found[place] = far
        for neighbour, street in ways[place]:
            if found[neighbour] < 0:
                heappush(heap, (far + weights[street], neighbour))
    return found


class City:
    """A map with its costs; what is asked of it per destination is worked out once."""

    def __init__(self, names: Sequence[str], streets: Sequence[Street], lam: int) -> None:
        self.names = tuple(names)
        self.streets = tuple(streets)
        self.lam = lam
        self.ways = ways_of(len(names), streets)
        self.costs = [s.minutes + lam * s.boards for s in self.streets]
        self._routes: dict[int, Routes] = {}

    def to(self, destination: int) -> Routes:
        if destination not in self._routes:
            self._routes[destination] = Routes(self, destination)
        return self._routes[destination]

    def street(self, u: int, v: int) -> int:
        """The number of the street between two neighbours."""
        return next(street for head, street in self.ways[u] if head == v)


class Routes:
    """Everything about reaching one destination of a city."""

    def __init__(self, city: City, destination: int) -> None:
        self.city, self.destination = city, destination
        self._exits: dict[int, tuple[Exit, ...]] = {}
        weights = [weight(cost, s.minutes) for cost, s in zip(city.costs, city.streets, strict=True)]
        self._weights, self._best = weights, distances(city.ways, weights, destination)

    @cached_property
    def fastest(self) -> list[int]:
        """Tmin: the fewest minutes from every place."""
        return distances(self.city.ways, [s.minutes for s in self.city.streets], self.destination)

    def cost(self, place: int) -> int:
        """V: the least cost from a place."""
        return self._best[place] >> _SHIFT

    def minutes(self, place: int) -> int:
        """Minutes of the best route from a place."""
        return self._best[place] & _MINUTES

    def next(self, place: int) -> int:
        """The next place on the best route."""
        best = self._best
        return min(self.city.ways[place], key=lambda way: (self._weights[way[1]] + best[way[0]], way[0]))[0]

    def route(self, origin: int) -> tuple[int, ...]:
        """The best route: places from origin to destination."""
        places = [origin]
        while places[-1] != self.destination:
            places.append(self.next(places[-1]))
        return tuple(places)

    def exits(self, place: int) -> tuple[Exit, ...]:
        """The streets leaving a place, in order of the place they lead to."""
        if place not in self._exits:
            streets, here, fastest = self.city.streets, self.cost(place), self.fastest
            found = []
            for head, number in self.city.ways[place]:
                street, total = streets[number], self.city.costs[number] + self.cost(head)
                arrival = street.minutes + fastest[head]
                found.append(Exit(head, number, street.minutes, street.boards, arrival, total, total - here))
            self._exits[place] = tuple(found)
        return self._exits[place]

    def regret(self, place: int, head: int) -> int:
        """How much dearer the best route through a neighbour is than the best route."""
        return next(e.regret for e in self.exits(place) if e.head == head)

    def trip(self, origin: int, slack_pct: int) -> Trip:
        """The trip from `origin`; its deadline is `slack_pct` percent of the best route's minutes, rounded up."""
        route, minutes = self.route(origin), self.minutes(origin)
        boards = sum(self.city.streets[self.city.street(u, v)].boards for u, v in pairwise(route))
        return Trip(origin, self.destination, -(-slack_pct * minutes // 100), self.cost(origin), minutes, boards, route)
