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
from arena.leaderboards.runs import wrong_facts

__all__ = ["Board", "check", "leaderboard"]

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")
NOT_COMPARED = ("software", "git")  # where it was computed, not what
CHARTS = frozenset(("ratings", "wins", "response", "cost", "roles", "behaviour", "learning"))  # SVG files of a board
NUMBERS = re.compile(r"(?<![\w.-])(-?\d+(?:\.\d+)?(?:e[+-]\d+)?)(?!\w|\.\d)")  # digits beside letters are text: hashes
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

        This board's own files are written anew. Other files of the board that was there go, as its meta.json tells
        them; one that was changed since, or that is no board's, stays, and is an error if it is in the way."""
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
    table: DataFrame, methods: str | Sequence[str] = ("bt",), **settings: Any
) -> tuple[DataFrame, dict[str, Any]]:
    """The table and the meta of the same board without its match file, and so without the hash that it would name."""
    every = matches.checked(table)
    return assemble.board(every, matches.played(every), _call(table, methods, **settings), "")


def _call(
    table: DataFrame,
    methods: str | Sequence[str],
    seed: int = 0,
    bootstrap: int = 1000,
    min_matches: int = 30,
    anchor: str | None = None,
) -> Call:
    if bootstrap < 0 or min_matches < 0:
        raise UsageError("bootstrap and min_matches must be at least 0")
    names = (methods,) if isinstance(methods, str) else tuple(methods)
    facts = json.loads(_json(table.attrs.get("facts", {})))  # as they will be read again, digit for digit
    if problem := wrong_facts(facts):
        raise UsageError(problem)
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
    bytes, but for fractions that another processor may have rounded otherwise in their last digit."""
    root = Path(folder)
    meta, content = _published(root)
    found = sha256(content).hexdigest()
    if found != meta.get("matches_sha256"):
        return [f"matches.jsonl has the hash {found}, meta.json says {meta.get('matches_sha256')}"]
    if problems := list(_malformed(meta)):
        return [f"the board cannot be recomputed: meta.json: {problem}" for problem in problems]
    try:
        table = matches.read(root / "matches.jsonl")
        table.attrs["facts"] = meta.get("facts", {})
        again = leaderboard(table, **meta["settings"])
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        return [f"the board cannot be recomputed: {error}"]
    csvs = sorted(root.glob("*.csv"))
    if len(csvs) != 1:
        return [f"expected one CSV file beside meta.json, found {len(csvs)}"]
    try:
        published = csvs[0].read_bytes().decode()
        cells = csvfile.cells(published)
    except ValueError as error:
        return [f"{csvs[0].name} cannot be read: {error}"]
    again.meta.update({key: meta[key] for key in NOT_COMPARED})
    _take_version(again, cells)
    charts = {path.name for path in root.glob("*.svg") if path.stem in CHARTS}
    charts |= {file for file in meta["files"] if file.endswith(".svg")}
    expected = again.files(csvs[0].stem, plots=bool(charts))
    told = [
        *_csv_differences(published, cells, again, csvs[0].name),
        *_meta_differences(meta, json.loads(expected["meta.json"]), ""),
        *_drawn_differences(root, expected, charts),
    ]
    if _json(meta).encode() != (root / "meta.json").read_bytes():
        told.append("meta.json is not written as a board writes it: other spaces, line ends, order or forms of numbers")
    return told + [
        line for file, line in _hash_differences(root, meta["files"], expected) if not _names(told, file)
    ]  # fmt: skip


def _names(told: list[str], file: str) -> bool:
    return any(line.startswith((f"{file} ", f"{file},")) for line in told)


def _malformed(meta: dict[str, Any]) -> Iterator[str]:
    """What of a board's meta is not of the kind that the check works with."""
    wanted = {"methods": list, "seed": int, "bootstrap": int, "min_matches": int, "anchor": str | None}
    settings = meta.get("settings")
    if not isinstance(settings, dict) or settings.keys() != wanted.keys():
        yield f"settings is no object of {', '.join(wanted)}"
        return
    for key, kind in wanted.items():
        if isinstance(settings[key], bool) or not isinstance(settings[key], kind):
            yield f"settings.{key} is {settings[key]!r}"
    if isinstance(settings["methods"], list) and not all(isinstance(one, str) for one in settings["methods"]):
        yield f"settings.methods is {settings['methods']!r}"
    for key in ("files", *NOT_COMPARED):
        found = meta.get(key)
        if not isinstance(found, dict) or not all(isinstance(one, str | bool | None) for one in found.values()):
            yield f"{key} is {found!r}, which is no object of texts"


def _take_version(again: Board, cells: list[list[str]]) -> None:
    """The version of the code is where a board was computed, too, and stands in its table."""
    if cells and "code_version" in cells[0]:
        at = cells[0].index("code_version")
        found = {csvfile.unescape(row[at]) for row in cells[1:]}
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
    """Where two files differ in more than the rounding of a fraction; "" if nowhere."""
    if old == new:
        return ""
    try:
        one, other = (NUMBERS.split(text.decode()) for text in (old, new))
    except UnicodeDecodeError as error:
        return f"which is not UTF-8 at byte {error.start}"
    line = 1
    for i, (a, b) in enumerate(zip_longest(one, other, fillvalue="")):
        if a != b and not (i % 2 and _rounded(a, b)):  # every second part is a number
            same = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
            at = max(0, same - 20)
            return f"from line {line + a[:same].count(chr(10))} on: {a[at : at + 60]!r}, computed {b[at : at + 60]!r}"
        line += b.count("\n")
    return ""


def _published(root: Path) -> tuple[dict[str, Any], bytes]:
    """The meta and the match file of a board."""
    file = root / "meta.json"
    try:
        meta = json.loads(file.read_bytes().decode())
        content = (root / "matches.jsonl").read_bytes()
    except OSError as error:
        raise UsageError(f"{root} holds no board: {error.filename}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{file} is not JSON: {error}") from error
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        said = meta.get("format") if isinstance(meta, dict) else None
        raise UsageError(f"{file} is of the format {said!r}; this release checks {FORMAT!r}")
    return meta, content


def _csv_differences(published: str, cells: list[list[str]], again: Board, name: str) -> Iterator[str]:
    """The cells as they stand in the file, what protects them included; only what is a fraction may be rounded."""
    expected = csvfile.cells(again.csv())
    if cells[:1] != expected[:1] or len(cells) != len(expected):
        yield f"{name} has other rows or columns than its matches give"
        return
    agent = expected[0].index("agent")
    for i, (row, wanted) in enumerate(zip(cells[1:], expected[1:], strict=True)):
        for j, (one, other) in enumerate(zip(row, wanted, strict=True)):
            if one != other and not (isinstance(again.table.iat[i, j], float) and _rounded(one, other)):
                yield f"{name}, row {i + 1} ({wanted[agent]}): {expected[0][j]} is {one!r}, computed {other!r}"
    if csvfile.joined(cells) != published:
        yield f"{name} is not written as a board writes it: other line ends or quotes"


def _meta_differences(old: Any, new: Any, path: str) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            place = f"{path}.{key}" if path else key
            if not path and key in (*NOT_COMPARED, "files"):
                continue
            if key not in new:
                yield f"meta.json: {place} is {old[key]!r}, which the matches do not give"
            elif key not in old:
                yield f"meta.json: {place} is missing, computed {new[key]!r}"
            else:
                yield from _meta_differences(old[key], new[key], place)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for i, (a, b) in enumerate(zip(old, new, strict=True)):
            yield from _meta_differences(a, b, f"{path}[{i}]")
    elif not _same(old, new):
        yield f"meta.json: {path} is {old!r}, computed {new!r}"


def _same(old: Any, new: Any) -> bool:
    """Equal values of one kind, or fractions, alone or in a text, that another processor may have rounded otherwise."""
    if type(old) is not type(new):
        return False
    if isinstance(old, float):
        return _near(old, new)
    return bool(old == new) or (isinstance(old, str) and not _first_difference(old.encode(), new.encode()))


def _rounded(one: str, other: str) -> bool:
    """Numbers as we write them, one of them at least a fraction, that differ in the last published digit at most."""
    if not (NUMBERS.fullmatch(one) and NUMBERS.fullmatch(other)) or not {".", "e"} & {*one, *other}:
        return False
    return _near(float(one), float(other))


def _near(a: float, b: float) -> bool:
    return abs(a - b) <= 2e-5 * max(abs(a), abs(b)) + 1e-9


def _hash_differences(root: Path, said: dict[str, Any], expected: dict[str, bytes]) -> Iterator[tuple[str, str]]:
    """The hashes of the files beside meta.json, against the bytes that lie there; with the file that each is of."""
    for file in sorted(said.keys() | expected.keys() - {"meta.json"}):
        if file not in said or file not in expected:
            why = "which is none of this board's" if file in said else "whose hash is missing"
            yield file, f"meta.json: files: {file}, {why}"
        elif (root / file).is_file() and (hashed := sha256((root / file).read_bytes()).hexdigest()) != said[file]:
            yield file, f"meta.json: files: {file} has the hash {hashed}, not {said[file]}"
