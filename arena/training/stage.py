"""The train stage's own process: `python -m arena.training.stage FOLDER`, FOLDER holding job.json.

A process of its own, because the thread counts of torch must stand in the environment before it is imported, and
because only the end of a process gives all memory back. Exit codes: 0 trained, 2 wrong input, 5 a health rule.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from arena.core.errors import ArenaError, UsageError
from arena.core.text import one_line

ENVIRONMENT = {
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
    "TRL_EXPERIMENTAL_SILENCE": "1",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "TQDM_DISABLE": "1",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
}
FAULT = "fault.json"


class Unhealthy(ArenaError, RuntimeError):
    """A health rule stopped the training."""

    kind = "health"


class StageFailed(ArenaError, RuntimeError):
    """The training process ended without a policy."""

    kind = "train"


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """What the process starts with. One device: with several in sight the trainer would split batches over them, and
    our rollouts are of one process."""
    first = given.get("CUDA_VISIBLE_DEVICES", "0").partition(",")[0]
    return {**ENVIRONMENT, **given, "CUDA_VISIBLE_DEVICES": first}


def run_stage(folder: Path) -> None:
    """Train in a child process, to its end; its log is FOLDER/train.log."""
    (folder / FAULT).unlink(missing_ok=True)
    curves = {"TENSORBOARD_LOGGING_DIR": str(folder / "tensorboard"), "WANDB_DIR": str(folder)}
    env = environment(curves | os.environ)
    with (folder / "train.log").open("ab") as log:
        command = [sys.executable, "-m", "arena.training.stage", str(folder)]
        process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            code = process.wait()
        except BaseException:  # an interrupt: the child stops at its last checkpoint
            process.terminate()
            process.wait()
            raise
    if code == 0:
        return
    fault = json.loads((folder / FAULT).read_text()) if (folder / FAULT).is_file() else {}
    message = str(fault.get("message") or _ended(code, folder))
    if fault.get("kind") == "health":
        raise Unhealthy(message, hint=f"see {folder / 'metrics.jsonl'}")
    if fault.get("kind") in ("usage", "config"):
        raise UsageError(message, hint=fault.get("hint"))
    raise StageFailed(message, hint=f"its log is {folder / 'train.log'}")


def _ended(code: int, folder: Path) -> str:
    """What is known of an end that the process did not tell itself."""
    if code == -signal.SIGKILL:
        return "the training process was killed, as a system does that is out of memory (a smaller batch needs less)"
    return f"the training process ended with code {code}: {_last_line(folder)}"


def _last_line(folder: Path) -> str:
    """What the process said last: of a traceback, the error."""
    lines = (folder / "train.log").read_text("utf-8", "replace").strip().splitlines()
    return one_line(lines[-1])[:300] if lines else "it said nothing"


def main(folder: Path) -> int:
    from arena.training.adapters.trl_1_16 import train
    from arena.training.job import StageJob

    try:
        train(StageJob.read(folder))
    except ArenaError as error:
        fault = {"kind": error.kind, "message": error.message, "hint": error.hint}
        (folder / FAULT).write_text(json.dumps(fault))
        return 5 if isinstance(error, Unhealthy) else 2 if isinstance(error, UsageError) else 1
    return 0


def alone(folder: Path) -> IO[str]:
    """Wait until no other process trains in this folder, and end with the process that asked for the training: a parent
    that was killed must not leave behind a child that writes beside its successor's."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()
    lock = (folder / "stage.lock").open("a+")
    fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


if __name__ == "__main__":
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    lock = alone(Path(sys.argv[1]))
    from arena.training import stage  # by its full name, so that its errors are the ones that adapters raise

    sys.exit(stage.main(Path(sys.argv[1])))
