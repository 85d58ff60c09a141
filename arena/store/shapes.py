"""Whether the values of a record have the shape that everything reads them by: asked only after a command has failed on
one, so that a file that was edited by hand is called that, and not an error of the program."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from arena.core.errors import ArenaError
from arena.store.schema import FILE, open_to_read

_OBJECTS = (  # table, what names a row, a value that is a JSON object, where it must be one
    ("manifest", "key", "value", "key IN ('config', 'versions')"),
    ("agents", "name", "spec", "1"),
    ("matches", "match_id", "config", "1"),
    ("matches", "match_id", "payoffs", "payoffs IS NOT NULL"),
    ("matches", "match_id", "outcome", "outcome IS NOT NULL"),
)
_SEATLESS = """SELECT match_id FROM matches WHERE status <> 'planned'
AND match_id NOT IN (SELECT match_id FROM seats) LIMIT 1"""


def damage(folder: Path) -> str | None:
    """The first value of another shape in a run's record, in words; None if there is none, or no record."""
    if not (folder / FILE).is_file():
        return None
    try:
        with closing(open_to_read(folder / FILE)) as db:
            return next(_damages(db), None)
    except (ArenaError, sqlite3.Error) as error:
        return str(error)


def _damages(db: sqlite3.Connection) -> Iterator[str]:
    for table, row, value, wanted in _OBJECTS:
        shape = f"CASE WHEN typeof({value}) = 'text' AND json_valid({value}) THEN json_type({value}) END"
        query = f"SELECT {row} FROM {table} WHERE {wanted} AND {shape} IS NOT 'object' LIMIT 1"  # noqa: S608  # our own words
        if (found := db.execute(query).fetchone()) is not None:
            yield f"{table} {found[0]}: {value} is no JSON object"
    if (found := db.execute(_SEATLESS).fetchone()) is not None:
        yield f"match {found[0]} has no seats"
