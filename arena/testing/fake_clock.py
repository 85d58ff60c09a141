"""A clock that moves only when everything waits: minutes of back-off in a test that takes no time.

    clock = FakeClock()
    calls = clock.run(play(clock))          # runs the coroutine to its end, jumping from one sleep to the next

For code that sleeps through a `Clock` and touches no socket or thread; whatever waits for those would seem to hang.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from heapq import heappop, heappush
from typing import Any, TypeVar

from arena.models.limiter import Clock

T = TypeVar("T")


class FakeClock(Clock):
    def __init__(self, now: float = 1000.0) -> None:
        self._now = now
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._count = 0

    def now(self) -> float:
        return self._now

    def wall_ms(self) -> int:
        return int(self._now * 1000)

    async def sleep(self, seconds: float) -> None:
        wake: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._count += 1
        heappush(self._sleepers, (self._now + max(seconds, 0.0), self._count, wake))
        await wake

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(self._drive(main))

    async def _drive(self, main: Coroutine[Any, Any, T]) -> T:
        task = asyncio.create_task(main)
        ready: Any = asyncio.get_running_loop()._ready  # type: ignore[attr-defined]  # what the loop has still to do
        while not task.done():
            await asyncio.sleep(0)
            if not ready and not task.done() and not self._wake_next():
                task.cancel()
                raise RuntimeError("everything waits, and nobody sleeps: a deadlock")
        return await task

    def _wake_next(self) -> bool:
        while self._sleepers:
            at, _, wake = heappop(self._sleepers)
            if not wake.done():
                self._now = max(self._now, at)
                wake.set_result(None)
                return True
        return False
