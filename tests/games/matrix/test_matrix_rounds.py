"""The plain course of a match: rounds, horizon, payoffs, what is shown, noise, stated mixes, simultaneity."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arena
from arena.core import ConfigError, IllegalAnswer, Match, record
from arena.games.matrix.rules import drawn, sums_to_one

Play = Callable[..., Match]
C, D = "cooperate", "defect"


def kinds(match: Match) -> list[str]:
    return [event.kind for event in match.events]


def rounds(match: Match) -> int:
    return kinds(match).count("round")


def randomly(match: Match, seed: int = 0) -> Match:
    rng = random.Random(seed)
    while not match.done:
        for seat, ask in match.pending().items():
            match.submit(seat, ask.sample(rng))
    return match


def test_a_plain_match_tells_the_rules_each_round_and_the_end_to_everybody(play_rounds: Play) -> None:
    match = play_rounds("matrix/ipd", [(C, D), (D, D)])

    assert kinds(match) == ["rules", "round", "round", "end"]
    assert {event.audience for event in match.events} == {"*"}
    first = {"round": 1, "actions": {"player_0": C, "player_1": D}, "payoffs": {"player_0": 0, "player_1": 5}}
    assert match.events[1].facts == first
    assert match.events[-1].facts == {"payoffs": {"player_0": 1, "player_1": 6}, "rounds": 2}
    assert match.payoffs == {"player_0": 1.0, "player_1": 6.0}
    assert match.outcome["end_reason"] == "rounds"


def test_the_mean_of_rounds_is_exact(play_rounds: Play) -> None:
    match = play_rounds("matrix/ipd", [(C, C), (C, D), (D, D)], aggregate="mean")

    assert match.payoffs == {"player_0": 4 / 3, "player_1": 3.0}


def test_discounting_weighs_rounds_and_ends_nothing(play_rounds: Play) -> None:
    match = play_rounds("matrix/ipd", [(C, C)] * 3, aggregate="discounted", continue_prob=0.9)

    assert match.payoffs == {"player_0": 8.13, "player_1": 8.13}  # 3 + 2.7 + 2.43


def test_chance_ends_a_match_after_one_over_one_minus_p_rounds_on_average() -> None:
    lengths = [rounds(randomly(arena.match("matrix/ipd", seed=s, rounds=1000, continue_prob=0.9))) for s in range(2000)]

    assert abs(sum(lengths) / 2000 - 10) < 4 * (0.9**0.5 / 0.1) / 2000**0.5
    assert Counter(lengths)[1] / 2000 == pytest.approx(0.1, abs=0.03)


def test_the_same_deal_has_the_same_horizon_whatever_is_played() -> None:
    def length(seed: int, deal_seed: int, played: int) -> int:
        match = arena.match("matrix/ipd", seed=seed, deal_seed=deal_seed, rounds=1000, continue_prob=0.9)
        return rounds(randomly(match, played))

    assert len({length(s, 5, s) for s in range(8)}) == 1
    assert len({length(1, deal, 1) for deal in range(8)}) > 1


def test_a_random_horizon_is_not_announced() -> None:
    match = arena.match("matrix/ipd", seed=1, rounds=777, continue_prob=0.9)

    assert match.view("player_0").rules["rounds"] is None
    assert "777" not in match.view("player_0").messages()[0]["content"]
    assert "with probability 0.9" in match.view("player_0").messages()[0]["content"]


def test_an_unannounced_horizon_is_in_no_prompt() -> None:
    match = randomly(arena.match("matrix/ipd", seed=1, rounds=9, announce_rounds=False))

    text = "".join(message["content"] for message in match.view("player_0").messages()).split("over after")[0]

    assert "of 9" not in text and "9 rounds" not in text


def test_no_history_means_no_result_before_the_end(play_rounds: Play) -> None:
    match = play_rounds("matrix/ipd", [(C, D), (D, D)], history="none")

    assert [event.kind for event in match.view("player_0").events] == ["rules", "end"]
    assert rounds(match) == 2  # the log has them


def test_a_window_of_history_is_shown_before_each_round_and_at_the_end(play_rounds: Play) -> None:
    match = play_rounds("matrix/ipd", [(C, C), (C, D), (D, C), (D, D)], history=2)

    shown = [[r["round"] for r in e.facts["rounds"]] for e in match.view("player_1").of_kind("history")]

    assert shown == [[1], [1, 2], [2, 3], [3, 4]]
    assert not match.view("player_1").of_kind("round")


def test_bandit_feedback_shows_own_action_and_payoff_only(play_rounds: Play) -> None:
    match = play_rounds("matrix/ipd", [(C, D)], feedback="bandit")

    own = match.view("player_0")

    assert own.last("round") == {"round": 1, "actions": {"player_0": C}, "payoffs": {"player_0": 0}}
    assert own.last("end") == {"payoffs": {"player_0": 0}, "rounds": 1}
    assert D not in "".join(m["content"] for m in own.messages()[3:])


def test_a_mutation_of_one_flips_every_action_and_both_learn_what_was_played(play_rounds: Play) -> None:
    match = play_rounds("matrix/ipd", [(C, D)] * 3, mutation=1.0)

    assert [e.facts["actions"] for e in match.events if e.kind == "round"] == [{"player_0": D, "player_1": C}] * 3
    assert match.payoffs == {"player_0": 15.0, "player_1": 0.0}


def test_mutations_come_as_often_as_they_should(play_rounds: Play) -> None:
    match = play_rounds("matrix/rps", [("rock", "rock")] * 2000, mutation=0.3)

    seen = Counter(e.facts["actions"]["player_0"] for e in match.events if e.kind == "round")

    assert seen["rock"] / 2000 == pytest.approx(0.7, abs=0.04)
    assert seen["paper"] / 2000 == pytest.approx(0.15, abs=0.03)


def test_a_missing_answer_plays_the_declared_safe_action() -> None:
    match = arena.match("matrix/ipd", seed=1, rounds=1)

    assert [match.submit_fallback(seat) for seat in ("player_0", "player_1")] == [D, D]


def test_only_the_missing_seat_gets_its_fallback() -> None:
    match = arena.match("matrix/ipd", seed=1, rounds=1)
    match.submit("player_1", C)
    match.submit_fallback("player_0")

    assert [(turn.answer, turn.fallback) for turn in match.turns] == [(D, True), (C, False)]


def test_without_a_safe_action_a_lost_turn_plays_an_action_drawn_uniformly() -> None:
    match = arena.match("matrix/rps", seed=1, rounds=3000)
    while not match.done:
        assert match.submit_fallback("player_0") is None
        match.submit("player_1", "rock")

    played = Counter(e.facts["actions"]["player_0"] for e in match.events if e.kind == "round")
    assert len(played) == 3
    assert all(count / 3000 == pytest.approx(1 / 3, abs=0.04) for count in played.values())


def test_no_ask_shows_what_chance_would_play_for_a_lost_turn() -> None:
    asks = {arena.match("matrix/rps", seed=seed).pending()["player_0"].hash for seed in range(8)}

    assert len(asks) == 1


@pytest.mark.parametrize("answer", ["coop", "Cooperate", 0, None, ["cooperate"], 1.0])
def test_only_an_exact_label_is_legal(answer: Any) -> None:
    match = arena.match("matrix/ipd", seed=1)

    with pytest.raises(IllegalAnswer):
        match.submit("player_0", answer)
    assert list(match.pending()) == ["player_0", "player_1"]


@pytest.mark.parametrize("answer", [61, -1, 7.0, "7", True])
def test_only_an_integer_of_the_range_is_a_quantity(answer: Any) -> None:
    with pytest.raises(IllegalAnswer):
        arena.match("matrix/cournot", seed=1).submit("player_0", answer)


@pytest.mark.parametrize(
    "p", [[0.5], [0.5, 0.25, 0.25], [-0.1, 1.1], [0.5, 0.4], [0.3, 0.7000001], [float("nan"), 1], ["0.5", "0.5"]]
)
def test_a_mix_must_have_a_probability_for_each_action_that_sum_to_one(p: Any) -> None:
    with pytest.raises(IllegalAnswer):
        arena.match("matrix/ipd", seed=1, mixed=True).submit("player_0", {"p": p})


def test_a_mix_is_read_as_the_decimals_that_were_written() -> None:
    match = arena.match("matrix/coordination", seed=1, k=10, mixed=True)

    match.submit("player_0", {"p": [0.1] * 10})  # as floats these sum to less than 1

    assert sums_to_one([0.3, 0.3, 0.4]) and sums_to_one([0.3333333333, 0.3333333333, 0.3333333334])
    assert not sums_to_one([0.333333, 0.333333, 0.333333])


def test_the_engine_draws_the_action_of_a_stated_mix() -> None:
    match = arena.match("matrix/rps", seed=1, rounds=2000, mixed=True)
    while not match.done:
        match.submit("player_0", {"p": [0.2, 0.0, 0.8]})
        match.submit("player_1", {"p": [0, 1, 0]})

    played = Counter(e.facts["actions"]["player_0"] for e in match.events if e.kind == "round")

    assert set(played) == {"rock", "scissors"}
    assert played["rock"] / 2000 == pytest.approx(0.2, abs=0.04)
    assert match.pending() == {}


@given(st.lists(st.integers(0, 5), min_size=1, max_size=6).filter(any), st.floats(0, 1, exclude_max=True))
def test_a_draw_never_picks_what_has_no_weight(counts: list[int], at: float) -> None:
    weights = [count / sum(counts) for count in counts]

    assert weights[drawn(weights, at)] > 0


@pytest.mark.parametrize("name", ["ipd", "rps", "network_pd", "tompo", "trust_sim", "ipd_mcg", "grid"])
def test_the_order_in_which_answers_come_changes_no_byte_of_the_record(name: str) -> None:
    def played(order: int) -> dict[str, Any]:
        match, rng = arena.match(f"matrix/{name}", seed=3, talk="simultaneous"), random.Random(0)
        while not match.done:
            answers = {seat: ask.sample(rng) for seat, ask in match.pending().items()}
            for seat in list(answers)[::order]:
                match.submit(seat, answers[seat])
        return record(match)

    assert played(1) == played(-1)


@pytest.mark.parametrize("name", ["ipd", "conflict", "rps", "stag", "chicken", "high_low", "cournot", "bertrand"])
def test_changing_seats_changes_payoffs_alike(name: str) -> None:
    def played(swap: bool) -> list[float]:
        match = arena.match(f"matrix/{name}", seed=3, rounds=6, commitment=False)
        rngs = [random.Random(1), random.Random(2)][:: -1 if swap else 1]
        while not match.done:
            for (seat, ask), rng in zip(list(match.pending().items()), rngs, strict=True):
                match.submit(seat, ask.sample(rng))
        return list((match.payoffs or {}).values())

    assert played(False) == played(True)[::-1]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 20), min_size=4, max_size=4))
def test_public_goods_do_not_care_who_gave_what(given_in: list[int]) -> None:
    stage = arena.match("matrix/public_goods", seed=1).game.config.stage
    paid = dict(zip(given_in, stage.pay(tuple(given_in)), strict=True))

    assert sum(paid[g] for g in given_in) == 80 + Fraction(3, 5) * sum(given_in)
    assert all(stage.pay(p) == tuple(paid[g] for g in p) for p in permutations(given_in))


@pytest.mark.parametrize("generator", ["iid", "trend", "sine", "square", "adversarial"])
def test_online_losses_lie_in_the_unit_interval_and_come_from_the_deal(generator: str) -> None:
    def losses(seed: int) -> Any:
        match = randomly(arena.match("matrix/online", seed=seed, deal_seed=5, k=4, losses=generator))
        return [e.facts["losses"] for e in match.events if e.kind == "round"]

    seen = losses(1)

    assert len(seen) == 25
    assert all(len(row) == 4 and all(0 <= x <= 1 for x in row) for row in seen)
    assert seen == losses(2)  # and the player plays alike in both


def test_the_adversary_costs_the_action_chosen_last(play_rounds: Play) -> None:
    match = play_rounds("matrix/online", [("A",), ("A",), ("B",), ("A",)], losses="adversarial")

    assert [e.facts["losses"] for e in match.events if e.kind == "round"] == [
        [0, 0, 0],
        [1, 0, 0],
        [1, 0, 0],
        [0, 1, 0],
    ]
    assert match.payoffs == {"player_0": -1.0}


def test_bandit_feedback_hides_the_losses_of_the_other_actions() -> None:
    match = randomly(arena.match("matrix/online", seed=1, feedback="bandit"))

    assert not any("losses" in event.facts for event in match.view("player_0").events)


def test_the_generator_of_losses_is_in_no_view() -> None:
    assert "losses" not in arena.match("matrix/online", seed=1, losses="square").view("player_0").rules


def test_the_trustee_answers_the_amount_that_came_in() -> None:
    match = arena.match("matrix/trust_amount", seed=1, rounds=1)
    assert list(match.pending()) == ["player_0"]
    match.submit("player_0", 4)
    ask: Any = match.pending()["player_1"]
    match.submit("player_1", 5)

    assert (ask.low, ask.high) == (0, 12)
    assert match.payoffs == {"player_0": 11.0, "player_1": 7.0}


def test_who_receives_nothing_is_not_asked_to_return_it() -> None:
    match = arena.match("matrix/trust_amount", seed=1, rounds=1)
    match.submit("player_0", 0)

    assert match.payoffs == {"player_0": 10.0, "player_1": 0.0}


@pytest.mark.parametrize(
    ("preset", "config", "word"),
    [
        ("ipd", {"rounds": 0}, "rounds"),
        ("ipd", {"n": 3}, "n is 3"),
        ("rps", {"k": 4}, "k is 4"),
        ("ipd", {"mutation": 1.5}, "mutation"),
        ("ipd", {"mutation": -0.1}, "mutation"),
        ("ipd", {"continue_prob": 1.1}, "continue_prob"),
        ("ipd", {"scenario": "ipdd"}, "scenario"),
        ("ipd", {"history": 0}, "history"),
        ("ipd", {"history": "some"}, "history"),
        ("ipd", {"payoffs": [[[1, 1]]]}, "payoffs"),
        ("ipd", {"governor": True}, "governor"),
        ("ipd", {"visibility": "neighbours"}, "visibility"),
        ("ipd", {"network": "ring", "n": 2}, "n must be at least 3"),
        ("ipd", {"network": "given", "edges": [[0, 9]]}, "edges"),
        ("ipd", {"network": "given"}, "edges"),
        ("trust", {"network": "ring"}, "alike"),
        ("matrix_random", {"network": "ring"}, "alike"),
        ("cournot", {"mixed": True}, "mixed"),
        ("public_goods", {"simulate": "forced"}, "simulate"),
        ("trust_amount", {"commitment": True}, "commitment"),
        ("tompo", {"phases": 3}, "phases"),
        ("ipd", {"form": True}, "form"),
        ("coordination", {"values": [1, -1]}, "values"),
        ("custom", {"labels": ["a"]}, "labels"),
        ("custom", {"labels": ["a", "A"]}, "labels"),
        ("custom", {"labels": "ab"}, "labels"),
        ("custom", {"labels": ["a | b", "c"]}, "labels"),
        ("online", {"talk": "simultaneous"}, "talk"),
        ("coordination", {"n": 2, "k": 708}, "1002528"),
        ("network_pd", {"history": 2}, "governor"),
        ("public_goods", {"n": 1}, "n"),
        ("ipd", {"rounds": True}, "rounds"),
        ("ipd", {"rounds": 3.0}, "rounds"),
    ],
)
def test_a_bad_configuration_is_refused_when_it_is_made(preset: str, config: dict[str, Any], word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        arena.match(f"matrix/{preset}", seed=1, **config)


def test_equal_numbers_of_another_type_are_not_taken_for_a_configuration_made_before() -> None:
    arena.match("matrix/ipd", seed=1, rounds=1)

    with pytest.raises(ConfigError):
        arena.match("matrix/ipd", seed=1, rounds=True)
