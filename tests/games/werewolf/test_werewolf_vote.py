"""Votes, the exile, and what it brings: how ballots fall, ties, last words and shots, what seats write at dusk."""

from __future__ import annotations

import pytest

from tests.games.werewolf.scripted import (
    PEACE,
    SEVEN,
    ask_of,
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


def test_ballots_are_given_at_once_and_revealed_together() -> None:
    match = at_vote()
    match.submit("player_0", "player_3")

    assert len(match.pending()) == 6
    assert facts(match, "ballot") == []
    step(match, p1="player_3")
    assert seen(match, "player_6", "ballot")[:2] == [
        {"voter": "player_0", "target": "player_3"},
        {"voter": "player_1", "target": "player_3"},
    ]
    assert seen(match, "player_6", "ballot")[2] == {"voter": "player_2", "target": None}
    assert facts(match, "exiled") == [{"day": 1, "seat": "player_3"}]


def test_secret_votes_show_only_the_exiled() -> None:
    match = at_vote(vote_mode="secret", vote_tie="none")
    step(match, p0="player_3", p1="player_3")

    assert seen(match, "player_6", "ballot") == seen(match, "player_6", "tally") == []
    assert len(events(match, "ballot")) == 7
    assert seen(match, "player_6", "exiled") == [{"day": 1, "seat": "player_3"}]


def test_sequential_votes_are_public_at_once() -> None:
    match = at_vote(vote_mode="sequential")
    (first,) = match.pending()
    step(match, **{first.replace("player_", "p"): "abstain"})
    (second,) = match.pending()

    assert second != first
    assert seen(match, second, "ballot") == [{"voter": first, "target": None}]


def test_sequential_voters_come_in_a_drawn_order() -> None:
    firsts = {next(iter(at_vote(vote_mode="sequential", seed=seed).pending())) for seed in range(60)}

    assert firsts == {f"player_{i}" for i in range(7)}


def test_self_votes_and_abstentions_are_configured() -> None:
    free, bound = at_vote(), at_vote(vote_self=False, vote_abstain=False)

    assert {"player_0", "abstain"} <= set(ask_of(free, "player_0").options)
    assert not {"player_0", "abstain"} & set(ask_of(bound, "player_0").options)
    assert ask_of(bound, "player_0").fallback in ask_of(bound, "player_0").options


def test_without_a_majority_nobody_leaves() -> None:
    match = at_vote(threshold="majority", vote_tie="none")
    step(match, p0="player_3", p1="player_3", p2="player_3")

    assert facts(match, "exiled") == [{"day": 1, "seat": None}]


def test_all_abstaining_exiles_nobody_whatever_the_tie_rule() -> None:
    for tie in ("none", "pk", "revote", "random"):
        match = at_vote(vote_tie=tie)
        step(match)

        assert facts(match, "exiled") == [{"day": 1, "seat": None}]


def test_in_a_run_off_the_tied_speak_again_and_the_others_choose_among_them() -> None:
    match = start(SEVEN, vote_tie="pk", **PEACE)
    until(match, "vote")
    step(match, p0="player_3", p1="player_4")

    assert facts(match, "pk") == [{"day": 1, "seats": ["player_3", "player_4"]}]
    assert sorted(order(match)) == ["player_3", "player_4"]
    assert names(match) == {order(match)[0]: "speech_pk"}
    until(match, "vote_pk")
    assert list(match.pending()) == ["player_0", "player_1", "player_2", "player_5", "player_6"]
    assert ask_of(match, "player_0").options == ("player_3", "player_4", "abstain")
    step(match, p0="player_4")
    assert facts(match, "exiled") == [{"day": 1, "seat": "player_4"}]


def test_a_second_tie_or_all_abstaining_in_a_run_off_exiles_nobody() -> None:
    for second in ({}, {"p2": "player_3", "p5": "player_4"}):
        match = at_vote(vote_tie="pk")
        step(match, p0="player_3", p1="player_4")
        step(match, **second)

        assert facts(match, "exiled") == [{"day": 1, "seat": None}]


def test_if_all_living_are_tied_all_vote_in_the_run_off() -> None:
    match = at_vote("wolf seer villager", vote_tie="pk", win="parity")
    step(match, p0="player_1", p1="player_2", p2="player_0")

    assert names(match) == dict.fromkeys(("player_0", "player_1", "player_2"), "vote_pk")


def test_a_revote_asks_all_once_more_and_then_draws_among_the_tied() -> None:
    exiled: set[str] = set()
    for seed in range(30):
        match = at_vote(vote_tie="revote", seed=seed)
        step(match, p0="player_3", p1="player_4")
        assert names(match) == dict.fromkeys([f"player_{i}" for i in range(7)], "vote")
        assert facts(match, "revote") == [{"day": 1, "seats": ["player_3", "player_4"]}]
        step(match, p0="player_5", p1="player_6")
        exiled.add(facts(match, "exiled")[0]["seat"])

    assert exiled == {"player_5", "player_6"}


def test_a_secret_revote_does_not_name_the_tied() -> None:
    match = at_vote(vote_tie="revote", vote_mode="secret")
    step(match, p0="player_3", p1="player_4")

    assert facts(match, "revote") == [{"day": 1, "seats": None}]


def test_a_tie_may_be_drawn_at_once() -> None:
    exiled: set[str] = set()
    for seed in range(30):
        match = at_vote(vote_tie="random", seed=seed)
        step(match, p0="player_3", p1="player_4")
        exiled.add(facts(match, "exiled")[0]["seat"])

    assert exiled == {"player_3", "player_4"}


# --- exile ------------------------------------------------------------------------------------------------------


def test_an_exiled_seat_acts_no_more() -> None:
    match = at_vote(vote_tie="none", win="parity")
    step(match, p0="player_2", p1="player_2")

    assert names(match) == {"player_0": "wolf_kill"}
    until(match, "vote")
    assert "player_2" not in match.pending()
    assert all(turn.ask.name != "check" for turn in match.turns)


@pytest.mark.parametrize(
    ("reveal", "at_exile", "at_dawn"), [("never", None, None), ("exile", "seer", None), ("death", "seer", "villager")]
)
def test_roles_of_the_dead_are_shown_as_configured(reveal: str, at_exile: str | None, at_dawn: str | None) -> None:
    match = at_vote("wolf seer villager villager villager villager", vote_tie="none", reveal_role=reveal)
    step(match, p2="player_1")
    if not match.done:
        until(match, "wolf_kill")
        step(match, p0="player_4")

    assert facts(match, "exiled")[0].get("role") == at_exile
    assert facts(match, "dawn")[-1].get("roles", {}).get("player_4") == (at_dawn if not match.done else None)


def test_an_exiled_seat_may_say_last_words() -> None:
    match = at_vote(vote_tie="none", last_words=True)
    step(match, p0="player_3")

    assert names(match) == {"player_3": "last_words"}
    step(match, p3={"text": "I was innocent."})
    assert seen(match, "player_0", "said") == [{"speaker": "player_3", "text": "I was innocent."}]


def test_an_exiled_hunter_shoots_after_the_win_check() -> None:
    deal = "wolf wolf hunter villager villager villager"
    match = at_vote(deal, vote_tie="none", win="parity")
    step(match, p0="player_2")

    assert names(match) == {"player_2": "shoot"}
    step(match, p2="player_0")
    assert facts(match, "shot") == [{"hunter": "player_2", "target": "player_0"}]
    assert not match.done
    lost = at_vote(deal, vote_tie="none", win="side_kill")
    step(lost, p0="player_2")
    assert lost.outcome["end_reason"] == "gods_dead"


def test_exiling_the_last_wolf_wins_for_the_village_dead_seats_included() -> None:
    match = at_vote("wolf possessed seer villager villager villager", vote_tie="none", win="parity")
    step(match, p3="player_4")
    until(match, "wolf_kill")
    step(match, p0="none")
    until(match, "vote")
    step(match, p3="player_0")

    assert match.outcome == {"winner_team": "village", "end_reason": "no_wolves"}
    assert match.payoffs == {f"player_{i}": float(i >= 2) for i in range(6)}
    assert facts(match, "over")[0]["winner"] == "village"
    assert facts(match, "over")[0]["roles"]["player_1"] == "possessed"


def test_a_match_without_winner_is_a_draw_after_its_last_day() -> None:
    match = start(SEVEN, rounds=0, max_days=2)
    while not match.done:
        step(match)

    assert match.outcome == {"winner_team": None, "end_reason": "max_days"}
    assert set((match.payoffs or {}).values()) == {0.5}
    assert [f["day"] for f in facts(match, "exiled")] == [1, 2]


# --- what seats write for themselves and for the log --------------------------------------------------------------


def test_a_summary_comes_back_to_its_seat_alone() -> None:
    match = at_vote(vote_tie="none", summaries=True)
    step(match)
    step(match, p3="player_0 was quiet.")

    assert seen(match, "player_3", "summary_kept") == [{"day": 1, "text": "player_0 was quiet."}]
    assert "player_0 was quiet." not in str(seen(match, "player_0", "summary_kept"))
    until(match, "vote")
    assert "| player_0 was quiet." in str(match.view("player_3").messages())


def test_probes_and_beliefs_reach_nobody() -> None:
    match = start(SEVEN, probe_votes=True, elicit_beliefs=True, vote_tie="none", **PEACE)
    speaker = order(match)[0]
    step(match)

    assert set(names(match)) == set(match.seats) - {speaker}
    assert set(names(match).values()) == {"probe"}
    until(match, "beliefs")
    assert ask_of(match, "player_0").fallback == dict.fromkeys([f"player_{i}" for i in range(1, 7)], 33)
    step(match)
    assert {event.audience for event in events(match, "probed", "believed")} == {"-"}
    assert len(events(match, "probed")) == len(events(match, "believed")) == 7
