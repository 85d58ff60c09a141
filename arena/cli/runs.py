"""`arena runs`: the runs of a folder."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Annotated, Any

import typer


def command(
    folder: Annotated[Path, typer.Argument(help="Where the runs are.")] = Path("runs"),
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """List the runs of a folder, newest first.

    Examples: `arena runs`   `arena runs elsewhere --json`
    """
    from arena.cli.output import document, say, table
    from arena.store.schema import FILE

    found = [_row(path.parent) for path in sorted(folder.glob(f"*/{FILE}"))] if folder.is_dir() else []
    found.sort(key=lambda row: -(row["created_ms"] or 0))
    if as_json:
        document(found)
    elif not found:
        say(f"no runs in {folder}")
    else:
        rows = [
            (r["run"], r["status"], f"{r['done']}/{r['planned']}", r["game"], ", ".join(r["agents"])) for r in found
        ]
        table(("run", "status", "done", "game", "agents"), rows)


def _row(folder: Path) -> dict[str, Any]:
    from arena.core.errors import ArenaError
    from arena.run.api import result_of
    from arena.store.reader import Reader

    try:
        result = result_of(folder, "")
        with Reader(folder) as reader:
            manifest = reader.manifest()
    except (ArenaError, OSError, sqlite3.Error, KeyError, ValueError) as error:
        unreadable = {"run": str(folder), "status": "unreadable", "done": 0, "planned": 0, "created_ms": None}
        return unreadable | {"game": str(error), "agents": []}
    return {
        "run": str(folder),
        "status": result.status,
        "done": result.matches["done"],
        "planned": result.matches["planned"],
        "created_ms": manifest["created_ms"],
        "game": ", ".join(g["name"] for g in manifest["config"]["games"]),
        "agents": list(dict.fromkeys(manifest["config"]["agents"])),
    }
