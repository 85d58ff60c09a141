"""`arena export`: a run's record as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from arena.cli import options

FORMATS = ("jsonl", "parquet")


def command(
    run: Annotated[Path, typer.Argument(help="The run's folder.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="FILE.jsonl (the match file), or a folder for all tables.")],
    format_: Annotated[str, typer.Option("--format", help="jsonl or parquet.")] = "jsonl",
    times: Annotated[bool, typer.Option("--times", help="With the times at which things happened.")] = False,
    metrics: Annotated[bool, typer.Option("--metrics", help="With each game's figures, computed by replay.")] = False,
    as_json: options.Json = False,
) -> None:
    """Export a run. The same record gives the same bytes.

    Examples: `arena export runs/k --out k.jsonl`   `arena export runs/k --format parquet --out k-tables`
    """
    from arena.cli.output import document, say
    from arena.core.errors import UsageError
    from arena.run.api import result_of
    from arena.run.replayed import metrics_of
    from arena.store.export import export_jsonl, export_parquet

    if format_ not in FORMATS:
        raise UsageError(f"--format is one of {', '.join(FORMATS)}, not {format_!r}")
    if format_ == "parquet":
        written = export_parquet(run, out, times=times)
    else:
        with metrics_of(run) as figures:
            written = export_jsonl(run, out, metrics=figures if metrics else None, times=times)
    run_hash = result_of(run, "").run_hash
    say(f"wrote {', '.join(str(path) for path in written)} from run {run_hash[:12]}")
    if as_json:
        document({"files": [str(path) for path in written], "run_hash": run_hash})
