"""The loop of `nash=extragradient` without a trainer: who plays, who is trained from what, a folder that is moved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from arena.training.record import read_played
from arena.training.settings import Params, TrainSettings
from tests.models.local_models import make_adapter

pytest.importorskip("trl")
pytestmark = pytest.mark.models


def trained(folder: Path) -> None:
    """A train stage that makes an adapter of its own: one for each pass."""
    from arena.training.job import StageJob

    make_adapter(folder / "adapter", Path(StageJob.read(folder).base), seed=len(folder.parts))
    (folder / "metrics.jsonl").write_text(json.dumps({"step": 1, "loss": 0.5}) + "\n")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    from arena.training import loop, stages

    monkeypatch.setenv("ARENA_LEAGUE", str(tmp_path / "league"))
    monkeypatch.setattr(stages, "run_stage", trained)
    params = {"nash": "extragradient", "fork_k": 3, "fork_rollouts": 1, "rollout_agent": "bot/random", "fork_margin": 0}
    settings = TrainSettings(
        "dpo", "matrix/rps", "hf/tiny-random?choice=grammar", 2, "two", str(tmp_path / "league"), "fork-pairs", 1e-3,
        set={"rounds": 1}, matches=4, eval_matches=1, gate="none", home=str(tmp_path), params=Params.make(params),
    )  # fmt: skip
    assert loop.start(settings, tmp_path / "run").champion == "league/two-k1"
    return tmp_path / "run"


def agents(run: Path, tag: str) -> set[str]:
    return {name for m in read_played(run, tags=[tag]) for name in m.agents.values()}


def test_the_half_way_policy_collects_and_both_passes_start_from_the_champion(run: Path) -> None:
    jobs: list[dict[str, Any]] = [json.loads((run / f"iter_0001/{part}job.json").read_text()) for part in ("half/", "")]
    (half,) = agents(run, "half/1")

    assert agents(run, "collect/1") == {"league/two-k0"}
    assert half.endswith("/run/iter_0001/half/adapter?choice=grammar")
    assert {key for key in jobs[0] if jobs[0][key] != jobs[1][key]} <= {"folder", "max_length"}
    assert jobs[0]["losses"] == ["ipo"]
    assert jobs[0]["init"] is None


def test_a_folder_that_was_moved_is_labelled_as_it_was(run: Path) -> None:
    """The half-way policy is in the record by the place where its adapter was."""
    from arena.training import loop

    rows, moved = (run / "iter_0001/dataset.jsonl").read_bytes(), run.with_name("moved")
    run.rename(moved)
    (moved / "iter_0001/dataset.jsonl").unlink()
    result = loop.resume(moved)

    assert rows
    assert (moved / "iter_0001/dataset.jsonl").read_bytes() == rows
    assert result.champion == "league/two-k1"
