"""Speech: who speaks when, what others hear, and what a speech may hold."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from arena.core import IllegalAnswer
from tests.games.werewolf.scripted import (
    PEACE,
    SEVEN,
    at_vote,
    events,
    facts,
    names,
    order,
    seen,
    start,
    step,
    until,
)


def test_rotation_starts_at_a_drawn_seat_and_repeats_for_each_round() -> None:
    match = start(SEVEN, rounds=2, **PEACE)
    first = order(match)
    until(match, "vote")
    seats = [f"player_{i}" for i in range(7)]
    offset = seats.index(first[0])

    assert first == seats[offset:] + seats[:offset]
    assert [f["speaker"] for f in facts(match, "said")] == first + first


def test_a_shuffled_order_is_drawn_once_and_repeated() -> None:
    match = start(SEVEN, speech="shuffle", rounds=3, **PEACE)
    first = order(match)
    until(match, "vote")

    assert sorted(first) == [f"player_{i}" for i in range(7)]
    assert [f["speaker"] for f in facts(match, "said")] == first * 3


def test_everybody_hears_the_text_and_only_the_speaker_keeps_the_form() -> None:
    match = start(SEVEN, **PEACE)
    speaker = order(match)[0]
    other = order(match)[1]
    intent = {"claim": "seer", "reports": [{"night": 0, "target": other, "result": "wolf"}], "vote_call": other}
    match.submit(speaker, {"text": "I am the seer.", **intent, "suspicion": {other: 90}})

    assert seen(match, other, "said") == [{"speaker": speaker, "text": "I am the seer."}]
    assert seen(match, other, "intent") == []
    assert seen(match, speaker, "intent") == [{"speaker": speaker, **intent, "suspicion": {other: 90}}]


def test_show_intent_shows_claim_reports_and_call_but_no_suspicion() -> None:
    match = start(SEVEN, show_intent=True, **PEACE)
    speaker, other = order(match)[:2]
    match.submit(speaker, {"text": "Hm.", "claim": "seer", "suspicion": {other: 90}, "vote_call": other})
    said = {"speaker": speaker, "text": "Hm.", "claim": "seer", "reports": None, "vote_call": other}

    assert seen(match, other, "said") == [said]
    assert f"({speaker} states: Role: seer. Vote call: {other}.)" in match.view(other).messages()[-1]["content"]


def test_show_intent_leaves_out_what_a_speaker_claims_nothing_of() -> None:
    match = start(SEVEN, show_intent=True, **PEACE)
    first, second, reader = order(match)[:3]
    match.submit(first, {"text": "Hm.", "claim": "none", "vote_call": "none"})
    report = {"night": 0, "target": first, "result": "good"}
    match.submit(second, {"text": "Hm.", "reports": [report], "vote_call": "none"})
    read = match.view(reader).messages()[-1]["content"]

    assert f"{first} states" not in read
    assert f"({second} states: Night 0: {first} good.)" in read


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": "x" * 601},
        {"text": "hello", "claim": "hunter"},
        {"text": "hello", "suspicion": {"player_1": 101}},
        {"text": "hello", "suspicion": {"SELF": 10}},
        {"text": "hello", "reports": [{"night": 1, "target": "player_1", "result": "wolf"}]},
        {"text": "hello", "reports": [{"night": 0, "target": "player_1"}]},
        {"text": "hello", "vote_call": "player_7"},
        {"text": "hello", "mood": "grim"},
        {"claim": "seer"},
        "hello",
    ],
)
def test_a_speech_outside_its_form_is_illegal(wrong: Any) -> None:
    match = start(SEVEN, **PEACE)
    speaker = order(match)[0]
    if isinstance(wrong, dict) and "suspicion" in wrong:
        wrong = wrong | {"suspicion": {speaker if k == "SELF" else k: v for k, v in wrong["suspicion"].items()}}

    with pytest.raises(IllegalAnswer):
        match.submit(speaker, wrong)


def test_rounds_zero_goes_straight_to_the_vote_also_in_a_run_off() -> None:
    match = at_vote(vote_tie="pk")
    step(match, p0="player_3", p1="player_4")

    assert set(names(match).values()) == {"vote_pk"}
    assert facts(match, "order") == []


# --- bidding ----------------------------------------------------------------------------------------------------

BIDDING: dict[str, Any] = {"speech": "bidding", "turns": 3, **PEACE}


def test_the_highest_bid_speaks_and_the_last_speaker_does_not_bid() -> None:
    match = start(SEVEN, **BIDDING)

    assert len(match.pending()) == 7
    step(match, p3={"level": 4, "reason": "I was named."})
    assert names(match) == {"player_3": "speech"}
    assert "| I was named." in match.view("player_3").messages()[-1]["content"]
    step(match)
    assert len(match.pending()) == 6
    assert "player_3" not in match.pending()


def test_bids_and_reasons_stay_in_the_log() -> None:
    match = start(SEVEN, **BIDDING)
    step(match, p3={"level": 4, "reason": "secret reason"})

    assert seen(match, "player_0", "bid_won") == [{"speaker": "player_3"}]
    assert events(match, "bids")[0].audience == "-"
    assert seen(match, "player_3", "own_bid") == [{"level": 4, "reason": "secret reason"}]
    assert seen(match, "player_0", "own_bid") == []


def test_a_seat_just_named_wins_a_tie_twice_as_often() -> None:
    won: Counter[str] = Counter()
    for seed in range(600):
        match = start(SEVEN, seed=seed, **BIDDING)
        step(match, p0={"level": 4})
        step(match, p0={"text": "What do you say, player_5?"})
        step(match, p1={"level": 2}, p5={"level": 2})
        won.update(match.pending().keys())

    assert set(won) == {"player_1", "player_5"}
    assert 350 < won["player_5"] < 450  # 400 expected


# --- talk -------------------------------------------------------------------------------------------------------

TALK = {"speech": "talk", "talk_limit": 2, "talk_turns": 5, **PEACE}


def talk_day(words: dict[str, list[str]], **config: Any) -> list[tuple[str, str]]:
    """What is said on a day on which each seat says its words one after another, and then is over."""
    match = start("wolf seer villager", win="parity", **{**TALK, **config})
    while "talk" in names(match).values():
        (seat,) = match.pending()
        mine = words.get(seat, [])
        match.submit(seat, {"text": mine.pop(0) if mine else "over"})
    return [(f["speaker"], f["text"]) for f in facts(match, "said")]


def test_talk_ends_after_a_turn_in_which_all_were_over() -> None:
    said = talk_day({"player_0": ["Good morning."]})

    assert len(said) == 6
    assert sorted(said[3:]) == [(f"player_{i}", "over") for i in range(3)]


def test_a_third_skip_in_a_row_counts_as_over() -> None:
    said = talk_day({"player_0": ["skip", " Skip ", "SKIP", "skip"]})

    assert [text for seat, text in said if seat == "player_0"] == ["skip", "skip", "over"]


def test_an_utterance_starts_the_count_of_skips_anew() -> None:
    words = {"player_0": ["skip", "skip", "Hm.", "skip", "skip"]}

    assert [t for s, t in talk_day(words, talk_turns=5) if s == "player_0"] == ["skip", "skip", "Hm.", "skip", "skip"]


def test_a_seat_without_utterances_left_is_not_asked() -> None:
    words = {"player_0": ["a", "b", "c"], "player_1": ["skip", "skip", "d"]}
    said = talk_day(words)

    assert [text for seat, text in said if seat == "player_0"] == ["a", "b"]
    assert [text for seat, text in said if seat == "player_1"] == ["skip", "skip", "d", "over"]


def test_talk_has_a_last_turn() -> None:
    said = talk_day({f"player_{i}": ["word"] * 9 for i in range(3)}, talk_limit=9, talk_turns=4)

    assert len(said) == 12
