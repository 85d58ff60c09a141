"""The stages around a round: talk, commitment, looks, programs."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

import arena
from arena.core import IllegalAnswer, Match

Play = Callable[..., Match]
C, D = "cooperate", "defect"
LEFT, RIGHT = "left", "right"


def kinds(match: Match) -> list[str]:
    return [event.kind for event in match.events]


def names(match: Match) -> dict[str, str]:
    return {seat: ask.name for seat, ask in match.pending().items()}


def both(match: Match, first: Any, second: Any) -> None:
    match.submit("player_0", first)
    match.submit("player_1", second)


# --- talk -----------------------------------------------------------------------------------------------------------


def said(text: str = "", claim: Any = None, promise: Any = None) -> dict[str, Any]:
    return {"text": text, "claim_action": claim, "promise_action": promise}


def test_simultaneous_messages_are_told_when_all_are_in() -> None:
    match = arena.match("matrix/ipd", seed=1, talk="simultaneous")
    match.submit("player_0", said("hello", claim=C))

    assert names(match) == {"player_1": "talk"}
    assert not match.view("player_1").of_kind("talk")

    match.submit("player_1", said("hi"))

    told = [e.facts for e in match.events if e.kind == "talk"]
    assert told[0] == {"round": 1, "seat": "player_0", "text": "hello", "claim_action": C, "promise_action": None}
    assert [facts["seat"] for facts in told] == ["player_0", "player_1"]
    assert names(match) == {"player_0": "act", "player_1": "act"}


def test_alternating_messages_are_told_one_by_one() -> None:
    match = arena.match("matrix/ipd", seed=1, talk="alternating", talk_turns=3)
    speakers = []
    while "act" not in names(match).values():
        (seat,) = match.pending()
        speakers.append(seat)
        match.submit(seat, said("word"))

    assert speakers == ["player_0", "player_1", "player_0"]
    assert len(match.view("player_1").of_kind("talk")) == 3


def test_an_overlong_message_is_illegal() -> None:
    match = arena.match("matrix/ipd", seed=1, talk="simultaneous", talk_chars=5)

    with pytest.raises(IllegalAnswer, match="at most 5"):
        match.submit("player_0", said("123456"))


def test_a_claim_must_be_an_action() -> None:
    with pytest.raises(IllegalAnswer):
        arena.match("matrix/ipd", seed=1, talk="simultaneous").submit("player_0", said("x", claim="both"))
    with pytest.raises(IllegalAnswer):
        arena.match("matrix/cournot", seed=1, talk="simultaneous").submit("player_0", said("x", claim=99))


# --- commitment -----------------------------------------------------------------------------------------------------


def test_committed_cooperation_pays_minus_one_each_and_needs_no_further_ask() -> None:
    match = arena.match("matrix/ipd_mcg", seed=1)
    both(match, {"actions": [C]}, {"actions": [C]})
    both(match, "yes", "yes")

    assert match.payoffs == {"player_0": -1.0, "player_1": -1.0}
    assert kinds(match) == ["rules", "plans", "commitments", "committed", "round", "end"]
    assert match.events[4].facts["committed"] == ["player_0", "player_1"]


def test_without_commitment_the_dominant_action_pays_minus_two_each() -> None:
    match = arena.match("matrix/ipd_mcg", seed=1)
    both(match, {"actions": [C]}, {"actions": [C]})
    both(match, "no", "no")
    both(match, D, D)

    assert match.payoffs == {"player_0": -2.0, "player_1": -2.0}
    assert "committed" not in kinds(match)


def test_one_no_frees_everybody() -> None:
    match = arena.match("matrix/ipd_mcg", seed=1)
    both(match, {"actions": [C]}, {"actions": [C]})
    both(match, "yes", "no")

    assert names(match) == {"player_0": "act", "player_1": "act"}


def test_plans_are_shown_to_all_before_anybody_commits() -> None:
    match = arena.match("matrix/conflict", seed=1)
    match.submit("player_0", {"actions": ["1", "0"]})
    assert not match.view("player_1").of_kind("plans")
    match.submit("player_1", {"actions": ["0", "1"]})

    assert match.view("player_1").last("plans") == {"plans": {"player_0": ["1", "0"], "player_1": ["0", "1"]}}
    assert names(match) == {"player_0": "commit", "player_1": "commit"}


def test_alternating_plans_in_conflict_pay_eight_each(play: Play) -> None:
    plans = {"player_0": ["1", "0"], "player_1": ["0", "1"]}

    match = play("matrix/conflict", lambda seat, ask: {"actions": plans[seat]} if ask.name == "plan" else "yes")

    assert match.payoffs == {"player_0": 8.0, "player_1": 8.0}
    assert {turn.ask.name for turn in match.turns} == {"plan", "commit"}
    assert kinds(match).count("round") == 16 and kinds(match).count("plans") == 8


def test_free_play_of_the_dominant_action_in_conflict_pays_nothing(play: Play) -> None:
    answers = {"plan": {"actions": ["1", "1"]}, "commit": "no", "act": "1"}

    assert play("matrix/conflict", lambda seat, ask: answers[ask.name]).payoffs == {"player_0": 0.0, "player_1": 0.0}


def test_a_plan_shorter_than_the_block_is_illegal_and_the_last_block_may_be_short() -> None:
    match = arena.match("matrix/conflict", seed=1, rounds=3, mega=2)
    with pytest.raises(IllegalAnswer):
        match.submit("player_0", {"actions": ["1"]})
    both(match, {"actions": ["1", "0"]}, {"actions": ["0", "1"]})
    both(match, "yes", "yes")
    both(match, {"actions": ["1"]}, {"actions": ["1"]})

    assert names(match) == {"player_0": "commit", "player_1": "commit"}


def test_an_unconditional_commitment_binds_its_maker_alone() -> None:
    match = arena.match("matrix/ipd", seed=1, rounds=2, commitment=True, mega=2, conditional=False)
    both(match, {"actions": [C, D]}, {"actions": [C, C]})
    both(match, "yes", "no")
    assert names(match) == {"player_1": "act"}
    assert match.view("player_1").last("committed")["bound"] == ["player_0"]  # type: ignore[index]
    match.submit("player_1", D)
    match.submit("player_1", D)

    assert match.payoffs == {"player_0": 1.0, "player_1": 6.0}  # C against D, then D against D


def test_a_missing_commitment_is_a_no_and_a_missing_plan_is_the_safe_action() -> None:
    match = arena.match("matrix/conflict", seed=1)

    assert match.submit_fallback("player_0") == {"actions": ["1", "1"]}
    match.submit("player_1", {"actions": ["0", "0"]})
    assert match.submit_fallback("player_0") == "no"


def test_on_the_grid_staying_home_pays_nothing(play: Play) -> None:
    home = {"player_0": LEFT, "player_1": RIGHT}

    def answer(seat: str, ask: Any) -> Any:
        return {"plan": {"actions": [home[seat]]}, "commit": "no", "act": home[seat]}[ask.name]

    assert play("matrix/grid", answer).payoffs == {"player_0": 0.0, "player_1": 0.0}


def test_on_the_grid_running_to_the_far_end_costs_45_each(play: Play) -> None:
    run = {"player_0": RIGHT, "player_1": LEFT}
    match = play("matrix/grid", lambda s, ask: {"actions": [run[s]]} if ask.name == "plan" else "yes")

    steps = [e.facts["payoffs"]["player_0"] for e in match.events if e.kind == "round"]
    positions = [tuple(e.facts["positions"].values()) for e in match.events if e.kind == "round"]

    assert steps == [-1, -2] + [-3] * 14
    assert match.payoffs == {"player_0": -45.0, "player_1": -45.0}
    assert positions[:4] == [(1, 2), (2, 1), (3, 0), (3, 0)]  # they pass through each other; walls stop


def test_on_the_grid_a_non_committer_never_has_a_plan_executed(play: Play) -> None:
    rng = random.Random(0)

    def answer(seat: str, ask: Any) -> Any:
        if ask.name == "commit" and seat == "player_1":
            return "no"
        return ask.sample(rng)

    match = play("matrix/grid", answer)

    acted = [turn for turn in match.turns if turn.ask.name == "act"]
    assert len(acted) == 32
    assert all(e.facts["committed"] == [] for e in match.events if e.kind == "round")


# --- looking at strategies ------------------------------------------------------------------------------------------


def test_a_forced_look_shows_the_probabilities_to_the_simulator_only_and_costs() -> None:
    match = arena.match("matrix/trust_sim", seed=1, rounds=1, simulate="forced")
    assert names(match) == {"player_1": "mixed"}
    match.submit("player_1", {"p": [1, 0]})

    assert match.view("player_0").last("peek") == {"seat": "player_1", "action": None, "p": [1, 0]}
    assert not match.view("player_1").of_kind("peek")
    assert names(match) == {"player_0": "act"}

    match.submit("player_0", "send")

    assert match.payoffs == {"player_0": 0.9, "player_1": 1.0}


def test_an_optional_look_is_decided_before_anything_is_seen() -> None:
    match = arena.match("matrix/trust_sim", seed=1, rounds=1)
    assert names(match) == {"player_0": "simulate", "player_1": "mixed"}
    match.submit("player_1", {"p": [0, 1]})
    assert not match.view("player_0").of_kind("peek")
    match.submit("player_0", "no")
    match.submit("player_0", "send")

    assert not match.view("player_0").of_kind("peek")
    assert match.payoffs == {"player_0": -1.0, "player_1": 2.0}  # no look, no cost


def test_a_pure_look_shows_the_action_that_will_be_played() -> None:
    for seed in range(20):
        match = arena.match("matrix/trust", seed=seed, rounds=1, simulate="forced", simulate_shows="pure")
        match.submit("player_1", {"p": [0.5, 0.5]})
        seen = match.view("player_0").last("peek")
        match.submit("player_0", "send")

        assert seen is not None and seen["p"] is None
        assert match.events[-2].facts["actions"]["player_1"] == seen["action"]


def test_the_drawn_actions_follow_the_declared_probabilities(play: Play) -> None:
    match = play(
        "matrix/trust",
        lambda s, ask: {"p": [0.6, 0.4]} if ask.name == "mixed" else "send",
        rounds=2000,
        simulate="forced",
    )

    returned = [e.facts["actions"]["player_1"] == "return" for e in match.events if e.kind == "round"]

    assert sum(returned) / 2000 == pytest.approx(0.6, abs=0.04)
    mean = (match.payoffs or {})["player_1"] / 2000
    assert mean == pytest.approx(1.4, abs=0.04)  # the value of the best declaration with a part level


def test_the_other_player_may_be_the_simulator() -> None:
    match = arena.match("matrix/trust", seed=1, simulate="forced", simulator=1)

    assert names(match) == {"player_0": "mixed"}


# --- programs -------------------------------------------------------------------------------------------------------


def test_programs_are_shown_to_all_and_moves_are_asked_for_as_ever() -> None:
    match = arena.match("matrix/pibr/high_low", seed=1)
    assert names(match) == {"player_0": "program", "player_1": "program"}
    match.submit("player_0", "import os; os.abort()")
    assert not match.view("player_1").of_kind("programs")
    match.submit_fallback("player_1")

    told = match.view("player_1").last("programs")
    assert told == {"sources": {"player_0": "import os; os.abort()", "player_1": ""}}
    assert names(match) == {"player_0": "act", "player_1": "act"}


def test_a_program_may_have_8000_characters() -> None:
    match = arena.match("matrix/pibr/bos", seed=1)
    match.submit("player_0", "x" * 8000)

    with pytest.raises(IllegalAnswer):
        match.submit("player_1", "x" * 8001)
