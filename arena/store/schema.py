"""Opening a run's file: its settings, its schema version, and what is refused.

Migrations are `migrations/NNNN.sql`, append-only; `user_version` is the last one applied. A file from a newer
release, of another application, or with views or triggers (which could run on reading) is not opened.
"""

from __future__ import annotations

import re
import sqlite3
from functools import cache
from pathlib import Path

from arena.core.errors import StoreError

APPLICATION_ID = 0x50415231
FILE = "run.sqlite"
_MIGRATIONS = Path(__file__).parent / "migrations"


@cache
def migrations() -> tuple[str, ...]:
    return tuple(path.read_text() for path in sorted(_MIGRATIONS.glob("[0-9]*.sql")))


def schema_version() -> int:
    return len(migrations())


def create(path: Path) -> sqlite3.Connection:
    """A new, empty store, with one file only: no write-ahead log yet."""
    db = _connect(path)
    db.execute(f"PRAGMA application_id={APPLICATION_ID}")
    _settings(db)
    _migrate(db, 0)
    return db


def open_to_write(path: Path, *, journal: str | None = None) -> sqlite3.Connection:
    """The store of an existing run; an older schema is copied aside and then migrated. The journal mode stays what it
    is unless one is named."""
    db = _connect(path)
    version = _version(db, path)
    if journal is not None:
        db.execute(f"PRAGMA journal_mode={'delete' if journal == 'delete' else 'wal'}")
    _settings(db)
    if version < schema_version():
        backup = path.with_name(f"{path.name}.v{version}")
        if not backup.exists():
            db.execute("VACUUM INTO ?", (str(backup),))
        _migrate(db, version)
    return db


def open_to_read(path: Path) -> sqlite3.Connection:
    """A read-only connection; a live run may be read. An older schema is read from a migrated copy in memory."""
    if not path.is_file():
        raise StoreError(
            f"{path.parent} holds no run: there is no {FILE}", hint="`arena runs` lists the runs of a folder"
        )
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA trusted_schema=OFF")
    db.execute("PRAGMA cell_size_check=ON")
    db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 64 << 20)
    version = _version(db, path)
    if version < schema_version():
        copy = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        db.backup(copy)
        db.close()
        _migrate(copy, version)
        return copy
    return db


def _connect(path: Path) -> sqlite3.Connection:
    try:
        return sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    except sqlite3.Error as error:
        raise StoreError(f"{path} cannot be opened: {error}") from error


def _settings(db: sqlite3.Connection) -> None:
    for setting in ("synchronous=FULL", "foreign_keys=ON", "busy_timeout=5000", "trusted_schema=OFF"):
        db.execute(f"PRAGMA {setting}")


def _version(db: sqlite3.Connection, path: Path) -> int:
    try:
        application = db.execute("PRAGMA application_id").fetchone()[0]
        version = int(db.execute("PRAGMA user_version").fetchone()[0])
        active = db.execute("SELECT name FROM sqlite_master WHERE type IN ('view', 'trigger')").fetchall()
    except sqlite3.DatabaseError as error:
        raise StoreError(f"{path} is not a readable run: {error}", hint="nothing was changed") from error
    if application != APPLICATION_ID:
        raise StoreError(f"{path} is not a run of Parley Arena")
    if active:
        raise StoreError(f"{path} holds a view or trigger ({active[0][0]}); a run holds none, so it is not opened")
    if version > schema_version():
        raise StoreError(
            f"{path} was written by a newer release (schema {version}; this one knows {schema_version()})",
            hint="install the newest parley-arena",
        )
    return version


def _migrate(db: sqlite3.Connection, version: int) -> None:
    for number, script in enumerate(migrations()[version:], start=version + 1):
        db.execute("BEGIN IMMEDIATE")
        for statement in re.split(r";\s*\n", script):
            if statement.strip():
                db.execute(statement)
        db.execute(f"PRAGMA user_version={number}")
        db.execute("COMMIT")
