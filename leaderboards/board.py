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
from itertools import zip_longest
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
CHARTS = frozenset(("ratings", "wins", "response", "cost", "roles", "behaviour", "learning"))  # SVG files of a board
NUMBERS = re.compile(r"(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)")
FORMATS = "parley-arena board "
FORMAT = f"{FORMATS}2"


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
        """<name>.csv, meta.json, matches.jsonl and <name>.html in `folder`, with `plots` each chart as <chart>.svg.

        The files of the board that was there go, as its meta.json tells them; one that was changed since, or that is
        no board's, stays, and is an error if it is in the way."""
        if not NAME.match(name):
            raise UsageError(f"{name!r} is no name for a board: a-z, 0-9 and . _ - only, at most 64, no leading . _ -")
        root = Path(folder)
        contents = self.files(name, plots=plots)
        gone = _outdated(root, contents)
        root.mkdir(parents=True, exist_ok=True)
        written = [_replace(root / file, content) for file, content in contents.items()]
        for path in gone:
            path.unlink()
        return written

    def files(self, name: str, *, plots: bool = False) -> dict[str, bytes]:
        """The bytes of each file of the published board; meta.json has the hashes of the others."""
        found = {f"{name}.csv": self.csv().encode(), "matches.jsonl": self.match_file}
        found[f"{name}.html"] = self.page(name).encode()
        if plots:
            found |= {f"{chart}.svg": svg.encode() for chart, svg in self.plots().items()}
        hashes = {file: sha256(content).hexdigest() for file, content in found.items()}
        csv_file, *rest = found
        meta = _json(self.meta | {"files": hashes}).encode()
        return {csv_file: found[csv_file], "meta.json": meta} | {file: found[file] for file in rest}

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
    call = _call(table, methods, seed, bootstrap, min_matches, anchor)
    every = matches.checked(table)
    done = matches.played(every)
    content = _match_file(table, every)
    out, meta = assemble.board(every, done, call, sha256(content).hexdigest())
    meta |= {"format": FORMAT, "matches_lines": len(content.splitlines()), "facts": call.facts}
    return Board(out, meta, done, content)


def unpublished(
    table: DataFrame,
    methods: str | Sequence[str] = ("bt",),
    *,
    seed: int = 0,
    bootstrap: int = 1000,
    min_matches: int = 30,
    anchor: str | None = None,
) -> tuple[DataFrame, dict[str, Any]]:
    """The table and the meta of the same board without its match file, and so without the hash that it would name."""
    call = _call(table, methods, seed, bootstrap, min_matches, anchor)
    every = matches.checked(table)
    return assemble.board(every, matches.played(every), call, "")


def _call(
    table: DataFrame, methods: str | Sequence[str], seed: int, bootstrap: int, min_matches: int, anchor: str | None
) -> Call:
    if bootstrap < 0 or min_matches < 0:
        raise UsageError("bootstrap and min_matches must be at least 0")
    names = (methods,) if isinstance(methods, str) else tuple(methods)
    facts = json.loads(_json(table.attrs.get("facts", {})))  # as they will be read again, digit for digit
    return Call(names, seed, bootstrap, min_matches, anchor, facts)


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


# --- where another board was ----------------------------------------------------------------------------------------


def _outdated(root: Path, contents: dict[str, bytes]) -> list[Path]:
    """The files of the board in this folder that the new one has not; what must not be lost is an error."""
    before = _files_of(root / "meta.json")
    for file, content in contents.items():
        if before is None and (root / file).exists() and (root / file).read_bytes() != content:
            raise UsageError(f"{root / file} exists and belongs to no board; choose another folder")
    listed = before or {}
    ours = {file for file in listed if Path(file).name == file}
    ours |= {path.name for path in root.glob("*.svg") if path.stem in CHARTS} if before is not None else set()
    gone = [root / file for file in sorted(ours - contents.keys()) if (root / file).exists()]
    for path in gone:
        if sha256(path.read_bytes()).hexdigest() != listed.get(path.name):
            raise UsageError(f"{path} is not as the board before wrote it, and not this board's; move it away first")
    return gone


def _files_of(file: Path) -> dict[str, str] | None:
    """The hashes of the files beside a board's meta.json; None if this is none."""
    try:
        meta = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(meta, dict) or not str(meta.get("format")).startswith(FORMATS):
        return None
    files = meta.get("files")
    return {str(k): str(v) for k, v in files.items()} if isinstance(files, dict) else {}


# --- checking a published board -------------------------------------------------------------------------------------


def check(folder: str | Path) -> list[str]:
    """What a published board says that its own match file does not: empty if it holds. A folder without a board that
    this release knows is an error. The CSV, the meta, the page and the charts are computed again and must be the same
    bytes, but for numbers that another processor may have rounded otherwise in their last digit."""
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
    again.meta.update({key: meta[key] for key in NOT_COMPARED if key in meta})
    _take_version(again, csvs[0])
    charts = {path.name for path in root.glob("*.svg") if path.stem in CHARTS}
    charts |= {file for file in meta.get("files", {}) if file.endswith(".svg")}
    expected = again.files(csvs[0].stem, plots=bool(charts))
    return [
        *_csv_differences(csvs[0].read_text("utf-8"), again.csv(), csvs[0].name),
        *_meta_differences(meta, json.loads(expected["meta.json"]), ""),
        *_drawn_differences(root, expected, charts),
    ]


def _take_version(again: Board, published: Path) -> None:
    """The version of the code is where a board was computed, too, and stands in its table."""
    try:
        found = {row.get("code_version", "") for row in csvfile.read(published.read_text("utf-8"))}
    except ValueError:
        return  # said by the comparison of the CSV
    if len(found) == 1:
        again.table["code_version"] = found.pop()


def _drawn_differences(root: Path, expected: dict[str, bytes], charts: set[str]) -> Iterator[str]:
    """The page and the charts, against what the matches give."""
    pages = {file for file in expected if file.endswith(".html")} | {path.name for path in root.glob("*.html")}
    for file in sorted(pages | charts):
        if file not in expected:
            yield f"{file} is none of this board's"
        elif not (root / file).is_file():
            yield f"{file} is missing"
        elif place := _first_difference((root / file).read_bytes(), expected[file]):
            yield f"{file} is not what the matches give, {place}"


def _first_difference(old: bytes, new: bytes) -> str:
    """Where two files differ in more than the rounding of a number; "" if nowhere."""
    if old == new:
        return ""
    one, other = (NUMBERS.split(text.decode("utf-8", "replace")) for text in (old, new))
    line = 1
    for a, b in zip_longest(one, other, fillvalue=""):
        if a != b and not _same(a, b):
            same = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
            at = max(0, same - 20)
            return f"from line {line + a[:same].count(chr(10))} on: {a[at : at + 60]!r}, computed {b[at : at + 60]!r}"
        line += b.count("\n")
    return ""


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
            if path or key not in (*NOT_COMPARED, "files"):
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
