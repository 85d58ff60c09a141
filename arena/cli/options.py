"""Flags that several commands share, and what they become."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from arena.core.errors import UsageError

Agents = Annotated[
    list[str],
    typer.Option("--agents", help="Names, separated by commas: bot/random,gguf/smollm2-135m. May be repeated."),
]
Set = Annotated[
    list[str], typer.Option("--set", help="key=value: a field of the game's config; with a dot, a key of the run file.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Display = Annotated[str, typer.Option("--display", help="auto, rich, plain or quiet.")]
Out = Annotated[Path | None, typer.Option("--out", "-o", help="The run's folder.")]
Seed = Annotated[int | None, typer.Option("--seed", help="Same seed, same answers: same record. Drawn if not given.")]
Concurrency = Annotated[int | None, typer.Option("--concurrency", min=1, help="Most model calls in flight.")]
BudgetUsd = Annotated[float | None, typer.Option("--budget", min=0, help="Dollars for the whole run; a hard limit.")]
Executor = Annotated[str | None, typer.Option("--executor", help="async or processes.")]
Shard = Annotated[
    str | None, typer.Option("--shard", help="I/N: play every Nth block from the Ith; `arena merge` joins the runs.")
]
Workers = Annotated[int | None, typer.Option("--workers", min=1, help="Processes of the processes executor.")]


def posterior(agents: Sequence[str], results: Sequence[Any]) -> Any:
    """What schedules that look at results are told of strengths: ratings are loaded when one asks."""
    from arena.leaderboards.posterior import posterior as estimate

    return estimate(agents, results)


def default_folder(game: str) -> Path:
    """runs/<game>-<preset>-<MMDD>-<4 letters>; the letters are drawn, the rest is for people."""
    slug = re.sub(r"[^a-z0-9]+", "-", game.lower()).strip("-")[:40]
    letters = "".join(secrets.choice("abcdefghijkmnpqrstuvwxyz") for _ in range(4))
    return Path("runs") / f"{slug}-{time.strftime('%m%d')}-{letters}"


def limits_over(values: dict[str, Any], *, concurrency: int | None, budget: float | None) -> None:
    """Flags over a run file's values: a file's budget never raises the operator's."""
    limits = values.setdefault("limits", {})
    if concurrency is not None:
        limits["concurrency"] = concurrency
    if budget is not None:
        limits["budget_usd"] = budget


def check_seed(seed: int | None) -> None:
    if seed is not None and not 0 <= seed < 2**63:
        raise UsageError(f"--seed must be from 0 to 2^63 - 1, not {seed}")
