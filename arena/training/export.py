"""`arena export --format kto|dpo|sft|grpo`: training rows of any run, by a recipe, without a model in sight."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from arena.core.errors import UsageError
from arena.registry import load_game
from arena.run.replayed import games_of
from arena.store.reader import Reader
from arena.training.recipes import check_recipe, default_recipe, find_recipe
from arena.training.record import Played, Refused, read_played
from arena.training.rows import Labelled, Row, Trainee, check_trainable, summary, write_rows

FORMATS = ("kto", "dpo", "sft", "grpo")


def export_rows(
    run: Path,
    out: Path,
    format_: str,
    *,
    recipe: str | None = None,
    roles: Sequence[str] = (),
    agents: Sequence[str] = (),
) -> dict[str, Any]:
    """Write one row a line to `out`; counts, drops and what was refused. Records that do not replay give no rows, and
    are listed."""
    if out.is_dir() or out.suffix == "":
        raise UsageError(f"training rows go into one file; {out} is no file name", hint=f"--out {out}.jsonl")
    with Reader(run) as reader:
        games = [load_game(where) for where in games_of(reader.manifest()).values()]
        known = {agent["name"] for agent in reader.agents().values() if agent["kind"] == "model"}
    if len(games) != 1:
        raise UsageError(f"{run} holds {len(games)} games; rows are made of one")
    if not known:
        raise UsageError(f"no model plays in {run}; rows come from models' turns alone")
    if unknown := [agent for agent in agents if agent not in known]:
        raise UsageError(f"no model {unknown[0]!r} plays in {run}; these do: {', '.join(sorted(known))}")
    name = recipe or default_recipe(format_, "self")
    check_recipe(name, format_, games[0])
    refused, trainee = Refused(), Trainee(agents, roles)
    played = list(read_played(run, refused=refused))
    if played and not any(trainee.seats(one) for one in played):
        raise UsageError(f"no seat of {run} is of {', '.join((*roles, *agents)) or 'a model'}")
    if format_ == "grpo":
        made = Labelled([slot_of(one, trainee) for one in played if trainee.seats(one) and one.fork is None])
        facts: dict[str, Any] = {"rows": len(made.rows)}
    else:
        bounds = games[0](played[0].match.game.config).payoff_bounds() if played else None
        options = {"trainee": trainee, "algorithm": format_, "bounds": bounds, "seed": 0}
        made = find_recipe(name, format_, games[0]).label(played, options)
        check_trainable(made, "sft" if format_ == "dpo" else format_, name)
        facts = summary(made)
    return facts | {"recipe": name, "sha256": write_rows(out, made.rows), "refused": refused.as_json()}


def slot_of(played: Played, trainee: Trainee) -> Row:
    """A recorded match as a slot: its deal, its rules, who sat where, which seats learn."""
    match = played.match
    return {
        "id": played.key,
        "game": match.game.full_name,
        "preset": match.preset,
        "config": match.game.config.as_json(),
        "deal_seed": match.deal_seed,
        "seed": match.seed,
        "seating": dict(played.agents),
        "seats": trainee.seats(played),
    }
