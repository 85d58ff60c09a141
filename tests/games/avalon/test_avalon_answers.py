"""An Avalon match at the table: talk, the Lady, beliefs, bad answers; the same answers give the same record."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arena
from arena.core import IllegalAnswer, record, stream
from arena.games.avalon.game import Avalon
from tests.games.avalon.tables import SEVEN, asked, facts, new, play, seats, team

PRESETS = sorted(Avalon.presets)


# --- talk -----------------------------------------------------------------------------------------------------------


def test_the_leader_speaks_first_then_clockwise_then_proposes() -> None:
    match = play(new("bench5", first_leader=3), until="team_vote")

    assert [(t.seat[-1], t.ask.name) for t in match.turns] == [
        ("3", "speech"),
        ("4", "speech"),
        ("0", "speech"),
        ("1", "speech"),
        ("2", "speech"),
        ("3", "propose"),
    ]


def test_propose_first_turns_the_order_round() -> None:
    match = play(new("bench5", propose_first=True, talk_rounds=2), until="team_vote")

    assert [t.ask.name for t in match.turns] == ["propose"] + ["speech"] * 10
    assert [t.seat[-1] for t in match.turns] == ["0", *"0123401234"]
    asks = match.view("player_1").messages()[1]["content"]
    assert "speak to all players about the team player_0, player_1 for quest 1" in asks


def test_talk_every_quest_skips_the_later_proposals_of_a_quest() -> None:
    match = play(new("bench5", talk_every="quest"), team_vote="reject", propose=team(3, 0, 1))

    assert len(facts(match, "proposed")) == 15
    assert len(asked(match, "speech")) == 3 * 5


def test_words_go_to_all_and_their_meaning_to_the_speaker_only() -> None:
    said = {
        "text": "Trust me.",
        "claim": "merlin",
        "suspicion": {"player_4": 80},
        "backs": ["player_1", "player_0"],
        "intended_vote": "approve",
    }
    match = play(new("bench5"), until="propose", speech=said | {"suspicion": None})
    meaning = {"claim": "merlin", "suspicion": None, "backs": seats(0, 1), "intended_vote": "approve"}

    assert facts(match, "said")[2] == {"speaker": "player_2", "text": "Trust me."}
    spoken = [e for e in match.events if e.kind == "intent"]
    assert [e.audience for e in spoken] == [(s,) for s in match.seats]
    assert spoken[2].facts == {"speaker": "player_2", **meaning}
    heard = "".join(m["content"] for m in match.view("player_1").messages())
    assert "player_2 says:\n| Trust me." in heard


def test_only_the_text_of_a_speech_is_required() -> None:
    match = new("bench5")
    match.submit("player_0", {"text": "Hello."})

    empty = {"claim": None, "suspicion": None, "backs": None, "intended_vote": None}
    assert match.turns[0].answer == {"text": "Hello.", **empty}
    assert match.submit_fallback("player_1") == {"text": "", **empty}


# --- Lady of the Lake -----------------------------------------------------------------------------------------------


def test_the_lady_starts_before_the_leader_and_is_used_after_quests_two_three_and_four() -> None:
    outcome = iter(["fail", "success", "fail", "fail", "fail"])
    match = new("p7", SEVEN, talk_rounds=0, lady=True)
    play(match, propose=team(4, 0, 1, 2), quest=lambda m, s: next(outcome))

    assert facts(match, "setup")[0]["lady"] == "player_6"
    assert facts(match, "lady_used") == [
        {"quest": 2, "holder": "player_6", "target": "player_0"},
        {"quest": 3, "holder": "player_0", "target": "player_1"},
        {"quest": 4, "holder": "player_1", "target": "player_2"},
    ]
    results = [e for e in match.events if e.kind == "lady_result"]
    assert [e.audience for e in results] == [("player_6",), ("player_0",), ("player_1",)]
    assert [e.facts for e in results] == [{"target": f"player_{i}", "side": "good"} for i in range(3)]


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.integers(7, 10))
def test_nobody_holds_the_lady_twice_and_the_result_is_true(seed: int, players: int) -> None:
    match, rng = arena.match(f"avalon/p{players}", seed=seed, talk_rounds=0, lady=True), stream(seed)
    while not match.done:
        for seat, ask in list(match.pending().items()):
            match.submit(seat, ask.sample(rng))
    used = facts(match, "lady_used")
    holders = [facts(match, "setup")[0]["lady"], *(u["target"] for u in used)]

    assert len(set(holders)) == len(holders)
    assert [u["holder"] for u in used] == holders[:-1]
    assert [(r["target"], r["side"]) for r in facts(match, "lady_result")] == [
        (u["target"], match.sides[u["target"]]) for u in used
    ]


# --- beliefs --------------------------------------------------------------------------------------------------------


def test_beliefs_are_asked_of_all_after_each_quest_and_told_to_nobody() -> None:
    match = play(new(elicit_beliefs="quest"), until="beliefs", propose=team(3, 0, 1))

    assert list(match.pending()) == list(match.seats)
    assert match.pending()["player_1"].fallback == {"evil": dict.fromkeys(seats(0, 2, 3, 4), 50)}
    assert match.pending()["player_3"].fallback == {
        "evil": {"player_0": 0, "player_1": 0, "player_2": 0, "player_4": 100},
        "merlin": {"player_0": 33, "player_1": 33, "player_2": 33},
    }
    play(match, propose=team(3, 0, 1))
    assert len(facts(match, "believed")) == 3
    assert {e.audience for e in match.events if e.kind == "believed"} == {"-"}
    assert facts(match, "believed")[0]["beliefs"]["player_1"] == {"evil": dict.fromkeys(seats(0, 2, 3, 4), 50)}


# --- bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("team", "reason"),
    [
        (["player_0", "player_1"], "this quest needs 3 players, you named 2"),
        (["player_0", "player_1", "player_2", "player_3"], "this quest needs 3 players, you named 4"),
        (["player_0", "player_1", "player_1"], "named twice"),
        (["player_0", "player_1", "player_5"], '"player_5" is not one of the options'),
        (["player_0", "player_1", 2], "not a list of labels"),
        ("player_0, player_1, player_2", "not a list of labels"),
        (None, "not a list of labels"),
    ],
)
def test_a_team_must_be_that_many_different_seats(team: object, reason: str) -> None:
    match = new()
    play(match, until="propose")
    play(match, until="team_vote")
    for seat in match.seats:
        match.submit(seat, "approve")
    before = record(match)

    with pytest.raises(IllegalAnswer, match=reason):
        match.submit("player_1", team)
    assert record(match) == before
    match.submit("player_1", ["player_2", "player_0", "player_1"])  # any order
    assert facts(match, "proposed")[-1]["team"] == seats(0, 1, 2)


@pytest.mark.parametrize("vote", ["approve?", "approve and reject", "Approve", "", True, None, ["approve"]])
def test_a_vote_is_approve_or_reject(vote: object) -> None:
    match = play(new(), until="team_vote")

    with pytest.raises(IllegalAnswer):
        match.submit("player_2", vote)


def test_good_seats_cannot_play_a_card() -> None:
    match = play(new(), until="quest", propose=team(0, 3, 1))

    with pytest.raises(IllegalAnswer, match="player_0 is not asked anything now"):
        match.submit("player_0", "fail")


@pytest.mark.parametrize(
    "bad",
    [
        {"suspicion": {"player_0": 50}},  # oneself
        {"suspicion": {"player_1": 101}},
        {"suspicion": {"player_1": -1}},
        {"suspicion": {"player_1": 0.5}},
        {"suspicion": {"nobody": 50}},
        {"claim": "king"},
        {"claim": "percival"},  # not in this match
        {"backs": ["player_1", "player_1"]},
        {"backs": ["player_9"]},
        {"intended_vote": "abstain"},
        {"mood": "good"},
        {"text": "x" * 501},
        {"text": None},
    ],
)
def test_a_speech_form_holds_only_what_it_may(bad: dict[str, Any]) -> None:
    match = new("bench5")

    with pytest.raises(IllegalAnswer):
        match.submit("player_0", {"text": "hm"} | bad)
    assert not match.turns


def test_fallbacks_are_legal_or_least_telling() -> None:
    match = new("bench5")
    seen: dict[str, Any] = {}
    while not match.done:
        for seat, ask in list(match.pending().items()):
            answer = match.submit_fallback(seat)
            seen.setdefault(ask.name, answer)
            assert ask.check(answer) == answer
    assert seen["team_vote"] == "reject"
    assert seen["quest"] == "success"
    assert seen["speech"]["text"] == ""
    assert len(seen["propose"]) == 2


def test_a_random_fallback_team_is_drawn_from_the_matchs_stream() -> None:
    drawn = {tuple(arena.match("avalon/mute5", seed=s, deal_seed=1).pending().popitem()[1].fallback) for s in range(99)}

    assert len(drawn) == 10  # all pairs of five
    one = [arena.match("avalon/mute5", seed=4).pending().popitem()[1].fallback for _ in range(2)]
    assert one[0] == one[1]


# --- determinism ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("preset", PRESETS)
def test_random_play_ends_renders_and_replays(preset: str) -> None:
    for seed in range(3):
        match, rng = arena.match(f"avalon/{preset}", seed=seed), stream(seed)
        while not match.done:
            for seat, ask in list(match.pending().items()):
                assert match.view(seat).messages()[-1]["role"] == "user"
                if rng.random() < 0.1:
                    match.submit_fallback(seat)
                else:
                    match.submit(seat, ask.sample(rng))

        again = arena.match(record=record(match))
        assert record(again) == record(match)
        for seat in match.seats:
            assert "The game is over" in match.view(seat).messages()[-1]["content"]


def test_the_order_of_answers_within_a_vote_changes_no_byte() -> None:
    records = set()
    for order in list(permutations(range(5)))[::13]:
        match = play(new(), until="team_vote", propose=team(3, 4, 0))
        for i in order:
            match.submit(f"player_{i}", "approve")
        for seat in reversed(seats(3, 4)):
            match.submit(seat, "fail" if seat == "player_4" else "success")
        records.add(record(match)["record_hash"])
    assert len(records) == 1


def test_phases_have_names() -> None:
    match = new("p7", SEVEN, talk_rounds=0, lady=True, elicit_beliefs="quest")
    outcome = iter(["success", "fail", "fail", "fail", "success"])
    play(match, propose=team(4, 0, 1, 2), quest=lambda m, s: next(outcome))
    names = [match.game.phase_name(t.turn, match.events[: t.events]) for t in match.turns]

    assert [n for i, n in enumerate(names) if names[i - 1 : i] != [n]] == [
        *("Q1P1", "Q2P1", "L2", "Q3P1", "L3", "Q4P1", "L4", "Q5P1", "A")
    ]
