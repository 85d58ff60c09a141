"""A published board: the table of agents, what it was computed from and how, and the files that say so.

A board is a pure function of the match table and the arguments: no clock, no global random state. `check` recomputes a
published one from its match file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas import DataFrame

from arena.core.errors import UsageError
from arena.leaderboards import assemble, csvfile, matches, matchfile
from arena.leaderboards.assemble import Call

__all__ = ["Board", "check", "leaderboard"]

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")
NOT_COMPARED = ("software", "git")  # where it was computed, not what
FORMAT = "parley-arena board 1"


@dataclass(frozen=True)
class Board:
    """`table`: one row an agent, columns as in the CSV; `meta`: settings, hashes, fits, exclusions."""

    table: DataFrame
    meta: dict[str, Any]
    played: DataFrame = field(repr=False)  # the finished matches, for the page
    match_file: bytes = field(repr=False)

    def csv(self) -> str:
        """The table as the text of its published file."""
        rows = [{str(key): value for key, value in row.items()} for row in self.table.to_dict("records")]
        return csvfile.write(list(map(str, self.table.columns)), rows)

    def write(self, folder: str | Path, name: str, *, plots: bool = False) -> list[Path]:
        """<name>.csv, meta.json, matches.jsonl and <name>.html in `folder`, with `plots` each chart as <chart>.svg. A
        file there that is no board's stays, and is an error if it is in the way."""
        if not NAME.match(name):
            raise UsageError(f"{name!r} is no name for a board: a-z, 0-9 and . _ - only, at most 64, no leading . _ -")
        root = Path(folder)
        contents = {
            f"{name}.csv": self.csv().encode(),
            "meta.json": _json(self.meta).encode(),
            "matches.jsonl": self.match_file,
            f"{name}.html": self.page(name).encode(),
        }
        if plots:
            contents |= {f"{chart}.svg": svg.encode() for chart, svg in self.plots().items()}
        ours = (root / "meta.json").is_file() and FORMAT.encode() in (root / "meta.json").read_bytes()
        for file, content in contents.items():
            if not ours and (root / file).exists() and (root / file).read_bytes() != content:
                raise UsageError(f"{root / file} exists and belongs to no board; choose another folder")
        root.mkdir(parents=True, exist_ok=True)
        return [_replace(root / file, content) for file, content in contents.items()]

    def plots(self) -> dict[str, str]:
        """The charts of the page as SVG files, by name."""
        from arena.leaderboards.page import plots

        return plots(self.table, self.meta, self.played)

    def page(self, name: str = "leaderboard") -> str:
        """The board as one self-contained HTML page."""
        from arena.leaderboards.page import render

        return render(name, self.table, self.meta, self.played)


def leaderboard(
    table: DataFrame,
    methods: str | Sequence[str] = ("bt",),
    *,
    seed: int = 0,
    bootstrap: int = 1000,
    min_matches: int = 30,
    anchor: str | None = None,
) -> Board:
    """Rate the agents of a match table. The first method that gives ratings with intervals heads the board.

    `methods="all"` runs every one that applies; meta names the others with the reason. `anchor`: an agent whose rating
    is set to 1500. What the table's `attrs["facts"]` says of the schedule, the stop rule and the policy goes to meta.
    """
    if bootstrap < 0 or min_matches < 0:
        raise UsageError("bootstrap and min_matches must be at least 0")
    names = (methods,) if isinstance(methods, str) else tuple(methods)
    every, done = matches.checked(table), matches.played(table)
    content = _match_file(table, every)
    call = Call(names, seed, bootstrap, min_matches, anchor, table.attrs.get("facts", {}))
    out, meta = assemble.board(every, done, call, sha256(content).hexdigest())
    meta |= {"format": FORMAT, "matches_lines": len(content.splitlines()), "facts": call.facts}
    return Board(out, meta, done, content)


def _match_file(table: DataFrame, every: DataFrame) -> bytes:
    """The match file that the table was read from; of a table made or changed by hand, one that says the same."""
    content = table.attrs.get("matches_jsonl")
    if isinstance(content, bytes) and table.attrs.get("matches_of") == matches.fingerprint(table):
        return content
    rows = every.sort_values(["order", "match_id", "seat"], kind="stable")
    return matchfile.to_lines(matchfile.objects(_plain(row) for row in rows.to_dict("records")))


def _plain(row: dict[Any, Any]) -> dict[str, Any]:
    """A row as JSON values, without what is unknown."""
    values = {str(k): v.item() if isinstance(v, np.generic) else v for k, v in row.items()}
    return {k: v for k, v in values.items() if isinstance(v, str | bool | int | float) and not pd.isna(v) and v != ""}


def _json(meta: dict[str, Any]) -> str:
    return json.dumps(_jsonable(meta), sort_keys=True, indent=1, ensure_ascii=True, allow_nan=False) + "\n"


def _jsonable(value: Any) -> Any:
    """Numbers with twelve digits, so that sums in another order print alike; what is not finite is null."""
    if isinstance(value, dict):
        return {str(k): _jsonable(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(v) for v in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return float(f"{value:.12g}") if np.isfinite(value) else None
    return value


def _replace(path: Path, content: bytes) -> Path:
    """Write all or nothing."""
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    part.replace(path)
    return path


# --- checking a published board -------------------------------------------------------------------------------------


def check(folder: str | Path) -> list[str]:
    """What a published board says that its own match file does not: empty if it holds. A folder without a board that
    this release knows is an error."""
    root = Path(folder)
    meta, content = _published(root)
    found = sha256(content).hexdigest()
    if found != meta.get("matches_sha256"):
        return [f"matches.jsonl has the hash {found}, meta.json says {meta.get('matches_sha256')}"]
    try:
        table = matches.read(root / "matches.jsonl")
        table.attrs["facts"] = meta.get("facts", {})
        again = leaderboard(table, **meta["settings"])
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        return [f"the board cannot be recomputed: {error}"]
    csvs = sorted(root.glob("*.csv"))
    if len(csvs) != 1:
        return [f"expected one CSV file beside meta.json, found {len(csvs)}"]
    return [
        *_csv_differences(csvs[0].read_text("utf-8"), again.csv(), csvs[0].name),
        *_meta_differences(meta, json.loads(_json(again.meta)), ""),
    ]


def _published(root: Path) -> tuple[dict[str, Any], bytes]:
    """The meta and the match file of a board."""
    file = root / "meta.json"
    try:
        meta = json.loads(file.read_text("utf-8"))
        content = (root / "matches.jsonl").read_bytes()
    except OSError as error:
        raise UsageError(f"{root} holds no board: {error.filename}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file} is not JSON: {error}") from error
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        said = meta.get("format") if isinstance(meta, dict) else None
        raise UsageError(f"{file} is of the format {said!r}; this release checks {FORMAT!r}")
    return meta, content


def _csv_differences(published: str, computed: str, name: str) -> Iterator[str]:
    try:
        old, new = csvfile.read(published), csvfile.read(computed)
    except ValueError as error:
        yield f"{name} cannot be read: {error}"
        return
    if [list(row) for row in old[:1]] != [list(row) for row in new[:1]] or len(old) != len(new):
        yield f"{name} has other rows or columns than its matches give"
        return
    for i, (row, expected) in enumerate(zip(old, new, strict=True)):
        for column, value in expected.items():
            if column != "code_version" and not _same(row[column], value):
                yield f"{name}, row {i + 1} ({expected['agent']}): {column} is {row[column]!r}, computed {value!r}"


def _meta_differences(old: Any, new: Any, path: str) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if path or key not in NOT_COMPARED:
                yield from _meta_differences(old.get(key), new.get(key), f"{path}.{key}" if path else key)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for i, (a, b) in enumerate(zip(old, new, strict=True)):
            yield from _meta_differences(a, b, f"{path}[{i}]")
    elif not _same(old, new):
        yield f"meta.json: {path} is {old!r}, computed {new!r}"


def _same(old: Any, new: Any) -> bool:
    """Equal, or numbers that another processor may have rounded otherwise in the last published digit."""
    if old == new:
        return True
    try:
        a, b = float(old), float(new)
    except (TypeError, ValueError):
        return False
    return not isinstance(old, bool) and abs(a - b) <= 2e-5 * max(abs(a), abs(b)) + 1e-9
