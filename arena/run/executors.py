"""Where a run's matches are played. Every executor is a function of a job and a writer, so another one can join.

`async`: in this process, one loop. `processes`: worker processes that this one starts afresh; each gets a share of the
plan's blocks and of the limits, and sends every unit here to be committed before it goes on. A worker that dies leaves
its matches open; `arena resume` plays them on.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

from arena.core.canonical import canonical
from arena.core.errors import ArenaError, UsageError
from arena.run.job import Job, Played, play_job
from arena.run.plan import Planned
from arena.run.players import Person
from arena.run.runner import More, Progress
from arena.run.settings import Limits
from arena.store.writer import Writer

Executor = Callable[[Job, Writer, Progress, Person | None, More | None], Coroutine[Any, Any, Played]]

_LINE = 64 << 20  # a unit is one line of JSON


async def run_async(
    job: Job, writer: Writer, progress: Progress, person: Person | None = None, more: More | None = None
) -> Played:
    return await play_job(job, writer.put, progress, person, more)


async def run_processes(
    job: Job, writer: Writer, progress: Progress, person: Person | None = None, more: More | None = None
) -> Played:
    if more is not None:
        raise UsageError(
            f"the schedule {job.settings.schedule['kind']!r} plays in one process", hint="--executor async"
        )
    workers = max(1, min(job.settings.workers, len({p.block for p in job.plan}) or 1))
    shares = _shares(job, workers)
    results = await asyncio.gather(*(_worker(share, writer, progress) for share in shares))
    worst = max(results, key=lambda played: _SEVERITY.index(played.status))
    return Played(worst.status, worst.message, tuple(row for played in results for row in played.models))


EXECUTORS: dict[str, Executor] = {"async": run_async, "processes": run_processes}
_SEVERITY = ("", "interrupted", "budget", "failed")


def _shares(job: Job, workers: int) -> list[Job]:
    """Whole blocks dealt out in turn; limits divided, so that together they are never exceeded."""
    plans: list[list[Planned]] = [[] for _ in range(workers)]
    for planned in job.plan:
        plans[(planned.block - 1) % workers].append(planned)
    limits = _divided(job.settings.limits, workers)
    settings = replace(job.settings, limits=limits)
    parts = [p for p in plans if p]
    return [replace(job, settings=settings, plan=tuple(p), spent_usd=job.spent_usd / workers) for p in parts]


def _divided(limits: Limits, n: int) -> Limits:
    return replace(
        limits,
        concurrency=max(1, (limits.concurrency or 64) // n),
        live_matches=max(1, limits.live_matches // n),
        budget_usd=None if limits.budget_usd is None else limits.budget_usd / n,
        tokens=None if limits.tokens is None else limits.tokens // n,
    )


async def _worker(job: Job, writer: Writer, progress: Progress) -> Played:
    """One worker process, to its end: its units are committed here and acknowledged."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "arena.run.worker",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LINE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(canonical(job.as_json()).encode() + b"\n")
    acknowledging: set[asyncio.Task[None]] = set()
    played = Played("failed", "a worker process died; `arena resume` plays its matches on")
    counts: dict[str, int] = {}
    async for line in process.stdout:
        message = json.loads(line)
        if "unit" in message:
            unit = [(name, tuple(values)) for name, values in message["rows"]]
            task = asyncio.create_task(_acknowledge(writer, unit, message["unit"], process.stdin))
            acknowledging.add(task)
            task.add_done_callback(acknowledging.discard)
        elif "counts" in message:
            for key, value in message["counts"].items():
                setattr(progress, key, getattr(progress, key) + value - counts.get(key, 0))
            counts = message["counts"]
        elif "say" in message:
            progress.say(message["say"])
        elif "error" in message:
            raise ArenaError(message["error"])
        elif "played" in message:
            played = Played(message["played"], message["message"], tuple(message["models"]))
    await asyncio.gather(*acknowledging)
    await process.wait()
    return played


async def _acknowledge(writer: Writer, unit: Any, number: int, to: asyncio.StreamWriter) -> None:
    await writer.commit(unit)
    to.write(f"{number}\n".encode())
    await to.drain()
