"""The same commands in other surroundings: no colour, no Unicode, nobody reading, and faults behind --json."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from arena.cli import main

TOURNAMENT = ["tournament", "kuhn", "--agents", "mock/legal,bot/tight", "--matches", "4", "--out", "r"]


def _child(words: list[str], cwd: Path, **environ: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "arena", *words]
    return subprocess.run(command, capture_output=True, cwd=cwd, check=False, env=os.environ | environ)


@pytest.mark.parametrize(
    "environ",
    [
        {"NO_COLOR": "1"},
        {"TERM": "dumb"},
        {"LANG": "C", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        {"PYTHONIOENCODING": "ascii"},
        {"PYTHONIOENCODING": "cp1252"},
        {"COLUMNS": "40", "LINES": "10"},
    ],
    ids=lambda e: "-".join(e),
)
def test_a_tournament_and_its_table_need_no_colour_no_unicode_and_no_width(
    environ: dict[str, str], tmp_path: Path
) -> None:
    played = _child(TOURNAMENT, tmp_path, **environ)
    shown = _child(["leaderboard", "r"], tmp_path, **environ)
    told = _child(["show", "r", "1"], tmp_path, **environ)

    for done in (played, shown, told):
        assert done.returncode == 0, done.stderr
        assert b"Traceback" not in done.stderr
        assert b"\x1b" not in done.stdout + done.stderr
    assert b"mock/legal" in shown.stdout


@pytest.mark.parametrize("words", [TOURNAMENT, [*TOURNAMENT, "--json"], ["play", "kuhn", "--agents", "bot/tight"]])
def test_a_closed_stdout_stops_the_printing_and_not_the_work(words: list[str], tmp_path: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    command = [sys.executable, "-m", "arena", *words]
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, cwd=tmp_path, check=False)
    os.close(write)

    assert b"Traceback" not in done.stderr
    assert b"Exception ignored" not in done.stderr
    assert done.returncode == 0, done.stderr
    if words[0] == "tournament":
        assert b"complete: 4 of 4 matches" in done.stderr


FAULTS = [
    "rate_limit",
    "overloaded",
    "server",
    "connection",
    "protocol",
    "refuse",
    "truncate",
    "illegal",
    "empty",
    "fence",
]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("command", ["play", "tournament"])
def test_json_is_one_document_under_every_fault(
    fault: str, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from tests.run.test_endpoints import at_once

    monkeypatch.setattr("arena.models.limiter.Clock.sleep", at_once)
    monkeypatch.chdir(tmp_path)
    words = [command, "kuhn", "--agents", f"mock/legal?{fault}=1,bot/tight", "--json", "--set", "void.passes=0"]

    with pytest.raises(SystemExit) as ended:
        main([*words, *(["--matches", "2", "--out", "r"] if command == "tournament" else [])])

    found = json.loads(capfd.readouterr().out)
    is_provider = fault in FAULTS[:5]
    whole = "done" if command == "play" else "complete"
    assert (ended.value.code, found["status"]) == ((3, "void") if is_provider else (0, whole))
