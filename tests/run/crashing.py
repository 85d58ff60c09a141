"""A small tournament in a process that kills itself at a chosen point: `python crashing.py FOLDER COUNT_FILE POINT`.

Points are counted before and after every commit and before and after every served request. Without a point the run
goes to its end, and the number of points is printed.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from arena.models.mock import MockClient
from arena.models.types import Request, Response
from arena.run.api import resolve_agents, resume, start
from arena.run.runfile import settings_of
from arena.store.schema import FILE
from arena.store.writer import Writer

SCRIPT = Path(__file__).with_name("crashing.jsonl")


def settings(count_file: str) -> Any:
    agents = [f"mock/script?file={SCRIPT}&count_file={count_file}", "bot/kuhn-loose"]
    return settings_of({"game": "kuhn", "agents": agents, "seed": 3, "matches": 4, "limits": {"concurrency": 2}})


def main(folder: str, count_file: str, point: int) -> None:
    passed = 0

    def at_a_point() -> None:
        nonlocal passed
        passed += 1
        if passed == point:
            os.kill(os.getpid(), signal.SIGKILL)

    transaction, complete = Writer._transaction, MockClient.complete

    def counted(self: Writer, batch: Any) -> None:
        at_a_point()
        transaction(self, batch)
        at_a_point()

    async def served(self: MockClient, request: Request) -> Response:
        at_a_point()
        response = await complete(self, request)
        at_a_point()
        return response

    Writer._transaction, MockClient.complete = counted, served  # type: ignore[method-assign]
    if (Path(folder) / FILE).exists():
        result = resume(Path(folder))
    else:
        made = settings(count_file)
        result = start(made, resolve_agents(made.agents, ["kuhn"]), Path(folder))
    print(passed, result.status)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
