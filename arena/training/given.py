"""What a person gave, judged before it is resolved: wrong types in a --config file, and what a run does not read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from arena.core.errors import UsageError
from arena.training.settings import TrainSettings

_LEAST = {"iterations": 1, "matches": 1, "eval_matches": 1, "steps": 1, "seed": 0}
_NUMBERS = ("lr", "budget")


def check_types(values: Mapping[str, Any], where: str) -> None:
    """Stop on values of a --config file that no flag would have taken."""
    for key, value in values.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if key in _LEAST and not (isinstance(value, int) and is_number and value >= _LEAST[key]):
            raise UsageError(f"{where}: {key} must be a whole number from {_LEAST[key]} up, not {value!r}")
        if key in _NUMBERS and not (is_number and value >= 0):
            raise UsageError(f"{where}: {key} must be a number from 0 up, not {value!r}")
        if key in ("set", "params") and not isinstance(value, Mapping):
            raise UsageError(f"{where}: {key} must be a table, not {value!r}")
        if key == "roles" and not isinstance(value, str | list):
            raise UsageError(f"{where}: roles must be a list of names, not {value!r}")
        if key not in (*_LEAST, *_NUMBERS, "set", "params", "roles") and not isinstance(value, str):
            raise UsageError(f"{where}: {key} must be text, not {value!r}")


_READ_BY = {
    "grpo": (
        "rows num_generations num_iterations scale_rewards illegal_penalty rae_decay rae_start turn turn_weight "
        "tompo_alpha importance trust_region prune entropy_coef adaptive_entropy top_entropy entropy_smoothing adora "
        "filter_quantile"
    ),
    "dpo": "label_smoothing nash",
    "kto": "illegal_share",
}


def unused(settings: TrainSettings, given: Collection[str]) -> list[str]:
    """What was set and changes nothing in this run, for people to know."""
    found = []
    for algorithm, names in _READ_BY.items():
        if algorithm != settings.algorithm:
            found += [f"{key} is for {algorithm}" for key in names.split() if key in given]
    if settings.recipe not in ("fork-pairs", "lspo-pairs"):
        own = ["fork_k", "fork_rollouts", "fork_margin", "rollout_agent"]
        found += [f"{key} is for recipes that play forks" for key in own if key in given]
    if settings.algorithm in ("sft", "grpo") and not settings.beta and "reference" in given:
        found.append(f"--reference is not used: {settings.algorithm} has no reference at beta 0")
    return found
