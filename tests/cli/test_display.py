"""What the live table says of a run, at a few moments."""

from __future__ import annotations

import io
import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from arena.cli.display import Display
from arena.run.progress import Progress, Steps, Tally, joined_models, joined_tallies
from arena.training.metrics import Recorder, rows_to_come

MODEL: dict[str, Any] = {
    "model": "openai/m",
    "state": "ok",
    "in_flight": 2,
    "waiting": 1,
    "window": 8,
    "calls": 40,
    "cached": 0,
    "tokens_in": 900,
    "tokens_cached": 0,
    "tokens_out": 80,
    "cost_usd": 0.5,
    "cost": "$0.50",
    "unpriced_calls": 0,
    "saved_usd": 0.0,
    "latency_s": 1.5,
}


def _shown(progress: Progress | Steps) -> str:
    out = io.StringIO()
    Console(file=out, width=120).print(Display("quiet", "runs/x: kuhn, seed 1")._picture(progress, 0.0))
    return out.getvalue()


def test_agents_models_and_money() -> None:
    tallies = {"openai/m": Tally(4, 2.0, 4.0, 20, 1)}
    progress = Progress(planned=100, done=25, live=3, budget_usd=4.0, spent_usd=1.0)
    progress.models, progress.tallies = lambda: [MODEL], lambda: tallies

    text = _shown(progress)

    assert "25 of 100 matches done, 3 in play" in text
    assert "0.500 ± 0.980" in text  # sd of 4 ones and zeros, twice: 1.96 sqrt((1 - .25) / 3)
    assert "5.0%" in text
    assert "spent $1.50, projected $3.00, budget $4.00" in text
    assert "left" in text


def test_nothing_is_projected_from_nothing() -> None:
    text = _shown(Progress(planned=1000, done=3))

    assert "left" not in text
    assert "spent" not in text


def test_the_rows_of_several_processes_add_up() -> None:
    down = MODEL | {"state": "down since 14:02", "cost_usd": None, "unpriced_calls": 3, "latency_s": 2.5}
    (row,) = joined_models([[MODEL], [down]])

    assert (row["calls"], row["cost_usd"], row["unpriced_calls"], row["latency_s"]) == (80, 0.5, 3, 2.0)
    assert row["state"] == "down since 14:02"
    assert row["cost"] == "≥ $0.50 + 3 unpriced calls"
    assert joined_tallies([{"a": [1, 2.0, 4.0, 5, 0]}, {"a": [1, 1.0, 1.0, 5, 1]}]) == {"a": Tally(2, 3.0, 5.0, 10, 1)}


STEP: dict[str, Any] = {"step": 9, "seconds": 30.0, "loss": 0.69314, "reward_std": 0.1}


def test_steps_tell_their_pace_and_what_is_left() -> None:
    rows = [STEP | {"step": n, "seconds": 2.0} for n in range(1, 9)]

    begun, offline = _shown(Steps(20, list)), _shown(Steps(20, lambda: [*rows, STEP]))
    rollouts = _shown(Steps(20, lambda: [STEP | {"reward": 0.4375}]))

    assert "step 0 of 20" in begun
    assert "left" not in begun
    assert "step 9 of 20, loss 0.6931, 2.0 s a step" in offline  # the median: one slow step says little
    assert "about 0 min 22 s left" in offline
    assert "step 9 of 20, reward 0.4375, 30.0 s a step" in rollouts  # on-policy, the loss says nothing
    assert "step 20 of 20, 1.0 s a step" in _shown(Steps(20, lambda: [{"step": 20, "seconds": 1.0, "loss": "nan"}]))


@pytest.mark.parametrize("mode", ["plain", "rich"])
def test_one_thing_is_shown_at_a_time(mode: str, capsys: pytest.CaptureFixture[str]) -> None:
    def drawing() -> list[threading.Thread]:
        return [t for t in threading.enumerate() if t.name == "arena-display"]

    first = Progress(planned=2, done=1)
    with Display(mode, "runs/x") as display:
        display.watch(first)
        display.watch(Steps(4, lambda: [STEP | {"step": 3}]))
        first.say("too late to be told")
        assert len(drawing()) == 1
        display.say("iteration 1: gate")
        assert drawing() == []

    shown = capsys.readouterr().err
    assert "too late" not in shown
    assert shown.rstrip().endswith("iteration 1: gate")
    assert mode == "plain" or shown.index("1 of 2 matches") < shown.index("step 3 of 4") < shown.index("iteration 1")


def test_steps_of_a_training_that_was_stopped_are_not_shown_as_this_one_s(tmp_path: Path) -> None:
    file = tmp_path / "metrics.jsonl"
    file.write_text(json.dumps(STEP | {"step": 24}) + "\n")
    os.utime(file, (1, 1))
    steps = Steps(60, rows_to_come(file))
    before = _shown(steps)
    recorder = Recorder(file, 1, resumed_at=0)  # it begins again: there was no checkpoint
    begun = _shown(steps)
    recorder.add(STEP | {"step": 1})

    assert "step 0 of 60" in before
    assert "step 0 of 60" in begun
    assert "step 1 of 60" in _shown(steps)
