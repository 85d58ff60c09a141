"""RUN/manifest.json: which stage ran when, on which inputs, to which outputs. What resume goes by.

A stage is done when its entry says so, its inputs have the same hashes now, and its outputs still have theirs. The
file is replaced as a whole after an fsync, so it is always one state or the next.
"""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import arena
from arena.core.errors import StoreError
from arena.training.league import file_hash

NAME = "manifest.json"
_PACKAGES = ("trl", "peft", "transformers", "torch", "datasets", "accelerate")


class Manifest:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = folder / NAME
        if path.is_file():
            try:
                self.data: dict[str, Any] = json.loads(path.read_text("utf-8"))
            except ValueError as error:
                raise StoreError(f"{path} is not readable JSON") from error
        else:
            self.data = {"kind": "training", "run_id": secrets.token_hex(16), "stages": []}

    @property
    def run_id(self) -> str:
        return str(self.data["run_id"])

    def start(self, config_sha256: str, facts: Mapping[str, Any]) -> None:
        """What the run is, written once."""
        self.data |= {"config_sha256": config_sha256, "versions": versions(), **facts}
        self._write()

    def is_done(self, k: int, stage: str, inputs: Mapping[str, str], outputs_now: Mapping[str, str]) -> bool:
        """Whether a stage can be skipped. `outputs_now` holds the hashes of outputs that are no files."""
        entry = self._entry(k, stage)
        if entry is None or entry["state"] != "done" or entry["inputs"] != dict(inputs):
            return False
        for name, sha256 in entry["outputs"].items():
            if name in outputs_now:
                if outputs_now[name] != sha256:
                    return False
            elif not (self.folder / name).is_file() or file_hash(self.folder / name) != sha256:
                return False
        return True

    def running(self, k: int, stage: str, inputs: Mapping[str, str]) -> None:
        entry = self._entry(k, stage)
        if entry is None:
            entry = {"k": k, "stage": stage}
            self.data["stages"].append(entry)
        started = {"state": "running", "inputs": dict(inputs), "outputs": {}, "started": _now(), "pid": os.getpid()}
        entry |= started
        self._write()

    def done(self, k: int, stage: str, outputs: Mapping[str, str]) -> None:
        self._close(k, stage, {"state": "done", "outputs": dict(outputs), "ended": _now()})

    def failed(self, k: int, stage: str, reason: str) -> None:
        self._close(k, stage, {"state": "failed", "reason": reason, "ended": _now()})

    def _entry(self, k: int, stage: str) -> dict[str, Any] | None:
        return next((e for e in self.data["stages"] if (e["k"], e["stage"]) == (k, stage)), None)

    def _close(self, k: int, stage: str, facts: Mapping[str, Any]) -> None:
        entry = self._entry(k, stage)
        assert entry is not None
        entry |= facts
        self._write()

    def _write(self) -> None:
        part = self.folder / f".{NAME}.part"
        with part.open("w", encoding="utf-8") as file:
            json.dump(self.data, file, indent=1, sort_keys=True, ensure_ascii=False)
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.folder / NAME)


def versions() -> dict[str, str]:
    found = {"arena": arena.__version__}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
