"""Section 12.1: the generator's worlds are exactly those that the rules describe."""

from __future__ import annotations

from math import isqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

import arena
from arena.core import ConfigError
from arena.core.seeds import stream
from arena.games.nyc.config import NycConfig
from arena.games.nyc.game import Nyc
from arena.games.nyc.generator import Deal, chances, grown, make_deal, skeleton
from arena.games.nyc.places import PLACES, PSEUDONYMS

EDGES = {"tiny": (10, 18), "small": (24, 34), "city": (78, 92)}


def config(preset: str, **values: object) -> NycConfig:
    return NycConfig.make({**Nyc.presets[preset], **values})


def deal(preset: str, seed: int, **values: object) -> Deal:
    return make_deal(config(preset, **values), stream(seed, "deal.map"), stream(seed, "deal"))


def d2(a: int, b: int) -> int:
    return (PLACES[a].x - PLACES[b].x) ** 2 + (PLACES[a].y - PLACES[b].y) ** 2


def numbers(world: Deal) -> list[int]:
    """The places of a map by their number in the whole list."""
    by_name = {place.name: i for i, place in enumerate(PLACES)}
    return [by_name[name] for name in world.city.names]


def test_fifty_places_and_twenty_pseudonyms_are_given() -> None:
    assert (len(PLACES), len({place.name for place in PLACES}), len(set(PSEUDONYMS))) == (50, 50, 20)
    assert PLACES[14] == ("Times Square", "M", 12, 55)
    assert PLACES[49] == ("Fordham", "B", 52, 172)


def test_the_same_seed_gives_the_same_world_and_another_seed_another() -> None:
    one, same, other = deal("small", 5), deal("small", 5), deal("small", 6)

    assert (one.city.names, one.city.streets, one.trips, one.known, one.names) == (
        same.city.names,
        same.city.streets,
        same.trips,
        same.known,
        same.names,
    )
    assert (one.city.names, one.city.streets) != (other.city.names, other.city.streets)


def test_a_published_world_stays_what_it_is() -> None:
    world = deal("tiny", 7)

    assert world.city.names == (
        "Rockefeller Center",
        "Columbus Circle",
        "Lincoln Square",
        "Lenox Hill",
        "Upper West Side",
        "Museum Mile",
        "Yorkville",
        "Morningside Heights",
        "East Harlem",
    )
    assert [tuple(s) for s in world.city.streets] == [
        (0, 1, 2, 0),
        (0, 3, 4, 0),
        (1, 2, 2, 0),
        (1, 3, 5, 5),
        (1, 5, 6, 3),
        (2, 4, 3, 5),
        (2, 5, 5, 0),
        (3, 5, 4, 0),
        (3, 6, 5, 1),
        (4, 5, 4, 1),
        (4, 7, 4, 3),
        (5, 6, 2, 1),
        (5, 8, 6, 0),
        (6, 8, 5, 5),
        (7, 8, 6, 0),
    ]
    assert [trip.route for trip in world.trips] == [(6, 5, 2, 1), (1, 2, 5, 4)]
    assert world.names == ("Sage", "Reese", "Oakley")


@pytest.mark.parametrize("preset", EDGES)
def test_streets_are_the_gabriel_graph_of_the_places_nearest_to_a_centre(preset: str) -> None:
    for seed in range(12):
        nodes = numbers(deal(preset, seed))
        wanted = [
            (i, j)
            for i, u in enumerate(nodes)
            for j, v in enumerate(nodes)
            if i < j and not any(d2(u, w) + d2(w, v) < d2(u, v) for w in nodes if w != u and w != v)
        ]
        balls = [sorted(range(50), key=lambda p: (d2(centre, p), p))[: len(nodes)] for centre in range(50)]

        assert [(s.u, s.v) for s in deal(preset, seed).city.streets] == wanted
        assert nodes in [sorted(ball) for ball in balls]


@pytest.mark.parametrize("preset", EDGES)
def test_minutes_are_distance_plus_chance_and_bridges_take_two_more(preset: str) -> None:
    for seed in range(12):
        world = deal(preset, seed)
        nodes = numbers(world)
        for street in world.city.streets:
            u, v = nodes[street.u], nodes[street.v]
            least = 1 + isqrt(d2(u, v)) // 6 + (2 if PLACES[u].borough != PLACES[v].borough else 0)

            assert min(12, least) <= street.minutes <= min(12, least + 2)


@pytest.mark.parametrize("preset", EDGES)
def test_heavy_and_some_streets_are_counted_exactly(preset: str) -> None:
    for seed in range(40):
        boards = [street.boards for street in deal(preset, seed).city.streets]
        m = len(boards)

        assert EDGES[preset][0] <= m <= EDGES[preset][1]
        assert sum(b >= 3 for b in boards) == (30 * m + 50) // 100
        assert sum(1 <= b <= 2 for b in boards) == (20 * m + 50) // 100
        assert all(0 <= b <= 5 for b in boards)


@pytest.mark.parametrize("preset", EDGES)
def test_every_place_can_be_reached(preset: str) -> None:
    for seed in range(40):
        world = deal(preset, seed)
        reached, open_ = {0}, [0]
        while open_:
            for head, _ in world.city.ways[open_.pop()]:
                if head not in reached:
                    reached.add(head)
                    open_.append(head)

        assert len(reached) == len(world.city.names)


@pytest.mark.parametrize("preset", EDGES)
def test_every_trip_fits_the_config(preset: str) -> None:
    chosen = config(preset)
    for seed in range(40):
        world = deal(preset, seed)

        assert len({(trip.origin, trip.destination) for trip in world.trips}) == chosen.n_blue
        for trip in world.trips:
            assert chosen.hops_min <= len(trip.route) - 1 <= chosen.hops_max
            assert trip.route[0] == trip.origin != trip.destination == trip.route[-1]
            assert trip.deadline == -(-140 * trip.minutes // 100)
            assert trip.cost == trip.minutes + 2 * trip.boards
            assert chances(chosen, world.city, trip) >= chosen.chances_min


def test_a_blue_knows_a_quarter_of_the_streets_rounded_up() -> None:
    for seed in range(20):
        world = deal("small", seed)

        assert [len(known) for known in world.known] == [-(-len(world.city.streets) // 4)] * 3
        assert all(list(known) == sorted(set(known)) for known in world.known)
    assert deal("small", 1, know=0).known == ((), (), ())


def test_a_map_seed_fixes_map_and_trips_across_deals() -> None:
    one = arena.match("nyc/small", seed=1, map_seed=9).events[0].facts
    other = arena.match("nyc/small", seed=2, map_seed=9).events[0].facts

    assert (one["places"], one["streets"], one["trips"]) == (other["places"], other["streets"], other["trips"])
    assert one["names"] != other["names"]


def test_an_impossible_config_says_which_one_it_was() -> None:
    with pytest.raises(ConfigError, match=r"no map with 3 trips of 9 to 9 streets .* nodes=6"):
        grown(config("small", nodes=6, hops_min=9, hops_max=9), stream(1, "deal.map"))


@given(st.integers(0, 49), st.integers(6, 50))
def test_a_skeleton_holds_the_asked_number_of_places_and_their_nearest_neighbours(centre: int, count: int) -> None:
    nodes, streets = skeleton(centre, count)

    assert len(nodes) == count and centre in nodes
    assert len(streets) >= count - 1
    for u, place in enumerate(nodes):
        nearest = min((v for v in range(count) if v != u), key=lambda v: (d2(place, nodes[v]), v))
        assert any({u, nearest} == {i, j} for i, j, _ in streets)


@pytest.mark.parametrize("preset", EDGES)
def test_a_thousand_seeds_of_every_preset_are_dealt(preset: str) -> None:
    for seed in range(1000):
        world = deal(preset, seed)

        assert EDGES[preset][0] <= len(world.city.streets) <= EDGES[preset][1]
        assert len(world.trips) == config(preset).n_blue
