"""Figures of a match, worked by hand."""

from __future__ import annotations

from math import log
from typing import Any

import pytest

import arena
from arena.core import Match, stream
from arena.games.avalon.metrics.words import statements
from tests.games.avalon.tables import FIVE

Round = dict[str, Any]


def course(*rounds: Round, preset: str = "mute5", deal: list[str] | None = None, **config: Any) -> Match:
    """Proposals as given: `says` (seat -> form), `team`, `no` (who rejects), `fail`, `beliefs`; led first by 0."""
    match = arena.match(f"avalon/{preset}", seed=3, deal=deal or FIVE, first_leader=0, **config)
    for step in rounds:
        while not match.done:
            batch = dict(match.pending())
            name = next(iter(batch.values())).name
            for seat in batch:
                match.submit(seat, answer(match, seat, name, step))
            if name == "team_vote" and not {"quest", "beliefs"} & names(match):
                break
            if name in ("quest", "beliefs") and "beliefs" not in names(match):
                break
    return match


def names(match: Match) -> set[str]:
    return {ask.name for ask in match.pending().values()}


def answer(match: Match, seat: str, name: str, step: Round) -> Any:
    number = int(seat[-1])
    match name:
        case "speech":
            return {"text": "hm"} | step.get("says", {}).get(number, {})
        case "propose":
            return [f"player_{i}" for i in step["team"]]
        case "team_vote":
            return "reject" if number in step.get("no", ()) else "approve"
        case "quest":
            return "fail" if number in step.get("fail", ()) else "success"
        case "beliefs":
            given = match.pending()[seat].fallback
            return given | step.get("beliefs", {}).get(number, {})
    raise AssertionError(name)


CLEAN = ({"team": (0, 1)}, {"team": (0, 1, 2)}, {"team": (0, 1)})


def test_three_successes_and_the_strike_are_told_apart() -> None:
    missed, hit = course(*CLEAN), course(*CLEAN)
    missed.submit("player_3", "player_2")
    hit.submit("player_3", "player_0")

    m, h = missed.metrics(), hit.metrics()
    assert (m["good_won"], m["three_successes"], m["assassin_hit"]) == (1, 1, 0)
    assert (h["good_won"], h["three_successes"], h["assassin_hit"]) == (0, 1, 1)
    assert m["assassin_edge"] == pytest.approx(-1 / 3)
    assert h["assassin_edge"] == pytest.approx(2 / 3)
    assert (h["evil_by_merlin_found"], h["evil_by_three_fails"], h["evil_by_five_rejections"]) == (1, 0, 0)
    assert (m["proposals"], m["quests_failed"]) == (3, 0)


def test_reasons_of_evils_wins() -> None:
    spoilt = course({"team": (0, 3), "fail": (3,)}, {"team": (0, 1, 3), "fail": (3,)}, {"team": (0, 4), "fail": (4,)})
    stuck = course(*[{"team": (0, 1), "no": range(5)}] * 5, preset="p5", talk_rounds=0)

    assert spoilt.metrics()["evil_by_three_fails"] == 1
    assert spoilt.metrics()["quests_failed"] == 3
    assert spoilt.metrics()["three_successes"] == 0
    assert spoilt.metrics()["assassin_hit"] is None
    assert stuck.metrics()["evil_by_five_rejections"] == 1
    assert stuck.metrics()["good_won_without_fallback"] == 0


def test_a_match_with_a_fallback_is_left_out_of_the_clean_win_rate() -> None:
    match = course(*CLEAN)
    match.submit_fallback("player_3")

    assert match.metrics()["good_won_without_fallback"] is None
    assert match.metrics()["good_won"] is not None
    assert match.metrics()["fallback_rate"] == pytest.approx(1 / 19)  # 3 x (1 + 5) + 1 answers


def test_votes_influence_and_leadership() -> None:
    """Proposals: {0,3} by 0, rejected by 0, 1, 2; {0,1} by 1, rejected by 3, 4; {0,1,4} by 2, rejected by 0."""
    match = course(
        {"team": (0, 3), "no": (0, 1, 2)}, {"team": (0, 1), "no": (3, 4)}, {"team": (0, 1, 4), "no": (0,), "fail": ()}
    )
    m = match.metrics()

    assert [m[f"influence_player_{i}"] for i in range(5)] == pytest.approx([2 / 3, 1, 1, 1 / 3, 1 / 3])
    assert [m[f"leadership_player_{i}"] for i in range(5)] == [0, 1, 1, None, None]
    assert m["vote_quality_player_0"] == 1  # approved {0, 1} only
    assert m["vote_quality_player_1"] == 1 / 2  # {0, 1} and {0, 1, 4}
    assert m["vote_quality_player_3"] == 1  # {0, 3}, {0, 1, 4}
    assert m["vote_quality_good"] == 3 / 5
    assert m["vote_quality_evil"] == 1
    assert m["merlin_giveaway"] == 1  # rejected both spoilt teams, approved the clean one
    assert m["influence_evil"] == pytest.approx(1 / 3)


def test_teams_that_go_whatever_the_votes_do_not_count_as_influence() -> None:
    match = course(*[{"team": (0, 3), "no": range(5)}] * 5)
    m = match.metrics()

    assert m["influence_player_0"] == 1  # four true rejections; the fifth team went by rule
    assert m["leadership_player_4"] is None


def test_evil_approves_well_only_with_enough_evil() -> None:
    seven = ["merlin", "servant", "servant", "servant", "assassin", "minion", "minion"]
    match = course(
        {"team": (0, 1)}, {"team": (0, 1, 4), "fail": (4,)}, {"team": (0, 1, 2)}, {"team": (0, 1, 2, 4), "fail": (4,)},
        preset="p7", deal=seven, talk_rounds=0,
    )  # fmt: skip

    assert match.metrics()["vote_quality_player_4"] == 1 / 4  # quest 4 needs two


def test_persuasion_counts_proposals_that_somebody_else_backed() -> None:
    backs = {"backs": ["player_0", "player_1"]}
    match = course(
        {"says": {2: backs}, "team": (0, 1), "no": range(5)},  # 0 follows 2
        {"says": {2: backs, 1: backs}, "team": (1, 2), "no": range(5)},  # 1 leads and follows nobody, nor itself
        {"says": {2: backs}, "team": (0, 1), "no": range(5)},  # 2 leads: its own backing is no persuasion
        preset="bench5",
    )
    m = match.metrics()

    assert m["persuasion"] == 1 / 2
    assert m["persuasion_player_2"] == 1 / 2
    assert m["persuasion_player_1"] is None


def test_lies_are_statements_that_contradict_what_the_speaker_knows() -> None:
    others = {i: " ".join(f"player_{j}" for j in range(5) if j != i) for i in range(5)}
    says: dict[int, dict[str, Any]] = {
        0: {"claim": "servant", "suspicion": {"player_3": 10, "player_4": 11, "player_1": 90, "player_2": 89}},
        1: {"claim": "good", "suspicion": {"player_3": 0}},  # a servant knows nobody's side
        2: {"claim": "none"},
        3: {"claim": "good", "suspicion": {"player_4": 5}},
        4: {"claim": "minion"},
    }
    for i, form in says.items():
        form["text"] = f"I am {form['claim']}, and think of {others[i]}."
    match = course({"says": says, "team": (0, 1), "no": range(5)}, preset="bench5")
    m = match.metrics()

    assert m["lie_rate_player_0"] == 3 / 5  # claim, 3 as good, 1 as evil
    assert m["lie_rate_player_1"] == 0
    assert m["lie_rate_player_2"] is None
    assert m["lie_rate_player_3"] == 1
    assert m["lie_rate_player_4"] == 0
    assert m["lie_rate_good"] == 3 / 6
    assert m["lie_rate_evil"] == 2 / 3


@pytest.mark.parametrize(
    ("text", "count", "lies"),
    [
        ("", 0, 0),  # a form alone: nobody heard a word
        ("Good morning, player_33.", 1, 0),  # the word stands there; it is true
        ("I am no servant of player_4", 1, 0),
        ("player_3!", 1, 1),
        ("I am good; player_3 is good, player_4 is not.", 3, 1),
    ],
)
def test_only_what_others_could_hear_is_a_statement(text: str, count: int, lies: int) -> None:
    """player_0 (Merlin) sees 3 and 4; player_3 (assassin) fills the same form whatever it says."""
    form = {"claim": "good", "suspicion": {"player_3": 0, "player_4": 100}, "text": text}
    match = course({"says": {0: form}, "team": (0, 1), "no": range(5)}, preset="bench5")
    made = list(statements(match, "player_0"))

    assert (len(made), sum(made)) == (count, lies)


def test_what_the_lady_showed_can_be_lied_about() -> None:
    seven = ["merlin", "servant", "servant", "servant", "assassin", "minion", "servant"]
    seven[6], seven[5] = "minion", "minion"
    deal = ["assassin", "servant", "servant", "servant", "merlin", "minion", "minion"]
    deal[6], deal[3] = deal[3], deal[6]  # player_6, who holds the Lady, is a servant
    match = course({"team": (1, 2)}, {"team": (1, 2, 4)}, preset="p7", deal=deal, lady=True)
    match.submit("player_6", "player_0")
    first = match.metrics()["lie_rate_player_6"]
    while next(iter(match.pending())) != "player_6":
        match.submit(next(iter(match.pending())), {"text": ""})
    match.submit("player_6", {"text": "player_0 is one of us.", "suspicion": {"player_0": 3}})

    assert first is None
    assert match.metrics()["lie_rate_player_6"] == 1


def test_talk_is_measured_in_characters() -> None:
    match = course({"says": {1: {"text": "x" * 22}}, "team": (0, 1), "no": range(5)}, preset="bench5")
    m = match.metrics()

    assert (m["talk_chars_player_0"], m["talk_chars_player_1"], m["talk_chars"]) == (2, 22, 6)


def test_beliefs_are_scored_against_the_true_sides() -> None:
    """Servant 1 believes 0: 20, 2: 50, 3: 90, 4: 40. Right: 0 and 3; 50 is wrong either way; 4 is evil at 40."""
    beliefs = {
        1: {"evil": {"player_0": 20, "player_2": 50, "player_3": 90, "player_4": 40}},
        2: {"evil": {"player_0": 0, "player_1": 0, "player_3": 100, "player_4": 100}},
        3: {"merlin": {"player_0": 60, "player_1": 30, "player_2": 10}},
        4: {"merlin": {"player_0": 20, "player_1": 40, "player_2": 40}},
    }
    match = course({"team": (0, 1), "beliefs": beliefs}, elicit_beliefs="quest")
    m = match.metrics()

    assert m["deduction_accuracy_player_1"] == 2 / 4
    assert m["deduction_accuracy_player_2"] == 1
    assert m["deduction_accuracy"] == 3 / 4
    assert m["belief_brier_player_1"] == pytest.approx((0.04 + 0.25 + 0.01 + 0.36) / 4)
    assert m["belief_log_loss_player_1"] == pytest.approx(-(log(0.8) + log(0.5) + log(0.9) + log(0.4)) / 4)
    assert m["belief_log_loss_player_2"] == pytest.approx(-log(0.99))
    # Merlin knows both; servants believe 90 and 100 of player_3, 40 and 100 of player_4.
    assert m["deception_player_3"] == pytest.approx((0 + 0.1 + 0) / 3)
    assert m["deception_player_4"] == pytest.approx((0 + 0.6 + 0) / 3)
    assert m["merlin_exposure"] == pytest.approx(0.4 - 1 / 3)
    assert "deduction_accuracy_player_0" not in m  # Merlin sees


def test_figures_without_a_case_are_missing_not_zero() -> None:
    match = arena.match("avalon/resist5", seed=1, talk_rounds=0)
    m = match.metrics()

    for name in ("good_won", "assassin_hit", "merlin_giveaway", "deception", "lie_rate_good", "influence_player_0"):
        assert m[name] is None
    assert m["proposals"] == 0


def test_every_preset_gives_the_same_figures_for_the_same_record() -> None:
    for preset in ("full7", "resist5"):
        match, rng = arena.match(f"avalon/{preset}", seed=4), stream(4)
        while not match.done:
            for seat, ask in list(match.pending().items()):
                match.submit(seat, ask.sample(rng))
        again = arena.match(record=arena.core.record(match))

        assert again.metrics() == match.metrics()
