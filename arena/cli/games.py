"""`arena games`: what can be played."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer


def command(
    name: Annotated[
        str | None, typer.Argument(help="A game: shows its presets, config, asks, bots and metrics.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """List the games, or show one.

    Examples: `arena games`   `arena games kuhn`
    """
    from arena.cli.output import data, document, table
    from arena.registry import find_game, game_names

    if name is None:
        found = [facts for n in game_names() if (facts := _loadable(n))]
        if as_json:
            document(found)
        else:
            rows = [(g["name"], g["presets"][0]["seats"], len(g["presets"]), g["summary"]) for g in found]
            table(("game", "seats", "presets", "what it is"), rows)
        return
    found_game = find_game(name)
    facts = _details(found_game.where)
    if as_json:
        document(facts)
        return
    data(f"{facts['name']}-v{facts['version']}: {facts['summary']}\n")
    presets = [(p["name"], p["seats"], ", ".join(p["sides"]) or "-", p["asks"]) for p in facts["presets"]]
    table(("preset", "seats", "sides", "asks, about"), presets)
    data("\nasks (seen in a sample match)")
    for ask in facts["asks"]:
        data(f"  {ask['name']}: {ask['kind']}")
    data(f"\nbots: {', '.join(facts['bots']) or 'bot/random'}")
    data(f"metrics: {', '.join(facts['metrics']) or 'none'}")
    if facts["config"]:
        data("\nconfig fields (--set FIELD=VALUE)")
        rows = [(f["name"], json.dumps(f["default"]), f["type"], f.get("doc", "")) for f in facts["config"]]
        table(("field", "default", "type", "meaning"), rows)


def _loadable(name: str) -> dict[str, Any] | None:
    """A game's facts; one that cannot be loaded is said to be so and hides no other."""
    from arena.cli.output import say

    try:
        return _summary(name)
    except Exception as error:
        say(f"the game {name} cannot be loaded: {type(error).__name__}: {error}")
        return None


def _summary(name: str) -> dict[str, Any]:
    from arena.core.bots import summary
    from arena.registry import load_game, make_game

    cls = load_game(name)
    presets: list[dict[str, Any]] = []
    for preset in cls.presets:
        game = make_game(f"{name}/{preset}")[0]
        known = {"name": preset, "seats": game.seat_count(), "sides": list(game.sides())}
        presets.append(known | {"asks": game.typical()[1], "default": not presets})
    return {
        "name": cls.name,
        "version": cls.version,
        "summary": summary(cls),
        "speech": cls.speech,
        "presets": presets,
    }


def _details(where: str) -> dict[str, Any]:
    from random import Random

    import arena
    from arena.registry import common_bots, game_bots, load_game

    cls = load_game(where)
    match = arena.match(where, seed=0)
    rng = Random(0)
    asks: dict[str, dict[str, str]] = {}
    while not match.done:
        for seat, ask in match.pending().items():
            asks.setdefault(ask.name, {"name": ask.name, "kind": ask.kind})
            match.submit(seat, ask.sample(rng))
    metrics = dict.fromkeys(m.rpartition("_player_")[0] or m for m in match.metrics())
    return _summary(where) | {
        "config": cls.config_type.describe(),
        "asks": list(asks.values()),
        "bots": [f"bot/{cls.name}-{bot}" for bot in game_bots(cls)] + [f"bot/{bot}" for bot in common_bots()],
        "metrics": list(metrics),
    }
