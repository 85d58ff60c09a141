"""`arena tournament`: many matches into a run folder."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli import options

if TYPE_CHECKING:
    from arena.run.progress import Progress


def command(
    game: Annotated[str, typer.Argument(help="GAME, GAME/PRESET, or a run file (FILE.toml).")],
    agents: options.Agents = [],  # noqa: B006  # the parser's default
    matches: Annotated[
        int | None, typer.Option("--matches", min=1, help="Matches in all; whole blocks are played.")
    ] = None,
    out: options.Out = None,
    seed: options.Seed = None,
    schedule: Annotated[
        str | None, typer.Option("--schedule", help="paired, round-robin, random, swiss or adaptive.")
    ] = None,
    concurrency: options.Concurrency = None,
    budget: options.BudgetUsd = None,
    executor: options.Executor = None,
    workers: options.Workers = None,
    shard: options.Shard = None,
    set_: options.Set = [],  # noqa: B006  # the parser's default
    dry_run: Annotated[bool, typer.Option("--dry-run", help="What it would take; starts nothing.")] = False,
    board: Annotated[bool, typer.Option("--board", help="Print the counted leaderboard at the end.")] = False,
    allow_unpriced: Annotated[
        bool, typer.Option("--allow-unpriced", help="Budget although a model has no price.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before a run that may cost more than $5.")] = False,
    display: options.Display = "auto",
    as_json: options.Json = False,
) -> None:
    """Play a tournament. An existing run of the same settings is resumed.

    Examples: `arena tournament kuhn --agents bot/nash,bot/loose,bot/tight --matches 300 --out runs/k`
    `arena tournament league.toml --budget 5 --out runs/l`
    """
    from arena.cli.confirm import confirm
    from arena.cli.counted import print_counted
    from arena.cli.display import Display
    from arena.cli.output import document, say
    from arena.core.errors import UsageError
    from arena.run.api import start

    if board and as_json:
        raise UsageError("--board prints tables, --json one document: use arena leaderboard RUN --json")
    options.check_seed(seed)
    values, source = _values(game)
    flags = {"agents": agents or None, "matches": matches, "seed": seed}
    values |= {key: value for key, value in flags.items() if value is not None}
    if seed is None and "seed" not in values and out is not None and (out / "run.sqlite").is_file():
        values["seed"] = _seed_of(out)  # the same command again means the same run
    for table, key, value in (
        ("schedule", "kind", schedule),
        ("executor", "kind", executor),
        ("executor", "workers", workers),
        ("executor", "shard", shard),
        ("limits", "allow_unpriced", allow_unpriced or None),
    ):
        if value is not None:
            if not isinstance(values.get(table, {}), dict):
                raise UsageError(f"{source}: {table} must be a table")
            values[table] = {**values.get(table, {}), key: value}
    options.limits_over(values, concurrency=concurrency, budget=budget)
    settings, specs = _settings(values, set_, source, ready=not dry_run)
    if dry_run:
        _dry_run(settings, specs, as_json)
        return
    confirm(settings, specs, yes=yes)
    folder = out or options.default_folder(settings.games[0].name)
    with Display(display, f"{folder}: {', '.join(g.name for g in settings.games)}, seed {settings.seed}") as shown:

        def watch(progress: Progress) -> None:
            say(f"run folder: {folder}")
            shown.watch(progress)

        result = start(settings, specs, folder, watch=watch, posterior=options.posterior)
    report(result, as_json, document, say)
    if board:
        print_counted([folder])
    elif result.matches["done"] and display != "quiet":
        say(f"the board: arena leaderboard {shlex.quote(str(folder))}")
    raise typer.Exit(result.exit_code)


def report(result: Any, as_json: bool, document: Any, say: Any) -> None:
    """The last word on a run: one document, or one sentence."""
    from arena.cli.output import TOO_LONG, money

    m = result.matches
    trouble = "".join(f", {m[word]} {word}" for word in ("void", "failed") if m[word])
    words = {"complete": "complete", "void": "finished with void matches", "budget": "stopped by budget"}
    cost = f", {result.calls} calls, {money(result.cost_usd, result.unpriced_calls)}" if result.calls else ""
    say(
        f"{words.get(result.status, result.status)}: {m['done']} of {m['planned']} matches{trouble}{cost}; {result.run}"
    )
    if result.resume:
        say(f"continue with: {result.resume}")
    elif m["void"]:
        say(TOO_LONG)
    if as_json:
        document(result.as_json())


def _values(game: str) -> tuple[dict[str, Any], str]:
    from arena.run.runfile import read_toml

    if game.endswith(".toml"):
        return read_toml(Path(game)), game
    return {"game": game}, "the command line"


def _seed_of(folder: Path) -> int:
    from arena.store.reader import Reader

    with Reader(folder) as reader:
        return int(reader.manifest()["seed"])


def _settings(values: dict[str, Any], pairs: list[str], source: str, *, ready: bool) -> tuple[Any, Any]:
    """Settings with canonical agent names, and the agents; `ready`: each must be at hand."""
    from dataclasses import replace

    from arena.core.errors import UsageError
    from arena.registry import make_game
    from arena.run.api import resolve_agents
    from arena.run.runfile import put_keys, settings_of
    from arena.run.schedules import find_schedule

    settings = settings_of(put_keys(values, pairs), source)
    kind, stop = str(settings.schedule["kind"]), settings.schedule.get("stop", "matches")
    if not find_schedule(kind).looks and stop != "matches":
        raise UsageError(
            f"the schedule {kind!r} plays its number of matches; schedule.stop = {stop!r} needs swiss or adaptive"
        )
    for game in settings.games:
        make_game(game.name, game.set)
    specs = resolve_agents(settings.agents, [game.name for game in settings.games], ready=ready)
    if any(s.agent.kind == "human" for s in specs):
        raise UsageError("a human can play in `arena play` only")
    weights = dict(settings.schedule.get("weights") or {})
    if weights:  # by the names that the record uses
        given = zip(settings.agents, specs, strict=True)
        weights = {s.agent.canonical: weights[name] for name, s in given if name in weights}
        settings = replace(settings, schedule={**settings.schedule, "weights": weights})
    names = tuple(f"{s.selector}={s.agent.canonical}" if s.selector else s.agent.canonical for s in specs)
    return replace(settings, agents=names), specs


def _dry_run(settings: Any, specs: Any, as_json: bool) -> None:
    from arena.cli.output import document
    from arena.run.dry_run import estimate, lines

    found = estimate(settings, specs)
    if as_json:
        document(found)
    else:
        from arena.cli.output import data

        for line in lines(found):
            data(line)
    if found["problems"]:
        raise typer.Exit(2)
