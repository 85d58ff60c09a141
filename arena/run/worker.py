"""A worker process of the `processes` executor: a job on standard input, units on standard output, one JSON a line.

A unit's future is done when the parent's acknowledgement arrives, so the promises of the record hold here too.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import warnings
from concurrent.futures import Future
from itertools import count
from typing import Any, TextIO

from arena.core.errors import ArenaError
from arena.run.job import Job, play_job
from arena.run.progress import Progress
from arena.store.writer import Unit


class Pipe:
    """The parent, as something that commits units."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._lock = threading.Lock()
        self._numbers = count()
        self._waiting: dict[int, Future[None]] = {}

    def put(self, unit: Unit) -> Future[None]:
        done: Future[None] = Future()
        number = next(self._numbers)
        self._waiting[number] = done
        self.send({"unit": number, "rows": unit})
        return done

    def send(self, message: dict[str, Any]) -> None:
        with self._lock:
            self._out.write(json.dumps(message) + "\n")
            self._out.flush()

    def acknowledge_from(self, lines: TextIO) -> None:
        """Runs in a thread of its own until the parent closes the pipe."""
        for line in lines:
            done = self._waiting.pop(int(line))
            if done.set_running_or_notify_cancel():
                done.set_result(None)
        os._exit(130)  # the parent is gone: nothing more can be recorded


class _Reports:
    """What the parent is told of the progress; every word once."""

    def __init__(self, pipe: Pipe, progress: Progress) -> None:
        self._pipe, self._progress, self._said = pipe, progress, 0

    def send(self) -> None:
        progress = self._progress
        counts = {key: getattr(progress, key) for key in ("done", "void", "failed", "live")}
        self._pipe.send({"counts": counts, "models": progress.models(), "tallies": progress.tallies()})
        new, self._said = progress.events[self._said :], len(progress.events)
        for text in new:
            self._pipe.send({"say": text})

    async def send_always(self) -> None:
        while True:
            self.send()
            await asyncio.sleep(0.5)


async def _play(pipe: Pipe, job: Job) -> None:
    progress = Progress(planned=len(job.plan))
    reports = _Reports(pipe, progress)
    reporting = asyncio.create_task(reports.send_always())
    try:
        played = await play_job(job, pipe.put, progress)
    finally:
        reporting.cancel()
        reports.send()
    pipe.send({"played": played.status, "message": played.message, "models": list(played.models)})


def main() -> None:
    pipe = Pipe(os.fdopen(os.dup(1), "w"))
    os.dup2(2, 1)  # whatever a library prints goes to stderr, not between the units
    warnings.simplefilter("ignore", UserWarning)  # of a configuration: the parent, which made it too, has said them
    job = Job.from_json(json.loads(sys.stdin.readline()))
    threading.Thread(target=pipe.acknowledge_from, args=(sys.stdin,), daemon=True).start()
    try:
        asyncio.run(_play(pipe, job))
    except ArenaError as error:
        place = [error.match, error.turn, error.resume]
        pipe.send({"error": error.message, "kind": error.kind, "hint": error.hint, "place": place})


if __name__ == "__main__":
    main()
