"""What the game declares of itself: seats, sides, bounds, forfeits, phases, and what everybody knows."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

import arena
from arena.core import Game, Match, record
from arena.games.matrix.presets import PRESETS
from arena.registry import make_game

Play = Callable[..., Match]


def game(name: str, **config: Any) -> Game:
    return make_game(f"matrix/{name}", config)[0]


def test_every_scenario_is_a_preset_and_the_dilemma_comes_first() -> None:
    catalogue = [
        "ipd",
        "ipd_mcg",
        "conflict",
        "rps",
        "pennies",
        "stag",
        "chicken",
        "bos",
        "coordination",
        "high_low",
        "trust",
        "trust_amount",
        "cournot",
        "bertrand",
        "public_goods",
        "pd_network",
        "matrix_random",
        "custom",
        "online",
        "grid",
    ]

    assert list(PRESETS)[: len(catalogue)] == catalogue
    assert {"network_pd", "trust_sim", "tompo", "regret/cournot", "pibr/bos"} <= set(PRESETS)


@pytest.mark.parametrize(
    ("preset", "rounds"),
    [("ipd", 10), ("ipd_mcg", 1), ("conflict", 16), ("grid", 16), ("rps", 50), ("network_pd", 20), ("regret/rps", 25)],
)
def test_presets_have_their_rounds(preset: str, rounds: int) -> None:
    assert game(preset).config.rounds == rounds


def test_a_governor_is_the_seat_after_the_nodes() -> None:
    assert game("network_pd").seat_count() == 7
    assert game("network_pd").sides() == {"node": 6, "governor": 1}
    match = arena.match("matrix/network_pd", seed=1)
    assert match.roles["player_5"] == "node" and match.roles["player_6"] == "governor"


def test_seats_that_are_not_alike_have_roles() -> None:
    assert game("trust").sides() == {"investor": 1, "trustee": 1}
    assert game("bos").sides() == {"row": 1, "column": 1}
    assert game("ipd").sides() == {}
    assert arena.match("matrix/trust", seed=1).roles == {"player_0": "investor", "player_1": "trustee"}
    assert game("custom", payoffs=[[[1, 2], [0, 0]], [[0, 0], [3, 4]]]).sides() == {"row": 1, "column": 1}


@pytest.mark.parametrize(
    ("preset", "config", "bounds"),
    [
        ("ipd", {}, (0, 50)),
        ("rps", {"rounds": 3}, (-3, 3)),
        ("ipd_mcg", {}, (-3, 0)),
        ("ipd", {"aggregate": "mean"}, (0, 5)),
        ("ipd_mcg", {"rounds": 4, "continue_prob": 0.5}, (-12, 0)),
        ("stag", {"rounds": 4, "continue_prob": 0.5}, (0, 16)),
        ("ipd", {"rounds": 2, "aggregate": "discounted", "continue_prob": 0.5}, (0, 7.5)),
        ("trust", {"rounds": 10, "simulate": "forced", "simulate_cost": 0.5}, (-15, 20)),
        ("public_goods", {"rounds": 1}, (8, 44)),
        ("cournot", {"rounds": 1}, (-600, 2025)),
    ],
)
def test_payoffs_are_bounded(preset: str, config: dict[str, Any], bounds: tuple[float, float]) -> None:
    assert game(preset, **config).payoff_bounds() == pytest.approx(bounds)


@pytest.mark.parametrize("preset", PRESETS)
def test_no_match_pays_outside_the_bounds(preset: str) -> None:
    for seed in range(5):
        match, rng = arena.match(f"matrix/{preset}", seed=seed), random.Random(seed)
        while not match.done:
            for seat, ask in list(match.pending().items()):
                match.submit(seat, ask.sample(rng))
        low, high = match.game.payoff_bounds() or (0, 0)

        assert all(low - 1e-9 <= value <= high + 1e-9 for value in (match.payoffs or {}).values())


def test_who_forfeits_gets_the_least_and_the_other_the_most() -> None:
    match = arena.match("matrix/rps", seed=1)
    match.forfeit("player_1")

    assert match.payoffs == {"player_0": 50, "player_1": -50}


def test_phases_are_rounds(play_rounds: Play) -> None:
    match = play_rounds("matrix/ipd", [("cooperate", "cooperate")] * 3)

    phases = [match.game.phase_name(turn.turn, match.events[: turn.events]) for turn in match.turns]
    assert phases == ["R1", "R1", "R2", "R2", "R3", "R3"]


def test_an_ordinary_match_is_as_long_as_is_said() -> None:
    assert game("ipd").typical() == (10, 20)
    assert game("conflict").typical() == (32, 64)


def test_everybody_knows_the_table_the_actions_and_the_roles() -> None:
    rules = arena.match("matrix/trust", seed=1).view("player_1").rules

    assert rules["actions"] == {"player_0": ["keep", "send"], "player_1": ["return", "keep"]}
    assert rules["rows"][3] == {
        "actions": {"player_0": "send", "player_1": "keep"},
        "payoffs": {"player_0": -1, "player_1": 2},
    }
    assert arena.match("matrix/cournot", seed=1).view("player_0").rules["actions"]["player_0"] == {"low": 0, "high": 60}


def test_a_match_is_replayed_from_its_record() -> None:
    for preset in ("ipd", "rps", "trust_sim", "network_pd", "tompo", "matrix_random", "online"):
        match, rng = arena.match(f"matrix/{preset}", seed=3, deal_seed=4), random.Random(1)
        while not match.done:
            for seat, ask in list(match.pending().items()):
                if rng.random() < 0.2:
                    match.submit_fallback(seat)
                else:
                    match.submit(seat, ask.sample(rng))

        again = arena.match(record=record(match))

        assert again.events == match.events and again.payoffs == match.payoffs
