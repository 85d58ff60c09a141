"""metrics.jsonl: one object an optimiser step, numbers only. A resumed training goes on after its checkpoint's step."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


class Recorder:
    """Appends; what a killed process wrote after its last checkpoint is cut off first."""

    def __init__(self, path: Path, k: int, resumed_at: int = 0) -> None:
        self._path, self._k = path, k
        kept = [m for m in read_metrics(path) if m["step"] <= resumed_at]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(m, sort_keys=True) + "\n" for m in kept))
        self._since = time.monotonic()

    def add(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        """A step's numbers; what is not finite becomes text, since JSON has no word for it."""
        now = time.monotonic()
        found: dict[str, Any] = {"k": self._k, "step": int(entry["step"]), "seconds": round(now - self._since, 4)}
        self._since = now
        for key, value in entry.items():
            if key in ("step", "epoch") or not isinstance(value, int | float):
                continue
            key = "tokens" if key == "num_tokens" else key
            found[key] = value if math.isfinite(value) else str(value)
        with self._path.open("a") as file:
            file.write(json.dumps(found, sort_keys=True) + "\n")
        return found


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """The whole lines of the file."""
    found = []
    if path.is_file():
        for line in path.read_text().splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:  # the last line of a process that was killed
                break
    return found


def rows_to_come(path: Path) -> Callable[[], list[dict[str, Any]]]:
    """What a trainer that is about to start will have written: nothing until it has taken up the file, of which a
    resumed one keeps the steps before its checkpoint."""

    def written() -> int | None:
        return path.stat().st_mtime_ns if path.is_file() else None

    before = written()
    return lambda: read_metrics(path) if written() != before else []
