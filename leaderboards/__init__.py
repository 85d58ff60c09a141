"""Ratings, rankings and published boards: functions from a match table to a table with intervals.

Everything loads on first use, so that `import arena.leaderboards` brings neither scipy nor pandas.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

_PUBLIC = {
    "leaderboard": "arena.leaderboards.board",
    "Board": "arena.leaderboards.board",
    "Rated": "arena.leaderboards.rated",
    "Fit": "arena.leaderboards.fitting.fit",
}
_MODULES = ("alpharank", "behaviour", "board", "bt", "composite", "elo", "matches", "methods", "nash", "pl", "plain")
__all__ = [
    "Board", "Fit", "Rated", "alpharank", "behaviour", "board", "bt", "composite", "elo", "leaderboard",
    "matches", "methods", "nash", "pl", "plain",
]  # fmt: skip

if TYPE_CHECKING:
    from arena.leaderboards import (
        alpharank,
        behaviour,
        board,
        bt,
        composite,
        elo,
        matches,
        methods,
        nash,
        pl,
        plain,
    )
    from arena.leaderboards.board import Board, leaderboard
    from arena.leaderboards.fitting.fit import Fit
    from arena.leaderboards.rated import Rated


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    if name in _MODULES:
        return import_module(f"arena.leaderboards.{name}")
    raise AttributeError(f"module 'arena.leaderboards' has no attribute {name!r}")
