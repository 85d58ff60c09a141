"""A tournament that is told to stop at a chosen phase: `python signalled.py PHASE SIGNAL TIMES COMMAND…`.

The process signals itself there, so that no test has to guess when a phase is reached. `flight` holds the call until
the run was told to stop, `hang` for an hour.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from typing import Any

from arena.cli import main
from arena.models.limiter import Clock
from arena.models.mock import MockClient
from arena.models.types import Request, Response
from arena.run import api
from arena.run.runner import Runner
from arena.store.writer import Writer

PHASES = ("plan", "first", "flight", "hang", "backoff", "before-commit", "after-commit", "end")


def arm(phase: str, number: int, times: int) -> None:
    """From now on the process signals itself at `phase`, and `times - 1` times more when it is told to stop."""
    left = times

    def send() -> None:
        nonlocal left
        if left:
            left -= 1
            os.kill(os.getpid(), number)

    def send_first() -> None:
        if left == times:
            send()

    calls = 0
    play, stop, complete = Runner.play, Runner.stop, MockClient.complete
    transaction, sleep, execute = Writer._transaction, Clock.sleep, api._execute

    async def played(self: Runner, *args: Any, **keys: Any) -> None:
        if phase == "first":
            send_first()
        await play(self, *args, **keys)

    def stopped(self: Runner, reason: Any) -> None:
        stop(self, reason)
        if left < times:
            send()

    async def completed(self: MockClient, request: Request) -> Response:
        nonlocal calls
        calls += 1
        if phase in ("flight", "hang") and calls == 3:
            send_first()
            await asyncio.sleep(3600 if phase == "hang" else 0.05)
        return await complete(self, request)

    def written(self: Writer, batch: Any) -> None:
        asked = any(name == "call" for unit, _ in batch for name, _ in unit)
        if phase == "before-commit" and asked:
            send_first()
        transaction(self, batch)
        if phase == "after-commit" and asked:
            send_first()

    async def slept(self: Clock, seconds: float) -> None:
        if phase == "backoff" and seconds > 1:
            send_first()
        await sleep(self, seconds)

    def executed(*args: Any) -> Any:
        if phase == "plan":
            send_first()
        result = execute(*args)
        if phase == "end":
            send_first()
        return result

    Runner.play, Runner.stop, MockClient.complete = played, stopped, completed  # type: ignore[method-assign]
    Writer._transaction, Clock.sleep = written, slept  # type: ignore[method-assign]
    vars(api)["_execute"] = executed


if __name__ == "__main__":
    arm(sys.argv[1], signal.Signals[sys.argv[2]], int(sys.argv[3]))
    main(sys.argv[4:])
