"""What a board needs from a run folder: its matches as objects of the match file, and the facts that its meta tells."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

from arena.core.errors import ReplayMismatch, UnknownName


def match_objects(run: Path) -> list[dict[str, Any]]:
    """The matches of a run, with the figures of their games as far as these can be replayed, and with times."""
    from arena.run.replayed import metrics_of
    from arena.store.export import match_rows

    try:
        with metrics_of(run) as figures:
            return list(match_rows(run, metrics=figures, times=True))
    except (UnknownName, ReplayMismatch) as error:
        warnings.warn(f"{run}: without the figures of its games, which cannot be replayed: {error}", stacklevel=4)
        return list(match_rows(run, times=True))


def facts(run: Path) -> dict[str, Any]:
    """Schedule, stop rule and policy of a run, and the hashes that name its record."""
    from arena.run.api import run_hash
    from arena.store.reader import Reader

    with Reader(run) as reader:
        manifest, hashed = reader.manifest(), run_hash(reader)
    config = manifest["config"]
    schedule = dict(config.get("schedule") or {})
    return {
        "runs": [{"run_id": manifest["run_id"], "run_hash": hashed, "config_sha256": manifest["config_sha256"]}],
        "schedule": schedule,
        "stop": schedule.get("stop"),
        "illegal_policy": config.get("illegal"),
        "planned_matches": sum(game["matches"] for game in config.get("games", ()) if game.get("matches")),
    }


def joined(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """The facts of several runs: one value where they agree, a list where they do not."""
    if len(parts) < 2:
        return parts[0] if parts else {}
    out: dict[str, Any] = {"runs": [run for part in parts for run in part["runs"]]}
    out["planned_matches"] = sum(part["planned_matches"] for part in parts)
    for key in ("schedule", "stop", "illegal_policy"):
        values = [part[key] for part in parts]
        out[key] = values[0] if all(value == values[0] for value in values) else values
    return out
