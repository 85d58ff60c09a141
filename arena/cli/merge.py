"""`arena merge`: the shards of a run as one run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from arena.cli import options


def command(
    runs: Annotated[list[Path], typer.Argument(help="The folders of the shards, or of copies of one run.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The folder of the whole.")],
    as_json: options.Json = False,
) -> None:
    """Join runs of one plan. Order and repetition do not matter; of each match the furthest record is kept.

    Examples: `arena merge runs/k-1 runs/k-2 runs/k-3 --out runs/k`   `arena merge here/k there/k --out k`
    """
    from arena.cli.output import document, say
    from arena.cli.tournament import report
    from arena.run.api import result_of
    from arena.store.merge import merge

    missing, result = merge(runs, out), result_of(out, "")
    if missing:
        say(f"not the whole plan: no run given holds shard {', '.join(missing)}")
        result = replace(result, status="interrupted")
    report(result, False, document, say)
    if as_json:
        document(result.as_json() | {"missing_shards": missing})
