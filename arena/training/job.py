"""One training stage as plain JSON: all that the child process is told. It reads no other file of the run's set-up."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from math import ceil
from pathlib import Path
from typing import Any

from arena.training.settings import GRPO_STEPS, Params


@dataclass(frozen=True)
class StageJob:
    """`folder` is the policy's folder of this iteration (dataset.jsonl in, adapter/ and metrics.jsonl out). `init` and
    `initial` are adapter folders, None = the base alone. `weights` are KTO's (desirable, undesirable)."""

    algorithm: str
    folder: str
    base: str  # folder of the base model
    base_name: str  # as the user wrote it
    init: str | None
    initial: str | None
    reference: str
    losses: tuple[str, ...]
    beta: float
    lr: float
    steps: int | None
    seed: int
    device: str
    k: int
    params: Mapping[str, Any]
    max_length: int | None = None
    weights: tuple[float, float] = (1.0, 1.0)
    rollout: Mapping[str, Any] = field(default_factory=dict)  # grpo: what the rollout engine is told

    @property
    def path(self) -> Path:
        return Path(self.folder)

    @property
    def options(self) -> Params:
        return Params.make(self.params)

    def steps_on(self, rows: int) -> int:
        """How many steps the trainer takes, unless it ends early: one epoch where none are asked for."""
        if self.steps is not None:
            return self.steps
        p = self.options
        return GRPO_STEPS if self.algorithm == "grpo" else ceil(ceil(rows / p.batch) / p.accumulation)

    def write(self) -> None:
        part = self.path / ".job.json.part"
        part.write_text(json.dumps(asdict(self), indent=1, sort_keys=True, ensure_ascii=False), "utf-8")
        part.replace(self.path / "job.json")

    @classmethod
    def read(cls, folder: Path) -> StageJob:
        data = json.loads((folder / "job.json").read_text("utf-8"))
        return cls(**data | {key: tuple(data[key]) for key in ("losses", "weights")})
