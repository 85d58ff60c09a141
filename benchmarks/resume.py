"""How long `arena resume` takes to stand where a run was left: `python benchmarks/resume.py`.

A run of a simulated model with about 100,000 events is played, and its matches are then marked as open again, as a
kill just before their last commit would leave them: resuming replays every turn, checks every event, and asks nothing.
"""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path
from time import process_time

from arena.run.api import resolve_agents, resume, start
from arena.run.runfile import settings_of
from arena.store.schema import FILE


def main() -> None:
    values = {
        "game": "matrix/ipd",
        "agents": ["mock/legal", "bot/tit-for-tat"],
        "matches": 2000,
        "seed": 1,
        "set": {"rounds": 50},
    }
    settings = settings_of(values)
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        before = start(settings, resolve_agents(settings.agents, ["matrix/ipd"]), run)
        db = sqlite3.connect(run / FILE)
        events, turns = (db.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0] for table in ("events", "turns"))
        with db:
            db.execute("UPDATE matches SET status='running', payoffs=NULL, record_hash=NULL, evidence_hash=NULL")
        db.close()
        since = process_time()
        after = resume(run)
        spent = process_time() - since
    assert after.run_hash == before.run_hash
    assert after.calls == before.calls
    print(f"{events:,} events and {turns:,} turns: {spent:.2f} s of CPU, {1e6 * spent / events:.0f} us an event")


if __name__ == "__main__":
    main()
