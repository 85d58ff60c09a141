"""The dynamic batcher: callers await answers, one thread owns the model and serves them in batches.

A batch starts when it is full, when everybody who was answered last has asked again (nobody else can be waited for),
or `wait_s` after the oldest waiting call. The oldest matches go first. One group of jobs goes together (one shape kind,
one adapter), by length, with no more padded tokens than memory holds; when memory runs out the cap is halved and the
batch goes in two parts. Knows no torch: the work is a function from jobs to results.

The invariant: every future ends exactly once, with its own job's result or error, whatever is cancelled, fails or is
closed meanwhile.
"""

from __future__ import annotations

import asyncio
import heapq
import os
import threading
import time
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

J = TypeVar("J")
R = TypeVar("R")

_WINDOW = 4  # batches of waiting jobs that are looked at; later ones wait unprepared


class Closed(RuntimeError):
    """The model was closed while a call waited for it."""


@dataclass(frozen=True)
class Rules(Generic[J]):
    """How jobs go together. `prepare` runs once per job in the worker thread and gives its length in tokens."""

    batch: int
    wait_s: float
    prepare: Callable[[J], int]
    group: Callable[[J], Hashable] = lambda job: None
    most_tokens: int = 16_384  # padded, per batch
    is_out_of_memory: Callable[[BaseException], bool] = lambda error: isinstance(error, MemoryError)


@dataclass(order=True)
class _Waiting(Generic[J, R]):
    order: int
    number: int
    job: J = field(compare=False)
    future: asyncio.Future[R] = field(compare=False)
    loop: asyncio.AbstractEventLoop = field(compare=False)
    since: float = field(compare=False)
    tokens: int = field(compare=False, default=-1)


class Batcher(Generic[J, R]):
    """`work` takes jobs of one group and returns a result, or an exception, for each."""

    def __init__(
        self,
        work: Callable[[Sequence[J]], Sequence[R | BaseException]],
        rules: Rules[J],
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._work, self.rules, self._now = work, rules, now
        self.most_tokens = rules.most_tokens
        self._changed = threading.Condition()
        self._queue: list[_Waiting[J, R]] = []
        self._expected: Counter[int] | None = (
            None  # calls per match that were answered and may ask again; None = unknown
        )
        self._number = 0
        self._thread: threading.Thread | None = None
        self._closed = False

    async def submit(self, job: J, order: int = 0) -> R:
        """The result of `job`; `order` is the number of its match."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[R] = loop.create_future()
        with self._changed:
            if self._closed:
                raise Closed("the model is closed")
            self._number += 1
            heapq.heappush(self._queue, _Waiting(order, self._number, job, future, loop, self._now()))
            if self._expected and self._expected[order]:
                self._expected[order] -= 1
                if not self._expected[order]:
                    del self._expected[order]
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="model", daemon=True)
                self._thread.start()
            self._changed.notify()
        return await future

    async def aclose(self) -> None:
        """End: the batch under way is finished and delivered, what waits fails with `Closed`."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            await asyncio.get_running_loop().run_in_executor(None, self._thread.join)

    # --- the worker thread ------------------------------------------------------------------------------------------

    def _run(self) -> None:
        while window := self._next_window():
            try:
                self._serve(self._choose(window))
            except BaseException as error:  # a fault of ours must not leave anybody waiting for ever
                for waiting in window:
                    _deliver(waiting, error)
        for waiting in self._queue:
            _deliver(waiting, Closed("the model was closed"))
        self._queue.clear()

    def _next_window(self) -> list[_Waiting[J, R]]:
        """The oldest jobs, once a batch should start; none when closed."""
        with self._changed:
            while not self._closed:
                self._queue = [w for w in self._queue if not w.future.done()]
                heapq.heapify(self._queue)
                wait = self._wait_s()
                if wait is not None and wait <= 0:
                    room = min(len(self._queue), _WINDOW * self.rules.batch)
                    return [heapq.heappop(self._queue) for _ in range(room)]
                self._changed.wait(wait)
            return []

    def _wait_s(self) -> float | None:
        """How long to wait for company; None = until somebody asks."""
        if not self._queue:
            return None
        if len(self._queue) >= self.rules.batch or self._expected == Counter():
            return 0.0
        wait = min(w.since for w in self._queue) + self.rules.wait_s - self._now()
        if wait <= 0:
            self._expected = Counter()  # whoever has not come back by now is not waited for again
        return wait

    def _choose(self, window: list[_Waiting[J, R]]) -> list[_Waiting[J, R]]:
        """The batch: the oldest job and the oldest others of its group. The rest goes back."""
        ready: list[_Waiting[J, R]] = []
        for waiting in window:
            if waiting.tokens < 0:
                try:
                    waiting.tokens = self.rules.prepare(waiting.job)
                except Exception as error:
                    _deliver(waiting, error)
                    continue
            ready.append(waiting)
        if not ready:
            return []
        wanted = self.rules.group(ready[0].job)
        chosen = [w for w in ready if self.rules.group(w.job) == wanted][: self.rules.batch]
        taken = {w.number for w in chosen}
        with self._changed:
            for waiting in ready:
                if waiting.number not in taken:
                    heapq.heappush(self._queue, waiting)
        return chosen

    def _serve(self, chosen: list[_Waiting[J, R]]) -> None:
        """Run a batch in as many parts as the cap on padded tokens asks for, shortest jobs first."""
        left = sorted(chosen, key=lambda w: w.tokens)
        while left:
            size = 1
            while size < len(left) and (size + 1) * left[size].tokens <= self.most_tokens:
                size += 1
            left = self._run_part(left[:size]) + left[size:]

    def _run_part(self, part: list[_Waiting[J, R]]) -> list[_Waiting[J, R]]:
        """Run a part and deliver what it gave; the jobs themselves if they did not fit into memory together."""
        live = [w for w in part if not w.future.done()]
        if not live:
            return []
        try:
            results = list(self._work([w.job for w in live]))
            if len(results) != len(live):
                raise RuntimeError(f"{len(live)} jobs gave {len(results)} results")
        except BaseException as error:
            if self.rules.is_out_of_memory(error) and len(live) > 1:
                self.most_tokens = max(1, len(live) * max(w.tokens for w in live) // 2)
                return live
            results = [error] * len(live)
        with self._changed:  # before anybody hears of it and asks again
            self._expected = (self._expected or Counter()) + Counter(w.order for w in live)
        for waiting, result in zip(live, results, strict=True):
            _deliver(waiting, result)
        return []


def _deliver(waiting: _Waiting[J, R], result: R | BaseException) -> None:
    def settle() -> None:
        if waiting.future.done():
            return  # cancelled meanwhile
        if isinstance(result, BaseException):
            waiting.future.set_exception(result)
        else:
            waiting.future.set_result(result)

    try:
        waiting.loop.call_soon_threadsafe(settle)
    except RuntimeError:
        return  # the loop is closed, and so nobody waits


class Slots:
    """A few places for calls that run at the same time; whoever waits for one, the oldest match goes first."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._queue: list[tuple[int, int, asyncio.Future[None]]] = []
        self._number = 0

    async def enter(self, order: int) -> None:
        """Wait for a place and take it; `leave` gives it back."""
        if self._free:
            self._free -= 1
            return
        self._number += 1
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (order, self._number, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.leave()  # it had just been given the place
            raise

    def leave(self) -> None:
        while self._queue:
            _, _, turn = heapq.heappop(self._queue)
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1


class Loaded(Generic[R]):
    """Models in memory by what makes them: clients of one model share it, and the last one out takes it down."""

    def __init__(self) -> None:
        self._models: dict[Hashable, tuple[R, int]] = {}

    def take(self, key: Hashable, make: Callable[[], R]) -> R:
        model, users = self._models[key] if key in self._models else (make(), 0)
        self._models[key] = (model, users + 1)
        return model

    def give_back(self, key: Hashable) -> R | None:
        """The model, if nobody else has it: then it is the caller's to close."""
        model, users = self._models.get(key, (None, 0))
        if users > 1 and model is not None:
            self._models[key] = (model, users - 1)
            return None
        self._models.pop(key, None)
        return model


def thread_count(busy_share: float) -> int:
    """How many threads a local model takes by default: never all cores, and one where the machine is busy.

    On shared cores spinning threads collapse (llama.cpp: 2.1 tok/s with two threads at load 15, 49.8 with one at load
    12). `busy_share` is the load per core from which the machine counts as busy.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if os.environ.get("CI") or load > cores * busy_share:
        return 1
    return max(1, min(cores - 1, 4))
