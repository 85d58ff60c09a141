"""Matches are found by their number; who asks for another is told which there are."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from arena.core.errors import UsageError
from arena.store.reader import Reader
from arena.store.writer import create_run
from tests.run.playing import play


def _answer(folder: Path, number: str) -> str:
    with Reader(folder) as reader, pytest.raises(UsageError) as caught:
        reader.find_match(number)
    return caught.value.message.rpartition("; ")[2]


def test_a_run_without_matches_says_so(tmp_path: Path) -> None:
    create_run(tmp_path / "run").close()

    assert _answer(tmp_path / "run", "1") == "it has none yet"


def test_the_numbers_there_are_are_named_and_gaps_between_them(tmp_path: Path) -> None:
    play(tmp_path, ["bot/tight", "bot/loose"], matches=4)
    assert _answer(tmp_path, "9") == "it has matches 1 to 4"

    with sqlite3.connect(tmp_path / "run.sqlite") as db:  # as in training, whose stages number apart
        db.execute("UPDATE matches SET match_id = 1000001 WHERE match_id = 4")
    gaps = "and not every number between: `arena show` lists them"
    assert _answer(tmp_path, "9") == f"it has matches 1 to 1000001, {gaps}"
