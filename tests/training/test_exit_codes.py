"""How a training run ends for whoever started it: exit codes, and the last document on stdout."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("trl")
pytestmark = pytest.mark.models

from arena.models.types import BudgetReached  # noqa: E402
from arena.training.play import VoidMatches  # noqa: E402
from arena.training.stage import StageFailed, Unhealthy, run_stage  # noqa: E402

WORDS = ["train", "kto", "--game", "matrix/rps", "--model", "hf/tiny-random", "--out", "x", "--display", "quiet"]


def train(monkeypatch: pytest.MonkeyPatch, home: Path, error: BaseException | None, *words: str) -> int:
    """`arena train` with a loop that ends so."""
    import arena.cli as cli
    from arena.training import loop

    def start(*_: Any, **__: Any) -> loop.TrainResult:
        if error is not None:
            raise error
        return loop.TrainResult("x", (), "league/x-k0", "complete: 0 of 1 policies promoted")

    monkeypatch.setattr(loop, "start", start)
    monkeypatch.chdir(home)
    try:
        cli.main([*WORDS, *words])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, 0),  # also when nothing was promoted
        (VoidMatches("2 of 4 matches did not finish"), 3),
        (BudgetReached("the budget of this run is used up"), 4),
        (Unhealthy("the loss is nan in step 3"), 5),
        (KeyboardInterrupt(), 130),
    ],
)
def test_every_end_has_its_exit_code(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: BaseException | None, code: int
) -> None:
    assert train(monkeypatch, tmp_path, error) == code


def test_a_stop_says_why_and_how_to_go_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(monkeypatch, tmp_path, Unhealthy("the loss is nan in step 3"), "--json")
    (said, talk) = capsys.readouterr()

    assert json.loads(said)["error"]["code"] == 5
    assert json.loads(said)["error"]["message"] == "the loss is nan in step 3"
    assert json.loads(said)["error"]["resume"] == "arena resume x"
    assert "stopped: the loss is nan in step 3" in talk


def test_an_interrupt_says_how_to_go_on_where_something_was_begun(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(monkeypatch, tmp_path, KeyboardInterrupt())
    unbegun = capsys.readouterr().err
    (tmp_path / "x").mkdir()
    for name in ("manifest.json", "config.toml"):
        (tmp_path / "x" / name).touch()
    train(monkeypatch, tmp_path, KeyboardInterrupt())

    assert "arena resume" not in unbegun
    assert "interrupted; arena resume x goes on" in capsys.readouterr().err


def test_a_run_that_promoted_nobody_says_so(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    train(monkeypatch, tmp_path, None, "--json")
    (said, talk) = capsys.readouterr()

    assert json.loads(said) == {"run": "x", "iterations": [], "champion": "league/x-k0"}
    assert "0 of 1 policies promoted" in talk


@pytest.mark.parametrize(
    ("program", "says"),
    [
        (
            "import os; os.kill(os.getpid(), 9)",
            "the training process was killed, as a system does that is out of memory",
        ),
        ("raise SystemExit('it broke')", "the training process ended with code 1: it broke"),
    ],
)
def test_a_training_process_that_told_nothing_is_told_by_its_end(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, program: str, says: str
) -> None:
    def popen(command: list[str], **how: Any) -> subprocess.Popen[bytes]:
        return real([command[0], "-c", program], **how)

    real = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", popen)

    with pytest.raises(StageFailed, match=says):
        run_stage(tmp_path)
