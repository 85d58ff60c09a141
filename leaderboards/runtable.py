"""The match table of runs straight from the columns of their records: quick for any number of matches.

It has what a rating needs and what a reader must be told of, and neither what was spent nor the games' figures: it is
for the terminal. A published board reads the objects of the match file, whose hash it names.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from pandas import DataFrame

from arena.core.errors import UsageError
from arena.leaderboards import runs
from arena.leaderboards.matchfile import TURNS

_MATCHES = "match_id, game, preset, config_sha256, deal_id, status, reason"
_SEATS = "match_id, agent_id, seat, role, side, payoff"


def read(paths: Sequence[Path]) -> DataFrame:
    """One row a seat of every ended match of these run folders, later runs later in `order`."""
    runs.refuse_overlaps(paths)
    parts, start = [], 0
    for path in paths:
        part = _table(path)
        part["order"] += start
        start = int(part["order"].max()) + 1 if len(part) else start
        parts.append(part)
    table = pd.concat(parts, ignore_index=True)
    if table.empty:
        raise UsageError(f"{', '.join(map(str, paths))}: there is no match in it")
    table.attrs["facts"] = runs.joined([runs.facts(path, hashed=False) for path in paths])
    return table


def _table(run: Path) -> DataFrame:
    from arena.store.reader import Reader

    with Reader(run) as reader:
        manifest = reader.manifest()
        agents = DataFrame([_agent(number, row) for number, row in reader.agents().items()])
        matches = pd.read_sql_query(
            f"SELECT {_MATCHES}, {_FORFEIT}, {runs.CONTEST} FROM matches WHERE status IN ('done', 'void', 'failed')",  # noqa: S608  # our own words
            reader.db,
        )
        turns = ", ".join(f"n_{turn} AS {turn}" for turn in TURNS)
        seats = pd.read_sql_query(f"SELECT {_SEATS}, {turns} FROM seats", reader.db)  # noqa: S608  # our own words
    out = seats.merge(matches, on="match_id").merge(agents, on="agent_id").rename(columns={"side": "team"})
    out["forfeit"] = (out["forfeit"] == out["seat"]) & out["forfeit"].notna()
    out["contest"] = out["contest"] != 0
    out["order"] = out["match_id"]
    out["match_id"] = f"{manifest['run_id'][:8]}-" + out["match_id"].astype(str)
    prompts = manifest["prompt_hashes"]
    out["prompt_sha256"] = out["game"].map(prompts).where(out["is_model"])
    return out.drop(columns=["agent_id", "is_model"])


_FORFEIT = "CASE WHEN outcome LIKE '%forfeit%' THEN json_extract(outcome, '$.forfeit') END AS forfeit"


def _agent(number: int, row: Any) -> dict[str, Any]:
    """What every seat of an agent says of it."""
    spec, identity = json.loads(row["spec"]), json.loads(row["identity"] or "{}")
    return {
        "agent_id": number,
        "agent": row["name"],
        "revision": identity.get("revision"),
        "control": bool(spec.get("control")),
        "is_model": row["kind"] == "model",
    }
