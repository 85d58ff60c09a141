"""A role that has nothing to learn from keeps its policy; the others go on."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from arena.core import UsageError
from arena.store.reader import Reader
from arena.training.health import Converged
from arena.training.jsonfile import write_json
from arena.training.settings import Params, TrainSettings
from arena.training.setup import Run, set_up
from tests.training.commands import Ended, arena, resume

pytest.importorskip("trl")
pytestmark = pytest.mark.models


def train(home: Path, seed: int) -> Ended:
    """Two matches for each seat, of which only won ones give rows: seed 1 has some for player_0 alone."""
    return arena(
        home, "train", "sft", "--game", "matrix/rps", "--set", "rounds=1", "--model", "hf/models/tiny?choice=grammar",
        "--role", "player_0,player_1", "--opponents", "bot/random", "--iterations", "1", "--matches", "4",
        "--eval-matches", "2", "--steps", "1", "--lr", "0.01", "--gate", "none", "--param", "batch=1",
        "--param", "transfer=matrix/pennies", "--seed", str(seed), "--league", f"s{seed}", "--out", f"s{seed}",
        "--display", "quiet", "--json",
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
    assert (second["eval"]["n"], second["eval"]["diff"]) == (0, None)
    assert "| kept as it was | not measured | open | 0 |" in (home / "s1" / "report.md").read_text()
    assert done.json["champion"] == {"player_0": "league/s1-player_0-k1", "player_1": "league/s1-player_1-k0"}
    policy = (home / "league" / "s1-player_1-k1" / "policy.toml").read_text()
    assert "promoted = false" in policy
    assert "nothing to learn from" in policy
    assert "1 of 2 policies promoted, 1 kept as they were" in done.err
    report = json.loads((home / "s1" / "report.json").read_text())
    found = json.loads((home / "s1" / "iter_0001" / "player_0" / "eval.json").read_text())["transfer"]
    assert (found["game"], found["over_base"]["n"]) == ("matrix/pennies", 2)
    assert [row["policy"] for row in report["final"]["player_1"]] == ["league/s1-player_1-k0"]
    assert "player_1 was kept as it was" in report["warnings"][-1]
    assert again.code == 0, again.err
    assert (home / "s1" / "manifest.json").read_bytes() == manifest


@pytest.mark.long
def test_the_rollouts_of_both_roles_are_in_the_record(home: Path) -> None:
    """Two steps of 8 rollouts for each role; a role's rollout has its policy in its own seat."""
    done = arena(
        home, "train", "grpo", "--game", "matrix/ipd", "--set", "rounds=2", "--model", "hf/models/tiny?choice=grammar",
        "--role", "player_0,player_1", "--opponents", "bot/random", "--iterations", "1", "--matches", "4",
        "--eval-matches", "1", "--steps", "2", "--lr", "0.01", "--gate", "none", "--param", "batch=8",
        "--seed", "2", "--league", "g", "--out", "g", "--display", "quiet", "--json",
    )  # fmt: skip
    assert done.code == 0, done.err
    seats: Counter[str] = Counter()
    with Reader(home / "g") as reader:
        rollouts = {
            row["match_id"] for row in reader.matches() if row["tag"] == "rollout/1" and row["status"] == "done"
        }
        seats.update(row["seat"] for row in reader.seats() if row["match_id"] in rollouts and row["agent"] == "live")

    assert seats == {"player_0": 16, "player_1": 16}


def loop(tmp_path: Path, update: str, facts: dict[str, dict[str, Any]]) -> tuple[Any, Run]:
    """A loop over two roles, of which these datasets were made: ITERATION/ROLE -> facts."""
    from arena.training.loop import _Loop
    from arena.training.manifest import Manifest

    settings = TrainSettings(
        algorithm="kto", game="matrix/rps", model="hf/tiny-random", seed=4, league="x", league_folder=str(tmp_path),
        recipe="outcome", lr=1e-3, roles=("player_0", "player_1"), params=Params.make({"update": update}),
    )  # fmt: skip
    run, manifest = set_up(tmp_path / "run", settings), Manifest(tmp_path)
    manifest.data["config_sha256"] = ""
    for place, found in facts.items():
        k, role = place.split("/")
        write_json(run.iteration(int(k), role) / "dataset.json", found)
    return _Loop(run, manifest), run


LACKS: dict[str, Any] = {"lacks": "one label", "at_top": False}
TOP: dict[str, Any] = {"lacks": "all alike", "at_top": True}


@pytest.mark.parametrize(
    ("update", "k", "facts", "ends"),
    [
        ("both", 1, {"1/player_0": LACKS, "1/player_1": {}}, None),
        ("both", 1, {"1/player_0": LACKS, "1/player_1": LACKS}, UsageError),
        ("both", 2, {"2/player_0": TOP, "2/player_1": LACKS}, UsageError),
        ("both", 2, {"2/player_0": TOP, "2/player_1": TOP}, Converged),
        ("both", 2, {"1/player_0": {}, "1/player_1": LACKS, "2/player_0": LACKS, "2/player_1": LACKS}, Converged),
        ("alternate", 1, {"1/player_0": LACKS}, None),
        ("alternate", 2, {"1/player_0": LACKS, "2/player_1": {}}, None),
        ("alternate", 2, {"1/player_0": LACKS, "2/player_1": LACKS}, UsageError),
    ],
)
def test_a_run_ends_only_when_every_role_lacks_rows(
    tmp_path: Path, update: str, k: int, facts: dict[str, dict[str, Any]], ends: type[Exception] | None
) -> None:
    made, run = loop(tmp_path, update, facts)

    with pytest.raises(ends) if ends else nullcontext():
        made._stop_if_idle(run, k)
