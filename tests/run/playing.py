"""Small runs for the tests of arena.run: one call from settings to a result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from arena.run.api import RunResult, resolve_agents, start
from arena.run.runfile import settings_of
from arena.store.reader import Reader


def play(folder: Path, agents: list[str], game: str = "kuhn", **values: Any) -> RunResult:
    """A run of `game` by `agents`; further values are keys of a run file."""
    file = {"game": game, "agents": agents, "seed": 1, "matches": 4, "void": {"passes": 0}} | values
    settings = settings_of(file)
    return start(settings, resolve_agents(settings.agents, [game]), folder)


def rows(folder: Path, query: str) -> list[dict[str, Any]]:
    with Reader(folder) as reader:
        return [dict(row) for row in reader.db.execute(query)]
