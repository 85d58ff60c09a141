"""What a seat may not know changes nothing that it reads."""

from __future__ import annotations

from typing import Any

import pytest

import arena
from arena.core import ConfigError
from arena.games.matrix.presets import PRESETS
from arena.play import _render
from arena.registry import make_game

VARIANTS: list[dict[str, Any]] = [
    {},
    {"feedback": "bandit"},
    {"visibility": "none"},
    {"history": "none"},
    {"history": 2, "talk": "simultaneous"},
    {"simulate": "forced"},
    {"mixed": True},
]


@pytest.mark.parametrize("preset", PRESETS)
def test_worlds_that_a_seat_cannot_tell_apart_read_alike(preset: str) -> None:
    pairs = 0
    for variant in VARIANTS:
        try:
            game, _ = make_game(f"matrix/{preset}", variant)
        except ConfigError:
            continue
        for seed in range(6):
            seat = f"player_{seed % game.seat_count()}"
            for one, two in game.twins(seed, seat):
                one.renderer = two.renderer = _render
                assert one.view(seat).events == two.view(seat).events
                assert one.view(seat).messages() == two.view(seat).messages()
                assert one.pending()[seat].spec() == two.pending()[seat].spec()
                pairs += 1
    assert pairs > 0


def test_the_pairs_do_differ_in_what_the_others_did() -> None:
    game, _ = make_game("matrix/network_pd", {})

    differing = 0
    for seed in range(60):
        for one, two in game.twins(seed, "player_0"):
            differing += [t.answer for t in one.turns] != [t.answer for t in two.turns]

    assert differing >= 10


def test_nothing_of_a_simultaneous_answer_is_seen_before_all_are_in() -> None:
    match = arena.match("matrix/ipd", seed=1)
    before = match.view("player_1").messages()
    match.submit("player_0", "defect")

    assert match.view("player_1").messages() == before
