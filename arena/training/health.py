"""When training must stop: rules on the numbers of single steps, as functions of what was seen so far.

Non-finite loss or gradient; a gradient of 0 for 3 steps in which groups differed, or groups without any spread for 10,
while the mean reward is below 0.98 (from there on 3 steps without a gradient are convergence and end well); entropy
below 0.05 nats while the reward falls for 10 steps; more than half of the long answers mostly one repeated 4-gram; more
than a tenth of the rollouts void.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from arena.core.errors import ArenaError
from arena.training.stage import Unhealthy

__all__ = ["Converged", "Unhealthy", "Watch", "is_repetitive", "warnings"]

Verdict = Literal["go on", "converged", "stop"]

CONVERGED = 0.98
_FLAT_GRADIENT, _FLAT_GROUPS, _COLLAPSE = 3, 10, 10
_LEAST_ENTROPY = 0.05
_ROUNDING = 1e-6  # of rewards between 0 and 1
_LONG = 20  # tokens from which an answer counts as long


class Converged(ArenaError, RuntimeError):
    """There is nothing left to learn from: every match is paid alike, at the top. No fault; the run ends well."""

    kind = "converged"


class Watch:
    """One stage's rules. `reason` is why it stopped ill, None otherwise."""

    def __init__(self, algorithm: str) -> None:
        self.algorithm = algorithm
        self.reason: str | None = None
        self.seen: list[Mapping[str, Any]] = []

    def see(self, entry: Mapping[str, Any]) -> Verdict:
        """Take in one step's numbers."""
        self.seen.append(entry)
        step = entry.get("step")
        for key in ("loss", "grad_norm"):
            if not _is_finite(entry.get(key, 0.0)):
                return self._ill(f"{key} is {entry[key]} at step {step}")
        if self.algorithm == "grpo" and (verdict := self._rollouts(step)) != "go on":
            return verdict
        if self._last("grad_norm", _FLAT_GRADIENT, lambda g: g == 0.0):
            if self._reward() >= CONVERGED:
                return "converged"
            if not any(_is_alike(e) for e in self.seen[-_FLAT_GRADIENT:]):
                return self._ill(f"the gradient was 0 in {_FLAT_GRADIENT} steps up to step {step}")
        return "go on"

    def _rollouts(self, step: Any) -> Verdict:
        now = self.seen[-1]
        if now.get("void_share", 0.0) > 0.1:
            return self._ill(f"{now['void_share']:.0%} of the rollouts of step {step} were void")
        if now.get("repetitive_share", 0.0) > 0.5:
            return self._ill(f"more than half of the long answers of step {step} repeat one phrase")
        if len(self.seen) >= _FLAT_GROUPS and all(_is_alike(e) for e in self.seen[-_FLAT_GROUPS:]):
            if self._reward() >= CONVERGED:
                return "converged"
            steps = f"in {_FLAT_GROUPS} steps up to step {step}"
            return self._ill(f"no group of rollouts differed in reward {steps}, at a mean of {self._reward():.2f}")
        recent = self.seen[-_COLLAPSE:]
        if len(recent) == _COLLAPSE and all(e.get("entropy", 1.0) < _LEAST_ENTROPY for e in recent):
            rewards = [float(e.get("reward") or 0.0) for e in recent]
            if rewards[-1] < rewards[0] and sum(rewards[5:]) < sum(rewards[:5]):
                return self._ill(f"entropy is below {_LEAST_ENTROPY} and the reward falls, up to step {step}")
        return "go on"

    def _last(self, key: str, count: int, holds: Any) -> bool:
        recent = [e[key] for e in self.seen[-count:] if isinstance(e.get(key), int | float)]
        return len(recent) == count and all(holds(value) for value in recent)

    def _reward(self) -> float:
        """Mean reward of the last steps; what has none (kto, dpo) never counts as converged."""
        recent = [e["reward"] for e in self.seen[-_FLAT_GRADIENT:] if isinstance(e.get("reward"), int | float)]
        return sum(recent) / len(recent) if recent else -math.inf

    def _ill(self, reason: str) -> Verdict:
        self.reason = reason
        return "stop"


def _is_alike(entry: Mapping[str, Any]) -> bool:
    """Whether no group of the step has any spread: it has no gradient then, and that alone is no fault. TRL's share
    misses groups of equal rewards whose mean is rounded (0.6: a spread of 6e-8)."""
    return float(entry.get("frac_reward_zero_std", 0.0)) > 0.95 or float(entry.get("reward_std", 1.0)) < _ROUNDING


def _is_finite(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def is_repetitive(ids: Sequence[int]) -> bool | None:
    """Whether most of a long answer is one repeated 4-gram; None where it is too short to say."""
    if len(ids) < _LONG:
        return None
    grams = Counter(tuple(ids[i : i + 4]) for i in range(len(ids) - 3))
    return max(grams.values()) > 0.5 * (len(ids) - 3)


def warnings(algorithm: str, metrics: Sequence[Mapping[str, Any]], balance: Mapping[str, Any]) -> list[str]:
    """What a reader should know though it stopped nothing."""
    found = []
    if algorithm == "kto":
        if metrics and all(m.get("kl", 1.0) == 0 for m in metrics):
            found.append("KTO's KL estimate was 0 in every step (it is clamped; usual with two distinct answers)")
        if spoilt := balance.get("blocks_not_distinct"):
            found.append(f"{spoilt} KTO blocks hold two rows of one match or prompt")
        total = balance.get("desirable", 0) + balance.get("undesirable", 0)
        if total and max(balance["desirable"], balance["undesirable"]) > 0.8 * total:
            found.append("more than 80 % of the rows have one label")
    if balance.get("rows", 0) < balance.get("wanted", 0):
        found.append(f"{balance['rows']} slots were found of the {balance['wanted']} that were asked for")
    return found
