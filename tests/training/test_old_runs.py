"""Runs of an earlier release: what they froze is read as it was meant then."""

from __future__ import annotations

from pathlib import Path

import pytest

from arena.training.jsonfile import write_json
from arena.training.manifest import Manifest
from arena.training.settings import TrainSettings
from arena.training.setup import set_up

pytest.importorskip("trl")
pytestmark = pytest.mark.models


def test_a_report_without_the_word_kept_is_read(tmp_path: Path) -> None:
    from arena.training.loop import _Loop

    settings = TrainSettings("kto", "matrix/rps", "hf/tiny-random", 4, "x", str(tmp_path), "outcome", 1e-3)
    rows = [{"k": 1, "league": "league/x-k1", "promoted": True}]
    write_json(tmp_path / "report.json", {"iterations": rows, "champion": "league/x-k1"})
    manifest = Manifest(tmp_path)
    manifest.data["config_sha256"] = ""
    result = _Loop(set_up(tmp_path, settings), manifest)._result()

    assert result.message == "complete already: 1 of 1 policies promoted"
