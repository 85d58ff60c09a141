"""JSON files of a run: whole or not at all, the same value always the same bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from arena.core.errors import StoreError


def write_json(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_text(json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8")
    part.replace(path)


def read_json(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise StoreError(f"{path} is missing", hint="`arena resume` makes it again") from error
    except ValueError as error:
        raise StoreError(f"{path} is not readable JSON") from error
    return found
