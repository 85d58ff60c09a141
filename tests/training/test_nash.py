"""`nash=extragradient`: the half-way policy collects, and both passes train from the champion."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.training.commands import Ended, arena, resume

pytest.importorskip("trl")
pytestmark = [pytest.mark.models, pytest.mark.long]

WORDS = [
    *("train", "dpo", "--game", "matrix/rps", "--set", "rounds=1", "--model", "hf/models/tiny?choice=grammar"),
    *("--iterations", "1", "--matches", "8", "--eval-matches", "2", "--steps", "1", "--lr", "0.01", "--seed", "2"),
    *("--gate", "none", "--league", "eg", "--out", "run", "--display", "quiet", "--json", "--reference", "base"),
    *("--param", "nash=extragradient", "--param", "fork_k=3", "--param", "fork_rollouts=2", "--param", "batch=2"),
    *("--param", "rollout_agent=bot/random"),
]


@pytest.fixture(scope="module")
def done(home: Path) -> Ended:
    ended = arena(home, *WORDS)
    assert ended.code == 0, ended.err
    return ended


def read(path: Path) -> Any:
    return json.loads(path.read_text())


def test_both_passes_start_alike_and_the_second_is_collected_by_the_first(home: Path, done: Ended) -> None:
    from arena.training.forks import CANDIDATES
    from arena.training.record import read_played

    first, second = home / "run/iter_0001/half", home / "run/iter_0001"
    jobs = [read(folder / "job.json") for folder in (first, second)]
    collectors = [
        {n for m in read_played(home / "run", tags=[t]) for n in m.agents.values()} for t in ("collect/1", "half/1")
    ]
    weights = [(folder / "adapter" / "adapter_model.safetensors").read_bytes() for folder in (first, second)]

    assert done.json["champion"] == "league/eg-k1"
    for key in ("init", "lr", "steps", "reference", "seed"):
        assert jobs[0][key] == jobs[1][key]
    assert jobs[0]["losses"] == ["ipo"]
    assert collectors[0] == {"league/eg-k0"}
    (half,) = collectors[1]
    assert half.startswith("hf/")
    assert "/half/adapter" in half
    continued = [
        m for m in read_played(home / "run", tags=["half-forks/1"]) if m.fork and m.fork["branch"] < CANDIDATES
    ]
    assert {name for m in continued for name in m.agents.values()} == {"bot/random"}
    assert weights[0] != weights[1]


def test_the_average_iterate_is_in_the_report(home: Path, done: Ended) -> None:
    found = read(home / "run/report.json")["average"]

    assert done.code == 0
    assert found["policies"] == ["league/eg-k0", "league/eg-k1"]
    assert found["weights"] == [0.5, 0.5]
    rows = read(home / "run/report.json")["exploitability"]
    assert [row["policy"] for row in rows] == found["policies"]
    assert {row["answers"] for row in rows} == {8}  # two deals, two seatings, two seats: it meets itself too
    assert "## Average iterate" in (home / "run/report.md").read_text()


def test_a_finished_run_of_two_passes_is_left_as_it_is(home: Path, done: Ended) -> None:
    manifest = (home / "run" / "manifest.json").read_bytes()
    again = resume(home, "run")

    assert again.code == 0, again.err
    assert again.json == done.json
    assert (home / "run" / "manifest.json").read_bytes() == manifest
    assert "half train" in [entry["stage"] for entry in json.loads(manifest)["stages"]]
