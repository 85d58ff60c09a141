"""`arena compare`: two runs, paired by deal."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from arena.cli import options


def command(
    first: Annotated[Path, typer.Argument(help="A run's folder.")],
    second: Annotated[Path, typer.Argument(help="Another run's folder.")],
    agents: Annotated[
        list[str], typer.Option("--agents", help="A,B: whose payoffs; default: champions, or the agent not in both.")
    ] = [],  # noqa: B006  # the parser's default
    seed: options.Seed = None,
    as_json: options.Json = False,
) -> None:
    """Compare an agent of one run with an agent of another on the deals that both played.

    Examples: `arena compare runs/kto runs/dpo`   `arena compare runs/a runs/b --agents bot/tight,bot/loose`
    """
    from arena.cli.output import data, document, say
    from arena.training.compare import compare_runs

    options.check_seed(seed)
    names = tuple(name for text in agents for name in text.split(",") if name)
    found = compare_runs(first, second, agents=names, seed=seed or 0)
    if as_json:
        document(found)
        return
    for run, agent in zip(found["runs"], found["agents"], strict=True):
        if not agents and agent.endswith("-k0") and (Path(run) / "report.json").is_file():
            say(f"{run} promoted nothing: {agent} is its untrained start")
    low, high = found["ci"]
    interval = "open" if low is None else f"{low:.4g} to {high:.4g}"
    data(f"{found['agents'][0]} - {found['agents'][1]}: {found['diff']:.4g} (95 % {interval}, N {found['n']} deals)")
    data(f"means {found['means'][0]:.4g} and {found['means'][1]:.4g} over {found['cells']} seats; {found['verdict']}")
