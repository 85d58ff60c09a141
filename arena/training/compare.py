"""Two runs side by side: one agent of each on the deals that both played, deal by deal.

Cells are paired by deal seed, seat and the other seats' agents; a deal's difference is the mean over its cells. Of a
training run the champion is meant, on its final deals; of a tournament the one agent that the other run has not.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from statistics import fmean
from typing import Any

from arena.core.errors import UsageError
from arena.store.reader import Reader
from arena.training.bootstrap import estimate
from arena.training.report import sentence

Cell = tuple[int, str, tuple[str, ...]]


def compare_runs(first: Path, second: Path, *, agents: tuple[str, ...] = (), seed: int = 0) -> dict[str, Any]:
    """first - second, with its interval; a UsageError where nothing can be paired."""
    names = agents or (_agent(first, second), _agent(second, first))
    if len(names) != 2:
        raise UsageError("--agents names two agents: one of the first run, one of the second")
    names = (_recorded(first, names[0]), _recorded(second, names[1]))
    a, b = _cells(first, names[0]), _cells(second, names[1])
    shared = sorted(set(a) & set(b))
    if not shared:
        raise UsageError(
            f"{first} and {second} share no deal on which {names[0]} and {names[1]} sat in one seat against one table",
            hint="play both with the same --seed and the same other agents",
        )
    by_deal: dict[int, list[float]] = {}
    for cell in shared:
        by_deal.setdefault(cell[0], []).append(a[cell] - b[cell])
    found = estimate([fmean(values) for _, values in sorted(by_deal.items())], seed)
    return {
        "runs": [str(first), str(second)],
        "agents": list(names),
        "means": [fmean(a[c] for c in shared), fmean(b[c] for c in shared)],
        "cells": len(shared),
        **found.as_json(),
        "verdict": {"improved": "the first is better", "worse": "the second is better"}.get(
            sentence(found), sentence(found)
        ),
    }


def _agent(run: Path, other: Path) -> str:
    """Who is compared where nobody says it."""
    report = run / "report.json"
    if report.is_file():
        champion = json.loads(report.read_text("utf-8"))["champion"]
        if isinstance(champion, str):
            return champion
        raise UsageError(f"{run} has a champion for each role: {', '.join(champion.values())}", hint="--agents A,B")
    own = _names(run) - _names(other)
    if len(own) != 1:
        known = ", ".join(sorted(_names(run)))
        raise UsageError(f"which agent of {run} is meant? It has {known}", hint="--agents A,B")
    return own.pop()


def _recorded(run: Path, name: str) -> str:
    """The agent's name as the run has it: `bot/tight` is a bot of one game there."""
    with Reader(run) as reader:
        games = [game.rpartition("-v")[0] for game in reader.manifest()["game_hashes"]]
    names = _names(run)
    own = [f"bot/{game}-{name.removeprefix('bot/')}" for game in games if name.startswith("bot/")]
    return next((known for known in (name, *own) if known in names), name)


def _names(run: Path) -> set[str]:
    with Reader(run) as reader:
        return {agent["name"] for agent in reader.agents().values()}


def _cells(run: Path, agent: str) -> Mapping[Cell, float]:
    """What the agent was paid, by deal, seat and the others at the table; a training run's final deals alone."""
    final = (run / "report.json").is_file()
    seats: dict[int, dict[str, tuple[str, float]]] = {}
    found: dict[Cell, float] = {}
    with Reader(run) as reader:
        done = [m for m in reader.matches() if m["status"] == "done"]
        rows = {m["match_id"]: m for m in done if not final or m["tag"] == "final"}
        for row in reader.seats():
            if row["match_id"] in rows:
                seats.setdefault(row["match_id"], {})[row["seat"]] = (row["agent"], row["payoff"])
    for number, table in seats.items():
        for seat, (name, payoff) in table.items():
            if name == agent:
                others = tuple("" if who == agent else who for _, (who, _) in sorted(table.items()))
                found[int(rows[number]["deal_seed"]), seat, others] = payoff
    if not found:
        raise UsageError(f"{agent} played no finished match in {run}", hint=f"it has {', '.join(sorted(_names(run)))}")
    return found
