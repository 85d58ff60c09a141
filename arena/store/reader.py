"""Reading a run: its manifest, plan and matches, as plain values. Never writes; a live run may be read."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from arena.core.errors import StoreError, UsageError
from arena.store import schema


class StoredCall(NamedTuple):
    """A committed call, as resume needs it."""

    path: str
    prompt: str
    asked: str  # the parameters as they were asked for
    reply: str
    finish: str
    reasoning: str | None
    latency_ms: int | None
    call_key: str


class StoredTurn(NamedTuple):
    turn: int
    batch: int
    seat_no: int
    ask_hash: str
    status: str
    answer: Any
    fallback: bool
    applied: bool
    reason: str | None
    memo: Any
    last_call: str | None


def _stored_turn(row: tuple[Any, ...]) -> StoredTurn:
    turn = StoredTurn(*row)
    return turn._replace(
        answer=json.loads(turn.answer),
        fallback=bool(turn.fallback),
        applied=bool(turn.applied),
        memo=json.loads(turn.memo) if turn.memo else None,
    )


@dataclass(frozen=True)
class StoredMatch:
    """What the record holds of one match: decided turns, events, and the calls of each turn by path. `execution` counts
    how often its record, or a part of it, was set aside and begun anew."""

    status: str
    execution: int
    turns: tuple[StoredTurn, ...]
    events: tuple[tuple[str, str, str], ...]  # kind, audience, facts
    calls: dict[int, dict[str, StoredCall]]


class Reader:
    """A read-only connection to a run folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.db = schema.open_to_read(folder / schema.FILE)
        self.db.row_factory = sqlite3.Row

    def close(self) -> None:
        self.db.close()

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def manifest(self) -> dict[str, Any]:
        try:
            found = {row["key"]: json.loads(row["value"]) for row in self.db.execute("SELECT key, value FROM manifest")}
        except (sqlite3.Error, ValueError) as error:
            raise StoreError(f"{self.folder}: the manifest cannot be read: {error}") from error
        if not {"run_id", "config"} <= found.keys():
            raise StoreError(f"{self.folder} was never started", hint="start it again with `arena tournament … --out`")
        return found

    def agents(self) -> dict[int, dict[str, Any]]:
        return {row["agent_id"]: dict(row) for row in self.db.execute("SELECT * FROM agents")}

    def matches(self) -> list[dict[str, Any]]:
        """Every match of the plan, in order of its number."""
        return [dict(row) for row in self.db.execute("SELECT * FROM matches ORDER BY match_id")]

    def seats(self) -> Iterator[dict[str, Any]]:
        query = "SELECT s.*, a.name AS agent FROM seats s JOIN agents a USING (agent_id) ORDER BY match_id, seat_no"
        return (dict(row) for row in self.db.execute(query))

    def statuses(self) -> dict[str, int]:
        return dict(self.db.execute("SELECT status, COUNT(*) FROM matches GROUP BY status").fetchall())

    def find_match(self, name: str) -> dict[str, Any]:
        """The match that `12`, `m12` or at least six digits of a key mean."""
        text = name.removeprefix("m") if name[:1] == "m" else name
        if text.isascii() and text.isdecimal() and len(text) < 10:
            rows = self.db.execute("SELECT * FROM matches WHERE match_id=?", (int(text),)).fetchall()
        elif len(name) >= 6 and all(c in "0123456789abcdef" for c in name):
            rows = self.db.execute("SELECT * FROM matches WHERE key LIKE ? LIMIT 2", (f"{name}%",)).fetchall()
        else:
            raise UsageError(f"{name!r} names no match; give its number or at least 6 digits of its key")
        if len(rows) != 1:
            query = "SELECT COUNT(*), MIN(match_id), MAX(match_id) FROM matches"
            count, first, last = self.db.execute(query).fetchone()
            told = f"it has matches {first} to {last}" if count else "it has none yet"
            if count and count < last - first + 1:
                told += ", and not every number between: `arena show` lists them"
            raise UsageError(f"{self.folder} has no match {name!r}; {told}")
        return dict(rows[0])

    def match_seats(self, match_id: int) -> list[dict[str, Any]]:
        query = "SELECT s.*, a.name AS agent, a.kind AS agent_kind FROM seats s JOIN agents a USING (agent_id)"
        return [dict(r) for r in self.db.execute(f"{query} WHERE match_id=? ORDER BY seat_no", (match_id,))]

    def rows(self, table: str, match_id: int) -> list[dict[str, Any]]:
        """The raw rows of one match, in order."""
        order = {"turns": "turn", "events": "seq", "calls": "turn, path"}[table]
        query = f"SELECT * FROM {table} WHERE match_id=? ORDER BY {order}"  # noqa: S608  # a closed set of names
        return [dict(row) for row in self.db.execute(query, (match_id,))]

    def stored_match(self, match_id: int) -> StoredMatch:
        def rows(columns: Iterable[str], table: str, order: str) -> Iterator[tuple[Any, ...]]:
            query = f"SELECT {', '.join(columns)} FROM {table} WHERE match_id=? ORDER BY {order}"  # noqa: S608  # closed set
            return map(tuple, self.db.execute(query, (match_id,)))

        turns = tuple(map(_stored_turn, rows(StoredTurn._fields, "turns", "turn")))
        events = tuple(rows(("kind", "audience", "facts"), "events", "seq"))
        calls: dict[int, dict[str, StoredCall]] = {}
        for turn, *values in rows(("turn", *StoredCall._fields), "calls", "turn, path"):
            calls.setdefault(turn, {})[values[0]] = StoredCall(*values)
        head = self.db.execute("SELECT status, execution FROM matches WHERE match_id=?", (match_id,)).fetchone()
        return StoredMatch(head["status"], head["execution"], turns, events, calls)

    def prompt(self, link: str | None) -> list[dict[str, str]]:
        """The messages of a call, put together from the chain."""
        found: list[dict[str, str]] = []
        seen: set[str] = set()
        while link and link not in seen:
            seen.add(link)
            row = self.db.execute("SELECT parent, body FROM messages WHERE hash=?", (link,)).fetchone()
            if row is None:
                raise StoreError(f"{self.folder}: message {link[:12]} is missing from the record")
            found = json.loads(row["body"]) + found
            link = row["parent"]
        return found

    def ledger(self) -> dict[str, Any]:
        """Calls, tokens and money of the run so far; `repeated` of them belong to records that were begun anew."""
        columns = ("cached", "tokens_in", "tokens_out", "cost_usd")
        gone = ", ".join(f"json_extract(row, '$.{name}')" for name in columns)
        row = self.db.execute(
            "SELECT COUNT(*) AS calls, SUM(cached) AS cached, SUM(tokens_in) AS tokens_in, "  # noqa: S608  # closed set
            "SUM(tokens_out) AS tokens_out, SUM(cost_usd) AS cost_usd, SUM(cost_usd IS NULL) AS unpriced_calls, "
            "SUM(CASE WHEN cached THEN 0 ELSE COALESCE(tokens_in, 0) + COALESCE(tokens_out, 0) END) AS paid_tokens, "
            f"SUM(gone) AS repeated FROM (SELECT {', '.join(columns)}, 0 AS gone FROM calls UNION ALL "
            f"SELECT {gone}, 1 FROM superseded WHERE \"table\"='calls')"
        ).fetchone()
        return {key: row[key] or 0 for key in row.keys() if key != "cost_usd"} | {"cost_usd": row["cost_usd"]}  # noqa: SIM118

    def sessions(self) -> tuple[int, float]:
        """How many processes wrote this run, and the seconds that they took; one that was killed left no end."""
        row = self.db.execute("SELECT MAX(session_id), SUM(closed_ms - opened_ms) FROM sessions").fetchone()
        return row[0] or 0, (row[1] or 0) / 1000


def recorded_replies(run: Path) -> dict[str, str]:
    """Sample key -> reply, for every call of a run: what `mock/replay` answers with. Matches are named by their key and
    by their number, since another agent's name makes another key."""
    with Reader(run) as reader:
        query = (
            "SELECT m.key, m.match_id, s.seat, c.turn, c.path, c.reply FROM calls c JOIN matches m USING (match_id) "
            "JOIN seats s ON s.match_id = c.match_id AND s.seat_no = c.seat_no"
        )
        found: dict[str, str] = {}
        for row in reader.db.execute(query):
            for match in (row["key"], row["match_id"]):
                found[f"{match}/{row['seat']}/{row['turn']}/{row['path']}"] = row["reply"]
        return found
