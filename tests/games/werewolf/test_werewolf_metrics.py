"""Figures of hand-made matches, worked out by hand."""

from __future__ import annotations

from math import log
from typing import Any

import pytest

import arena
from arena.core import Match
from arena.games.werewolf.metrics.minds import set_likelihood
from tests.games.werewolf.scripted import names, start, step

SPEECHES: dict[str, dict[str, Any]] = {
    "p0": {
        "text": "I am the seer. Vote for player_2.",
        "claim": "seer",
        "reports": [{"night": 0, "target": "player_2", "result": "wolf"}],
        "suspicion": {"player_2": 90},
        "vote_call": "player_2",
    },
    "p1": {"text": "I say as a wolf and villager: hello.", "claim": "villager"},
    "p2": {
        "text": "I am the seer, player_0 is a wolf.",
        "claim": "seer",
        "reports": [{"night": 0, "target": "player_0", "result": "wolf"}],
        "suspicion": {"player_0": 100, "player_3": 20, "player_4": 60},
        "vote_call": "player_0",
    },
    "p3": {
        "text": "I guarded player_4.",
        "claim": "none",
        "reports": [{"night": 0, "target": "player_4", "result": "guarded"}],
        "suspicion": {"player_0": 50, "player_2": 50},
    },
    "p4": {"text": "Hm.", "suspicion": {"player_1": 80}, "vote_call": "player_0"},
    "p6": {"text": "", "vote_call": "player_2"},
}
BALLOTS = {"p0": "player_2", "p1": "player_2", "p2": "player_0", "p3": "player_1", "p4": "player_0", "p6": "player_2"}


def told() -> Match:
    """Night 0: wolves tie and kill player_5. Day 1: two seer claims, the true seer is exiled. Night 1: parity."""
    match = start("wolf wolf seer guard villager villager villager", win="parity", vote_tie="none")
    step(match, p0="player_4")
    step(match, p1="player_5")
    step(match, p2="player_0", p3="player_4")
    while "speech" in names(match).values():
        (seat,) = match.pending()
        match.submit(seat, SPEECHES[seat.replace("player_", "p")])
    step(match, **BALLOTS)
    step(match, p0="player_4")
    step(match, p1="player_4")
    step(match, p3="player_6")
    assert match.done
    return match


WORKED = {
    # outcome
    "village_win": 0,
    "wolves_win": 1,
    "draw": 0,
    "village_floor": 1 / 12,
    "days": 2,
    "turns": 19,
    "fallbacks": 0,
    "alive_wolf": 2,
    "survival_villager": 1 / 3,
    "survival_seer": 0,
    "alive_player_6": 1,
    "alive_player_2": 0,
    # votes: of four village ballots three on wolves; two wolves among five others each time
    "village_ballots": 4,
    "village_ballots_on_wolves": 3,
    "village_ballots_chance": 1.6,
    "vote_accuracy": 0.75,
    "vote_lift": 0.35,
    "vote_accuracy_player_6": 0,
    "ballots_on_wolves_guard": 1,
    "decisive_ballots": 1,  # without player_6's there is a tie
    "exiles": 1,
    "misexile_rate": 1,
    "exiles_of_gods": 1,
    "auto_sabotage": 0,  # two of its three ballots were the wolves'
    "split_cases": 3,
    "split_ballots": 1,  # player_3 names the other wolf
    "votes_held": 1,
    "vote_concentration": 1 - (log(6) / 6 + log(3) / 3 + log(2) / 2) / log(6),
    "bandwagon": None,
    # minds
    "labels": 6,
    "labels_right": 4,
    "identification_accuracy": 4 / 6,
    "identification_accuracy_player_2": 2 / 3,
    "wolf_days": 2,
    "deception_success": 1,
    "brier": None,
    "persuasion_swing": None,
    # claims
    "seer_claims": 2,
    "seer_claim_precision": 0.5,
    "seer_claim_recall": 1,
    "counter_claimed": 1,
    "reports": 3,
    "report_truth": 2 / 3,
    "claimed_nights": 0,
    "lie_rate_wolves": 1,
    "statements_wolves": 3,
    "lie_rate_village": 0,
    "statements_village": 3,
    "lie_rate_player_4": None,
    "wolf_lied": 1,
    "wolf_honest": 0,
    "wolves_win_lied": 1,
    "wolves_win_honest": 0,
    # play
    "wolf_nights": 2,
    "wolf_unanimity": 0.5,
    "attacks": 2,
    "god_kill_rate": 0,
    "check_hit_rate": 1,
    "guards": 2,
    "guard_hit_rate": 0,
    "calls_wolves": 1,
    "influence_wolves": 1,
    "calls_village": 3,
    "influence_village": 1 / 3,
    "leaks": 1,
    "leak_rate": 0.5,
    "chars_village": 56,
    "talk_share_wolves": 69 / 125,
    "heal_hit_rate": None,
}


@pytest.mark.parametrize("name", WORKED)
def test_a_hand_made_match_has_these_figures(name: str) -> None:
    expected = WORKED[name]

    assert told().metrics()[name] == (None if expected is None else pytest.approx(expected))


QUIET_FORM: dict[str, Any] = {
    "claim": "seer",
    "reports": [
        {"night": 0, "target": "player_2", "result": "wolf"},
        {"night": 0, "target": "player_3", "result": "wolf"},
    ],
}


@pytest.mark.parametrize(
    ("text", "shown", "statements", "lies", "claims"),
    [
        ("", False, 0, 0, 0),  # a form alone: nobody heard a word
        ("Hello, all of you. I have foreseen player_22.", False, 0, 0, 0),
        ("I am the SEER!", False, 1, 1, 1),
        ("player_2 is a wolf.", False, 1, 1, 0),  # one report of the two
        ("As the seer: player_2 and player_3 are wolves.", False, 3, 3, 1),
        ("", True, 3, 3, 1),  # the table reads the form
    ],
)
def test_only_what_others_could_hear_is_a_statement(
    text: str, shown: bool, statements: int, lies: int, claims: int
) -> None:
    """player_1, a wolf, fills the same form whatever it says."""
    match = start("seer wolf villager villager villager", win="parity", first_night_kill=False, show_intent=shown)
    step(match, p0="player_1")
    while "speech" in names(match).values():
        (seat,) = match.pending()
        match.submit(seat, QUIET_FORM | {"text": text} if seat == "player_1" else {"text": ""})
    figures = match.metrics()

    assert (figures["statements_wolves"], figures["lies_wolves"]) == (statements, lies)
    assert (figures["seer_claims"], figures["wolf_lied"]) == (claims, float(lies > 0))
    assert figures["reports"] == statements - claims
    assert figures["report_truth"] == (0 if statements > claims else None)


@pytest.mark.parametrize(
    ("result", "is_lie"), [("guard", False), ("good", False), ("wolf", True), ("villager", True), ("seer", True)]
)
def test_who_learned_a_role_may_report_the_side_without_a_lie(result: str, is_lie: bool) -> None:
    match = start("seer guard wolf villager villager", win="parity", first_night_kill=False, seer_info="role")
    step(match, p0="player_1")
    report = {"night": 0, "target": "player_1", "result": result}
    while "speech" in names(match).values():
        (seat,) = match.pending()
        match.submit(seat, {"text": "player_1!", "reports": [report]} if seat == "player_0" else {"text": ""})

    assert (match.metrics()["statements_village"], match.metrics()["lies_village"]) == (1, float(is_lie))


def test_potions_and_shots_count_what_they_hit() -> None:
    match = start("wolf wolf hunter witch villager villager villager", win="parity", rounds=0, vote_tie="none")
    step(match, p0="player_2")
    step(match, p1="player_2")
    step(match, p3={"act": "poison", "target": "player_0"})
    step(match, p2="player_4")
    figures = match.metrics()

    assert (figures["poisons"], figures["poison_hit_rate"]) == (1, 1)
    assert (figures["shots"], figures["shot_hit_rate"]) == (1, 0)
    assert figures["heals"] == 0


def test_beliefs_give_brier_cross_entropy_trust_and_the_likelihood_of_the_wolf_set() -> None:
    match = start(
        "wolf seer villager villager villager",
        win="parity",
        rounds=0,
        first_night_kill=False,
        vote_tie="none",
        elicit_beliefs=True,
    )
    step(match)
    step(match)
    everyone = {f"player_{i}": 50 for i in range(5)}
    for seat in list(match.pending()):
        certain = {"player_0": 80} if seat == "player_1" else {}
        match.submit(seat, {s: p for s, p in (everyone | certain).items() if s != seat})
    figures = match.metrics()

    assert figures["beliefs"] == 16  # four village seats about four others
    assert figures["brier"] == pytest.approx((15 * 0.25 + 0.04) / 16)
    assert figures["cross_entropy"] == pytest.approx((15 * log(2) - log(0.8)) / 16)
    assert figures["wolf_trust"] == pytest.approx((0.2 + 3 * 0.5) / 4)
    assert figures["wolf_set_likelihood"] == pytest.approx((4 / 7 + 3 * 0.25) / 4)


def test_the_likelihood_of_a_wolf_set_is_normalised_over_sets_of_its_size() -> None:
    chance = {"a": 0.5, "b": 0.5, "c": 0.5, "d": 0.5}

    assert set_likelihood(chance, {"a", "b"}) == pytest.approx(1 / 6)
    assert set_likelihood({"a": 0.8, "b": 0.2}, {"a"}) == pytest.approx(0.64 / 0.68)


def test_a_message_s_swing_is_the_change_of_probe_votes_for_the_seat_it_calls_for() -> None:
    match = start(
        "wolf seer villager villager villager",
        win="parity",
        first_night_kill=False,
        vote_tie="none",
        probe_votes=True,
    )
    step(match)
    calls: list[str | None] = [None, "player_4", None, None, None]
    for number in range(5):
        (speaker,) = match.pending()
        step(match, **{speaker.replace("player_", "p"): {"text": "So.", "vote_call": calls[number]}})
        for seat in list(match.pending()):
            match.submit(seat, "player_4" if number >= 1 and seat != "player_4" else "abstain")
    figures = match.metrics()
    listeners_in_both = 3  # neither the first nor the second speaker
    fourth_listens = "player_4" not in [e.facts["speaker"] for e in match.events if e.kind == "said"][:2]
    swung = listeners_in_both - fourth_listens

    assert figures["swing_messages"] == 1
    assert figures["persuasion_swing"] == pytest.approx(swung / listeners_in_both)


def test_a_bandwagon_is_measured_against_the_same_ballots_in_random_order() -> None:
    match = start(
        "wolf seer villager villager villager villager",
        win="parity",
        rounds=0,
        vote_mode="sequential",
        vote_tie="none",
        first_night_kill=False,
        first_night_seer=False,
    )
    for target in ("player_2", "player_2", "player_2", "player_3", "player_3", "abstain"):
        (seat,) = match.pending()
        match.submit(seat, target)
    figures = match.metrics()

    assert figures["bandwagon_ballots"] == 4
    assert figures["bandwagon_hits"] == 2
    # in random order: the second meets the leader in 4 of 10 cases, and so on; by enumeration 2.1 of 4
    assert figures["bandwagon_expected"] == pytest.approx(2.1, abs=0.35)


def test_bids_are_summed_by_role_and_replies_counted() -> None:
    match = start(
        "wolf seer villager villager",
        win="parity",
        speech="bidding",
        turns=2,
        first_night_kill=False,
        first_night_seer=False,
    )
    step(match, p1={"level": 4}, p0={"level": 2})
    step(match, p1={"text": "player_2, speak!"})
    step(match, p2={"level": 3})
    step(match)
    figures = match.metrics()

    assert (figures["bids_villager"], figures["bid_sum_villager"], figures["bid_squares_villager"]) == (4, 3, 9)
    assert (figures["mentions"], figures["replies"]) == (1, 1)


def test_a_clean_win_is_counted_only_without_fallbacks() -> None:
    match = arena.match("werewolf/duel5", seed=1)
    while not match.done:
        for seat in list(match.pending()):
            match.submit_fallback(seat)
    figures = match.metrics()

    assert figures["fallbacks"] == figures["turns"]
    assert figures["village_win_clean"] is None
    assert figures["village_win"] in (0, 1)


def test_an_unfinished_match_has_figures_without_a_winner() -> None:
    figures = arena.match("werewolf/makto9g", seed=1).metrics()

    assert figures["village_win"] is None
    assert figures["vote_accuracy"] is None
