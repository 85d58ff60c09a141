"""Every registered game keeps every promise, in every preset. Nothing to write or to list when a game is added."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from arena.registry import find_game, game_names
from arena.testing.conformance import (
    CHECKS,
    check_config_documented,
    check_drawn_pairs,
    check_golden,
    check_no_leaks,
    check_spoofs,
    check_twins,
    presets_of,
)

QUICK_PAIRS = 200  # of each kind and game, shared by its presets
LONG_PAIRS = 10_000

# What is tried on the further presets of a game, whose first preset gets the defaults.
LIGHT: dict[str, dict[str, Any]] = {
    "check_payoffs": {"seeds": range(10, 13)},
    "check_replay_and_fork": {"asks": 100, "points": 5},
    "check_simultaneous": {"seeds": (4,), "asks": 150, "looks": 6},
    "check_fuzz": {"asks": 100, "looks": 4},
    "check_prompts": {"asks": 60},
    "check_windows": {"asks": 60},
    "check_spoofs": {"seeds": (21,)},
    "check_pettingzoo": {"cycles": 10},
}

# What a long run tries instead of the defaults.
LONG: dict[str, dict[str, Any]] = {
    "check_events": {"seeds": range(100, 120), "asks": None},
    "check_payoffs": {"seeds": range(200, 300)},
    "check_determinism": {"seeds": tuple(range(300, 306)), "asks": None},
    "check_replay_and_fork": {"asks": 1000, "points": 200},
    "check_simultaneous": {"seeds": range(400, 410), "asks": None, "looks": 200},
    "check_fuzz": {"seeds": tuple(range(500, 505)), "asks": None, "looks": 60},
    "check_fallbacks": {"seed": 600},
    "check_hooks": {"seed": 700},
    "check_prompts": {"seeds": range(800, 805), "asks": 1000},
    "check_windows": {"seed": 900, "asks": 500},
    "check_spoofs": {"seeds": range(1000, 1020), "asks": 500},
    "check_pettingzoo": {"cycles": 500},
    "check_env_is_the_match": {"seed": 1100, "asks": 2000},
}


def _presets(game: str) -> list[str]:
    """The presets of a game; the bare name of one that cannot be loaded, so that its tests fail and no others."""
    try:
        return presets_of(game)
    except Exception:
        return [game]


GAMES = game_names()
PRESETS = [preset for game in GAMES for preset in _presets(game)]
FIRST = {_presets(game)[0] for game in GAMES}
PROMISES = [check for check in CHECKS if check is not check_no_leaks]


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("check", PROMISES, ids=lambda check: check.__name__)
def test_every_game_keeps_its_promises(check: Callable[..., Any], name: str) -> None:
    check(name, **({} if name in FIRST else LIGHT.get(check.__name__, {})))


@pytest.mark.parametrize("name", PRESETS)
def test_two_worlds_that_a_seat_cannot_tell_apart_look_alike(name: str) -> None:
    pairs = -(-QUICK_PAIRS // len(_presets(name.partition("/")[0])))

    check_twins(name, pairs)
    check_drawn_pairs(name, pairs)


@pytest.mark.parametrize("name", PRESETS)
def test_a_playthrough_equals_its_golden(name: str) -> None:
    check_golden(name)


@pytest.mark.parametrize("game", GAMES)
def test_words_of_players_reach_the_spoof_check_where_a_game_has_speech(game: str) -> None:
    if find_game(game).cls.speech:
        assert sum(check_spoofs(name) for name in presets_of(game)) > 0


def test_no_record_and_no_prompt_depends_on_the_hash_seed() -> None:
    found = [_fingerprints(hash_seed) for hash_seed in ("0", "1", "random")]
    differing = [name for name in found[0] if not found[0][name] == found[1][name] == found[2][name]]

    assert not differing


@pytest.mark.long
@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("check", [c for c in PROMISES if c is not check_config_documented], ids=lambda c: c.__name__)
def test_every_game_keeps_its_promises_for_long(check: Callable[..., Any], name: str) -> None:
    check(name, **LONG[check.__name__])


@pytest.mark.long
@pytest.mark.parametrize("game", GAMES)
def test_ten_thousand_pairs_of_worlds_look_alike(game: str) -> None:
    presets = presets_of(game)
    pairs = -(-LONG_PAIRS // len(presets))
    for seed, name in enumerate(presets, start=1):
        check_twins(name, pairs, seed)
        check_drawn_pairs(name, pairs, seed)


_PROGRAM = """
import json, sys
from arena.core.canonical import digest
from arena.testing.playing import fingerprint, play, start
found = {}
for name in json.load(sys.stdin):
    try:
        match = play(start(name, 40), 40, asks=60, lost=0.1)
        found[name] = [fingerprint(match), digest([match.view(seat).messages() for seat in match.seats])]
    except Exception as error:
        found[name] = type(error).__name__
print(json.dumps(found))
"""


def _fingerprints(hash_seed: str) -> dict[str, Any]:
    """Record and prompts of a short match of every preset, from a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        input=json.dumps(PRESETS),
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found
