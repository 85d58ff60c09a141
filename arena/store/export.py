"""Exports of a run: the match file, and every table as JSON lines or Parquet.

Written to a temporary name and renamed, rows in the order of the plan, without times unless they are asked for, so the
same record gives the same bytes.
"""

from __future__ import annotations

import json
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from arena.core.canonical import canonical
from arena.core.errors import UsageError
from arena.store.reader import Reader
from arena.store.schema import FILE

TABLES = ("matches", "turns", "calls", "events", "agents")
_TIMES = frozenset({"asked_ms", "decided_ms", "started_ms", "ended_ms", "queue_ms", "latency_ms"})
_JSON = frozenset(
    {"config", "payoffs", "outcome", "ask", "answer", "intent", "attempted", "memo", "facts", "params", "shape"}
    | {"parsed", "spec", "identity", "tokens"}
)
Metrics = Callable[[int], Mapping[str, float | None]]


def match_rows(run: Path, *, metrics: Metrics | None = None, times: bool = False) -> Iterator[dict[str, Any]]:
    """The match file of a run: one object a match, void and failed ones included. `metrics` computes a match's
    figures from its record; without it there are none."""
    with Reader(run) as reader:
        manifest = reader.manifest()
        prefix, versions = manifest["run_id"][:8], manifest["versions"]
        used = usage(reader)
        agents = reader.agents()
        of_agent = {number: _agent(agent) for number, agent in agents.items()}
        seats: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for row in reader.seats():
            seats[row["match_id"]].append(row)
        for match in reader.matches():
            if match["status"] not in ("done", "void", "failed"):
                continue  # not played yet: neither a result nor a loss
            number = match["match_id"]
            done = match["status"] == "done"
            payoffs = json.loads(match["payoffs"]) if done else None
            outcome = json.loads(match["outcome"]) if done else {}
            prompt = manifest["prompt_hashes"].get(match["game"])
            rows = []
            for row in seats[number]:
                who = row["agent_id"]
                seat = _seat(row, of_agent[who], used.get((number, row["seat_no"]), {}), times)
                seat["prompt_sha256"] = prompt if agents[who]["kind"] == "model" else None
                if done:
                    seat["forfeit"] = row["seat"] == outcome.get("forfeit")
                rows.append(seat)
            clean = done and not any(row[f"n_{s}"] for row in seats[number] for s in _FALLBACKS)
            yield {
                "match_id": f"{prefix}-{number}",
                "deal_id": match["deal_id"],
                "order": number,
                "game": match["game"],
                "preset": match["preset"],
                "game_version": int(match["game"].rpartition("-v")[2]),
                "config_sha256": match["config_sha256"],
                "rules_sha256": manifest["game_hashes"].get(match["game"]),
                "seed": match["seed"],
                "seats": rows,
                "outcome": {
                    "ranks": _ranks(rows, payoffs) if payoffs else None,
                    "payoffs": payoffs,
                    "winner_team": outcome.get("winner_team"),
                    "end_reason": outcome.get("end_reason"),
                    **({"contest": False} if outcome.get("contest") is False else {}),
                },
                "metrics": dict(metrics(number)) if metrics and done else {},
                "status": match["status"],
                "clean": clean,
                "started_at": _utc(match["started_ms"]) if times else None,
                "wall_s": _seconds(match["started_ms"], match["ended_ms"]) if times else None,
                "transcript_sha256": match["evidence_hash"],
                "arena_version": versions.get("arena"),
                "litellm_version": versions.get("litellm"),
                "error": match["reason"] if not done else None,
                "reason": match["reason"],
                "retries": match["execution"],
                "key": match["key"],
                "record_hash": match["record_hash"],
                "evidence_hash": match["evidence_hash"],
                "superseded": False,
            }


def export_jsonl(run: Path, out: Path, *, metrics: Metrics | None = None, times: bool = False) -> list[Path]:
    """`out` ending in .jsonl: the match file. Any other `out`: a folder of all tables."""
    if out.suffix == ".jsonl":
        if out.exists() and not _is_match_file(out):
            raise UsageError(f"{out} is no match file, so it is not written over", hint="choose another --out")
        return [_write_lines(out, match_rows(run, metrics=metrics, times=times))]
    _refuse_foreign(out, "manifest.json")
    out.mkdir(parents=True, exist_ok=True)
    written = [_write_lines(out / "matches.jsonl", match_rows(run, metrics=metrics, times=times))]
    written += [_write_lines(out / f"{table}.jsonl", table_rows(run, table, times=times)) for table in TABLES[1:]]
    with Reader(run) as reader:
        text = json.dumps(reader.manifest(), indent=1, sort_keys=True, ensure_ascii=False)
    return [*written, _write(out / "manifest.json", [text, "\n"])]


def export_parquet(run: Path, out: Path, *, metrics: Metrics | None = None, times: bool = False) -> list[Path]:
    """A folder of the same tables; JSON columns as text."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ModuleNotFoundError as error:
        raise UsageError("Parquet needs pyarrow", hint="pip install 'parley-arena[parquet]'") from error
    _refuse_foreign(out, "matches.parquet")
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for table in TABLES:
        rows = [
            {k: canonical(v) if isinstance(v, dict | list) else v for k, v in row.items()}
            for row in (
                match_rows(run, metrics=metrics, times=times)
                if table == "matches"
                else table_rows(run, table, times=times)
            )
        ]
        path, part = out / f"{table}.parquet", out / f".{table}.parquet.part"
        parquet.write_table(pyarrow.Table.from_pylist(rows), part)
        part.replace(path)
        written.append(path)
    return written


def table_rows(run: Path, table: str, *, times: bool = False) -> Iterator[dict[str, Any]]:
    """A table of the record as it stands, JSON columns read."""
    order = {
        "turns": "match_id, turn",
        "calls": "match_id, turn, path",
        "events": "match_id, seq",
        "agents": "agent_id",
    }
    with Reader(run) as reader:
        for row in reader.db.execute(f"SELECT * FROM {table} ORDER BY {order[table]}"):  # noqa: S608  # closed set
            yield {key: _value(key, row[key]) for key in row.keys() if times or key not in _TIMES}  # noqa: SIM118


_FALLBACKS = ("illegal", "refused", "truncated", "timeout")


def _agent(agent: Mapping[str, Any]) -> dict[str, Any]:
    """What every seat of an agent says of it."""
    spec, identity = json.loads(agent["spec"]), json.loads(agent["identity"] or "{}")
    is_model = agent["kind"] == "model"
    return {
        "agent": agent["name"],
        "model": spec.get("model") if is_model else None,
        "revision": identity.get("revision"),
        "sampling": spec.get("options", {}) if is_model else {},
        "control": bool(spec.get("control")),
    }


def _seat(row: Mapping[str, Any], agent: Mapping[str, Any], used: Mapping[str, Any], times: bool) -> dict[str, Any]:
    return {
        **agent,
        "seat": row["seat"],
        "role": row["role"] or "",
        "team": row["side"] or "",
        "model": used.get("model") or agent["model"],
        "turns": {status: row[f"n_{status}"] for status in ("legal", "repaired", *_FALLBACKS)},
        "tokens_in": used.get("tokens_in", 0),
        "tokens_out": used.get("tokens_out", 0),
        "cost_usd": used.get("cost_usd", 0.0),
        "seconds": used.get("seconds") if times else None,
    }


def usage(reader: Reader) -> dict[tuple[int, int], dict[str, Any]]:
    """By match and seat: the model that answered, tokens, cost (unknown if that of one call is) and seconds."""
    query = (
        "SELECT match_id, seat_no, MAX(model_served) AS model, SUM(tokens_in) AS tokens_in, "
        "SUM(tokens_out) AS tokens_out, CASE WHEN SUM(cost_usd IS NULL) THEN NULL ELSE SUM(cost_usd) END AS cost_usd, "
        "SUM(latency_ms) / 1000.0 AS seconds FROM calls WHERE match_id IS NOT NULL GROUP BY match_id, seat_no"
    )
    return {(row["match_id"], row["seat_no"]): dict(row) for row in reader.db.execute(query)}


def _ranks(seats: Iterable[Mapping[str, Any]], payoffs: Mapping[str, float]) -> dict[str, int]:
    """1 = best; a team's rank is that of its mean payoff, ties equal."""
    teams: dict[str, list[str]] = defaultdict(list)
    for seat in seats:
        teams[seat["team"] or seat["seat"]].append(seat["seat"])
    score = {team: sum(payoffs[s] for s in members) / len(members) for team, members in teams.items()}
    rank = {team: 1 + sum(other > value for other in score.values()) for team, value in score.items()}
    return {seat: rank[team] for team, members in teams.items() for seat in members}


def _value(key: str, value: Any) -> Any:
    if isinstance(value, bytes):
        value = value.decode()
    return json.loads(value) if key in _JSON and value is not None else value


def _write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    return _write(path, (canonical(row) + "\n" for row in rows))


def _write(path: Path, pieces: Iterable[str]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    with part.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(pieces)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    return path


def _refuse_foreign(out: Path, mark: str) -> None:
    if out.exists() and (
        not out.is_dir() or (any(out.iterdir()) and not (out / mark).exists()) or (out / FILE).exists()
    ):
        raise UsageError(f"{out} holds something else; choose another --out")


def _is_match_file(path: Path) -> bool:
    """Whether it is an earlier export (or empty): its first line is a match."""
    try:
        with path.open(encoding="utf-8") as file:
            line = file.readline(1 << 20)
        return not line or "match_id" in json.loads(line)
    except (OSError, ValueError, TypeError):
        return False


def _utc(ms: int | None) -> str | None:
    from datetime import UTC, datetime

    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")


def _seconds(start: int | None, end: int | None) -> float | None:
    return None if start is None or end is None else (end - start) / 1000
