"""Nights, stage by stage: who is asked, who is told, who dies."""

from __future__ import annotations

from typing import Any

import pytest

from arena.core import IllegalAnswer, Match
from tests.games.werewolf.scripted import QUIET, ask_of, events, facts, names, seen, start, step, until

NINE = "wolf wolf wolf seer witch guard villager villager villager"


def night_of(match: Match, **answers: Any) -> dict[str, Any]:
    """Play the stages of this night with these answers where they are asked; the result is what was resolved."""
    before = len(facts(match, "night_resolved"))
    while len(facts(match, "night_resolved")) == before:
        asked = {seat.replace("player_", "p"): ask.name for seat, ask in match.pending().items()}
        step(match, **{p: answers[f"{p}_{name}"] for p, name in asked.items() if f"{p}_{name}" in answers})
    return facts(match, "night_resolved")[-1]


# --- set-up -----------------------------------------------------------------------------------------------------


def test_wolves_learn_each_other_and_a_possessed_neither_knows_nor_is_known() -> None:
    match = start("wolf villager wolf possessed seer")

    assert seen(match, "player_0", "role") == [{"seat": "player_0", "role": "wolf", "fellows": ["player_2"]}]
    assert seen(match, "player_3", "role") == [{"seat": "player_3", "role": "possessed", "fellows": []}]
    assert seen(match, "player_1", "role") == [{"seat": "player_1", "role": "villager", "fellows": []}]


def test_sides_count_a_possessed_with_the_wolves() -> None:
    match = start("wolf villager possessed seer villager")

    assert match.sides["player_2"] == "wolves"
    assert match.game.sides() == {"wolves": 2, "village": 3}


# --- wolves -----------------------------------------------------------------------------------------------------


def test_sequential_wolves_are_asked_in_seat_order_and_see_the_earlier_picks() -> None:
    match = start(NINE)

    assert names(match) == {"player_0": "wolf_kill"}
    step(match, p0="player_6")
    assert names(match) == {"player_1": "wolf_kill"}
    assert seen(match, "player_1", "wolf_pick") == [{"night": 0, "wolf": "player_0", "target": "player_6"}]
    assert seen(match, "player_3", "wolf_pick") == []


def test_a_tie_of_sequential_wolves_goes_to_the_last_pick() -> None:
    match = start("wolf wolf seer villager villager villager", **QUIET)

    assert night_of(match, p0_wolf_kill="player_3", p1_wolf_kill="player_4")["target"] == "player_4"
    assert seen(match, "player_0", "wolf_decision") == [{"night": 0, "target": "player_4"}]
    assert seen(match, "player_2", "wolf_decision") == []


def test_a_tie_may_spare_everybody() -> None:
    match = start("wolf wolf seer villager villager villager", wolf_tie="none", **QUIET)

    assert night_of(match, p0_wolf_kill="player_3", p1_wolf_kill="player_4")["target"] is None


def test_wolves_that_all_pick_nobody_kill_nobody() -> None:
    resolved = night_of(start(NINE), p0_wolf_kill="none", p1_wolf_kill="none", p2_wolf_kill="none")

    assert resolved["target"] is None
    assert resolved["dead"] == []


def test_wolves_are_prey_and_nobody_is_a_pick_only_where_the_config_says_so() -> None:
    free, bound = start(NINE), start(NINE, wolf_abstain=False, wolf_self_kill=False)

    assert {"player_0", "player_1", "none"} <= set(ask_of(free, "player_0").options)
    assert not {"player_0", "player_1", "player_2", "none"} & set(ask_of(bound, "player_0").options)


def test_one_drawn_wolf_decides_for_all_and_the_others_are_told() -> None:
    match = start("wolf wolf wolf seer villager villager villager", wolf_decision="single_random", **QUIET)
    (chosen,) = match.pending()
    step(match, **{chosen.replace("player_", "p"): "player_4"})

    other = "player_0" if chosen != "player_0" else "player_1"
    assert seen(match, other, "wolf_decision") == [{"night": 0, "target": "player_4"}]
    assert names(match) == {"player_3": "check"}


def test_simultaneous_wolves_vote_again_on_a_tie_and_then_draw() -> None:
    match = start("wolf wolf seer villager villager villager", wolf_decision="revote", **QUIET)

    assert list(match.pending()) == ["player_0", "player_1"]
    step(match, p0="player_3", p1="player_4")
    assert names(match) == {"player_0": "wolf_kill", "player_1": "wolf_kill"}
    assert len(seen(match, "player_0", "wolf_pick")) == 2
    step(match, p0="player_5", p1="player_4")
    assert seen(match, "player_0", "wolf_decision")[0]["target"] in ("player_4", "player_5")


def test_simultaneous_wolves_without_any_pick_kill_a_drawn_non_wolf() -> None:
    for seed in range(20):
        match = start("wolf wolf seer villager villager", seed=seed, wolf_decision="revote", **QUIET)

        assert night_of(match)["target"] in ("player_2", "player_3", "player_4")


def test_wolves_whisper_before_they_choose_and_a_lone_wolf_does_not() -> None:
    pack = start("wolf wolf seer villager villager", wolf_chat=2, **QUIET)
    lone = start("wolf seer villager villager", wolf_chat=2, **QUIET)
    first = next(iter(pack.pending()))
    step(pack, **{first.replace("player_", "p"): "Take player_2."})

    assert names(lone) == {"player_0": "wolf_kill"}
    assert seen(pack, "player_0", "whispered") == [{"speaker": first, "text": "Take player_2."}]
    assert seen(pack, "player_2", "whispered") == []


def test_no_wolf_is_asked_in_a_first_night_without_kill() -> None:
    match = start("wolf seer guard villager villager", first_night_kill=False, **QUIET)

    assert names(match) == {"player_1": "check"}
    assert night_of(match)["target"] is None


# --- seer and guard ---------------------------------------------------------------------------------------------


def test_seer_and_guard_are_asked_at_the_same_time() -> None:
    match = start("wolf seer guard villager villager", **QUIET)

    step(match, p0="player_3")
    assert names(match) == {"player_1": "check", "player_2": "guard"}


def test_a_seer_alone_learns_its_result_and_checks_nobody_twice() -> None:
    match = start("wolf seer villager villager villager villager", **QUIET)
    night_of(match, p0_wolf_kill="none", p1_check="player_0")

    assert seen(match, "player_1", "checked") == [{"night": 0, "target": "player_0", "result": "wolf"}]
    assert seen(match, "player_0", "checked") == []
    until(match, "check")
    assert ask_of(match, "player_1").options == ("player_2", "player_3", "player_4", "player_5")


def test_a_seer_may_learn_the_exact_role() -> None:
    match = start("wolf seer doctor villager villager", seer_info="role", **QUIET)
    night_of(match, p0_wolf_kill="none", p1_check="player_2")

    assert seen(match, "player_1", "checked")[0]["result"] == "doctor"


def test_a_seer_can_be_left_out_of_the_first_night() -> None:
    match = start("wolf seer villager villager", first_night_seer=False, **QUIET)
    step(match, p0="none")

    assert all(ask.name != "check" for ask in match.pending().values())


def test_a_guard_may_not_protect_the_same_seat_two_nights_running() -> None:
    match = start("wolf seer guard villager villager villager", **QUIET)
    night_of(match, p0_wolf_kill="none", p2_guard="player_3")
    until(match, "guard")

    assert "player_3" not in ask_of(match, "player_2").options
    night_of(match, p0_wolf_kill="none", p2_guard="none")
    until(match, "guard")
    assert "player_3" in ask_of(match, "player_2").options


@pytest.mark.parametrize("field", ["guard_self", "guard_none"])
def test_what_a_guard_may_choose_is_configured(field: str) -> None:
    label = {"guard_self": "player_2", "guard_none": "none"}[field]
    allowed, not_allowed = (start("wolf seer guard villager villager", **{field: on}, **QUIET) for on in (True, False))
    for match in (allowed, not_allowed):
        until(match, "guard")

    assert label in ask_of(allowed, "player_2").options
    assert label not in ask_of(not_allowed, "player_2").options


def test_a_guarded_victim_lives() -> None:
    match = start("wolf seer guard villager villager villager", **QUIET)
    resolved = night_of(match, p0_wolf_kill="player_3", p2_guard="player_3")

    assert resolved["dead"] == []
    assert resolved["guard"] == "player_3"


# --- witch ------------------------------------------------------------------------------------------------------

WITCH = "wolf seer witch villager villager villager"


def test_a_witch_learns_the_victim_and_may_heal_it() -> None:
    match = start(WITCH, **QUIET)
    resolved = night_of(match, p0_wolf_kill="player_3", p2_witch={"act": "heal"})

    assert seen(match, "player_2", "witch_info") == [{"night": 0, "target": "player_3"}]
    assert seen(match, "player_2", "witched") == [{"night": 0, "act": "heal", "target": "player_3"}]
    assert resolved["heal"] == "player_3"
    assert resolved["dead"] == []


def test_each_potion_works_once() -> None:
    match = start(WITCH, **QUIET)
    night_of(match, p0_wolf_kill="player_3", p2_witch={"act": "heal"})
    night_of(match, p0_wolf_kill="player_3", p2_witch={"act": "poison", "target": "player_4"})

    assert facts(match, "night_resolved")[1]["dead"] == ["player_3", "player_4"]
    until(match, "witch")
    assert match.done or "witch" not in names(match).values()


def test_a_witch_with_heal_spent_sees_the_victim_only_if_configured() -> None:
    for sees, count in ((True, 2), (False, 1)):
        match = start(WITCH, witch_sees=sees, **QUIET)
        night_of(match, p0_wolf_kill="player_3", p2_witch={"act": "heal"})
        night_of(match, p0_wolf_kill="none")

        assert len(seen(match, "player_2", "witch_info")) == count


@pytest.mark.parametrize(("rule", "nights"), [("always", [True, True]), ("first_night", [True, False]), ("never", [])])
def test_a_witch_heals_itself_as_configured(rule: str, nights: list[bool]) -> None:
    for number in (0, 1):
        match = start(WITCH, witch_self_heal=rule, **QUIET)
        if number:
            night_of(match, p0_wolf_kill="none")
        until(match, "wolf_kill")
        step(match, p0="player_2")
        until(match, "witch")

        acts = ask_of(match, "player_2").fields[0].options
        assert ("heal" in acts) == (nights[number] if nights else False)


def test_a_witch_uses_both_potions_in_one_night_only_if_configured() -> None:
    one, two = (start(WITCH, witch_both=both, **QUIET) for both in (False, True))
    for match in (one, two):
        step(match, p0="player_3")
        until(match, "witch")

    assert ask_of(one, "player_2").fields[0].options == ("heal", "poison", "pass")
    step(two, p2={"act": "both", "target": "player_0"})
    assert facts(two, "night_resolved")[0]["dead"] == ["player_0"]
    assert [f["act"] for f in seen(two, "player_2", "witched")] == ["heal", "poison"]


@pytest.mark.parametrize(
    "answer",
    [
        {"act": "poison"},
        {"act": "heal", "target": "player_4"},
        {"act": "pass", "target": "player_4"},
        {"act": "both", "target": "player_4"},
        {"act": "poison", "target": "player_9"},
        {"act": "poison", "target": ["player_3", "player_4"]},
        {"act": ["heal", "poison"]},
        {"act": "heal", "because": "mercy"},
    ],
)
def test_a_witch_acts_once_and_names_its_target(answer: dict[str, Any]) -> None:
    match = start(WITCH, **QUIET)
    step(match, p0="player_3")
    until(match, "witch")

    with pytest.raises(IllegalAnswer):
        match.submit("player_2", answer)


def test_naming_the_victim_with_heal_is_no_mistake() -> None:
    match = start(WITCH, **QUIET)
    step(match, p0="player_3")
    until(match, "witch")
    step(match, p2={"act": "heal", "target": "player_3"})

    assert facts(match, "night_resolved")[0]["heal"] == "player_3"


def test_guard_and_heal_on_one_victim_clash() -> None:
    for clash, dead in (("dies", ["player_4"]), ("saved", [])):
        match = start("wolf seer witch guard villager villager villager", guard_heal_clash=clash, **QUIET)
        acts = {"p0_wolf_kill": "player_4", "p3_guard": "player_4", "p2_witch": {"act": "heal"}}

        assert night_of(match, **acts)["dead"] == dead


# --- dawn -------------------------------------------------------------------------------------------------------


def test_deaths_are_announced_as_a_set_in_seat_order_without_cause() -> None:
    match = start("wolf seer witch villager villager villager villager", **QUIET)
    night_of(match, p0_wolf_kill="player_5", p2_witch={"act": "poison", "target": "player_3"})
    dawn = facts(match, "dawn")[0]

    assert dawn["day"] == 1
    assert dawn["dead"] == ["player_3", "player_5"]
    assert dawn["alive"] == ["player_0", "player_1", "player_2", "player_4", "player_6"]
    assert not {"causes", "roles"} & set(dawn)


def test_causes_and_roles_are_announced_if_configured() -> None:
    deal = "wolf seer witch villager villager villager"
    match = start(deal, announce_cause=True, reveal_role="death", **QUIET)
    night_of(match, p0_wolf_kill="player_1", p2_witch={"act": "poison", "target": "player_3"})

    assert facts(match, "dawn")[0]["causes"] == {"player_1": "wolves", "player_3": "poison"}
    assert facts(match, "dawn")[0]["roles"] == {"player_1": "seer", "player_3": "villager"}


def test_every_night_has_one_resolved_entry_in_the_log_alone() -> None:
    match = start(NINE, **QUIET)
    night_of(match, p0_wolf_kill="none", p1_wolf_kill="none", p2_wolf_kill="none", p3_check="player_0")
    (event,) = events(match, "night_resolved")

    assert event.audience == "-"
    assert event.facts == {
        "night": 0,
        "target": None,
        "guard": None,
        "heal": None,
        "poison": None,
        "dead": [],
        "causes": {},
    }


def test_a_medium_learns_the_species_of_the_seat_exiled_the_day_before() -> None:
    match = start("wolf possessed seer medium villager villager villager villager", rounds=0, vote_tie="none")
    night_of(match, p0_wolf_kill="none")
    assert seen(match, "player_3", "medium_info") == []
    step(match, p4="player_1")
    night_of(match, p0_wolf_kill="none")

    assert seen(match, "player_3", "medium_info") == [{"night": 1, "target": "player_1", "result": "human"}]
    assert seen(match, "player_4", "medium_info") == []


# --- hunter -----------------------------------------------------------------------------------------------------

HUNT = "wolf seer hunter villager villager villager witch"


def test_a_hunter_killed_by_wolves_may_shoot_a_living_seat() -> None:
    match = start(HUNT, **QUIET)
    night_of(match, p0_wolf_kill="player_2")

    assert names(match) == {"player_2": "shoot"}
    assert "player_2" not in ask_of(match, "player_2").options
    step(match, p2="player_3")
    assert facts(match, "shot") == [{"hunter": "player_2", "target": "player_3"}]
    assert "player_3" not in until(match, "vote")


def test_a_shot_not_taken_is_known_to_the_hunter_alone() -> None:
    match = start(HUNT, **QUIET)
    night_of(match, p0_wolf_kill="player_2")
    step(match, p2="none")

    assert seen(match, "player_2", "shot") == [{"hunter": "player_2", "target": None}]
    assert seen(match, "player_3", "shot") == []


def test_a_poisoned_hunter_shoots_only_if_configured() -> None:
    for shoots in (False, True):
        match = start(HUNT, hunter_poisoned_shoots=shoots, **QUIET)
        night_of(match, p0_wolf_kill="none", p6_witch={"act": "poison", "target": "player_2"})

        assert ("shoot" in names(match).values()) == shoots


def test_a_hunter_killed_and_poisoned_in_one_night_does_not_shoot() -> None:
    match = start(HUNT, **QUIET)
    night_of(match, p0_wolf_kill="player_2", p6_witch={"act": "poison", "target": "player_2"})

    assert "shoot" not in names(match).values()


def test_the_win_check_comes_before_the_shot_unless_configured() -> None:
    deal = "wolf wolf hunter villager villager"
    match = start(deal, win="parity", **QUIET)
    night_of(match, p0_wolf_kill="player_2", p1_wolf_kill="player_2")

    assert match.outcome == {"winner_team": "wolves", "end_reason": "parity"}
    late = start(deal, win="parity", hunter_before_check=True, **QUIET)
    night_of(late, p0_wolf_kill="player_2", p1_wolf_kill="player_2")
    assert names(late) == {"player_2": "shoot"}
    step(late, p2="player_0")
    assert not late.done
