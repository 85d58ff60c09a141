"""A guessing match at the table: what is told, asked, paid and measured."""

from __future__ import annotations

import time
from collections.abc import Sequence
from fractions import Fraction as F
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arena
from arena.core import ConfigError, Event, IllegalAnswer, Match, record, stream
from arena.games.guess08.bots import BOTS
from arena.games.guess08.game import Guess08
from arena.games.guess08.metrics import adaptation_index, nearest_level, prediction_error

PRESETS = sorted(Guess08.presets)
SEATS = [f"player_{i}" for i in range(5)]


def played(*rounds: Sequence[int], **config: Any) -> Match:
    """Each round is the numbers of those who are asked, in seat order."""
    match = arena.match("guess08", seed=1, **{"players": len(rounds[0]), **config})
    for numbers in rounds:
        for seat, number in zip(list(match.pending()), numbers, strict=True):
            match.submit(seat, number)
    return match


def finish(match: Match, seed: int) -> None:
    rng = stream(seed)
    while not match.done:
        for seat, ask in list(match.pending().items()):
            assert match.view(seat).messages()[-1]["role"] == "user"
            match.submit(seat, ask.sample(rng))


def test_a_round_from_open_to_result() -> None:
    match = played([10, 20, 30, 40, 50])

    ten = dict.fromkeys(SEATS, 10)
    assert match.events[:2] == [
        Event("*", "open", {"round": 1, "health": ten}),
        Event(
            "*",
            "round",
            {
                "round": 1,
                "numbers": {"player_0": 10, "player_1": 20, "player_2": 30, "player_3": 40, "player_4": 50},
                "target": 24.0,
                "winning": 20,
                "winners": ["player_1"],
                "health": {**dict.fromkeys(SEATS, 9), "player_1": 10},
                "out": [],
            },
        ),
    ]
    assert match.events[2].facts["round"] == 2


def test_equally_near_numbers_pay_the_smaller_one() -> None:
    match = played([20, 28, 1, 1, 100])

    assert match.events[1].facts["winners"] == ["player_0"]
    assert match.events[1].facts["health"]["player_1"] == 9


def test_if_all_say_seven_everyone_loses_one() -> None:
    match = played([7] * 5)

    assert match.events[1].facts["winners"] == []
    assert match.events[1].facts["winning"] is None
    assert match.events[1].facts["health"] == dict.fromkeys(SEATS, 9)


def test_the_payoff_is_the_share_of_rounds_won() -> None:
    match = played(*[[10, 20, 30, 40, 50]] * 3, *[[1, 20, 30, 40, 50]] * 7)

    assert match.payoffs == {"player_0": 0.0, "player_1": 1.0, "player_2": 0.0, "player_3": 0.0, "player_4": 0.0}
    assert played([1, 2], [2, 1], [5, 5], [9, 8], rounds=4).payoffs == {"player_0": 0.25, "player_1": 0.5}


def test_who_has_no_health_left_is_out_and_never_acts_again() -> None:
    """The target is 15.47 in every round: 9 wins, and player_2 is out after two rounds."""
    match = played([9, 9, 40], [9, 9, 40], health=2, rounds=5)

    assert match.events[3].facts["out"] == ["player_2"]
    assert match.events[3].facts["health"] == {"player_0": 2, "player_1": 2, "player_2": 0}
    assert list(match.pending()) == ["player_0", "player_1"]
    assert match.view("player_2").messages()[-1]["content"].endswith("Round 3 of 5. You are out of the game.")
    finish(match, 1)
    assert [turn.batch for turn in match.turns if turn.seat == "player_2"] == [0, 1]


def test_who_is_alone_wins_the_rounds_that_are_left_unasked() -> None:
    """Targets 8.8 and 9.07: player_0 says 9 and wins both rounds, and the others are out."""
    match = played([9, 8, 16], [9, 8, 17], health=2, rounds=4)

    assert match.events[1].facts["winning"] == 9
    assert match.events[3].facts["out"] == ["player_1", "player_2"]
    assert match.done
    assert match.events[-1] == Event("*", "alone", {"seat": "player_0", "rounds": 2})
    assert match.payoffs == {"player_0": 1.0, "player_1": 0.0, "player_2": 0.0}


def test_the_match_ends_when_nobody_is_left() -> None:
    match = played([7, 7], [7, 7], health=2, rounds=5)

    assert match.done
    assert match.payoffs == {"player_0": 0.0, "player_1": 0.0}
    assert match.events[-1].facts["out"] == ["player_0", "player_1"]


@pytest.mark.parametrize("answer", [0, 101, 7.0, 7.5, "7", True, None, [7], {"guess": 7}])
def test_only_integers_from_1_to_100_are_legal(answer: object) -> None:
    match = arena.match("guess08", seed=1)

    with pytest.raises(IllegalAnswer):
        match.submit("player_0", answer)


def test_an_unusable_answer_says_fifty_and_touches_nobody_else() -> None:
    match = arena.match("guess08", seed=1)

    assert match.submit_fallback("player_3") == 50
    for seat in ("player_0", "player_1", "player_2", "player_4"):
        match.submit(seat, 10)
    assert match.events[1].facts["numbers"]["player_3"] == 50


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"players": 1}, "players must be at least 2"),
        ({"rounds": 0}, "rounds must be at least 1"),
        ({"health": 0}, "health must be at least 1"),
        ({"predict": 1}, "predict must be true or false"),
    ],
)
def test_a_config_that_cannot_be_played_is_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        arena.match("guess08", seed=1, **config)


def test_the_order_of_answers_within_a_round_changes_no_byte() -> None:
    records = set()
    for order in list(permutations(range(5)))[::13]:
        match = arena.match("guess08", seed=1)
        for i in order:
            match.submit(f"player_{i}", 10 * i + 7)
        records.add(record(match)["record_hash"])

    assert len(records) == 1


@given(st.lists(st.tuples(*[st.integers(1, 100)] * 3), min_size=4, max_size=4), st.permutations(range(3)))
def test_permuting_the_seats_permutes_the_payoffs(rounds: list[tuple[int, ...]], order: list[int]) -> None:
    match = played(*rounds, rounds=4)
    other = played(*[[numbers[i] for i in order] for numbers in rounds], rounds=4)

    assert match.payoffs is not None
    assert other.payoffs == {f"player_{new}": match.payoffs[f"player_{old}"] for new, old in enumerate(order)}


@pytest.mark.parametrize("preset", PRESETS)
@settings(max_examples=40)
@given(seed=st.integers(0, 10**6))
def test_random_play_of_every_preset_ends_renders_and_replays(preset: str, seed: int) -> None:
    match = arena.match(f"guess08/{preset}", seed=seed)
    finish(match, seed)

    assert match.payoffs is not None
    assert all(0 <= payoff <= 1 for payoff in match.payoffs.values())
    assert all(match.view(seat).messages() for seat in match.seats)
    assert all(min(e.facts["health"].values()) >= 0 for e in match.events if "health" in e.facts)
    assert record(arena.match(record=record(match))) == record(match)


@pytest.mark.parametrize("preset", PRESETS)
@settings(max_examples=40)
@given(seed=st.integers(0, 10**6), seat=st.sampled_from(SEATS))
def test_worlds_that_a_seat_cannot_tell_apart_look_the_same(preset: str, seed: int, seat: str) -> None:
    match = arena.match(f"guess08/{preset}", seed=seed)
    for one, other in match.game.twins(seed, seat):
        assert one.view(seat).events == other.view(seat).events
        assert one.pending() == other.pending()


@pytest.mark.parametrize("preset", PRESETS)
def test_a_world_repeats_all_rounds_so_far(preset: str) -> None:
    match, rng = arena.match(f"guess08/{preset}", seed=4), stream(4)
    for _ in range(4):
        for seat, ask in list(match.pending().items()):
            match.submit(seat, ask.sample(rng))
    world = match.game.worlds(match.view("player_2"), rng)

    assert world is not None
    assert world.events == match.events
    assert world.pending().keys() == match.pending().keys()


def test_a_model_reads_numbers_winners_and_health() -> None:
    match = played([10, 20, 30, 40, 50])

    assert match.view("player_1").messages()[-1]["content"] == (
        "Numbers of round 1: player_0 10, you 20, player_2 30, player_3 40, player_4 50. The target was 24.\n"
        "20 wins the round: player_1. All others lose 1 health.\n"
        "Health: player_0 9, you 10, player_2 9, player_3 9, player_4 9.\n"
        "Round 2 of 10. Your health is 10.\n"
        "Which number do you choose?\n"
        "Answer with an integer from 1 to 100"
    )


def test_predictions_are_asked_for_on_wish_and_shown_to_nobody() -> None:
    match = arena.match("guess08/predict", seed=1, players=2, rounds=1)
    match.submit("player_0", {"number": 7, "prediction": {"player_1": 93}})
    match.submit("player_1", {"number": 30})

    assert not any("93" in str(e.facts) for e in match.events)
    assert match.metrics()["prediction_error_player_0"] == 63.0
    assert match.metrics()["prediction_error_player_1"] is None


def test_metrics_by_hand() -> None:
    """Two players, four rounds; targets 12, 16, 4, 2 (0.4 times the sum)."""
    match = played([20, 10], [30, 10], [4, 6], [2, 3], rounds=4)

    assert match.payoffs == {"player_0": 0.5, "player_1": 0.5}
    assert match.metrics() == {
        "win_rate_player_0": 0.5,
        "final_health_player_0": 8.0,
        "adaptation_index_player_0": 0.0,  # (0 + 0) / (8 + 14)
        "level_player_0": 4.0,  # 50·0.8^4 = 20.48
        "prediction_error_player_0": None,
        "win_rate_player_1": 0.5,
        "final_health_player_1": 8.0,
        "adaptation_index_player_1": 0.375,  # (2 + 1) / (2 + 6)
        "level_player_1": 7.0,  # 50·0.8^7 = 10.49
        "prediction_error_player_1": None,
    }


def test_the_adaptation_index_is_missing_where_it_has_no_meaning() -> None:
    assert adaptation_index([(1, F(0)), (2, F(0)), (3, F(1)), (4, F(1))], 4) is None
    assert adaptation_index([(1, F(3)), (2, F(1)), (3, F(1))], 4) is None
    assert adaptation_index([(1, F(3)), (2, F(1)), (3, F(1)), (4, F(1))], 4) == 0.5


def test_a_prediction_counts_only_if_it_names_all_others() -> None:
    assert prediction_error({"a": 10, "b": 20}, {"a": 20, "b": 40}) == 15
    assert prediction_error({"a": 10, "b": 20, "c": 99}, {"a": 20, "b": 11}) == F(1, 2)
    assert prediction_error({"a": 10}, {"a": 20, "b": 40}) is None
    assert prediction_error({}, {}) is None


@pytest.mark.parametrize(("number", "k"), [(100, 0), (50, 0), (45, 0), (44, 1), (40, 1), (36, 1), (32, 2), (1, 18)])
def test_the_level_of_a_first_number(number: int, k: int) -> None:
    assert nearest_level(number) == k


def test_scripted_rounds_are_fast() -> None:
    """The target is 500 rounds a second of CPU with five scripted players."""
    names, n, began = ["fixed", "last-target", "monotone", "monotone-random", "level-k"], 40, time.process_time()
    for seed in range(n):
        match, rng = arena.match("guess08", seed=seed), stream(seed, "bots")
        while not match.done:
            for i, (seat, ask) in enumerate(list(match.pending().items())):
                match.submit(seat, BOTS[names[i]](match.view(seat), ask, rng))

    assert 10 * n / (time.process_time() - began) >= 500
