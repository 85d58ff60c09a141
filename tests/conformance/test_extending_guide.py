"""The guide to writing a game: the game on the page is built from the page and keeps every promise."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from arena.registry import ROOT
from arena.testing.conformance import CHECKS, check_game, presets_of
from arena.testing.golden import write_goldens

GUIDE = ROOT.parent / "docs" / "extending.md"
FENCE = re.compile(r"^```(python|jinja)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PLACE = re.compile(r"(?:# |\{# )(\S+)(?: #\})?\n")

pytestmark = pytest.mark.skipif(not GUIDE.is_file(), reason="the documentation is not part of the package")


def blocks() -> list[tuple[str, str]]:
    """Every code block of the guide: the file that it is, or "" for one to run, and its text."""
    found = []
    for _, text in FENCE.findall(GUIDE.read_text(encoding="utf-8")):
        place = PLACE.match(text)
        found.append((place.group(1), text[place.end() :]) if place else ("", text))
    return found


@pytest.fixture
def where(tmp_path: Path) -> Path:
    """A folder that holds the game of the guide."""
    for place, text in blocks():
        if place:
            (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / place).write_text(text, encoding="utf-8")
    return tmp_path


def test_the_game_of_the_guide_keeps_every_promise(where: Path) -> None:
    assert presets_of(f"{where}/coin") == [f"{where}/coin/default", f"{where}/coin/double"]
    check_game(f"{where}/coin")


def test_every_other_block_runs(where: Path) -> None:
    for place, text in blocks():
        if not place:
            done = subprocess.run([sys.executable, "-c", text], cwd=where, capture_output=True, text=True)
            assert done.returncode == 0, text + done.stderr


def test_the_golden_is_written_where_the_guide_says(where: Path) -> None:
    files = [file.relative_to(where).as_posix() for file in write_goldens([f"{where}/coin"])]

    assert files == ["coin/tests/golden/default-7.txt", "coin/tests/golden/double-7.txt"]


def test_the_table_of_checks_is_whole() -> None:
    listed = re.findall(r"^\| `(check_\w+)` \|", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)

    assert listed == [check.__name__ for check in CHECKS]
