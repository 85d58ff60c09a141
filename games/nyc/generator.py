"""The deal: a map, trips, private knowledge and pseudonyms, from two streams and nothing else.

Published worlds depend on every draw here (`below` and `shuffle` of the stream, integers only), so a changed draw is
a new version of the game. A grown map is the Gabriel graph of the places nearest to a random centre: two places are
joined unless a third lies in the circle over them. It holds a minimum spanning tree, so it is connected.
"""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from math import isqrt
from typing import NamedTuple

from arena.core import ConfigError, Rng
from arena.games.nyc.config import NycConfig
from arena.games.nyc.places import MIDTOWN, MIDTOWN_STREETS, MIDTOWN_TRIPS, PLACES, PSEUDONYMS
from arena.games.nyc.routes import City, Street, Trip

TRIES, RESTARTS, LONGEST = 200, 50, 12


class Deal(NamedTuple):
    city: City
    trips: tuple[Trip, ...]  # of the Blues, in seat order
    known: tuple[tuple[int, ...], ...]  # street numbers that each Blue knows from the start
    names: tuple[str, ...]  # pseudonyms in seat order


def make_deal(config: NycConfig, map_rng: Rng, deal_rng: Rng) -> Deal:
    """`map_rng` draws map and trips of a grown map; `deal_rng` draws midtown's trips, then knowledge and names."""
    if config.map == "midtown":
        city = midtown(config.lam)
        chosen = list(MIDTOWN_TRIPS)
        deal_rng.shuffle(chosen)
        trips = tuple(city.to(d).trip(o, config.slack_pct) for o, d in chosen[: config.n_blue])
    else:
        city, trips = grown(config, map_rng)
    known = tuple(_known(config, len(city.streets), deal_rng) for _ in range(config.n_blue))
    names = list(PSEUDONYMS)
    deal_rng.shuffle(names)
    return Deal(city, trips, known, config.names or tuple(names[: config.n_blue + config.n_red]))


def grown(config: NycConfig, rng: Rng) -> tuple[City, tuple[Trip, ...]]:
    """A map with trips that fit the config; a map without them is thrown away."""
    for _ in range(RESTARTS + 1):
        city = _city(config, rng)
        trips = _trips(config, city, rng)
        if trips:
            return city, trips
    raise ConfigError(
        f"no map with {config.n_blue} trips of {config.hops_min} to {config.hops_max} streets and {config.chances_min} "
        f"chances was found: nodes={config.nodes}, heavy_pct={config.heavy_pct}, some_pct={config.some_pct}, "
        f"lam={config.lam}, tau={config.tau}, slack_pct={config.slack_pct}"
    )


@cache
def midtown(lam: int) -> City:
    """The fixed map."""
    streets = []
    for text in MIDTOWN_STREETS.split():
        ends, _, facts = text.partition(":")
        (u, v), (minutes, boards) = sorted(map(int, ends.split("-"))), map(int, facts.split("/"))
        streets.append(Street(u, v, minutes, boards))
    return City([place.name for place in MIDTOWN], sorted(streets), lam)


@cache
def skeleton(centre: int, count: int) -> tuple[tuple[int, ...], tuple[tuple[int, int, int], ...]]:
    """The `count` places nearest to a centre, and the streets between them with their least minutes."""
    nearest = sorted(range(len(PLACES)), key=lambda p: (_d2(centre, p), p))[:count]
    nodes = tuple(sorted(nearest))
    streets = []
    for i, u in enumerate(nodes):
        for j in range(i + 1, count):
            v = nodes[j]
            apart = _d2(u, v)
            if any(_d2(u, w) + _d2(w, v) < apart for w in nodes if w not in (u, v)):
                continue
            bridge = 2 if PLACES[u].borough != PLACES[v].borough else 0
            streets.append((i, j, 1 + isqrt(apart) // 6 + bridge))
    return nodes, tuple(streets)


def _d2(a: int, b: int) -> int:
    return (PLACES[a].x - PLACES[b].x) ** 2 + (PLACES[a].y - PLACES[b].y) ** 2


def _city(config: NycConfig, rng: Rng) -> City:
    nodes, pairs = skeleton(rng.below(len(PLACES)), config.nodes)
    minutes = [min(LONGEST, least + rng.below(3)) for _, _, least in pairs]
    m = len(pairs)
    order = list(range(m))
    rng.shuffle(order)
    heavy, some = (config.heavy_pct * m + 50) // 100, (config.some_pct * m + 50) // 100
    boards = [0] * m
    for street in order[:heavy]:
        boards[street] = 3 + rng.below(3)
    for street in order[heavy : heavy + some]:
        boards[street] = 1 + rng.below(2)
    streets = [Street(u, v, t, b) for (u, v, _), t, b in zip(pairs, minutes, boards, strict=True)]
    return City([PLACES[p].name for p in nodes], streets, config.lam)


def _trips(config: NycConfig, city: City, rng: Rng) -> tuple[Trip, ...]:
    """The accepted trips, or none if 200 draws do not give enough."""
    trips: list[Trip] = []
    taken: set[tuple[int, int]] = set()
    count = len(city.names)
    for _ in range(TRIES):
        pair = rng.below(count), rng.below(count)
        if pair[0] == pair[1] or pair in taken:
            continue
        trip = city.to(pair[1]).trip(pair[0], config.slack_pct)
        if config.hops_min <= len(trip.route) - 1 <= config.hops_max and chances(config, city, trip) >= (
            config.chances_min
        ):
            trips.append(trip)
            taken.add(pair)
            if len(trips) == config.n_blue:
                return tuple(trips)
    return ()


def chances(config: NycConfig, city: City, trip: Trip) -> int:
    """The places on the best route where a heavy, harmful street still leads to the destination in time."""
    routes, used, found = city.to(trip.destination), 0, 0
    for place, then in pairwise(trip.route):
        exits = routes.exits(place)
        found += any(e.boards >= 3 and e.regret > config.tau and used + e.arrival <= trip.deadline for e in exits)
        used += next(e.minutes for e in exits if e.head == then)
    return found


def _known(config: NycConfig, streets: int, rng: Rng) -> tuple[int, ...]:
    order = list(range(streets))
    rng.shuffle(order)
    return tuple(sorted(order[: -(-config.know * streets // 100)]))
