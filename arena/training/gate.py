"""Promote a candidate or keep the champion: a rule on the paired difference, not on a feeling.

Promoted iff the lower bound of the difference exceeds the margin, the rate of lost turns rose by at most 2 points, and
the difference without any fallback has the same sign. (A candidate on which a health rule fired never comes this far.)
`none` promotes always (smoke tests).
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from arena.training.bootstrap import Estimate

LOST_MARGIN = 0.02


class Verdict(NamedTuple):
    promoted: bool
    reasons: tuple[str, ...]  # why not

    def as_json(self) -> dict[str, Any]:
        return {"promoted": self.promoted, "reasons": list(self.reasons)}


def verdict(
    kind: str,
    difference: Estimate,
    clean: Estimate,
    lost: tuple[float, float],
    *,
    margin: float = 0.0,
) -> Verdict:
    """`lost`: the rate of lost turns of the candidate and of the champion."""
    if kind == "none":
        return Verdict(True, ())
    reasons = []
    if not difference.low > margin:
        low = "open" if not math.isfinite(difference.low) else f"{difference.low:.4g}"
        reasons.append(f"the lower bound of the difference ({low}, N {difference.n}) is not above {margin:g}")
    if lost[0] > lost[1] + LOST_MARGIN:
        reasons.append(f"turns without a legal answer rose from {lost[1]:.1%} to {lost[0]:.1%}")
    if clean.n and clean.diff * difference.diff < 0:
        reasons.append(f"without any fallback the difference is {clean.diff:.4g} (N {clean.n})")
    return Verdict(not reasons, tuple(reasons))
