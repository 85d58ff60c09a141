"""`arena export`: a run's record as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from arena.cli import options

FORMATS = ("jsonl", "parquet")
TRAINING = ("kto", "dpo", "sft", "grpo")
FILES = (".csv", ".tsv", ".json", ".jsonl", ".parquet", ".xlsx", ".txt", ".html", ".zip", ".gz", ".db", ".sqlite")


def command(
    run: Annotated[Path, typer.Argument(help="The run's folder.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="FILE.jsonl (the match file), or a folder for all tables.")],
    format_: Annotated[
        str, typer.Option("--format", help="jsonl or parquet; kto, dpo, sft or grpo for training rows.")
    ] = "jsonl",
    recipe: Annotated[str | None, typer.Option("--recipe", help="How training rows are made.")] = None,
    role: Annotated[list[str], typer.Option("--role", help="Training rows of these roles, sides or seats.")] = [],  # noqa: B006  # the parser's default
    agent: Annotated[list[str], typer.Option("--agent", help="Training rows of these agents.")] = [],  # noqa: B006
    times: Annotated[bool, typer.Option("--times", help="With the times at which things happened.")] = False,
    metrics: Annotated[bool, typer.Option("--metrics", help="With each game's figures, computed by replay.")] = False,
    as_json: options.Json = False,
) -> None:
    """Export a run. The same record gives the same bytes.

    Examples: `arena export runs/k --out k.jsonl`   `arena export runs/k --format parquet --out k-tables`
    `arena export runs/k --format kto --recipe outcome --out kto.jsonl`
    """
    from arena.cli.output import document, say
    from arena.core.errors import UsageError
    from arena.run.api import result_of
    from arena.run.replayed import metrics_of
    from arena.store.export import export_jsonl, export_parquet

    if format_ in TRAINING:
        _rows(run, out, format_, recipe, role, agent, as_json)
        return
    if format_ not in FORMATS:
        raise UsageError(f"--format is one of {', '.join((*FORMATS, *TRAINING))}, not {format_!r}")
    if recipe or role or agent:
        raise UsageError(f"--recipe, --role and --agent choose training rows; --format {format_} has none")
    _refuse_other_kinds(out, format_)
    write = export_parquet if format_ == "parquet" else export_jsonl
    with metrics_of(run) as figures:
        written = write(run, out, metrics=figures if metrics else None, times=times)
    run_hash = result_of(run, "").run_hash
    say(f"wrote {', '.join(str(path) for path in written)} from run {run_hash[:12]}")
    if as_json:
        document({"files": [str(path) for path in written], "run_hash": run_hash})


def _refuse_other_kinds(out: Path, format_: str) -> None:
    """A name that promises one file of another kind gets neither that nor a folder of this name."""
    from arena.core.errors import UsageError

    kind = out.suffix.lower()
    if kind not in FILES or (format_ == "jsonl" and kind == ".jsonl"):
        return
    folder = f"a folder, as --out {out.with_suffix('')}"
    wanted = folder if format_ == "parquet" else f"FILE.jsonl for the match file, or {folder}"
    hint = "the table of agents as CSV: arena leaderboard RUN --out DIR" if kind == ".csv" else None
    raise UsageError(f"--format {format_} writes no {kind} file; give {wanted}, for all tables", hint=hint)


def _rows(
    run: Path, out: Path, format_: str, recipe: str | None, roles: list[str], agents: list[str], as_json: bool
) -> None:
    """Training rows, and what was left out of them."""
    from arena.cli.output import document, say
    from arena.training.export import export_rows

    words = [word for text in roles for word in text.split(",") if word]
    facts = export_rows(run, out, format_, recipe=recipe, roles=words, agents=agents)
    say(f"wrote {facts['rows']} rows by {facts['recipe']} to {out}")
    for reason, count in facts.get("drops", {}).items():
        say(f"  left out: {count} turns ({reason})")
    for text in facts["refused"]["altered"]:
        say(f"  refused: {text}")
    if as_json:
        document({"files": [str(out)]} | facts)
