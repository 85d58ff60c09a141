"""Presets, their role sets and sizes, and configurations that the rules do not allow."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

import arena
from arena.core import ConfigError
from arena.games.werewolf.config import FIRST_NAMES, WerewolfConfig
from arena.games.werewolf.presets import EXPERIMENTAL, PRESETS, aiwolf_roles, mafia_roles
from arena.registry import find_game, make_game
from tests.games.werewolf.scripted import random_match, start

ROLE_SETS = {
    "makto9g": {"wolf": 3, "seer": 1, "witch": 1, "guard": 1, "villager": 3},
    "makto9h": {"wolf": 3, "seer": 1, "witch": 1, "hunter": 1, "villager": 3},
    "makto7g": {"wolf": 2, "seer": 1, "guard": 1, "villager": 3},
    "makto7w": {"wolf": 2, "seer": 1, "witch": 1, "villager": 3},
    "arena8": {"wolf": 2, "seer": 1, "doctor": 1, "villager": 4},
    "aiwolf5": {"wolf": 1, "possessed": 1, "seer": 1, "villager": 2},
    "aiwolf13": {"wolf": 3, "possessed": 1, "seer": 1, "medium": 1, "guard": 1, "villager": 6},
    "aiwolf15": {"wolf": 3, "possessed": 1, "seer": 1, "medium": 1, "guard": 1, "villager": 8},
    "aiwolf5-nlp": {"wolf": 1, "possessed": 1, "seer": 1, "villager": 2},
    "aiwolf13-nlp": {"wolf": 3, "possessed": 1, "seer": 1, "medium": 1, "guard": 1, "villager": 6},
    "rl_werewolf7": {"wolf": 2, "seer": 1, "doctor": 1, "villager": 3},
    "lspo7": {"wolf": 2, "seer": 1, "doctor": 1, "villager": 3},
    "mini5": {"wolf": 1, "seer": 1, "villager": 3},
    "duel5": {"wolf": 1, "seer": 1, "villager": 3},
}


def config_of(preset: str) -> WerewolfConfig:
    game, _ = make_game(f"werewolf/{preset}")
    config: WerewolfConfig = game.config
    return config


@pytest.mark.parametrize("preset", ROLE_SETS)
def test_each_preset_deals_its_published_roles(preset: str) -> None:
    match = arena.match(f"werewolf/{preset}", seed=3)

    assert Counter(match.roles.values()) == ROLE_SETS[preset]


def test_mafia_presets_have_a_quarter_of_mafia_with_halves_to_even() -> None:
    mafia = {n: config_of(f"mafia{n}").roles["mafia"] for n in range(6, 16)}

    assert mafia == {6: 2, 7: 2, 8: 2, 9: 2, 10: 2, 11: 3, 12: 3, 13: 3, 14: 4, 15: 4}
    assert mafia_roles(9) == {"mafia": 2, "doctor": 1, "detective": 1, "villager": 5}


def test_the_aiwolf_table_fits_its_sizes() -> None:
    assert all(sum(aiwolf_roles(n).values()) == n for n in range(3, 19))
    assert aiwolf_roles(10) == {"guard": 1, "medium": 1, "possessed": 1, "seer": 1, "villager": 4, "wolf": 2}


def test_makto9g_is_the_first_preset_and_is_all_defaults() -> None:
    assert find_game("werewolf").preset == "makto9g"
    assert config_of("makto9g") == WerewolfConfig.make({})


def test_the_presets_differ_from_the_defaults_in_what_their_sources_say() -> None:
    arena8, aiwolf, mafia, mini = map(config_of, ("arena8", "aiwolf13", "mafia9", "mini5"))

    assert (arena8.names, arena8.wolf_decision, arena8.seer_info) == ("first_names", "single_random", "role")
    assert (arena8.speech, arena8.turns, arena8.vote_mode, arena8.threshold) == ("bidding", 8, "secret", "majority")
    assert (arena8.vote_tie, arena8.win, arena8.summaries) == ("none", "parity", True)
    assert (aiwolf.first_night_kill, aiwolf.wolf_decision, aiwolf.wolf_chat) == (False, "revote", 10)
    assert (aiwolf.speech, aiwolf.vote_tie, aiwolf.guard_self) == ("talk", "revote", False)
    assert (mafia.wolf_order, mafia.wolf_tie, mafia.speech, mafia.rounds) == ("random", "random", "shuffle", 3)
    assert (mafia.vote_mode, mafia.vote_tie, mafia.guard_none) == ("sequential", "random", False)
    assert (mini.first_night_kill, mini.max_chars, mini.vote_tie) == (False, 160, "random")
    assert config_of("aiwolf5-nlp").talk_limit == 4
    assert config_of("aiwolf5-nlp").max_chars == 250


def test_the_two_seven_seat_presets_of_papers_without_rules_are_experimental_and_alike() -> None:
    assert {"rl_werewolf7", "lspo7"} == EXPERIMENTAL
    assert config_of("rl_werewolf7") == config_of("lspo7")


@pytest.mark.parametrize("preset", PRESETS)
def test_random_play_ends_in_every_preset(preset: str) -> None:
    for seed in range(3):
        match = random_match(arena.match(f"werewolf/{preset}", seed=seed), seed)

        assert match.done
        assert set(match.payoffs or ()) == set(match.seats)


@pytest.mark.parametrize(("preset", "most"), [("mini5", 19), ("duel5", 11)])
def test_the_small_presets_ask_no_more_than_they_promise(preset: str, most: int) -> None:
    longest = max(len(random_match(arena.match(f"werewolf/{preset}", seed=s), s).turns) for s in range(300))

    assert longest == most


def test_makto9g_asks_twenty_four_times_at_most_in_the_first_night_and_day() -> None:
    match = arena.match("werewolf/makto9g", seed=1)
    while not any(event.kind == "exiled" for event in match.events):
        for seat, ask in list(match.pending().items()):
            match.submit(seat, ask.fallback)

    assert len(match.turns) == 24  # 3 wolves, seer, guard, witch (nobody died), 9 speeches, 9 ballots


def test_first_names_are_dealt_and_shown_while_records_keep_seats() -> None:
    match = arena.match("werewolf/arena8", seed=5)
    names = match.events[0].facts["names"]

    assert set(names) == set(match.seats)
    assert set(names.values()) <= set(FIRST_NAMES)
    assert match.names == names
    assert names["player_0"] in match.view("player_0").messages()[0]["content"]


def test_a_fixed_deal_is_secret_and_must_fit_the_roles() -> None:
    match = start("seer wolf villager")

    assert match.roles == {"player_0": "seer", "player_1": "wolf", "player_2": "villager"}
    assert "deal" not in match.rules
    assert "deal" not in match.events[0].facts["rules"]
    with pytest.raises(ConfigError, match="deal"):
        WerewolfConfig.make({"deal": ["wolf", "villager"]})


def test_roles_may_come_in_any_order_and_with_zeros() -> None:
    one = WerewolfConfig.make({"roles": {"villager": 3, "wolf": 1, "seer": 1, "witch": 0}})
    two = WerewolfConfig.make({"roles": {"wolf": 1, "seer": 1, "villager": 3}})

    assert one == two
    assert list(one.roles) == ["wolf", "seer", "villager"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"roles": {"seer": 1, "villager": 3}}, "roles: there is no wolf"),
        ({"roles": {"wolf": 1, "possessed": 1}, "win": "parity"}, "roles: nobody"),
        (
            {"roles": {"wolf": 3, "seer": 1, "villager": 1}},
            "fewer than half of the seats, not 3 of 5",
        ),
        (
            {"roles": {"mafia": 2, "doctor": 1, "villager": 1}, "win": "parity"},
            "roles: wolves must be fewer than half",
        ),
        ({"roles": {"wolf": 2, "villager": 30}, "win": "parity"}, "roles: 32 seats"),
        ({"roles": {"wolf": 1, "sear": 1, "villager": 3}}, "roles: there is no role 'sear'. Nearest: seer"),
        ({"roles": {"wolf": 1, "seer": -1, "villager": 3}}, "roles: seer"),
        ({"roles": {"wolf": 1, "villager": 4}}, "win: side_kill"),
        ({"roles": {"wolf": 1, "seer": 4}}, "win: side_kill"),
        ({"vote_mode": "secret"}, "vote_tie: pk"),
        ({"roles": {"wolf": 1, "seer": 1}, "win": "parity", "speech": "bidding"}, "speech: bidding"),
        ({"max_days": 0}, "max_days"),
        ({"rounds": -1}, "rounds"),
        ({"win": "majority"}, "win"),
        ({"vote_tie": "pks"}, "vote_tie"),
    ],
)
def test_a_wrong_config_names_its_field(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(ConfigError, match=field):
        WerewolfConfig.make(wrong)


def test_every_config_field_is_documented() -> None:
    assert all(field["doc"] for field in WerewolfConfig.describe())
