"""A merge that is stopped in the middle: nothing calls itself a run, the shards are as they were, and again works."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from arena.core.errors import StoreError
from arena.run.api import run_hash
from arena.store.merge import merge
from arena.store.reader import Reader
from arena.store.schema import FILE
from tests.run.playing import play

STOPPED = """
    import os, signal, sys
    from arena.cli import main
    from arena.store import merge

    union = merge._union
    def stopped(*words):
        os.kill(os.getpid(), signal.Signals[sys.argv[1]])
        return union(*words)
    merge._union = stopped
    main(["merge", "s1", "s2", "--out", "whole"])
"""


@pytest.mark.parametrize(("number", "code"), [("SIGINT", 130), ("SIGTERM", -15), ("SIGKILL", -9)])
def test_a_merge_that_is_stopped_leaves_no_half_run(number: str, code: int, tmp_path: Path) -> None:
    agents = ["mock/legal", "bot/tight"]
    for i in (1, 2):
        play(tmp_path / f"s{i}", agents, matches=8, executor={"shard": f"{i}/2"})
    uncut = play(tmp_path / "uncut", agents, matches=8)
    before = [(tmp_path / f"s{i}" / FILE).read_bytes() for i in (1, 2)]

    words = [sys.executable, "-c", textwrap.dedent(STOPPED), number]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    with pytest.raises(StoreError, match="holds no run"):
        Reader(tmp_path / "whole")
    assert [(tmp_path / f"s{i}" / FILE).read_bytes() for i in (1, 2)] == before
    merge([tmp_path / "s1", tmp_path / "s2"], tmp_path / "whole")
    with Reader(tmp_path / "whole") as reader:
        assert run_hash(reader) == uncut.run_hash
