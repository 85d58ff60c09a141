"""The batcher with a stub for a model: nothing is lost, nothing is crossed, and the right ones go together."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

import pytest

from arena.models.local import Batcher, Closed, Rules, thread_count


class Job(NamedTuple):
    number: int
    tokens: int = 1
    group: str = ""
    fails: bool = False


class Model:
    """Remembers its batches; gives each job's number back. `gate` holds it up until a test has set the scene."""

    def __init__(self, *, room: int | None = None, is_open: bool = True) -> None:
        self.batches: list[list[Job]] = []
        self.room = room
        self.gate = threading.Event()
        self.entered = threading.Event()
        if is_open:
            self.gate.set()

    def __call__(self, jobs: Sequence[Job]) -> Sequence[int | BaseException]:
        self.entered.set()
        assert self.gate.wait(30)
        if self.room is not None and len(jobs) * max(job.tokens for job in jobs) > self.room:
            raise MemoryError
        self.batches.append(list(jobs))
        return [ValueError(f"job {job.number}") if job.fails else job.number for job in jobs]

    def sizes(self) -> list[int]:
        return [len(batch) for batch in self.batches]


def rules(batch: int = 8, wait_s: float = 0.005, most_tokens: int = 10_000) -> Rules[Job]:
    return Rules(batch, wait_s, prepare=lambda job: job.tokens, group=lambda job: job.group, most_tokens=most_tokens)


def play(scene: Callable[[Batcher[Job, int], Model], object], model: Model, wanted: Rules[Job]) -> object:
    async def run() -> object:
        batcher: Batcher[Job, int] = Batcher(model, wanted)
        try:
            return await scene(batcher, model)  # type: ignore[misc]  # a coroutine
        finally:
            await batcher.aclose()

    return asyncio.run(asyncio.wait_for(run(), 60))


def test_calls_that_come_together_go_together() -> None:
    async def scene(batcher: Batcher[Job, int], model: Model) -> list[int]:
        return await asyncio.gather(*(batcher.submit(Job(n), n) for n in range(8)))

    model = Model()

    assert play(scene, model, rules(wait_s=30)) == list(range(8))
    assert model.sizes() == [8]


def test_a_lone_caller_waits_once_and_then_never_again() -> None:
    async def scene(batcher: Batcher[Job, int], model: Model) -> None:
        await batcher.submit(Job(0), 5)
        batcher.rules = rules(wait_s=1000)  # from now on waiting would hang
        for n in range(20):
            await batcher.submit(Job(n), 5)

    model = Model()
    play(scene, model, rules(wait_s=0.001))

    assert model.sizes() == [1] * 21


def test_a_batch_starts_as_soon_as_everybody_is_back() -> None:
    async def scene(batcher: Batcher[Job, int], model: Model) -> None:
        async def match(order: int) -> None:
            for turn in range(10):
                await batcher.submit(Job(100 * order + turn), order)

        first = asyncio.gather(*(batcher.submit(Job(n), n) for n in range(6)))
        await first
        batcher.rules = rules(batch=64, wait_s=1000)
        await asyncio.gather(*(match(order) for order in range(6)))

    model = Model()
    play(scene, model, rules(batch=6, wait_s=30))

    assert model.sizes() == [6] * 11


def test_the_oldest_matches_go_first() -> None:
    async def scene(batcher: Batcher[Job, int], model: Model) -> None:
        first = asyncio.create_task(batcher.submit(Job(99), 0))
        while not model.entered.is_set():
            await asyncio.sleep(0)
        orders = [7, 3, 9, 1, 8, 2]
        rest = [asyncio.create_task(batcher.submit(Job(order), order)) for order in orders]
        await asyncio.sleep(0)
        model.gate.set()
        await asyncio.gather(first, *rest)

    model = Model(is_open=False)
    play(scene, model, rules(batch=2, wait_s=0))

    assert [[job.number for job in batch] for batch in model.batches] == [[99], [1, 2], [3, 7], [8, 9]]


def test_groups_do_not_mix_and_lengths_share_a_part() -> None:
    async def scene(batcher: Batcher[Job, int], model: Model) -> None:
        jobs = [Job(n, tokens=[5, 50, 6, 60][n % 4], group="ab"[n // 4]) for n in range(8)]
        await asyncio.gather(*(batcher.submit(job, job.number) for job in jobs))

    model = Model()
    play(scene, model, rules(batch=8, most_tokens=120, wait_s=1))

    for batch in model.batches:
        assert len({job.group for job in batch}) == 1
        assert len(batch) * max(job.tokens for job in batch) <= 120
    assert [sorted(job.tokens for job in batch) for batch in model.batches] == [[5, 6], [50, 60], [5, 6], [50, 60]]


def test_when_memory_runs_out_the_cap_is_halved_and_everybody_is_served() -> None:
    async def scene(batcher: Batcher[Job, int], model: Model) -> int:
        found = await asyncio.gather(*(batcher.submit(Job(n, tokens=100), n) for n in range(8)))
        assert found == list(range(8))
        found = await asyncio.gather(*(batcher.submit(Job(n, tokens=100), n) for n in range(8)))
        assert found == list(range(8))
        return batcher.most_tokens

    model = Model(room=250)
    cap = play(scene, model, rules(batch=8))

    assert cap == 200
    assert model.sizes() == [2] * 8


def test_one_job_that_does_not_fit_fails_alone() -> None:
    async def scene(batcher: Batcher[Job, int], model: Model) -> list[object]:
        jobs = [Job(0, tokens=10), Job(1, tokens=1000), Job(2, tokens=10)]
        return list(await asyncio.gather(*(batcher.submit(j, j.number) for j in jobs), return_exceptions=True))

    found = play(scene, Model(room=100), rules())

    assert isinstance(found, list)
    assert (found[0], found[2]) == (0, 2)
    assert isinstance(found[1], MemoryError)


def test_a_job_that_cannot_be_prepared_fails_alone() -> None:
    def prepare(job: Job) -> int:
        if job.fails:
            raise ValueError("too long")
        return job.tokens

    async def scene(batcher: Batcher[Job, int], model: Model) -> list[object]:
        jobs = [Job(0), Job(1, fails=True), Job(2)]
        return list(await asyncio.gather(*(batcher.submit(j, j.number) for j in jobs), return_exceptions=True))

    model = Model()
    found = play(scene, model, Rules(8, 0.005, prepare))

    assert isinstance(found, list)
    assert (found[0], found[2], str(found[1])) == (0, 2, "too long")


def test_a_model_that_gives_too_few_results_fails_everybody() -> None:
    async def scene(batcher: Batcher[Job, int], model: Model) -> list[object]:
        batcher._work = lambda jobs: [1]
        return list(await asyncio.gather(*(batcher.submit(Job(n), n) for n in range(3)), return_exceptions=True))

    found = play(scene, Model(), rules(wait_s=0.02))

    assert isinstance(found, list)
    assert all(isinstance(one, RuntimeError) for one in found) or 1 in found


def test_closing_fails_those_who_wait_and_later_ones() -> None:
    async def scene(batcher: Batcher[Job, int], model: Model) -> None:
        first = asyncio.create_task(batcher.submit(Job(1), 0))
        while not model.entered.is_set():
            await asyncio.sleep(0)
        second = asyncio.create_task(batcher.submit(Job(2), 0))
        await asyncio.sleep(0)
        closing = asyncio.create_task(batcher.aclose())
        await asyncio.sleep(0)
        model.gate.set()
        await closing
        assert await first == 1
        with pytest.raises(Closed):
            await second
        with pytest.raises(Closed):
            await batcher.submit(Job(3))

    play(scene, Model(is_open=False), rules(batch=1))


def test_ten_thousand_arrivals_cancellations_and_failures_lose_and_cross_nothing() -> None:
    rng = Random(7)
    jobs = [
        Job(n, tokens=rng.randint(1, 400), group=rng.choice("abc"), fails=rng.random() < 0.1) for n in range(10_000)
    ]
    cancelled = {job.number for job in jobs if rng.random() < 0.15}
    outcomes: dict[int, object] = {}

    async def call(batcher: Batcher[Job, int], job: Job) -> None:
        for _ in range(rng.randint(0, 30)):
            await asyncio.sleep(0)
        try:
            outcomes[job.number] = await batcher.submit(job, rng.randint(0, 500))
        except asyncio.CancelledError:
            outcomes[job.number] = "cancelled"
            raise
        except (ValueError, MemoryError) as error:
            outcomes[job.number] = str(error)

    async def scene(batcher: Batcher[Job, int], model: Model) -> None:
        tasks: dict[int, asyncio.Task[None]] = {}
        for at in range(0, len(jobs), 500):
            batch = {job.number: asyncio.create_task(call(batcher, job)) for job in jobs[at : at + 500]}
            tasks |= batch
            for number in sorted(cancelled & batch.keys()):
                await asyncio.sleep(0)
                batch[number].cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)
        assert not batcher._queue

    model = Model(room=2000)  # memory runs out now and then
    play(scene, model, rules(batch=16, wait_s=0.0005))

    for job in jobs:
        found = outcomes.get(job.number, "never started")
        right = f"job {job.number}" if job.fails else job.number
        assert found == right or (job.number in cancelled and found in ("cancelled", "never started"))
    served = [job.number for batch in model.batches for job in batch]
    assert len(served) == len(set(served))


def test_threads_leave_a_core_and_are_one_on_a_busy_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(16)), raising=False)

    def at_load(load: float, share: float) -> int:
        monkeypatch.setattr("os.getloadavg", lambda: (load, 0.0, 0.0))
        return thread_count(share)

    assert (at_load(0.5, 1.0), at_load(17.0, 1.0)) == (4, 1)
    assert (at_load(9.0, 0.5), at_load(7.0, 0.5)) == (1, 4)
    monkeypatch.setenv("CI", "1")
    assert at_load(0.0, 1.0) == 1
