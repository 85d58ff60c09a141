"""Running `arena` as a user does: another process, a working folder of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

ARENA = "from arena.cli import main; main()"


class Ended(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def environment(home: Path) -> dict[str, str]:
    return {
        **os.environ,
        "ARENA_LEAGUE": str(home / "league"),
        "ARENA_CACHE": "off",
        "OMP_NUM_THREADS": "1",
        "HF_HUB_OFFLINE": "1",
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
    }


def begin(home: Path, *words: str, program: str = ARENA) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program, *words],
        cwd=home,
        env=environment(home),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process: subprocess.Popen[str]) -> Ended:
    out, err = process.communicate(timeout=600)
    return Ended(process.returncode, out, err)


def arena(home: Path, *words: str) -> Ended:
    return end(begin(home, *words))


def resume(home: Path, folder: str) -> Ended:
    return arena(home, "resume", folder, "--json", "--display", "quiet")


def here(*words: str) -> tuple[int, str]:
    """A command in this process: its exit code, and all that it said."""
    import arena.cli as cli

    code, said = 0, io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            cli.main([*words])
    except SystemExit as end:
        code = int(end.code or 0)
    return code, said.getvalue()


def train_here(*words: str) -> tuple[int, str]:
    return here("train", *words, "--out", "runs/x")
