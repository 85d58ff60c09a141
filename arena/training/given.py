"""What a person gave, judged before it is resolved: wrong types in a --config file, and what a run does not read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from arena.core.errors import UsageError
from arena.training.settings import TrainSettings

FORKING = ("fork-pairs", "lspo-pairs")  # the recipes that play forks
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


_READ_BY = {  # algorithm -> fields
    "grpo": (
        "rows num_generations num_iterations scale_rewards illegal_penalty rae_decay rae_start turn turn_weight "
        "tompo_alpha importance trust_region prune entropy_coef adaptive_entropy top_entropy entropy_smoothing adora "
        "filter_quantile"
    ),
    "dpo": "label_smoothing nash",
    "kto": "illegal_share",
}


_OF_RECIPES = {  # field -> the recipes that read it
    "delta": ("outcome",),
    "prompts": ("outcome", "winner-only"),
    "tompo_alpha": ("tompo",),
    "turn": ("turn",),
    "turn_weight": ("turn",),
    "rae_decay": ("rae", "spiral", "turn"),
    "rae_start": ("rae", "spiral", "turn"),
    "fork_k": FORKING,
    "fork_rollouts": FORKING,
    "fork_margin": ("fork-pairs",),
    "rollout_agent": FORKING,
}
_OF_OPPONENTS = {"meta": ("psro",), "pfsp": ("pfsp",), "pool": ("fsp", "pfsp", "psro")}


def unused(settings: TrainSettings, given: Collection[str]) -> list[str]:
    """What was set and changes nothing in this run, for people to know."""
    s, found = settings, list[str]()
    for algorithm, names in _READ_BY.items():
        if algorithm != s.algorithm:
            found += [f"{key} is for {algorithm}" for key in names.split() if key in given]
    said = {text.partition(" ")[0] for text in found}
    for words, chosen, kind in (
        (_OF_RECIPES, s.recipe, "the recipes"),
        (_OF_OPPONENTS, s.opponents, "--opponents"),
    ):
        for key, readers in words.items():
            if key in given and key not in said and chosen not in readers:
                found.append(f"{key} is for {kind} {', '.join(readers)}")
    if s.recipe == "turn":
        if "turn_weight" in given and s.params.turn == "return":
            found.append("turn_weight is for turn=mixed")
        found += [
            f"{key} is for turn=return"
            for key in ("rae_decay", "rae_start")
            if key in given and s.params.turn == "mixed"
        ]
    if s.algorithm == "grpo" and "overflow" in given:
        found.append("overflow is not used: rollouts of grpo are never cut or dropped")
    if "update" in given and len(s.roles) < 2:
        found.append("update is for several roles")
    if s.algorithm in ("sft", "grpo") and not s.beta and "reference" in given:
        found.append(f"--reference is not used: {s.algorithm} has no reference at beta 0")
    return found
