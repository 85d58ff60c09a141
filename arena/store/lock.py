"""One writer per run: an advisory lock on RUN/run.lock, which names its holder.

The kernel lets the lock go when the process ends, however it ends, so a stale file never blocks anybody.
"""

from __future__ import annotations

import fcntl
import json
import os
import socket
import time
from pathlib import Path
from typing import IO

from arena.core.errors import StoreError


class RunLock:
    def __init__(self, folder: Path) -> None:
        self._file: IO[str] = (folder / "run.lock").open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.seek(0)
            holder = self._file.read()
            self._file.close()
            raise StoreError(
                f"{folder} is being written by another process {_described(holder)}",
                hint="wait for it to end, or stop it",
            ) from error
        self._file.truncate(0)
        json.dump({"pid": os.getpid(), "host": socket.gethostname(), "since_ms": int(time.time() * 1000)}, self._file)
        self._file.flush()

    def release(self) -> None:
        self._file.truncate(0)
        self._file.close()


def _described(holder: str) -> str:
    try:
        found = json.loads(holder)
        return f"(pid {found['pid']} on {found['host']})"
    except (ValueError, KeyError, TypeError):
        return "(unknown)"
