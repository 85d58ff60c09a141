"""`arena resume`: go on with a run from its folder alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli import options

if TYPE_CHECKING:
    from arena.run.players import Person


def command(
    run: Annotated[Path, typer.Argument(help="The run's folder.")],
    budget: options.BudgetUsd = None,
    concurrency: options.Concurrency = None,
    executor: options.Executor = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Play failed matches again.")] = False,
    accept_changes: Annotated[
        bool, typer.Option("--accept-changes", help="Ask anew where an agent or its prompts changed.")
    ] = False,
    display: options.Display = "auto",
    as_json: options.Json = False,
) -> None:
    """Resume a run. Committed calls are not made again; a complete run is left as it is.

    Examples: `arena resume runs/kuhn-1120-abcd`   `arena resume runs/l --budget 10`
    """
    from arena.cli.display import Display
    from arena.cli.output import document, say
    from arena.cli.tournament import report
    from arena.run.api import resume
    from arena.run.settings import Limits
    from arena.training.loop import is_training_run

    if is_training_run(run):
        _training(run, budget, display, as_json)
        return

    def over(limits: Limits) -> Limits:
        if concurrency is not None:
            limits = replace(limits, concurrency=concurrency)
        return limits if budget is None else replace(limits, budget_usd=budget)

    person = _person(run)
    with Display("quiet" if person else display, str(run)) as shown:
        result = resume(
            run,
            limits=over,
            executor=executor,
            retry_failed=retry_failed,
            accept_changes=accept_changes,
            watch=shown.watch,
            person=person,
            posterior=options.posterior,
        )
    if person is not None and result.status == "complete":
        _transcript(run)
    report(result, as_json, document, say)
    raise typer.Exit(result.exit_code)


def _training(run: Path, budget: float | None, display: str, as_json: bool) -> None:
    """A training run goes on from its last finished stage."""
    from arena.cli.train import carry_out
    from arena.training import loop

    carry_out(
        lambda shown: loop.resume(run, budget=budget, watch=shown.watch, say=shown.say), run, str(run), display, as_json
    )


def _transcript(run: Path) -> None:
    """The whole match, now that nothing of it is hidden any more."""
    from arena.cli.output import data
    from arena.run.replayed import replayed
    from arena.run.transcript import transcript
    from arena.store.reader import Reader

    with Reader(run) as reader:
        for row in reader.matches():
            for line in transcript(replayed(reader, row), reader.rows("turns", row["match_id"])):
                data(line)


def _person(run: Path) -> Person | None:
    """The terminal, where a person sits in the run."""
    from arena.store.reader import Reader

    with Reader(run) as reader:
        if not any(agent["kind"] == "human" for agent in reader.agents().values()):
            return None
    from arena.agents.human import Terminal

    return Terminal()
