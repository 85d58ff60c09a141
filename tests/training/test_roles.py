"""A role that has nothing to learn from keeps its policy; the others go on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.training.commands import Ended, arena, resume
from tests.training.tiny_models import learnable

pytest.importorskip("trl")
pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("roles")
    learnable(folder / "models" / "tiny")
    return folder


def train(home: Path, seed: int) -> Ended:
    """Two matches for each seat, of which only won ones give rows: seed 1 has some for player_0, seed 3 for nobody."""
    return arena(
        home, "train", "sft", "--game", "matrix/rps", "--set", "rounds=1", "--model", "hf/models/tiny?choice=grammar",
        "--role", "player_0,player_1", "--opponents", "bot/random", "--iterations", "1", "--matches", "4",
        "--eval-matches", "2", "--steps", "1", "--lr", "0.01", "--gate", "none", "--param", "batch=1",
        "--seed", str(seed), "--league", f"s{seed}", "--out", f"s{seed}", "--display", "quiet", "--json",
    )  # fmt: skip


def test_a_role_without_rows_is_registered_as_it_was_and_the_other_is_trained(home: Path) -> None:
    done = train(home, 1)
    assert done.code == 0, done.err
    manifest = (home / "s1" / "manifest.json").read_bytes()
    again = resume(home, "s1")
    first, second = done.json["iterations"]

    assert (first["role"], first["promoted"], first["kept"]) == ("player_0", True, None)
    assert (second["role"], second["promoted"], second["steps"], second["adapter"]) == ("player_1", False, 0, None)
    assert "winner-only gave no rows" in second["kept"]
    assert second["eval"]["n"] == 0
    assert done.json["champion"] == {"player_0": "league/s1-player_0-k1", "player_1": "league/s1-player_1-k0"}
    policy = (home / "league" / "s1-player_1-k1" / "policy.toml").read_text()
    assert "promoted = false" in policy
    assert "nothing to learn from" in policy
    assert "1 of 2 policies promoted, 1 kept as they were" in done.err
    report = json.loads((home / "s1" / "report.json").read_text())
    assert [row["policy"] for row in report["final"]["player_1"]] == ["league/s1-player_1-k0"]
    assert "player_1 was kept as it was" in report["warnings"][-1]
    assert again.code == 0, again.err
    assert (home / "s1" / "manifest.json").read_bytes() == manifest


def test_a_run_in_which_no_role_has_rows_ends_and_says_why(home: Path) -> None:
    done = train(home, 3)

    assert done.code == 2, done.err
    assert "winner-only gave no rows" in done.err
    assert not list((home / "s3").rglob("train.log"))
