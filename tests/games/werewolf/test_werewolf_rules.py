"""The rules as sentences: who wins, who dies, whom wolves and ballots choose."""

from __future__ import annotations

import pytest

from arena.games.werewolf.rules import (
    Count,
    Ending,
    bid_winners,
    check_result,
    count,
    deaths,
    deck,
    default_belief,
    ending,
    is_mentioned,
    joint_target,
    may_shoot,
    most_named,
    rotated,
    side,
    species,
)

SEATS = tuple(f"player_{i}" for i in range(6))


def never(options: object) -> str:
    raise AssertionError("nothing is to be drawn here")


# --- the end ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("win", ["parity", "side_kill", "all_dead"])
def test_the_village_wins_when_no_wolf_is_alive(win: str) -> None:
    assert ending(win, ["seer", "villager", "possessed"]) == Ending("village", "no_wolves")


def test_the_village_is_checked_first_even_when_nobody_is_left() -> None:
    assert ending("side_kill", []) == Ending("village", "no_wolves")


def test_parity_is_reached_when_wolves_are_as_many_as_the_others() -> None:
    assert ending("parity", ["wolf", "villager"]) == Ending("wolves", "parity")
    assert ending("parity", ["wolf", "wolf", "seer", "villager", "villager"]) is None


def test_a_possessed_counts_among_the_others_for_parity() -> None:
    assert ending("parity", ["wolf", "possessed", "villager"]) is None


def test_side_kill_needs_all_villagers_or_all_gods_dead() -> None:
    assert ending("side_kill", ["wolf", "seer", "witch"]) == Ending("wolves", "villagers_dead")
    assert ending("side_kill", ["wolf", "villager", "villager"]) == Ending("wolves", "gods_dead")
    assert ending("side_kill", ["wolf", "wolf", "wolf", "hunter", "villager"]) is None


def test_a_possessed_is_neither_god_nor_villager_for_side_kill() -> None:
    assert ending("side_kill", ["wolf", "possessed", "villager"]) == Ending("wolves", "gods_dead")


def test_all_dead_lets_a_single_human_hold_out() -> None:
    assert ending("all_dead", ["mafia", "mafia", "doctor"]) is None
    assert ending("all_dead", ["mafia"]) == Ending("wolves", "all_dead")


# --- roles ------------------------------------------------------------------------------------------------------


def test_a_possessed_is_human_and_good_to_all_powers_but_wins_with_the_wolves() -> None:
    assert side("possessed") == "wolves"
    assert species("possessed") == "human"
    assert check_result("possessed", "alignment") == "good"


def test_a_seer_learns_wolf_or_good_or_the_exact_role() -> None:
    assert check_result("mafia", "alignment") == "wolf"
    assert check_result("doctor", "alignment") == "good"
    assert check_result("doctor", "role") == "doctor"


def test_the_deck_does_not_depend_on_the_order_of_the_config() -> None:
    assert (
        deck({"villager": 2, "wolf": 1, "seer": 0}) == deck({"wolf": 1, "villager": 2}) == ["wolf", *["villager"] * 2]
    )


# --- the night --------------------------------------------------------------------------------------------------


def test_a_victim_lives_if_exactly_one_of_guard_and_heal_covers_it() -> None:
    assert deaths("a", [], False, [], "dies") == {"a": "wolves"}
    assert deaths("a", ["a"], False, [], "dies") == {}
    assert deaths("a", [], True, [], "dies") == {}


def test_guard_and_heal_on_one_victim_clash_as_configured() -> None:
    assert deaths("a", ["a"], True, [], "dies") == {"a": "wolves"}
    assert deaths("a", ["a"], True, [], "saved") == {}


def test_neither_guard_nor_heal_helps_against_poison() -> None:
    assert deaths("a", ["a", "b"], False, ["b"], "dies") == {"b": "poison"}
    assert deaths("a", [], False, ["a"], "dies") == {"a": "both"}
    assert deaths(None, [], False, [], "dies") == {}


def test_a_hunter_shoots_when_killed_by_wolves_or_exiled_not_when_poisoned() -> None:
    assert may_shoot("wolves", False)
    assert may_shoot("exile", False)
    assert not may_shoot("poison", False)
    assert not may_shoot("both", False)
    assert may_shoot("poison", True)
    assert may_shoot("both", True)


def test_wolves_kill_whom_most_of_them_name() -> None:
    assert joint_target(["a", "b", "b"], "last", never) == "b"
    assert joint_target([None, "a", None], "none", never) == "a"
    assert joint_target([None, None], "last", never) is None


def test_tied_wolves_kill_the_last_pick_a_drawn_one_or_nobody() -> None:
    assert joint_target(["a", "b", None], "last", never) == "b"
    assert joint_target(["a", "b"], "random", lambda tied: tied[0]) == "a"
    assert joint_target(["a", "b"], "none", never) is None


def test_the_last_pick_decides_only_among_the_tied() -> None:
    assert joint_target(["a", "b", "a", "b", "c"], "last", never) == "b"


# --- the day ----------------------------------------------------------------------------------------------------


def test_most_ballots_exile() -> None:
    ballots: dict[str, str | None] = {"player_0": "player_1", "player_1": None, "player_2": "player_1"}

    assert count(ballots, 6, "plurality", SEATS) == Count("player_1", [])


def test_a_majority_is_more_than_half_of_the_living() -> None:
    three: dict[str, str | None] = dict.fromkeys(SEATS[:3], "player_5")

    assert count(three, 6, "majority", SEATS) == Count(None, [])
    assert count(three | {"player_3": "player_5"}, 6, "majority", SEATS) == Count("player_5", [])


def test_tied_seats_come_in_seat_order() -> None:
    ballots: dict[str, str | None] = {"player_0": "player_4", "player_1": "player_2", "player_2": None}

    assert count(ballots, 6, "plurality", SEATS) == Count(None, ["player_2", "player_4"])


def test_all_abstaining_is_no_tie() -> None:
    assert count(dict.fromkeys(SEATS), 6, "plurality", SEATS) == Count(None, [])
    assert most_named([None, None]) == []


def test_rotation_begins_at_the_offset_and_leaves_nobody_out() -> None:
    assert rotated("abcd", 0) == ["a", "b", "c", "d"]
    assert rotated("abcd", 3) == ["d", "a", "b", "c"]


def test_of_the_highest_bids_a_seat_just_named_stands_twice() -> None:
    names = {seat: seat for seat in SEATS}
    bids = {"player_0": 3, "player_1": 3, "player_2": 1}

    assert bid_winners(bids, "What does player_1 say?", names) == ["player_0", "player_1", "player_1"]
    assert bid_winners(bids, "player_10 and player_2", names) == ["player_0", "player_1"]


def test_a_mention_is_a_whole_word_in_any_case() -> None:
    assert is_mentioned("player_1", "I trust EMMA.", {"player_1": "Emma"})
    assert not is_mentioned("player_1", "player_12 is a wolf", {"player_1": "player_1"})


def test_the_belief_without_knowledge_is_the_share_of_wolves_rounded() -> None:
    assert default_belief(3, 9) == 38  # 37.5
    assert default_belief(2, 7) == 33
    assert default_belief(1, 5) == 25
