"""What the live table says of a run, at a few moments."""

from __future__ import annotations

import io
from typing import Any

from rich.console import Console

from arena.cli.display import Display
from arena.run.progress import Progress, Tally, joined_models, joined_tallies

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


def _shown(progress: Progress) -> str:
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
