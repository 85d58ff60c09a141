"""What tests read of a board."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from arena.leaderboards import Board, board


def meta_of(found: Board) -> Any:
    """The meta as it is published."""
    return json.loads(board._json(found.meta))


def rows(content: str) -> list[dict[str, str]]:
    """The rows of a CSV file as they stand there."""
    return list(csv.DictReader(io.StringIO(content)))
