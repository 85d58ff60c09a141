"""A training run that comes from somebody else: going on with it runs no code that its user never played."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from arena.core.errors import UsageError
from arena.training import loop
from arena.training.settings import TrainSettings, to_toml


def test_the_game_folder_of_a_foreign_training_run_is_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARENA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    game, run = tmp_path / "evil", tmp_path / "run"
    game.mkdir()
    (game / "game.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n")
    settings = TrainSettings(
        "kto", str(game), "hf/tiny-random", 1, "evil", str(tmp_path / "league"), "outcome", 1e-4, home=str(tmp_path)
    )
    run.mkdir()
    (run / loop.CONFIG).write_text(to_toml(settings))
    (run / "manifest.json").write_text(json.dumps({"config_sha256": settings.sha256(), "stages": {}}))

    with pytest.raises(UsageError, match="was never played here"):
        loop.resume(run)
    assert not (tmp_path / "ran").exists()
