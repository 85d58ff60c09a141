"""`arena train`: a better player from the record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli import options

if TYPE_CHECKING:
    from collections.abc import Callable

    from arena.cli.display import Display
    from arena.training.loop import TrainResult
    from arena.training.settings import TrainSettings


def command(
    algorithm: Annotated[str, typer.Argument(help="kto, dpo, grpo or sft.")],
    game: Annotated[str | None, typer.Option("--game", help="GAME or GAME/PRESET.")] = None,
    model: Annotated[str | None, typer.Option("--model", help="What is trained: hf/… or league/NAME.")] = None,
    iterations: Annotated[int | None, typer.Option("--iterations", min=1, help="Times around the loop.")] = None,
    out: options.Out = None,
    role: Annotated[
        list[str], typer.Option("--role", help="Roles, sides or seats that are trained; default: all seats.")
    ] = [],  # noqa: B006  # the parser's default
    opponents: Annotated[
        list[str],
        typer.Option("--opponents", help="self, latest, fsp, pfsp, psro, fxp, game, league:FILE.toml, or names."),
    ] = [],  # noqa: B006
    recipe: Annotated[str | None, typer.Option("--recipe", help="How rows are made; see docs/training.md.")] = None,
    matches: Annotated[int | None, typer.Option("--matches", min=1, help="Matches (grpo: slots) an iteration.")] = None,
    eval_matches: Annotated[int | None, typer.Option("--eval-matches", min=1, help="Deals of an evaluation.")] = None,
    steps: Annotated[int | None, typer.Option("--steps", min=1, help="Optimiser steps an iteration.")] = None,
    lr: Annotated[float | None, typer.Option("--lr", min=0, help="Learning rate.")] = None,
    seed: options.Seed = None,
    reference: Annotated[str | None, typer.Option("--reference", help="base, previous or initial.")] = None,
    gate: Annotated[str | None, typer.Option("--gate", help="ci or none.")] = None,
    league: Annotated[str | None, typer.Option("--league", help="Policies are registered as league/NAME-k1 …")] = None,
    set_: options.Set = [],  # noqa: B006
    param: Annotated[list[str], typer.Option("--param", help="key=value: any training field.")] = [],  # noqa: B006
    config: Annotated[Path | None, typer.Option("--config", help="FILE.toml with the same keys; flags win.")] = None,
    budget: options.BudgetUsd = None,
    device: Annotated[str | None, typer.Option("--device", help="auto, cpu or cuda.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="What it would take; starts nothing.")] = False,
    display: options.Display = "auto",
    as_json: options.Json = False,
) -> None:
    """Train a policy in a loop of play, labels, updates and evaluation.

    Examples: `arena train kto --game matrix/ipd --model hf/smollm2-135m --opponents bot/tit-for-tat --out runs/t`
    """
    options.check_seed(seed)
    roles = [word for text in role for word in text.split(",") if word]
    flags = {
        "game": game, "model": model, "iterations": iterations, "roles": roles or None,
        "opponents": ",".join(opponents) or None, "recipe": recipe, "matches": matches, "eval_matches": eval_matches,
        "steps": steps, "lr": lr, "seed": seed, "reference": reference, "gate": gate, "league": league,
        "budget": budget, "device": device,
    }  # fmt: skip
    given = {k: v for k, v in flags.items() if v is not None}
    settings = settings_of(algorithm, given, set_, param, config)
    _note_unused(settings, {*given, *(pair.partition("=")[0] for pair in param)}, config)
    if dry_run:
        _dry_run(settings, out, as_json)
    else:
        _train(settings, out or options.default_folder(f"train-{settings.game}"), display, as_json)


def _note_unused(settings: TrainSettings, given: set[str], config: Path | None) -> None:
    from arena.cli.output import say
    from arena.training.given import unused
    from arena.training.settings import read_file

    values = read_file(config) if config is not None else {}
    for text in unused(settings, given | set(values) | set(values.get("params", {}))):
        say(f"note: {text}")


def _train(settings: TrainSettings, folder: Path, display: str, as_json: bool) -> None:
    from arena.cli.output import say
    from arena.training import loop

    say(f"run folder: {folder}")
    title = f"{folder}: {settings.algorithm} on {settings.game}, seed {settings.seed}"
    carry_out(
        lambda shown: loop.start(settings, folder, watch=shown.watch, say=shown.say), folder, title, display, as_json
    )


def carry_out(work: Callable[[Display], TrainResult], folder: Path, title: str, display: str, as_json: bool) -> None:
    """A training, shown while it goes on, to its report or to the reason why it stopped."""
    from arena.cli.display import Display
    from arena.cli.output import say
    from arena.models.types import BudgetReached
    from arena.training.loop import is_training_run
    from arena.training.play import VoidMatches
    from arena.training.stage import Unhealthy

    try:
        with Display(display, title) as shown:
            result = work(shown)
    except (Unhealthy, VoidMatches, BudgetReached) as error:
        raise typer.Exit(fault(error, folder, as_json)) from error
    except KeyboardInterrupt:
        if is_training_run(folder):
            say(f"interrupted; arena resume {folder} goes on")
        raise
    report(result, as_json)


def report(result: Any, as_json: bool) -> None:
    """The last word on a training run."""
    from arena.cli.output import document, say

    for text in result.findings:
        say(text)
    say(f"{result.message}; {result.run}/report.md")
    if as_json:
        document(result.as_json())


def fault(error: Any, folder: Path, as_json: bool) -> int:
    """A training that stopped for a reason of its own: 3 void matches, 4 the budget, 5 a health rule."""
    from arena.cli.output import document, say

    code = {"void": 3, "budget": 4}.get(error.kind, 5)
    say(f"stopped: {error.message}" + (f"\n  {error.hint}" if error.hint else ""))
    if as_json:
        known = {"code": code, "kind": error.kind, "message": error.message, "hint": error.hint}
        document({"error": known | {"match": None, "turn": None, "resume": f"arena resume {folder}"}})
    return code


def settings_of(
    algorithm: str, flags: dict[str, Any], pairs: list[str], params: list[str], config: Path | None
) -> TrainSettings:
    """Flags over a file over defaults; a UsageError for what cannot be meant."""
    from arena.core.errors import UsageError
    from arena.core.seeds import derive
    from arena.registry import find_game
    from arena.run.runfile import put_keys
    from arena.training import settings as known
    from arena.training.league import league_folder
    from arena.training.recipes import default_recipe

    values = _given(algorithm, flags, config)
    merged = put_keys({"set": values.get("set", {})}, pairs)
    if set(merged) - {"set"}:
        raise UsageError("arena train takes --set for the game's config only")
    game = find_game(values["game"])
    made = known.parse_params(params, algorithm, values.pop("params", None))
    roles = tuple(values.get("roles", ()))
    own = game.cls.name + (f"-{roles[0]}" if len(roles) == 1 else "")
    opponents = values.get("opponents", "self")
    defaults = {
        "seed": _drawn(derive),
        "league": own,
        "league_folder": str(league_folder()),
        "home": str(Path.cwd()),
        "recipe": default_recipe(algorithm, opponents, made.rows),
        "lr": known.default_lr(algorithm),
    }
    whole: dict[str, Any] = defaults | {key: value for key, value in values.items() if value is not None}
    whole |= {"set": merged["set"], "roles": roles, "params": made}
    try:
        return known.TrainSettings(**whole)
    except TypeError as error:
        raise UsageError(f"{config or 'the command line'}: {error}") from error


def _given(algorithm: str, flags: dict[str, Any], config: Path | None) -> dict[str, Any]:
    """What the file and the flags say together, its keys known and the needed ones there."""
    from arena.core.errors import UnknownName, UsageError
    from arena.training import settings as known
    from arena.training.given import check_types

    values: dict[str, Any] = known.read_file(config) if config is not None else {}
    for key in values:
        if key not in known.known_keys():
            raise UnknownName(f"key of {config}", key, known.known_keys())
    if algorithm not in known.ALGORITHMS:
        raise UnknownName("algorithm", algorithm, known.ALGORITHMS, hint=f"algorithms: {', '.join(known.ALGORITHMS)}")
    check_types(values, str(config))
    values |= flags | {"algorithm": algorithm}
    for need in ("game", "model"):
        if not values.get(need):
            raise UsageError(f"--{need} is missing", hint="see `arena train --help`")
    if isinstance(values.get("roles"), str):
        values["roles"] = values["roles"].split(",")
    return values


def _drawn(derive: Any) -> int:
    import secrets

    return int(derive("train", secrets.randbits(64)))


def _dry_run(settings: TrainSettings, out: Path | None, as_json: bool) -> None:
    from arena.cli.output import data, document
    from arena.training.dry_run import estimate, lines

    found = estimate(settings, out)
    if as_json:
        document(found)
        return
    for line in lines(found):
        data(line)
