"""Section 9 and 12.3: the golden trips of the fixed map, walked in the real game."""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import pytest

import arena
from arena.core import Match
from arena.games.nyc.ledger import Journey, Ledger, read
from arena.games.nyc.scripted import scripted


class Golden(NamedTuple):
    trip: tuple[int, int]
    best: tuple[int, int, int]  # C*, T*, E*
    deadline: int
    route: tuple[int, ...]
    shortest: tuple[int, int, tuple[int, int]]  # minutes, boards, own as a fraction
    greedy: tuple[int, int, tuple[int, int]]
    greedy_route: tuple[int, ...] | None
    revenue: int


GOLDEN = [
    Golden((0, 14), (16, 16, 0), 23, (0, 2, 9, 13, 14), (13, 13, (16, 39)), (19, 23, (16, 65)),
           (0, 1, 3, 10, 3, 10, 14), 23),
    Golden((8, 12), (19, 19, 0), 27, (8, 7, 0, 2, 9, 12), (15, 6, (19, 27)), (27, 32, (19, 91)), None, 32),
    Golden((2, 15), (16, 16, 0), 23, (2, 9, 13, 14, 15), (14, 11, (16, 36)), (20, 21, (16, 62)), None, 21),
    Golden((7, 13), (17, 17, 0), 24, (7, 0, 2, 9, 13), (10, 11, (17, 32)), (24, 34, (17, 92)), None, 34),
    Golden((0, 15), (18, 16, 1), 23, (0, 1, 6, 11, 15), (16, 1, (1, 1)), (23, 23, (18, 69)), None, 23),
    Golden((9, 8), (15, 15, 0), 21, (9, 2, 0, 7, 8), (12, 8, (15, 28)), (20, 28, (15, 76)), None, 28),
]  # fmt: skip


@cache
def seed_of(trip: tuple[int, int]) -> int:
    """A deal whose first and only trip is this one."""
    for seed in range(200):
        told = arena.match("nyc/midtown", seed=seed, n_blue=1, n_red=1).events[0].facts["trips"]["player_0"]
        if (told["origin"], told["destination"]) == trip:
            return seed
    raise AssertionError(trip)


def walked(trip: tuple[int, int], blue: str, **config: Any) -> tuple[Match, Ledger, Journey, tuple[int, ...]]:
    match = arena.match("nyc/midtown", seed=seed_of(trip), n_blue=1, n_red=1, **config)
    ledger = read(scripted(match, blue, "greedy-red"))
    route = (trip[0], *(move.to for move in ledger.moves if move.to is not None))
    return match, ledger, ledger.journeys["player_0"], route


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: "{}-{}".format(*golden.trip))
def test_the_best_route_and_its_deadline(golden: Golden) -> None:
    _, _, journey, route = walked(golden.trip, "oracle", p_meet=0)

    assert route == golden.route
    assert (journey.trip.cost, journey.trip.minutes, journey.trip.boards) == golden.best
    assert journey.trip.deadline == golden.deadline
    assert journey.own == 1 and journey.arrived


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: "{}-{}".format(*golden.trip))
@pytest.mark.parametrize("bot", ["shortest", "never"])
def test_the_shortest_way_costs_its_billboards_and_who_knows_nothing_walks_it(golden: Golden, bot: str) -> None:
    _, _, journey, _ = walked(golden.trip, bot, p_meet=0, know=0)
    minutes, boards, (top, bottom) = golden.shortest

    assert (journey.clock, journey.exposure, journey.arrived) == (minutes, boards, True)
    assert journey.own == pytest.approx(top / bottom, rel=1e-12)


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: "{}-{}".format(*golden.trip))
def test_always_trusting_a_greedy_red_costs_time_and_shows_every_billboard(golden: Golden) -> None:
    match, ledger, journey, route = walked(golden.trip, "always", p_meet=100, red_rate=100)
    minutes, boards, (top, bottom) = golden.greedy

    assert (journey.clock, journey.exposure, journey.arrived) == (minutes, boards, True)
    assert journey.own == pytest.approx(top / bottom, rel=1e-12)
    assert ledger.revenue("player_1") == golden.revenue
    assert golden.greedy_route in (None, route)
    assert match.payoffs is not None
    assert match.payoffs["player_1"] == pytest.approx(golden.revenue / (5 * (len(golden.route) - 1)))


def test_six_travellers_hold_the_six_trips() -> None:
    trips = arena.match("nyc/midtown", seed=1, n_blue=6).events[0].facts["trips"]

    assert sorted((t["origin"], t["destination"]) for t in trips.values()) == sorted(g.trip for g in GOLDEN)
