"""Runs of one plan joined into one: the shards of a job array, or copies of a run that went on in two places.

Idempotent and free of order. Of each match one record is kept: done beats void beats failed beats running beats
planned, then the one with more applied turns, then the smaller evidence hash. The calls of the others go to
`superseded`, so the ledger still counts what they cost.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from arena.core.canonical import canonical, digest
from arena.core.errors import UsageError
from arena.store.reader import Reader
from arena.store.writer import new_store

_ORDER = ("done", "void", "failed", "running", "planned")
_ALIKE = ("schema", "config_sha256", "plan_hash", "seed", "game_hashes", "prompt_hashes")
Row = dict[str, Any]


@dataclass
class _Part:
    """One of the runs."""

    reader: Reader
    manifest: Row
    matches: dict[str, Row]
    applied: dict[int, int]

    @classmethod
    def of(cls, folder: Path, stack: ExitStack) -> _Part:
        reader = stack.enter_context(Reader(folder))
        query = "SELECT match_id, SUM(applied) FROM turns GROUP BY match_id"
        applied = {row[0]: row[1] for row in reader.db.execute(query)}
        return cls(reader, reader.manifest(), {row["key"]: row for row in reader.matches()}, applied)

    def rank(self, key: str) -> tuple[Any, ...]:
        """Less is better. What comes after the evidence hash only makes the choice free of order."""
        row = self.matches[key]
        better = (_ORDER.index(row["status"]), -self.applied.get(row["match_id"], 0), row["evidence_hash"] or "~")
        return (*better, self.manifest["run_id"], row["execution"], row["started_ms"] or 0, row["ended_ms"] or 0)

    def rows(self, table: str, where: str = "1", *values: Any) -> Iterator[Row]:
        return (dict(row) for row in self.reader.db.execute(f"SELECT * FROM {table} WHERE {where}", values))  # noqa: S608  # closed set


def merge(runs: Sequence[Path], out: Path) -> list[str]:
    """Write the union of `runs` to the new folder `out`; the runs themselves are only read. The shards of the plan that
    none of them holds."""
    with ExitStack() as stack:
        parts = [_Part.of(folder, stack) for folder in runs]
        _check(parts)
        new_store(out, lambda db: _fill(db, parts)).close()
        shards = _shards(parts)
    numbers = {int(shard.partition("/")[2]) for shard in shards}
    return [shard for n in sorted(numbers) for i in range(n) if (shard := f"{i + 1}/{n}") not in shards]


def _shards(parts: Sequence[_Part]) -> list[str]:
    """Which shards of the plan are there; none where a part is the whole of it."""
    held = [(p.manifest["parent"] or {}).get("shards") or [p.manifest["config"]["shard"]] for p in parts]
    found = {shard for shards in held for shard in shards}
    return [] if None in found else sorted(found)


def _check(parts: Sequence[_Part]) -> None:
    first = parts[0]
    for part in parts[1:]:
        if differ := [key for key in _ALIKE if part.manifest[key] != first.manifest[key]]:
            raise UsageError(
                f"{part.reader.folder} and {first.reader.folder} are not parts of one run: {', '.join(differ)} differ"
            )
        if other := [name for name, who in _models(part).items() if _models(first).get(name, who) != who]:
            raise UsageError(f"{', '.join(other)} was another model in {part.reader.folder}")
        if _names(part) != _names(first):
            raise UsageError(f"{part.reader.folder} and {first.reader.folder} number their agents differently")
    places = {(key, row["match_id"]) for part in parts for key, row in part.matches.items()}
    if len({key for key, _ in places}) != len(places) or len({number for _, number in places}) != len(places):
        raise UsageError("the runs number their matches differently: they are not parts of one plan")


def _names(part: _Part) -> dict[int, str]:
    return {number: agent["name"] for number, agent in part.reader.agents().items()}


def _models(part: _Part) -> dict[str, str]:
    """Who each model was, as far as a part had to know."""
    return {a["name"]: a["fingerprint"] for a in part.reader.agents().values() if a["fingerprint"]}


def _fill(db: sqlite3.Connection, parts: Sequence[_Part]) -> None:
    put = _inserter(db)
    put("manifest", ({"key": key, "value": canonical(value)} for key, value in _manifest(parts).items()))
    put("agents", _by("agents", parts, "agent_id"))
    keys = {key: row["match_id"] for part in parts for key, row in part.matches.items()}
    for key in sorted(keys, key=lambda key: keys[key]):
        having = [part for part in parts if key in part.matches]
        best = min(having, key=lambda part: part.rank(key))
        put("matches", [best.matches[key]])
        for table in ("seats", "turns", "events", "calls"):
            put(table, best.rows(table, "match_id=?", keys[key]))
    put("calls", _by("calls", parts, "call_key", "match_id IS NULL"))
    put("messages", _by("messages", parts, "hash"))
    for table in ("call_errors", "notes", "sessions"):
        put(table, _union(table, parts))
    put("superseded", _superseded(db, parts))


def _manifest(parts: Sequence[_Part]) -> Row:
    """Of what may differ among the parts, the least: a choice that no order changes."""
    shards = _shards(parts)
    shard = shards[0] if len(shards) == 1 else None  # copies of one shard are that shard still
    found = {key: min((p.manifest[key] for p in parts), key=canonical) for key in parts[0].manifest}
    origins = [(p.manifest["parent"] or {}).get("merged") or [p.manifest["run_id"]] for p in parts]
    leaves = sorted({run_id for origin in origins for run_id in origin})
    if len(leaves) > 1:
        found["run_id"] = sha256(canonical(leaves).encode()).hexdigest()[:32]
        found |= {"parent": {"merged": leaves, "shards": shards}, "command": "arena merge"}
    configs = [part.manifest["config"] | {"shard": shard} for part in parts]
    return found | {"config": min(configs, key=canonical)}


def _by(table: str, parts: Sequence[_Part], primary: str, where: str = "1") -> list[Row]:
    """The rows of a table by its primary key; of several with one key the one that says most."""
    found: dict[Any, Row] = {}
    for row in (row for part in parts for row in part.rows(table, where)):
        old = found.get(row[primary])
        if old is None or _emptiness(row) < _emptiness(old):
            found[row[primary]] = row
    return [found[key] for key in sorted(found)]


def _emptiness(row: Row) -> tuple[int, str]:
    return sum(value is None for value in row.values()), canonical(row)


def _union(table: str, parts: Sequence[_Part]) -> list[Row]:
    """The distinct rows of a table whose numbers mean nothing, numbered anew."""
    name = "session_id" if table == "sessions" else "id"
    distinct = {canonical({k: v for k, v in row.items() if k != name}) for part in parts for row in part.rows(table)}
    rows = [json.loads(text) for text in distinct]
    rows.sort(key=lambda row: (row.get("at_ms") or row.get("opened_ms") or 0, canonical(row)))
    return [row | {name: number} for number, row in enumerate(rows, start=1)]


def _superseded(db: sqlite3.Connection, parts: Sequence[_Part]) -> list[Row]:
    """The calls that no kept match holds, and what was set aside before. Two copies of a run may both have paid for a
    call of one key: then one is kept and the other is here."""
    db.row_factory = sqlite3.Row
    kept = {digest(dict(row)) for row in db.execute("SELECT * FROM calls")}
    db.row_factory = None
    found: dict[str, Row] = {}

    def add(table: str, row: Row, execution: int) -> None:
        if (name := digest(row)) not in kept:
            found[name] = {"match_id": row["match_id"], "execution": execution, "table": table, "row": canonical(row)}

    for part in parts:
        for old in part.rows("superseded"):
            add(old["table"], json.loads(old["row"]), old["execution"])
        for call in part.rows("calls", "match_id IS NOT NULL"):
            add("calls", call, call["execution"])
    gone = sorted(found.values(), key=lambda row: (row["match_id"], row["table"], row["row"]))
    return [row | {"id": number} for number, row in enumerate(gone, start=1)]


def _inserter(db: sqlite3.Connection) -> Callable[[str, Any], None]:
    def put(table: str, rows: Any) -> None:
        for row in rows:
            names = ", ".join(f'"{name}"' for name in row)
            marks = ", ".join("?" * len(row))
            db.execute(f'INSERT OR IGNORE INTO "{table}" ({names}) VALUES ({marks})', tuple(row.values()))  # noqa: S608  # closed set

    return put
