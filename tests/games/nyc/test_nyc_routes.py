"""Section 12.2 and the numbers of section 9: shortest paths against another method, regrets, trips."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

import arena
from arena.core.seeds import stream
from arena.games.nyc.config import NycConfig
from arena.games.nyc.game import Nyc
from arena.games.nyc.generator import make_deal, midtown
from arena.games.nyc.routes import City
from arena.games.nyc.scripted import scripted


def floyd_warshall(city: City, weights: list[int]) -> list[list[int]]:
    """All distances, by the textbook's three loops."""
    n = len(city.names)
    far = [[0 if i == j else 10**9 for j in range(n)] for i in range(n)]
    for street, w in zip(city.streets, weights, strict=True):
        far[street.u][street.v] = far[street.v][street.u] = w
    for k in range(n):
        for i in range(n):
            for j in range(n):
                far[i][j] = min(far[i][j], far[i][k] + far[k][j])
    return far


def some_city(seed: int, preset: str = "small") -> City:
    config = NycConfig.make(Nyc.presets[preset])
    return make_deal(config, stream(seed, "deal.map"), stream(seed, "deal")).city


def test_costs_and_minutes_to_go_equal_those_of_floyd_and_warshall_on_200_worlds() -> None:
    for seed in range(200):
        city = some_city(seed, ("tiny", "small")[seed % 2])
        costs, minutes = floyd_warshall(city, city.costs), floyd_warshall(city, [s.minutes for s in city.streets])
        for destination in range(0, len(city.names), 3):
            routes = city.to(destination)

            assert [routes.cost(place) for place in range(len(city.names))] == costs[destination]
            assert routes.fastest == minutes[destination]


def test_regret_is_never_negative_and_somewhere_zero() -> None:
    for seed in range(60):
        city = some_city(seed)
        for destination in (0, 7, 15):
            for place in range(len(city.names)):
                regrets = [e.regret for e in city.to(destination).exits(place)]

                assert min(regrets) >= 0
                assert place == destination or min(regrets) == 0


def test_the_best_route_costs_what_is_to_go_and_is_the_quickest_of_those() -> None:
    for seed in range(60):
        city = some_city(seed)
        routes = city.to(3)
        route = routes.route(12)
        walked = [city.streets[city.street(u, v)] for u, v in pairwise(route)]

        assert sum(s.minutes + 2 * s.boards for s in walked) == routes.cost(12)
        assert sum(s.minutes for s in walked) == routes.minutes(12)


@given(st.integers(0, 10**9))
def test_no_route_of_equal_cost_is_quicker_than_the_best_route(seed: int) -> None:
    city = some_city(seed, "tiny")
    routes = city.to(0)
    n, best = len(city.names), {0: (0, 0)}
    for _ in range(n):  # Bellman and Ford, on pairs
        for street, cost in zip(city.streets, city.costs, strict=True):
            for u, v in ((street.u, street.v), (street.v, street.u)):
                if v in best:
                    pair = best[v][0] + cost, best[v][1] + street.minutes
                    best[u] = min(best.get(u, pair), pair)

    assert {place: (routes.cost(place), routes.minutes(place)) for place in range(n)} == best


def test_the_way_to_the_plaza_costs_what_the_published_table_says() -> None:
    routes = midtown(2).to(14)

    assert [routes.cost(place) for place in range(16)] == [16, 15, 12, 12, 10, 7, 10, 17, 14, 7, 9, 8, 6, 2, 0, 4]


def test_regrets_at_times_square_for_the_plaza_are_those_of_the_published_table() -> None:
    exits = midtown(2).to(14).exits(3)

    assert {e.head: e.regret for e in exits} == {1: 16, 2: 10, 4: 10, 9: 0, 10: 10, 13: 2}


def test_midtown_has_thirty_streets_of_which_eight_are_heavy_and_seven_some() -> None:
    boards = [street.boards for street in midtown(2).streets]

    assert (len(boards), sum(b >= 3 for b in boards), sum(b in (1, 2) for b in boards)) == (30, 8, 7)


@pytest.mark.parametrize("preset", ["nyc/tiny", "nyc/small", "nyc/midtown", "nyc/city"])
def test_the_oracle_always_arrives_with_own_1(preset: str) -> None:
    for seed in range(5 if preset == "nyc/city" else 25):
        match = scripted(arena.match(preset, seed=seed), "oracle", "greedy-red")
        figures = match.metrics()

        assert figures["own"] == figures["success"] == figures["clean_success"] == 1
        assert figures["excess"] == 0 and figures["steps_ratio"] == 1
        assert match.payoffs is not None
        assert all(match.payoffs[seat] == 1 for seat in match.seats if match.roles[seat] == "blue")
