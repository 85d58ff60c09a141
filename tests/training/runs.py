"""A training run that is set up and not begun."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from arena.training.settings import Params, TrainSettings
from arena.training.setup import Run, set_up


def run(tmp_path: Path, opponents: str, game: str = "matrix/rps", **changed: Any) -> Run:
    params = Params.make({"batch": 8, **changed.pop("params", {})})
    settings = TrainSettings(
        algorithm=changed.pop("algorithm", "kto"),
        game=game,
        model="hf/tiny-random",
        seed=4,
        league="x",
        league_folder=str(tmp_path / "league"),
        recipe=changed.pop("recipe", "outcome"),
        lr=1e-3,
        opponents=opponents,
        params=params,
        **changed,
    )
    return set_up(tmp_path / "run", settings)
