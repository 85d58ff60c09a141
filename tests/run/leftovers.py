"""What a crash leaves of a run, made by hand: rows are taken out of the record of a whole run.

A leftover is always a prefix in commit order: a call and the turn that it decides are one unit, a batch is applied in
one unit with the events that follow from it.
"""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

from arena.store.schema import FILE
from tests.run.playing import rows

SCRIPT = Path(__file__).with_name("crashing.jsonl")  # checks; facing a bet it says something illegal, then folds


class Leftover:
    """A copy of a whole run, to be cut down."""

    def __init__(self, whole: Path, folder: Path, served: Path) -> None:
        shutil.copytree(whole, folder)
        self.folder, self.served = folder, served
        self._before = len(self._lines())

    def _lines(self) -> list[str]:
        return self.served.read_text().splitlines() if self.served.exists() else []

    def sent(self) -> list[str]:
        """Keys of the calls that the provider served since the cut, in the order of their keys."""
        return sorted(self._lines()[self._before :])

    def keys(self, match: int, turn: int, attempt: int | None = None) -> list[str]:
        """Keys of the recorded calls of a turn."""
        found = rows(self.folder, f"SELECT call_key, path FROM calls WHERE match_id={match} AND turn={turn}")
        return sorted(r["call_key"] for r in found if attempt is None or r["path"].startswith(f"r{attempt}/"))

    def write(self, *statements: str) -> None:
        db = sqlite3.connect(self.folder / FILE)
        for statement in statements:
            db.execute(statement)
        db.commit()
        db.close()

    def unfinish(self, match: int, status: str = "running") -> None:
        """Take away the end of a match: its last unit, but for the events in it."""
        nothing = "payoffs=NULL, outcome=NULL, turns=0, record_hash=NULL, evidence_hash=NULL, ended_ms=NULL"
        counts = ", ".join(f"n_{s}=0" for s in ("legal", "repaired", "illegal", "refused", "truncated", "timeout"))
        self.write(
            f"UPDATE matches SET status='{status}', reason=NULL, {nothing} WHERE match_id={match}",
            f"UPDATE seats SET role=NULL, side=NULL, payoff=NULL, {counts} WHERE match_id={match}",
        )

    def cut(self, match: int, batch: int) -> None:
        """Take away everything from this batch on: its asks are open, nothing of them is in the record."""
        self.unfinish(match)
        first = f"(SELECT MIN(turn) FROM turns WHERE match_id={match} AND batch={batch})"
        self.write(
            f"DELETE FROM calls WHERE match_id={match} AND turn >= {first}",
            f"DELETE FROM events WHERE match_id={match} AND batch >= {batch}",
            f"DELETE FROM turns WHERE match_id={match} AND batch >= {batch}",
        )

    def put_back(self, whole: Path, table: str, where: str) -> None:
        """Put rows of the whole run back."""
        db = sqlite3.connect(self.folder / FILE)
        db.execute("ATTACH ? AS whole", (str(whole / FILE),))
        count = db.execute(f"INSERT INTO {table} SELECT * FROM whole.{table} WHERE {where}").rowcount
        assert count > 0, f"the whole run has no such row: {where}"
        db.commit()
        db.close()


def record(folder: Path) -> list[tuple[Any, ...]]:
    """All that a resumed run must have in common with the uninterrupted one."""
    queries = (
        "SELECT match_id, key, status, payoffs, outcome, turns, record_hash, evidence_hash FROM matches ORDER BY 1",
        "SELECT match_id, turn, batch, seat_no, ask_hash, status, answer, attempted, reason, reasks, fallback, "
        "applied, last_call FROM turns ORDER BY 1, 2",
        "SELECT * FROM events ORDER BY match_id, seq",
        "SELECT call_key, match_id, turn, path, prompt, params, reply, finish FROM calls ORDER BY 1",
        "SELECT * FROM seats ORDER BY match_id, seat_no",
    )
    return [tuple(row.values()) for query in queries for row in rows(folder, query)]
