"""The one write connection of a run: a thread that commits units, many at a time, before their callers go on.

A unit is a list of rows that belong to one fact (a call and the turn it decides); it is never split across
transactions. `await commit(unit)` returns after the transaction that holds it is on disk. Disk trouble is waited
out: the unit stays in memory and is tried again; a corrupt file stops everything at once and is never "repaired".
"""

from __future__ import annotations

import asyncio
import queue
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from arena.core.errors import StoreError
from arena.store import schema
from arena.store.lock import RunLock

Row = tuple[str, tuple[Any, ...]]  # the name of a statement below, and its values
Unit = list[Row]

_FLUSH_ROWS, _FLUSH_S, _QUEUE_UNITS = 100, 0.020, 10_000
_RETRY_S, _GIVE_UP_S = 5.0, 300.0
_LEAST_FREE = 200 << 20  # bytes of disk that a new run must find


def _insert(table: str, columns: str, verb: str = "INSERT") -> str:
    names = columns.split()
    quoted = ", ".join(f'"{name}"' for name in names)
    return f'{verb} INTO "{table}" ({quoted}) VALUES ({", ".join("?" * len(names))})'


_CALL = (
    "call_key match_id execution turn seat_no path purpose agent_id model_served prompt asked params shape reply "
    "parsed reasoning finish request_id tokens_in tokens_cached tokens_out tokens_reasoning estimated price_source "
    "cost_usd cached tries queue_ms latency_ms started_ms tokens"
)
_TURN = (
    "match_id turn batch seat_no ask_kind ask_hash ask status answer intent attempted reason reasks fallback memo "
    "origin last_call applied asked_ms decided_ms"
)
_EVENT = "match_id seq batch kind audience facts"


def _supersede(table: str, columns: str, where: str) -> str:
    """Rows of an earlier execution, kept as JSON; the ledger still counts their cost."""
    execution = "execution" if table == "calls" else "(SELECT execution FROM matches m WHERE m.match_id = t.match_id)"
    row = ", ".join(f"'{name}', {name}" for name in columns.split())
    return (
        f'INSERT INTO superseded (match_id, execution, "table", row) '  # noqa: S608  # a closed set of names
        f"SELECT match_id, {execution}, '{table}', json_object({row}) FROM {table} t WHERE {where}=?"
    )


STATEMENTS: dict[str, str] = {
    "manifest": _insert("manifest", "key value", "INSERT OR REPLACE"),
    "session": _insert("sessions", "session_id opened_ms host pid boot_id arena_version"),
    "session_end": "UPDATE sessions SET closed_ms=?, exit=? WHERE session_id=?",
    "agent": _insert("agents", "agent_id name display kind spec", "INSERT OR IGNORE"),
    "identity": "UPDATE agents SET identity=?, fingerprint=? WHERE agent_id=?",
    "match": _insert(
        "matches",
        "match_id key game preset config_sha256 config deal_seed seed deal_id block batch_no tag parent_key fork_turn "
        "branch chance",
        "INSERT OR IGNORE",
    ),
    "match_start": "UPDATE matches SET status='running', started_ms=COALESCE(started_ms, ?) WHERE match_id=?",
    "match_end": "UPDATE matches SET status=?, reason=?, payoffs=?, outcome=?, turns=?, record_hash=?, evidence_hash=?,"
    " ended_ms=? WHERE match_id=?",
    "match_status": "UPDATE matches SET status=?, reason=? WHERE match_id=?",
    "seat": _insert("seats", "match_id seat_no seat agent_id role side", "INSERT OR IGNORE"),
    "seat_end": "UPDATE seats SET role=?, side=?, payoff=?, n_legal=?, n_repaired=?, n_illegal=?, n_refused=?,"
    " n_truncated=?, n_timeout=? WHERE match_id=? AND seat_no=?",
    "message": _insert("messages", "hash parent body", "INSERT OR IGNORE"),
    "call": _insert("calls", _CALL),
    "call_error": _insert("call_errors", "call_key at_ms kind status retry_after_ms text"),
    "turn": _insert("turns", _TURN, "INSERT OR REPLACE"),
    "applied": "UPDATE turns SET applied=1 WHERE match_id=? AND batch=?",
    "event": _insert("events", _EVENT, "INSERT OR IGNORE"),
    "note": _insert("notes", "at_ms match_id kind body"),
    "execution": "UPDATE matches SET execution=? WHERE match_id=?",
    "supersede_call": _supersede("calls", _CALL, "call_key"),
    "drop_call": "DELETE FROM calls WHERE call_key=?",
    "supersede_calls": _supersede("calls", _CALL, "match_id"),
    "supersede_turns": _supersede("turns", _TURN, "match_id"),
    "supersede_events": _supersede("events", _EVENT, "match_id"),
    "drop_calls": "DELETE FROM calls WHERE match_id=?",
    "drop_turns": "DELETE FROM turns WHERE match_id=?",
    "drop_events": "DELETE FROM events WHERE match_id=?",
}


class Writer:
    """Owns the lock and the write connection of one run folder."""

    def __init__(self, folder: Path, open_store: Callable[[Path], sqlite3.Connection]) -> None:
        self.folder = folder
        self.on_trouble: Callable[[str], None] = lambda _: None
        self._lock = RunLock(folder)
        try:
            self._db = open_store(folder / schema.FILE)
        except BaseException:
            self._lock.release()
            raise
        self._queue: queue.Queue[tuple[Unit, Future[None]] | None] = queue.Queue(_QUEUE_UNITS)
        self._failure: BaseException | None = None
        self.lost_replies = 0  # calls that were made and could not be written
        self._thread = threading.Thread(target=self._serve, name="arena-store", daemon=True)
        self._thread.start()

    def put(self, unit: Unit) -> Future[None]:
        """Hand a unit over; the future is done when it is on disk. Waits while too much is queued."""
        if self._failure is not None:
            self._lose(unit)
            raise StoreError(f"the store of {self.folder} is closed: {self._failure}") from self._failure
        done: Future[None] = Future()
        self._queue.put((unit, done))
        return done

    async def commit(self, unit: Unit) -> None:
        """Returns when the unit is on disk."""
        await asyncio.shield(asyncio.wrap_future(self.put(unit)))

    def close(self) -> None:
        """Commit what is queued and let the folder go."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()
        self._db.close()
        self._lock.release()

    # --- the thread --------------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        ended = False
        while not ended:
            first = self._queue.get()
            if first is None:
                return
            batch, rows = [first], len(first[0])
            until = time.monotonic() + _FLUSH_S
            while rows < _FLUSH_ROWS:
                try:
                    item = self._queue.get_nowait() if self._queue.qsize() else self._queue.get(timeout=0.0005)
                except queue.Empty:
                    break
                if item is None:
                    ended = True
                    break
                batch.append(item)
                rows += len(item[0])
                if time.monotonic() > until:
                    break
            self._write(batch)

    def _write(self, batch: list[tuple[Unit, Future[None]]]) -> None:
        started = time.monotonic()
        while self._failure is None:
            try:
                self._transaction(batch)
            except Exception as error:  # whatever a row holds: the thread must live to tell its callers
                self._roll_back()
                if not _may_pass(error) or time.monotonic() - started > _GIVE_UP_S:
                    self._failure = error
                    break
                self.on_trouble(f"the store cannot be written ({error}); trying again in {_RETRY_S:.0f} s")
                time.sleep(_RETRY_S)
            else:
                for _, done in batch:
                    if done.set_running_or_notify_cancel():
                        done.set_result(None)
                return
        for unit, done in batch:
            self._lose(unit)
            if not done.set_running_or_notify_cancel():
                continue
            lost = StoreError(f"{self.folder} could not be written: {self._failure}")
            done.set_exception(lost)

    def _lose(self, unit: Unit) -> None:
        self.lost_replies += sum(name == "call" for name, _ in unit)

    def _transaction(self, batch: list[tuple[Unit, Future[None]]]) -> None:
        self._db.execute("BEGIN IMMEDIATE")
        for unit, _ in batch:
            for name, values in unit:
                self._db.execute(STATEMENTS[name], values)
        self._db.execute("COMMIT")

    def _roll_back(self) -> None:
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")


def create_run(folder: Path, first: Iterable[Row] = (), *, journal: str = "wal") -> Writer:
    """A new run folder whose record begins with `first`: its manifest and plan. The file appears under its name when
    they are in it, so a run that exists can be resumed. A folder that holds something else is not touched."""

    def fill(db: sqlite3.Connection) -> None:
        for name, values in first:
            db.execute(STATEMENTS[name], values)

    return new_store(folder, fill, journal=journal)


def new_store(folder: Path, fill: Callable[[sqlite3.Connection], None], *, journal: str = "wal") -> Writer:
    """A new store that holds what `fill` puts into it, in one transaction."""
    new = folder / f".{schema.FILE}.new"
    journal_of_new = folder / f"{new.name}-journal"  # there when a process was killed in `fill`
    ours = {new.name, journal_of_new.name, "run.lock"}
    if (folder / schema.FILE).exists():
        raise StoreError(f"{folder} holds a run already", hint="choose another --out")
    if folder.exists() and any(path.name not in ours for path in folder.iterdir()):
        raise StoreError(f"{folder} is not empty and holds no run", hint="choose another --out")
    folder.mkdir(parents=True, exist_ok=True)
    if (free := shutil.disk_usage(folder).free) < _LEAST_FREE:
        raise StoreError(
            f"{folder}: {free >> 20} MB are free; a run needs {_LEAST_FREE >> 20}", hint="choose another --out"
        )

    def create(path: Path) -> sqlite3.Connection:
        journal_of_new.unlink(missing_ok=True)
        new.unlink(missing_ok=True)
        db = schema.create(new)
        db.execute("BEGIN")
        fill(db)
        db.execute("COMMIT")
        db.close()
        new.replace(path)
        return schema.open_to_write(path, journal=journal)

    return Writer(folder, create)


def open_run(folder: Path) -> Writer:
    """The writer of an existing run folder."""
    if not (folder / schema.FILE).is_file():
        raise StoreError(
            f"{folder} holds no run: there is no {schema.FILE}", hint="`arena runs` lists the runs of a folder"
        )
    return Writer(folder, schema.open_to_write)


def _may_pass(error: Exception) -> bool:
    """Whether it is trouble of the disk that may end, not damage or a mistake."""
    name = getattr(error, "sqlite_errorname", "")
    return name.startswith(("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_BUSY"))
