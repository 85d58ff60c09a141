"""`arena play`: one match, shown as it reads."""

from __future__ import annotations

import secrets
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer

from arena.cli import options


def command(
    game: Annotated[str, typer.Argument(help="GAME, GAME/PRESET, or a game's folder.")],
    agents: options.Agents,
    seed: options.Seed = None,
    set_: options.Set = [],  # noqa: B006  # the parser's default
    out: options.Out = None,
    display: options.Display = "auto",
    view: Annotated[str, typer.Option("--view", help="omniscient, public, or a seat.")] = "omniscient",
    as_json: options.Json = False,
) -> None:
    """Play one match. Keeps no folder unless --out is given or a person plays, who may leave and come back.

    Examples: `arena play kuhn --agents bot/nash,bot/random --seed 7`
    `arena play matrix/rps --agents human,gguf/smollm2-135m`
    """
    from arena.cli.display import Display
    from arena.core.errors import UsageError
    from arena.run.api import start

    options.check_seed(seed)
    settings, specs, plan = plan_one(game, agents, secrets.randbits(63) if seed is None else seed, set_)
    person = _person(plan)
    if view not in ("omniscient", "public", *plan.seating):
        raise UsageError(f"--view is omniscient, public or a seat ({', '.join(plan.seating)}), not {view!r}")
    if person is not None and out is None:
        out = options.default_folder(game)
    with tempfile.TemporaryDirectory(prefix="arena-") as scratch:
        folder = out or Path(scratch) / "run"
        with Display("quiet" if person else display, f"{game}, seed {settings.seed}") as shown:
            result = start(settings, specs, folder, plan=[plan], person=person, watch=shown.watch)
        _report(folder, result, view, as_json, kept=out is not None, person=person)
    raise typer.Exit(result.exit_code)


def plan_one(game: str, agents: list[str], seed: int, pairs: list[str]) -> tuple[Any, Any, Any]:
    """Settings, agents and the one planned match of `arena play`."""
    from arena.registry import find_game, make_game
    from arena.run.api import resolve_agents
    from arena.run.keys import config_hash, match_key
    from arena.run.plan import Planned, seat_agents
    from arena.run.runfile import put_keys, settings_of

    values = put_keys({"game": game, "agents": agents, "seed": seed, "matches": 1, "void": {"passes": 0}}, pairs)
    settings = settings_of(values)
    made, preset = make_game(game, settings.games[0].set)
    specs = resolve_agents(agents, [game])
    seating = seat_agents(made, [(spec.selector, spec.agent.canonical) for spec in specs], seed)
    config = made.config.as_json()
    config_sha256 = config_hash(config, settings.policy.as_json())
    planned = Planned(
        number=1,
        key=match_key(made.full_name, config_sha256, seed, seed, seating),
        game=made.full_name,
        where=find_game(game).where,
        preset=preset,
        config=config,
        config_sha256=config_sha256,
        deal_seed=seed,
        seed=seed,
        seating=seating,
        deal_id=f"{made.name}/{preset}/0-{seed & 0xFFFFFF:06x}",
        block=1,
    )
    return settings, specs, planned


def _person(planned: Any) -> Any:
    """The people at the table, if there are any."""
    if "human" not in planned.seating.values():
        return None
    from arena.agents.human import Terminal

    return Terminal()


def _report(folder: Path, result: Any, view: str, as_json: bool, *, kept: bool, person: Any) -> None:
    """The match as it reads. One that a person left goes on later, so nothing hidden is shown of it."""
    from arena.cli.output import TOO_LONG, data, document, say
    from arena.run.replayed import replayed
    from arena.run.transcript import transcript
    from arena.store.reader import Reader

    with Reader(folder) as reader:
        row, seats = reader.find_match("1"), reader.match_seats(1)
        if as_json:
            document(_document(row, seats, result))
            return
        match, turns = replayed(reader, row), reader.rows("turns", 1)
        if match.done or person is None:
            for line in transcript(match, turns, view=view):
                data(line)
    called = {seat: f"{seat}, {name}" if name != seat else seat for seat, name in match.names.items()}
    held = ", ".join(f"{called.get(s['seat'], s['seat'])} = {s['agent']}" for s in seats)
    say(f"{row['game']}/{row['preset']}, seed {row['seed']}: {held}")
    if row["status"] != "done":
        say(f"the match is {row['status']}: {row['reason'] or 'not finished'}")
    if row["status"] == "void" and not result.resume:
        say(TOO_LONG)
    if kept:
        say(f"kept in {folder}" + (f"; continue with: {result.resume}" if result.resume else ""))


def _document(row: dict[str, Any], seats: list[dict[str, Any]], result: Any) -> dict[str, Any]:
    import json

    statuses = ("legal", "repaired", "illegal", "refused", "truncated", "timeout")
    payoffs = json.loads(row["payoffs"]) if row["payoffs"] else None
    return {
        "match": 1,
        "key": row["key"],
        "game": row["game"],
        "config_sha256": row["config_sha256"],
        "seed": int(row["seed"]),
        "status": row["status"],
        "reason": row["reason"],
        "seats": [
            {"seat": s["seat"], "role": s["role"], "agent": s["agent"], "payoff": s["payoff"]}
            | {"statuses": {status: s[f"n_{status}"] for status in statuses}}
            for s in seats
        ],
        "payoffs": payoffs,
        "turns": row["turns"],
        "record_hash": row["record_hash"],
        "calls": result.calls,
        "cost_usd": result.cost_usd,
    }
