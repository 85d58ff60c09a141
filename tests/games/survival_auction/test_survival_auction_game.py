"""A survival auction at the table: what is told, asked, paid and measured."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arena
from arena.core import ConfigError, Event, IllegalAnswer, Match, record, stream
from arena.games.survival_auction.bots import ALIASES, BOTS, all_in, last_plus_one, rotator, shade
from arena.games.survival_auction.game import SurvivalAuction

PRESETS = sorted(SurvivalAuction.presets)
SEATS = [f"player_{i}" for i in range(5)]


def played(*days: Sequence[int], preset: str = "default", **config: Any) -> Match:
    """Each day is the bids of those who are asked, in seat order."""
    match = arena.match(f"survival_auction/{preset}", seed=1, **config)
    for bids in days:
        for seat, bid in zip(list(match.pending()), bids, strict=True):
            match.submit(seat, bid)
    return match


def healths(match: Match) -> list[list[int]]:
    """The health of all five after each auction; the dead have 0."""
    return [[e.facts["health"].get(seat, 0) for seat in SEATS] for e in match.events if e.kind == "auction"]


def test_a_day_from_income_to_auction() -> None:
    match = played([10, 20, 0, 0, 0])

    one, eight, hundred = (dict.fromkeys(SEATS, x) for x in (1, 8, 100))
    assert match.events[:2] == [
        Event("*", "day", {"day": 1, "supply": 10, "health": eight, "thirst": one, "money": hundred}),
        Event(
            "*",
            "auction",
            {
                "day": 1,
                "bids": {"player_0": 10, "player_1": 20, "player_2": 0, "player_3": 0, "player_4": 0},
                "winners": ["player_1"],
                "out": [],
                "health": {**dict.fromkeys(SEATS, 7), "player_1": 10},
                "thirst": {**dict.fromkeys(SEATS, 2), "player_1": 1},
                "money": {**hundred, "player_1": 80},
            },
        ),
    ]
    assert match.events[2].facts["money"] == {**dict.fromkeys(SEATS, 200), "player_1": 180}


def test_without_water_a_resident_is_out_on_day_four() -> None:
    match = played(*[[1, 0, 0, 0, 0]] * 4)

    assert [day[4] for day in healths(match)] == [7, 5, 2, 0]
    assert match.events[7].facts["out"] == ["player_1", "player_2", "player_3", "player_4"]
    assert match.done  # one resident is left
    assert match.payoffs == {"player_0": 1.0, "player_1": 0.0, "player_2": 0.0, "player_3": 0.0, "player_4": 0.0}


def test_five_rotators() -> None:
    match, rng = arena.match("survival_auction", seed=1), stream(1)
    while len(healths(match)) < 5:
        for seat, ask in list(match.pending().items()):
            match.submit(seat, rotator(match.view(seat), ask, rng))

    assert healths(match)[3] == [4, 6, 6, 4, 0]
    assert healths(match)[4] == [0, 3, 4, 3, 0]  # the turn of player_4: nobody bids, nobody wins
    assert match.events[9].facts["winners"] == []


def test_a_rotation_of_two_lasts_and_one_of_three_does_not() -> None:
    two, rng = arena.match("survival_auction", seed=1, residents=2, days=40), stream(1)
    three = arena.match("survival_auction", seed=1, residents=3, days=40)
    for match in (two, three):
        while not match.done:
            for seat, ask in list(match.pending().items()):
                match.submit(seat, rotator(match.view(seat), ask, rng))

    assert two.payoffs == {"player_0": 1.0, "player_1": 1.0}
    assert three.payoffs is not None
    assert sum(three.payoffs.values()) < 3


@pytest.mark.parametrize("answer", [-1, 101, 50.0, "50", True, None])
def test_a_bid_above_the_balance_is_illegal(answer: object) -> None:
    match = arena.match("survival_auction", seed=1)

    with pytest.raises(IllegalAnswer):
        match.submit("player_0", answer)


def test_an_unusable_answer_bids_nothing_and_touches_nobody_else() -> None:
    match = arena.match("survival_auction", seed=1)

    assert match.submit_fallback("player_0") == 0
    for seat, bid in zip(SEATS[1:], (5, 6, 7, 8), strict=True):
        match.submit(seat, bid)
    assert match.events[1].facts["bids"] == {"player_0": 0, "player_1": 5, "player_2": 6, "player_3": 7, "player_4": 8}


def test_the_dead_lose_their_money_and_are_never_asked_again() -> None:
    match = played(*[[9, 0, 0, 0, 0], [0, 9, 0, 0, 0], [0, 0, 9, 0, 0], [0, 0, 0, 9, 0]])

    assert match.events[7].facts["out"] == ["player_4"]
    assert match.events[7].facts["money"]["player_4"] == 0
    assert "player_4" not in match.pending()
    assert "player_4" not in match.events[8].facts["money"]


def test_alympics_gives_each_resident_an_own_income_and_need() -> None:
    match = played([70, 75, 100, 120, 120], preset="alympics", deal=[20] * 20)

    assert match.rules["incomes"] == dict(zip(SEATS, (70, 75, 100, 120, 120), strict=True))
    assert match.rules["needs"] == dict(zip(SEATS, (8, 9, 10, 11, 12), strict=True))
    assert match.events[1].facts["winners"] == ["player_3", "player_1"]  # 11 before 12, then 9 of the 9 that are left
    assert match.pending()["player_3"].high == 120  # type: ignore[attr-defined]


def test_the_water_of_alympics_is_drawn_from_ten_to_twenty() -> None:
    seen = {arena.match("survival_auction/alympics", seed=seed).events[0].facts["supply"] for seed in range(300)}

    assert seen == set(range(10, 21))


def test_paired_matches_share_the_water() -> None:
    for deal_seed in range(20):
        one, other = (arena.match("survival_auction/alympics", seed=s, deal_seed=deal_seed) for s in (1, 2))
        for match in (one, other):
            while not match.done:
                for seat in list(match.pending()):
                    match.submit(seat, 1)
        assert one.events == other.events


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"residents": 1}, "residents must be at least 2"),
        ({"days": 0}, "days must be at least 1"),
        ({"health": 11}, "health must be at most most_health"),
        ({"incomes": [1, 2]}, "incomes must hold 1 or 5 values"),
        ({"incomes": []}, "incomes must hold 1 or 5 values"),
        ({"needs": [0]}, "needs must hold 1 or 5 values"),
        ({"supply_low": 20}, "supply_low must be at most supply_high"),
        ({"ties": "coin"}, "ties must be one of nobody, need"),
        ({"deal": [10] * 9}, "deal must hold 10 values from 10 to 10"),
        ({"deal": [11] * 10}, "deal must hold 10 values from 10 to 10"),
    ],
)
def test_a_config_that_cannot_be_played_is_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        arena.match("survival_auction", seed=1, **config)


def test_the_water_to_come_is_no_public_rule() -> None:
    assert "deal" not in arena.match("survival_auction/alympics", seed=1, deal=[12] * 20).rules


def test_the_order_of_answers_within_a_day_changes_no_byte() -> None:
    hashes = set()
    for order in list(permutations(range(5)))[::17]:
        match = arena.match("survival_auction", seed=1)
        for i in order:
            match.submit(f"player_{i}", 10 * i)
        hashes.add(record(match)["record_hash"])

    assert len(hashes) == 1


@pytest.mark.parametrize("preset", PRESETS)
@settings(max_examples=40)
@given(seed=st.integers(0, 10**6))
def test_random_play_of_every_preset_ends_renders_and_replays(preset: str, seed: int) -> None:
    match, rng = arena.match(f"survival_auction/{preset}", seed=seed), stream(seed)
    while not match.done:
        for seat, ask in list(match.pending().items()):
            assert match.view(seat).messages()[-1]["role"] == "user"
            match.submit(seat, ask.sample(rng))

    assert match.payoffs is not None
    assert set(match.payoffs.values()) <= {0.0, 1.0}
    assert all(match.view(seat).messages() for seat in match.seats)
    for event in match.events:
        assert all(0 <= health <= 10 for health in event.facts["health"].values())
        assert all(money >= 0 for money in event.facts["money"].values())
    assert record(arena.match(record=record(match))) == record(match)


@pytest.mark.parametrize("preset", PRESETS)
@settings(max_examples=60)
@given(seed=st.integers(0, 10**6), seat=st.sampled_from(SEATS))
def test_worlds_that_a_seat_cannot_tell_apart_look_the_same(preset: str, seed: int, seat: str) -> None:
    match = arena.match(f"survival_auction/{preset}", seed=seed)
    for one, other in match.game.twins(seed, seat):
        assert one.view(seat).events == other.view(seat).events
        assert one.pending().keys() == other.pending().keys()


@pytest.mark.parametrize("preset", PRESETS)
def test_a_drawn_world_repeats_all_days_so_far(preset: str) -> None:
    match, rng = arena.match(f"survival_auction/{preset}", seed=4), stream(4)
    for _ in range(3):
        for seat, ask in list(match.pending().items()):
            match.submit(seat, ask.sample(rng))
    worlds = [match.game.worlds(match.view("player_2"), rng) for _ in range(20)]

    assert all(world is not None and world.events == match.events for world in worlds)
    ahead = set()
    for world in worlds:
        assert world is not None
        for seat in list(world.pending()):
            world.submit(seat, 1)
        ahead.add(world.events[-1].facts["supply"] if not world.done else None)
    assert len(ahead) > 1 or preset == "default"


def test_a_model_reads_bids_and_everybodys_state() -> None:
    match = played([10, 20, 0, 0, 0])

    assert match.view("player_1").messages()[-1]["content"] == (
        "Bids of day 1: player_0 10, you 20, player_2 0, player_3 0, player_4 0. Water goes to: player_1.\n"
        "Day 2 of 10.\n"
        "player_0: health 7, money 200, a day without water costs 2 health.\n"
        "You: health 10, money 180, a day without water costs 1 health.\n"
        "player_2: health 7, money 200, a day without water costs 2 health.\n"
        "player_3: health 7, money 200, a day without water costs 2 health.\n"
        "player_4: health 7, money 200, a day without water costs 2 health.\n"
        "How much do you bid for water? You have 180. A day without water costs you 1 of your 10 health.\n"
        "Answer with an integer from 0 to 180"
    )


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, "nobody gets water"),
        ({"supply_high": 25}, "none of them gets water, and the auction is over"),
        ({"supply_high": 25, "ties": "need"}, "lower need is served first"),
        ({"incomes": [1, 2, 3, 4, 5]}, "player_4: income 5, need 10."),
    ],
)
def test_the_rules_that_a_model_reads_follow_the_config(config: dict[str, Any], words: str) -> None:
    match = arena.match("survival_auction", seed=1, **config)

    assert words in match.view("player_0").messages()[0]["content"]


def test_what_the_scripted_bidders_bid() -> None:
    match, rng = played([3, 40, 0, 0, 0]), stream(1)
    ask, view = match.pending()["player_1"], match.view("player_1")  # it has 160

    assert shade(view, ask, rng) == 80
    assert shade(view, ask, rng, f=0.1) == 16
    assert shade(view, ask, rng, f=7.0) == 160
    assert all_in(view, ask, rng) == 160
    assert last_plus_one(view, ask, rng) == 41
    assert rotator(view, ask, rng) == 1
    assert rotator(match.view("player_0"), match.pending()["player_0"], rng) == 0
    assert ALIASES["plus-one"] == "last-plus-one"


def test_last_plus_one_starts_with_one_and_stops_at_its_money() -> None:
    match, rng = arena.match("survival_auction", seed=1), stream(1)
    assert last_plus_one(match.view("player_0"), match.pending()["player_0"], rng) == 1

    match = played([99, 100, 0, 0, 0])
    assert last_plus_one(match.view("player_1"), match.pending()["player_1"], rng) == 100


@pytest.mark.parametrize("name", BOTS)
@pytest.mark.parametrize("preset", PRESETS)
def test_every_scripted_player_finishes_against_random_play(preset: str, name: str) -> None:
    match, rng = arena.match(f"survival_auction/{preset}", seed=2), stream(2)
    while not match.done:
        for seat, ask in list(match.pending().items()):
            match.submit(seat, BOTS[name](match.view(seat), ask, rng) if seat == "player_0" else ask.sample(rng))
    assert match.payoffs


def test_metrics_by_hand() -> None:
    """Two residents, four days: bids 5-3, 2-9, 4-4 (nobody), 7-1. Nobody dies: 8 -> 10, 9, 7, 9 and 7, 9, 8, 6."""
    match = played([5, 3], [2, 9], [4, 4], [7, 1], residents=2, days=4)

    assert match.events[-1].facts["health"] == {"player_0": 9, "player_1": 6}
    assert match.metrics() == {
        "average_survival_round": 4.0,
        "survival_rate": 1.0,
        "survival_round_player_0": 4.0,
        "survival_round_player_1": 4.0,
        "spend_player_0": 12.0,
        "overbid_player_0": 3.0,  # 5 over 3 pays 1 too much, 7 over 1 pays 5
        "adaptation_index_player_0": 6 / 9,  # (0 + 6) / (2 + 7)
        "spend_player_1": 9.0,
        "overbid_player_1": 6.0,
        "adaptation_index_player_1": 6 / 9,
    }


def test_the_day_of_death_counts_as_survived_as_published() -> None:
    metrics = played(*[[1, 0, 0, 0, 0]] * 4).metrics()

    assert metrics["survival_round_player_4"] == 4.0
    assert metrics["average_survival_round"] == (10 + 4 * 4) / 5
    assert metrics["survival_rate"] == 0.2
    assert metrics["overbid_player_1"] is None
