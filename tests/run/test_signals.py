"""A run that is told to stop, at whatever moment: it says how to go on, and going on changes nothing."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from arena.cli.counted import plain_rows
from arena.run.api import result_of, resume
from arena.run.replayed import verify
from arena.store.reader import Reader
from tests.run.leftovers import record
from tests.run.playing import play, rows

CHILD = Path(__file__).with_name("signalled.py")
AGENTS = "mock/legal?seed=3,bot/loose"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The uninterrupted run."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    play(folder, AGENTS.split(","), game="leduc", matches=6, limits={"concurrency": 2})
    return folder


def _told(
    tmp_path: Path, phase: str, number: str = "SIGINT", times: int = 1, agents: str = AGENTS
) -> tuple[int, str, float]:
    """A tournament that was told to stop: exit code, stderr, and seconds."""
    words = ["tournament", "leduc", "--agents", agents, "--matches", "6", "--seed", "1", "--concurrency", "2"]
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, str(CHILD), phase, number, str(times), *words, "--out", "run", "--set", "void.passes=0"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    return done.returncode, done.stderr, time.monotonic() - started


def _goes_on(folder: Path, whole: Path) -> None:
    """The record is sound, and resuming gives the run that nobody interrupted, to the byte of its leaderboard."""
    with Reader(folder) as reader:
        assert reader.db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert list(verify(reader)) == []
    resume(folder)
    assert result_of(folder, "").status == "complete"
    assert _without_keys(folder) == _without_keys(whole)
    assert repr(plain_rows([folder])) == repr(plain_rows([whole]))
    with Reader(folder) as reader:
        assert list(verify(reader)) == []


def _without_keys(folder: Path) -> list[tuple[object, ...]]:
    """The record, without the keys of calls: they hold the run's own id."""
    keys = {r["call_key"] for r in rows(folder, "SELECT call_key FROM calls")}
    return sorted((tuple(v for v in row if v not in keys) for row in record(folder)), key=repr)


@pytest.mark.parametrize("phase", ["first", "flight", "before-commit", "after-commit"])
def test_an_interrupt_finishes_the_calls_in_flight_and_says_how_to_go_on(
    phase: str, tmp_path: Path, whole: Path
) -> None:
    code, err, _ = _told(tmp_path, phase)

    assert code == 130, err
    assert "press again to stop at once" in err
    assert "continue with: arena resume run" in err
    assert "Traceback" not in err
    _goes_on(tmp_path / "run", whole)


@pytest.mark.parametrize("number", ["SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("phase", ["flight", "before-commit"])
def test_other_signals_to_end_do_the_same(phase: str, number: str, tmp_path: Path, whole: Path) -> None:
    code, err, _ = _told(tmp_path, phase, number)

    assert code == 130, err
    assert "continue with: arena resume run" in err
    _goes_on(tmp_path / "run", whole)


def test_the_calls_in_flight_are_kept(tmp_path: Path) -> None:
    _told(tmp_path, "flight")

    assert len(rows(tmp_path / "run", "SELECT * FROM calls")) >= 3


def test_an_interrupt_before_the_first_request_leaves_a_run_that_can_be_resumed(tmp_path: Path, whole: Path) -> None:
    code, err, _ = _told(tmp_path, "plan")

    assert code == 130, err
    assert "Traceback" not in err
    assert rows(tmp_path / "run", "SELECT * FROM calls") == []
    _goes_on(tmp_path / "run", whole)


def test_a_second_interrupt_does_not_wait_for_a_call_that_hangs(tmp_path: Path, whole: Path) -> None:
    code, err, seconds = _told(tmp_path, "hang", times=2)

    assert code == 130, err
    assert seconds < 8, "the first interrupt alone gives calls in flight ten seconds"
    assert "continue with: arena resume run" in err
    assert "Traceback" not in err
    _goes_on(tmp_path / "run", whole)


def test_an_interrupt_during_back_off_does_not_wait_for_its_end(tmp_path: Path) -> None:
    agents = "mock/legal?rate_limit=@3&retry_after=60s,bot/loose"

    code, err, seconds = _told(tmp_path, "backoff", agents=agents)

    assert code == 130, err
    assert seconds < 8
    assert "continue with: arena resume run" in err
    with Reader(tmp_path / "run") as reader:
        assert list(verify(reader)) == []
    assert not rows(tmp_path / "run", "SELECT * FROM turns WHERE fallback=1")


def test_an_interrupt_after_the_last_commit_finds_a_complete_run(tmp_path: Path, whole: Path) -> None:
    code, err, _ = _told(tmp_path, "end")

    assert code == 130, err
    assert "Traceback" not in err
    assert result_of(tmp_path / "run", "").status == "complete"
    _goes_on(tmp_path / "run", whole)


def test_an_interrupted_resume_can_be_resumed(tmp_path: Path, whole: Path) -> None:
    _told(tmp_path, "flight")

    words = [sys.executable, str(CHILD), "flight", "SIGINT", "1", "resume", "run"]
    again = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert again.returncode == 130, again.stderr
    _goes_on(tmp_path / "run", whole)


def test_workers_are_told_too(tmp_path: Path) -> None:
    """The parent takes the signal when the first call is to be written, and passes it on."""
    agents = "mock/legal?latency=200ms,bot/loose"
    words = ["tournament", "leduc", "--agents", agents, "--matches", "8", "--concurrency", "2", "--out", "run"]
    command = [sys.executable, str(CHILD), "before-commit", "SIGINT", "1", *words, "--executor", "processes"]

    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert done.returncode == 130, done.stderr
    assert "the workers finish the calls in flight" in done.stderr
    assert "continue with: arena resume run" in done.stderr
    assert resume(tmp_path / "run").status == "complete"
    with Reader(tmp_path / "run") as reader:
        assert list(verify(reader)) == []
