"""Trouble of the disk: it is waited out or said, and what was acknowledged before it is still there."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from arena.core.errors import StoreError
from arena.run.api import result_of, resume
from arena.run.replayed import verify
from arena.store import schema
from arena.store.reader import Reader
from arena.store.writer import create_run, open_run
from tests.run.leftovers import record
from tests.run.playing import play, rows

AGENTS = ["mock/legal?seed=3", "bot/loose"]

CHILD = Path(__file__).with_name("full_disk.py")


def _on_a_full_disk(tmp_path: Path, room: int, give_up_s: float) -> dict[str, Any]:
    words = [sys.executable, str(CHILD), str(tmp_path / "run"), str(room), str(give_up_s), *AGENTS]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _whole(tmp_path: Path) -> Path:
    play(tmp_path / "whole", AGENTS, game="leduc", matches=12)
    return tmp_path / "whole"


def test_a_disk_that_stays_full_ends_the_run_and_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    found = _on_a_full_disk(tmp_path, room=40_000, give_up_s=0.2)

    assert (found["status"], found["exit"]) == ("failed", 1)
    assert "cannot be written" in found["said"][0]
    with Reader(tmp_path / "run") as reader:
        assert reader.db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert list(verify(reader)) == []
    assert resume(tmp_path / "run").status == "complete"
    hashes = "SELECT key, record_hash, evidence_hash FROM matches ORDER BY match_id"
    assert rows(tmp_path / "run", hashes) == rows(_whole(tmp_path), hashes)


def test_a_disk_that_gets_room_again_lets_the_run_go_on(tmp_path: Path) -> None:
    found = _on_a_full_disk(tmp_path, room=40_000, give_up_s=60)

    assert found["status"] == "complete"
    assert len(found["said"]) >= 3
    assert all("trying again" in text for text in found["said"])
    hashes = "SELECT key, record_hash, evidence_hash FROM matches ORDER BY match_id"
    assert rows(tmp_path / "run", hashes) == rows(_whole(tmp_path), hashes)


@pytest.mark.skipif(os.geteuid() == 0, reason="for root every folder can be written")
def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)

    with pytest.raises((StoreError, OSError)):
        create_run(tmp_path / "closed" / "run")


def test_a_damaged_record_stops_everything_and_is_not_repaired(tmp_path: Path) -> None:
    play(tmp_path / "run", ["bot/nash", "bot/tight"], matches=40)
    file = tmp_path / "run" / schema.FILE
    content = bytearray(file.read_bytes())
    content[4096 * 3 : 4096 * 6] = os.urandom(4096 * 3)
    file.write_bytes(content)

    with pytest.raises((StoreError, sqlite3.DatabaseError)), Reader(tmp_path / "run") as reader:
        list(verify(reader))

    assert file.read_bytes() == bytes(content)


def test_damage_while_writing_is_not_waited_out(tmp_path: Path) -> None:
    made = create_run(tmp_path / "run")
    trouble: list[str] = []
    made.on_trouble = trouble.append

    def corrupt(_: Any) -> None:
        error = sqlite3.DatabaseError("database disk image is malformed")
        error.sqlite_errorname = "SQLITE_CORRUPT"
        raise error

    vars(made)["_transaction"] = corrupt
    with pytest.raises(StoreError, match="malformed"):
        made.put([("note", (0, None, "test", "one"))]).result()

    assert trouble == []
    made.close()


def test_a_header_that_is_damaged_is_one_error(tmp_path: Path) -> None:
    create_run(tmp_path / "run").close()
    file = tmp_path / "run" / schema.FILE
    file.write_bytes(b"SQLite format 4\0" + file.read_bytes()[16:])

    for opened in (lambda: Reader(tmp_path / "run"), lambda: open_run(tmp_path / "run")):
        with pytest.raises(StoreError, match="is not a readable run"):
            opened()


def test_a_database_of_another_program_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    db = sqlite3.connect(tmp_path / "run" / schema.FILE)
    db.execute("CREATE TABLE diary (text)")
    db.commit()
    db.close()
    before = (tmp_path / "run" / schema.FILE).read_bytes()

    for opened in (lambda: Reader(tmp_path / "run"), lambda: open_run(tmp_path / "run")):
        with pytest.raises(StoreError, match="is not a run of Parley Arena"):
            opened()

    assert (tmp_path / "run" / schema.FILE).read_bytes() == before


def test_a_run_can_be_read_and_copied_while_it_is_written(tmp_path: Path) -> None:
    made = create_run(tmp_path / "run")
    for number in range(20):
        made.put([("note", (0, None, "test", str(number)))]).result()
        if number == 10:
            db = sqlite3.connect(f"file:{tmp_path / 'run' / schema.FILE}?mode=ro", uri=True)
            db.execute("VACUUM INTO ?", (str(tmp_path / "copy.sqlite"),))
            db.close()
    made.close()

    copy = sqlite3.connect(tmp_path / "copy.sqlite")
    assert copy.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    assert copy.execute("SELECT COUNT(*) FROM notes").fetchone()[0] == 11
    copy.close()
    assert len(rows(tmp_path / "run", "SELECT * FROM notes")) == 20


def test_a_reply_of_a_megabyte_is_stored_as_it_was(tmp_path: Path) -> None:
    reply = "ä word " * 125_000 + '{"move": "check"}'
    script = tmp_path / "s.jsonl"
    script.write_text(json.dumps({"when": {}, "reply": reply}))

    result = play(tmp_path / "run", [f"player_0=mock/script?file={script}", "player_1=bot/tight"], matches=2)

    assert result.status == "complete"
    assert {r["reply"] for r in rows(tmp_path / "run", "SELECT reply FROM calls")} == {reply}
    with Reader(tmp_path / "run") as reader:
        assert list(verify(reader)) == []


def test_a_run_is_migrated_when_it_is_written_and_a_copy_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A further schema stands in for what comes."""
    play(tmp_path / "run", AGENTS, game="leduc", matches=2)
    before = record(tmp_path / "run")
    now = schema.schema_version()
    later = (*schema.migrations(), "ALTER TABLE notes ADD COLUMN mood TEXT;\n")
    monkeypatch.setattr(schema, "migrations", lambda: later)

    with Reader(tmp_path / "run") as reader:  # a copy in memory is migrated
        assert "mood" in [row[1] for row in reader.db.execute("PRAGMA table_info(notes)")]
    assert not (tmp_path / "run" / f"{schema.FILE}.v{now}").exists()
    open_run(tmp_path / "run").close()

    assert record(tmp_path / "run") == before
    db = sqlite3.connect(tmp_path / "run" / schema.FILE)
    assert db.execute("PRAGMA user_version").fetchone()[0] == now + 1
    db.close()
    copy = sqlite3.connect(tmp_path / "run" / f"{schema.FILE}.v{now}")
    assert copy.execute("PRAGMA user_version").fetchone()[0] == now
    copy.close()


def test_an_empty_run_folder_of_a_start_that_failed_can_be_used_again(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / f".{schema.FILE}.new").write_bytes(b"half a record")
    (tmp_path / "run" / "run.lock").write_text("")

    assert play(tmp_path / "run", ["bot/nash", "bot/tight"]).status == "complete"

    assert result_of(tmp_path / "run", "").matches["done"] == 4
