"""The boards that this repository publishes hold: their match files give them again, page and charts included."""

from __future__ import annotations

from pathlib import Path

import pytest

from arena.leaderboards.board import check

PUBLISHED = Path(__file__).parents[2] / "leaderboards" / "published"
BOARDS = sorted(path.parent for path in PUBLISHED.glob("*/meta.json"))


def test_there_is_a_published_board() -> None:
    assert BOARDS


@pytest.mark.parametrize("folder", BOARDS, ids=lambda path: path.name)
def test_a_published_board_holds(folder: Path) -> None:
    assert check(folder) == []
