"""The store's writer: what is acknowledged is on disk, and one process writes a run."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from arena.core.errors import StoreError
from arena.store import schema
from arena.store.reader import Reader
from arena.store.writer import create_run, open_run


def _note(text: str) -> list[tuple[str, tuple[object, ...]]]:
    return [("note", (0, None, "test", text))]


def _notes(folder: Path) -> list[str]:
    with Reader(folder) as reader:
        return [row["body"] for row in reader.db.execute("SELECT body FROM notes ORDER BY id")]


def test_a_unit_is_on_disk_when_its_future_is_done(tmp_path: Path) -> None:
    writer = create_run(tmp_path / "run")

    writer.put(_note("one")).result()

    assert _notes(tmp_path / "run") == ["one"]
    writer.close()


def test_units_are_committed_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    writer = create_run(tmp_path / "run")
    for number in range(500):
        writer.put(_note(str(number)))

    writer.close()

    assert _notes(tmp_path / "run") == [str(n) for n in range(500)]


def test_a_unit_with_a_bad_row_leaves_nothing_of_it(tmp_path: Path) -> None:
    writer = create_run(tmp_path / "run")
    unit = [*_note("half"), ("session", (1, None, None, None, None, None))]

    with pytest.raises(StoreError):
        writer.put(unit).result()

    assert _notes(tmp_path / "run") == []
    with pytest.raises(StoreError):
        writer.put(_note("later"))
    writer.close()


def test_a_second_writer_is_refused_and_told_who_holds_the_run(tmp_path: Path) -> None:
    first = create_run(tmp_path / "run")

    with pytest.raises(StoreError, match=r"being written by another process \(pid \d+"):
        open_run(tmp_path / "run")

    first.close()
    open_run(tmp_path / "run").close()


def test_the_lock_of_a_killed_process_does_not_stay(tmp_path: Path) -> None:
    code = """
        import os, sys
        from pathlib import Path
        from arena.store.writer import create_run
        writer = create_run(Path(sys.argv[1]))
        writer.put([("note", (0, None, "test", "kept"))]).result()
        os.kill(os.getpid(), 9)
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(code), str(tmp_path / "run")], check=False)

    open_run(tmp_path / "run").close()

    assert _notes(tmp_path / "run") == ["kept"]


def test_a_folder_with_other_things_in_it_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")

    with pytest.raises(StoreError, match="is not empty and holds no run"):
        create_run(tmp_path)

    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_newer_schema_is_refused_with_advice(tmp_path: Path) -> None:
    create_run(tmp_path / "run").close()
    db = sqlite3.connect(tmp_path / "run" / schema.FILE)
    db.execute("PRAGMA user_version=99")
    db.close()

    with pytest.raises(StoreError, match=r"written by a newer release \(schema 99") as caught:
        Reader(tmp_path / "run")
    assert caught.value.hint == "install the newest parley-arena"


@pytest.mark.parametrize(
    "active", ["CREATE VIEW calls2 AS SELECT 1", "CREATE TRIGGER t AFTER INSERT ON notes BEGIN SELECT 1; END"]
)
def test_a_store_with_a_view_or_trigger_is_not_opened(tmp_path: Path, active: str) -> None:
    create_run(tmp_path / "run").close()
    db = sqlite3.connect(tmp_path / "run" / schema.FILE)
    db.execute(active)
    db.close()

    with pytest.raises(StoreError, match="holds a view or trigger"):
        Reader(tmp_path / "run")


def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / schema.FILE).write_bytes(b"not a database" * 100)

    with pytest.raises(StoreError, match="is not a readable run"):
        Reader(tmp_path)
