"""`arena fork`: what if, from this state."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from arena.cli import options


def command(
    run: Annotated[Path, typer.Argument(help="The run's folder.")],
    match: Annotated[str, typer.Argument(help="Its number, or 6 digits of its key.")],
    at: Annotated[str, typer.Option("--at", help="The turn that is asked anew (or a phase's name).")],
    matches: Annotated[int, typer.Option("--matches", min=1, help="How many branches.")] = 1,
    agents: Annotated[list[str], typer.Option("--agents", help="Other agents: NAME, or player_2=NAME.")] = [],  # noqa: B006
    set_: Annotated[
        list[str], typer.Option("--set", help="key=value: a config field that leaves the past as it was.")
    ] = [],  # noqa: B006
    whole_batch: Annotated[
        bool, typer.Option("--whole-batch", help="Ask every seat of the turn's batch anew.")
    ] = False,
    chance: Annotated[str, typer.Option("--chance", help="common to all branches, or fresh in each.")] = "common",
    out: options.Out = None,
    display: options.Display = "auto",
    as_json: options.Json = False,
) -> None:
    """Branch a recorded match. The fork is a run: it can be resumed, rated and shown.

    Examples: `arena fork runs/k 12 --at 3 --matches 8`   `arena fork runs/k 12 --at 3 --agents player_1=bot/tight`
    """
    from arena.cli.display import Display
    from arena.cli.output import document, say
    from arena.cli.tournament import report
    from arena.core.errors import UsageError
    from arena.run.fork import fork_run
    from arena.run.runfile import put_keys

    values = put_keys({}, set_)
    if set(values) - {"set"}:
        raise UsageError("arena fork takes --set for the game's config only")
    with Display(display, f"fork of {run}, match {match}, turn {at}") as shown:
        result = fork_run(
            run,
            match,
            at,
            matches,
            agents=agents,
            set_=values.get("set"),
            whole_batch=whole_batch,
            chance=chance,
            out=out,
            watch=shown.watch,
        )
    report(result, as_json, document, say)
    raise typer.Exit(result.exit_code)
