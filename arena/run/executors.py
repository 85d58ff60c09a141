"""Where a run's matches are played. Every executor is a function of a job and a writer, so another one can join.

`async`: in this process, one loop. `processes`: worker processes that this one starts afresh; each gets a share of the
plan's blocks and of the limits, and sends every unit here to be committed before it goes on. A worker that dies leaves
its matches open; `arena resume` plays them on.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import suppress
from dataclasses import replace
from typing import Any

from arena.core.canonical import canonical
from arena.core.errors import ArenaError, StoreError, UsageError
from arena.models.limiter import DEFAULT_CAP
from arena.run.job import Job, Played, listen, play_job
from arena.run.plan import Planned
from arena.run.players import Person
from arena.run.progress import Progress, joined_models, joined_tallies
from arena.run.runner import More
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
    assert more is None  # a schedule that looks at results plays in one process
    if not job.plan:
        return Played("")
    shares = shares_of(job)
    children: list[asyncio.subprocess.Process] = []
    reports: dict[int, dict[str, Any]] = {}
    progress.models = lambda: joined_models(report["models"] for report in reports.values())
    progress.tallies = lambda: joined_tallies(report["tallies"] for report in reports.values())
    progress.spent_usd, progress.budget_usd = job.spent_usd, job.settings.limits.budget_usd
    restore = listen(lambda: _forward(children, progress))
    playing = [asyncio.ensure_future(_worker(share, writer, progress, children, reports)) for share in shares]

    def end_others(done: asyncio.Future[Played]) -> None:
        if not done.cancelled() and done.exception() is not None:  # softly: what they have in flight is kept
            _forward(children, progress)

    for task in playing:
        task.add_done_callback(end_others)
    try:
        ended = await asyncio.gather(*playing, return_exceptions=True)
    except BaseException:
        for child in children:
            if child.returncode is None:
                child.kill()
        raise
    finally:
        restore()
    for problem in ended:
        if isinstance(problem, BaseException):
            raise problem
    results = [played for played in ended if isinstance(played, Played)]
    worst = max(results, key=lambda played: _SEVERITY.index(played.status))
    return Played(worst.status, worst.message, tuple(row for played in results for row in played.models))


EXECUTORS: dict[str, Executor] = {"async": run_async, "processes": run_processes}
_SEVERITY = ("", "interrupted", "budget", "failed")


def shares_of(job: Job) -> list[Job]:
    """A job for each worker: whole blocks dealt out in turn; limits divided, never to be exceeded together."""
    at_once = job.settings.limits.concurrency or max(1, DEFAULT_CAP // job.share)
    workers = max(1, min(job.settings.workers, at_once, len({p.block for p in job.plan})))
    blocks = {block: number for number, block in enumerate(dict.fromkeys(p.block for p in job.plan))}
    plans: list[list[Planned]] = [[] for _ in range(workers)]
    for planned in job.plan:
        plans[blocks[planned.block] % workers].append(planned)
    settings = replace(job.settings, limits=job.settings.limits.divided(workers))
    usd, tokens = job.spent_usd / workers, job.spent_tokens // workers
    share = replace(job, settings=settings, spent_usd=usd, spent_tokens=tokens, share=job.share * workers)
    return [replace(share, plan=tuple(p)) for p in plans]


def _forward(children: list[asyncio.subprocess.Process], progress: Progress) -> None:
    """An interrupt is every worker's: each ends as the one process of a run would."""
    progress.say("the workers finish the calls in flight; press again to stop at once")
    for child in children:
        if child.returncode is None:
            child.send_signal(signal.SIGINT)


async def _worker(
    job: Job,
    writer: Writer,
    progress: Progress,
    children: list[asyncio.subprocess.Process],
    reports: dict[int, dict[str, Any]],
) -> Played:
    """One worker process, to its end: its units are committed here and acknowledged."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "arena.run.worker",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=_LINE,
        start_new_session=True,  # a Ctrl-C reaches it through this process, once
    )
    children.append(process)
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(canonical(job.as_json()).encode() + b"\n")
    acknowledging: set[asyncio.Task[None]] = set()
    trouble: list[BaseException] = []

    def acknowledged(done: asyncio.Task[None]) -> None:
        acknowledging.discard(done)
        if (error := done.exception()) is not None:  # nothing can be kept any more
            trouble.append(error)
            with suppress(ProcessLookupError):
                process.kill()

    played = Played("failed", "a worker process died; `arena resume` plays its matches on")
    counts: dict[str, int] = {}
    async for line in process.stdout:
        message = json.loads(line)
        if "unit" in message:
            unit = [(name, tuple(values)) for name, values in message["rows"]]
            task = asyncio.create_task(_acknowledge(writer, unit, message["unit"], process.stdin))
            acknowledging.add(task)
            task.add_done_callback(acknowledged)
        elif "counts" in message:
            for key, value in message["counts"].items():
                setattr(progress, key, getattr(progress, key) + value - counts.get(key, 0))
            counts = message["counts"]
            reports[process.pid] = message
        elif "say" in message:
            progress.say(message["say"])
        elif "error" in message:
            fault = {"usage": UsageError, "store": StoreError}.get(message["kind"], ArenaError)
            error = fault(message["error"], hint=message["hint"])
            error.match, error.turn, error.resume = message["place"]
            trouble.append(error)
        elif "played" in message:
            played = Played(message["played"], message["message"], tuple(message["models"]))
    await asyncio.gather(*acknowledging, return_exceptions=True)
    await process.wait()
    if trouble:
        raise trouble[0]
    if played.message:
        progress.say(played.message)
    return played


async def _acknowledge(writer: Writer, unit: Any, number: int, to: asyncio.StreamWriter) -> None:
    await writer.commit(unit)
    to.write(f"{number}\n".encode())
    await to.drain()
