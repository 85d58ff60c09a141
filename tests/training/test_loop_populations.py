"""Whole loops with populations that read results, on the tiny model: two iterations each, and one of grpo in each
other's company."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.training.commands import arena

pytest.importorskip("trl")
pytestmark = [pytest.mark.models, pytest.mark.long]

COMMON = [
    *("--game", "kuhn", "--model", "hf/models/tiny?choice=grammar", "--matches", "12", "--eval-matches", "2"),
    *("--steps", "2", "--lr", "0.01", "--seed", "3", "--gate", "none", "--display", "quiet", "--json"),
]


@pytest.mark.parametrize("opponents", ["pfsp", "psro", "fxp"])
def test_a_population_trains_two_iterations(home: Path, opponents: str) -> None:
    words = ["--opponents", opponents, "--iterations", "2", "--league", opponents, "--out", opponents]
    done = arena(home, "train", "kto", *COMMON, *words)

    assert done.code == 0, done.err
    assert done.json["champion"] == f"league/{opponents}-k2"


def test_spiral_trains_both_seats_of_a_match(home: Path) -> None:
    words = ["--recipe", "spiral", "--iterations", "1", "--league", "spiral", "--out", "spiral", "--param", "batch=8"]
    done = arena(home, "train", "grpo", *COMMON, *words)

    assert done.code == 0, done.err
    metrics = [json.loads(line) for line in (home / "spiral" / "iter_0001" / "metrics.jsonl").read_text().splitlines()]
    assert {"payoff/player_0", "payoff/player_1"} <= metrics[0].keys()
    assert metrics[0]["payoff/player_0"] == -metrics[0]["payoff/player_1"]
    facts = json.loads((home / "spiral" / "iter_0001" / "dataset.json").read_text())
    assert set(facts["baselines"]) == {"player_0", "player_1"}


def test_two_roles_are_trained_and_the_finished_run_is_left_as_it_is(home: Path) -> None:
    words = ["--game", "nyc/tiny", "--model", "hf/models/tiny?choice=grammar", "--role", "blue,red"]
    words += ["--recipe", "nyc-regret", "--iterations", "1", "--matches", "5", "--eval-matches", "1", "--steps", "1"]
    words += ["--lr", "0.001", "--seed", "1", "--gate", "none", "--league", "nyc", "--out", "nyc", "--json"]
    words += ["--param", "batch=4", "--display", "quiet"]
    done = arena(home, "train", "kto", *words)
    assert done.code == 0, done.err
    manifest = (home / "nyc" / "manifest.json").read_bytes()
    again = arena(home, "resume", "nyc", "--json", "--display", "quiet")

    assert done.json["champion"] == {"blue": "league/nyc-blue-k1", "red": "league/nyc-red-k1"}
    assert again.code == 0, again.err
    assert (home / "nyc" / "manifest.json").read_bytes() == manifest
