"""The labels of `makto-step` on hand-made matches: nights, votes and speeches, both variants."""

from __future__ import annotations

from typing import Any

import pytest

from tests.games.werewolf.labelled import (
    LONG,
    NINE,
    SEVEN,
    day,
    labels,
    night,
    run_off,
    speech_labels,
    spoken,
    vote_labels,
)
from tests.games.werewolf.scripted import names, start, step

# --- the night --------------------------------------------------------------------------------------------------


def test_a_god_killed_from_the_second_night_on_is_good_for_the_wolves_that_picked_it() -> None:
    match = start(NINE, **LONG)
    night(match, p0="player_3", p1="player_3", p2="player_3", p4={"act": "heal"}, p5="none")
    day(match)
    night(match, p0="player_3", p1="player_3", p2="player_6", p5="none")
    found = labels(match)

    assert ("player_0", "wolf_kill", 0) not in found  # night 0 is the first
    assert found["player_0", "wolf_kill", 1] == [(True, "god killed")]
    assert ("player_2", "wolf_kill", 1) not in found


def test_no_kill_is_bad() -> None:
    match = start(NINE, **LONG)
    night(match, p0="none", p1="player_6", p2="player_6", p4={"act": "heal"})

    assert labels(match)["player_0", "wolf_kill", 0] == [(False, "no kill")]


def test_a_check_that_finds_a_wolf_is_good_and_another_is_nothing() -> None:
    match = start(NINE, **LONG)
    night(match, p3="player_0")
    day(match)
    night(match, p3="player_6")
    found = labels(match)

    assert found["player_3", "check", 0] == [(True, "wolf found")]
    assert ("player_3", "check", 1) not in found


def test_a_witch_should_heal_in_night_0_if_somebody_was_attacked() -> None:
    kill = dict.fromkeys(("p0", "p1", "p2"), "player_6")
    healed, let_die, peace = (start(NINE, **LONG) for _ in range(3))
    night(healed, **kill, p4={"act": "heal"})
    night(let_die, **kill, p4={"act": "pass"})
    night(peace, p4={"act": "pass"})

    assert labels(healed)["player_4", "witch", 0] == [(True, "healed in night 0")]
    assert labels(let_die)["player_4", "witch", 0] == [(False, "no heal in night 0")]
    assert ("player_4", "witch", 0) not in labels(peace)
    assert labels(peace, variant="published")["player_4", "witch", 0] == [(False, "no heal in night 0")]


@pytest.mark.parametrize(
    ("target", "label"), [("player_0", (True, "poisoned a wolf")), ("player_6", (False, "poisoned a non-wolf"))]
)
def test_poison_is_judged_by_whom_it_hits(target: str, label: tuple[bool, str]) -> None:
    match = start(NINE, **LONG)
    night(match)
    day(match)
    night(match, p4={"act": "poison", "target": target})

    assert labels(match)["player_4", "witch", 1] == [label]


def test_a_guard_of_nine_protects_nobody_in_night_0_and_of_seven_itself() -> None:
    nine, nine_else = start(NINE, **LONG), start(NINE, **LONG)
    seven, seven_else = start(SEVEN, **LONG), start(SEVEN, **LONG)
    night(nine, p5="none")
    night(nine_else, p5="player_5")
    night(seven, p3="player_3")
    night(seven_else, p3="none")

    assert labels(nine)["player_5", "guard", 0] == [(True, "guard in night 0")]
    assert labels(nine_else)["player_5", "guard", 0] == [(False, "guard in night 0")]
    assert labels(seven)["player_3", "guard", 0] == [(True, "guard in night 0")]
    assert labels(seven_else)["player_3", "guard", 0] == [(False, "guard in night 0")]


def test_where_the_rules_leave_a_guard_no_such_choice_night_0_has_no_label() -> None:
    no_nobody, no_self = start(NINE, guard_none=False, **LONG), start(SEVEN, guard_self=False, **LONG)
    night(no_nobody)
    night(no_self)

    assert ("player_5", "guard", 0) not in labels(no_nobody)
    assert ("player_3", "guard", 0) not in labels(no_self)


@pytest.mark.parametrize(
    ("target", "label"),
    [
        ("player_3", [(True, "protected a power")]),
        ("player_4", [(True, "protected a power")]),
        ("player_5", [(True, "protected a power")]),
        ("player_0", [(False, "protected a wolf")]),
        ("player_6", None),
        ("none", None),
    ],
)
def test_later_a_guard_should_protect_seer_witch_or_guard(target: str, label: list[tuple[bool, str]] | None) -> None:
    match = start(NINE, **LONG)
    night(match)
    day(match)
    night(match, p5=target)

    assert labels(match).get(("player_5", "guard", 1)) == label


def test_a_doctor_should_protect_the_victim() -> None:
    match = start("wolf wolf seer doctor villager villager villager", **LONG)
    night(match, p0="player_4", p1="player_4", p3="player_4")
    day(match)
    night(match, p0="player_4", p1="player_4", p3="player_2")
    found = labels(match)

    assert found["player_3", "guard", 0] == [(True, "protected the victim")]
    assert ("player_3", "guard", 1) not in found


@pytest.mark.parametrize(
    ("target", "label"),
    [
        ("player_0", [(True, "shot a wolf")]),
        ("player_3", [(False, "shot a power")]),
        ("player_6", None),
        ("none", None),
    ],
)
def test_a_shot_is_judged_by_whom_it_hits(target: str, label: list[tuple[bool, str]] | None) -> None:
    match = start("wolf wolf wolf seer witch hunter villager villager villager", **LONG)
    night(match, p0="player_5", p1="player_5", p2="player_5", p4={"act": "pass"}, p5=target)

    assert labels(match).get(("player_5", "shoot", 1)) == label


# --- votes ------------------------------------------------------------------------------------------------------


def test_a_village_ballot_that_exiles_a_wolf_is_good_and_one_on_a_non_wolf_or_nobody_bad() -> None:
    match = start(NINE, **LONG)
    night(match)
    day(match, p3="player_0", p4="player_0", p5="player_0", p6="player_7", p0="player_6", p8="abstain")
    found = vote_labels(match)

    assert found["player_4"] == [(True, "exiled a wolf")]
    assert found["player_6"] == [(False, "voted a non-wolf; split the vote")]
    assert found["player_8"] == [(False, "abstained; split the vote")]
    assert not {"player_0", "player_1", "player_2"} & set(found)


def test_a_ballot_on_another_wolf_than_the_seer_s_splits_the_vote() -> None:
    match = start(NINE, **LONG)
    night(match)
    day(match, p3="player_0", p4="player_0", p5="player_1", p6="player_1", p7="player_1")
    found = vote_labels(match)

    assert "player_4" not in found  # on the seer's wolf, which was not exiled
    assert "player_5" not in found  # it exiled a wolf and split the vote: both labels, dropped
    both = vote_labels(match, variant="published")["player_5"]
    assert sorted(both) == [(False, "split the vote"), (True, "exiled a wolf")]


def test_a_seer_s_ballot_on_a_non_wolf_splits_nothing_except_in_the_published_scripts() -> None:
    match = start(NINE, **LONG)
    night(match)
    day(match, p3="player_6", p4="player_0", p5="player_0")

    assert vote_labels(match)["player_4"] == [(True, "exiled a wolf")]
    assert (False, "split the vote") in vote_labels(match, variant="published")["player_4"]


def test_without_a_seer_s_ballot_a_wolf_with_three_village_ballots_is_the_village_s() -> None:
    match = start(NINE, **LONG)
    night(match)
    day(match, p3="abstain", p4="player_0", p5="player_0", p6="player_0", p7="player_1")
    found = vote_labels(match)

    assert found["player_4"] == [(True, "exiled a wolf")]
    assert found["player_7"] == [(False, "split the vote")]
    two = start(NINE, **LONG)
    night(two)
    day(two, p3="abstain", p4="player_0", p5="player_0", p7="player_1")
    assert "player_7" not in vote_labels(two)


def test_on_a_run_off_day_only_the_run_off_has_good_ballots_but_bad_first_ballots_count() -> None:
    match = run_off()
    first, second = vote_labels(match), vote_labels(match, "vote_pk")

    assert "player_3" not in first
    assert first["player_5"] == [(False, "voted a non-wolf; split the vote")]
    assert first["player_6"] == [(False, "split the vote")]
    assert second["player_3"] == second["player_7"] == [(True, "exiled a wolf")]
    assert second["player_5"] == [(False, "voted a non-wolf; split the vote")]
    assert "player_6" not in second


def test_days_without_an_exile_have_no_good_ballots_and_no_speech_labels() -> None:
    match = start(NINE, **{**LONG, "rounds": 1})
    night(match)
    while "speech" in names(match).values():
        step(match)
    day(match, p3="player_0", p4="player_1")
    found = labels(match)

    assert all(not label for f in vote_labels(match).values() for label, _ in f)
    assert not any(ask == "speech" for _, ask, _ in found)


# --- speeches ---------------------------------------------------------------------------------------------------


def test_a_village_speech_without_village_ballots_is_good_and_an_exiled_one_bad() -> None:
    found = speech_labels(spoken(p3="player_6", p4="player_6", p5="player_7", p0="player_8"))

    assert found["player_8"] == [(True, "no village ballot against")]  # only a wolf voted for it
    assert found["player_6"] == [(False, "exiled")]
    assert "player_7" not in found  # one village ballot, and a plain villager


def test_a_wolf_s_speech_is_good_unless_it_is_exiled() -> None:
    found = speech_labels(spoken(p3="player_0", p4="player_0"))

    assert found["player_0"] == [(False, "wolf exiled")]
    assert found["player_1"] == [(True, "wolf not exiled")]


def test_seer_and_witch_may_have_one_village_ballot_against_them() -> None:
    found = speech_labels(spoken(p5="player_3", p6="player_4", p7="player_0", p8="player_0"))

    assert found["player_3"] == [(True, "one village ballot against a power")]
    assert found["player_4"] == [(True, "one village ballot against a power")]


def test_a_seer_with_half_of_the_village_s_ballots_against_it_spoke_badly() -> None:
    match = spoken(p5="player_3", p6="player_3", p7="player_0", p8="player_0", p0="player_0")

    assert speech_labels(match)["player_3"] == [(False, "half of the village against the seer")]
    assert "player_3" not in speech_labels(match, variant="published")  # 2 of all 9 ballots, with abstentions


def test_a_witch_with_wolf_and_village_ballots_against_it_spoke_badly() -> None:
    ballots: dict[str, Any] = {"p0": "player_4", "p5": "player_4", "p6": "player_4", "p7": "player_0", "p8": "player_0"}
    match = spoken(**ballots, p3="player_0", p1="player_0")

    assert speech_labels(match)["player_4"] == [(False, "village and wolves against the witch")]


def test_an_exiled_wolf_is_no_villager_except_in_the_published_scripts() -> None:
    match = spoken(p0="player_0", p1="player_0", p2="player_0")  # the wolves alone exile it

    assert speech_labels(match)["player_0"] == [(False, "wolf exiled")]
    assert sorted(speech_labels(match, variant="published")["player_0"]) == [
        (False, "wolf exiled; exiled"),
        (True, "no village ballot against"),
    ]


def test_on_a_run_off_day_only_its_speeches_have_labels() -> None:
    found = labels(run_off(speeches=True))
    speeches = {(seat, ask) for seat, ask, _ in found if ask.startswith("speech")}

    assert speeches == {("player_0", "speech_pk")}  # player_6 had one village ballot and was not exiled


@pytest.mark.parametrize(("against", "fixed", "published"), [(1, True, None), (2, None, True)])
def test_the_run_off_test_of_a_power_is_inverted_in_the_published_scripts(
    against: int, fixed: bool | None, published: bool | None
) -> None:
    match = start(NINE, **{**LONG, "vote_tie": "pk", "rounds": 1})
    night(match)
    while "speech" in names(match).values():
        step(match)
    day(match, p5="player_3", p6="player_0")
    while "speech_pk" in names(match).values():
        step(match)
    voters = ("p4", "p5")[:against]
    day(match, **dict.fromkeys(voters, "player_3"), **dict.fromkeys(("p6", "p7", "p8", "p1"), "player_0"))

    def good(**options: Any) -> bool | None:
        found = speech_labels(match, **options).get("player_3", [])
        return True if any(label for label, _ in found) else None

    assert good() == fixed
    assert good(variant="published") == published
