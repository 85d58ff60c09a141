"""`arena new`: the folder of a new game, or the file of a new agent, that works as it stands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    what: Annotated[str, typer.Argument(help="game or agent.")],
    name: Annotated[str, typer.Argument(help="Its name: lower case, digits, underscores.")],
    where: Annotated[Path, typer.Option("--in", help="The folder to make it in.")] = Path(),
) -> None:
    """Make a new game or agent.

    Examples: `arena new game bluffdice`   `arena new agent careful`
    """
    from arena.cli.output import data, say
    from arena.core.errors import UsageError
    from arena.scaffold import new_agent, new_game

    if what not in ("game", "agent"):
        raise UsageError(f"arena new makes a game or an agent, not {what!r}")
    written = new_game(name, where) if what == "game" else new_agent(name, where)
    for path in written:
        data(str(path))
    if what == "game":
        in_checkout = any(path.parts[-3:-1] == ("games", name) for path in written)
        game = name if in_checkout else f"./{name}"
        say(f"next: arena play {game} --agents bot/random")
        say(f"      edit {next(str(p) for p in written if p.name == 'game.py')}, then its prompts")
        say(f"      python -m arena.testing.conformance {game}")
    else:
        say(f"next: edit {written[0]}, then: arena play kuhn --agents @{name},bot/random")
