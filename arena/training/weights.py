"""Class weights of KTO: rho = (lambda_D n_D) / (lambda_U n_U), which TRL and the KTO paper want in [1, 1.33].

Ours: the larger class keeps weight 1, the other is set so that rho = 1.15; beyond 10 to 1 the larger class is first
down-sampled by a seeded draw.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from arena.core.errors import UsageError
from arena.core.seeds import stream

RHO, MOST = 1.15, 10


class ClassWeights(NamedTuple):
    desirable: float
    undesirable: float


def class_weights(desirable: int, undesirable: int) -> ClassWeights:
    if not desirable or not undesirable:
        raise UsageError(f"kto needs both labels; there are {desirable} desirable and {undesirable} undesirable rows")
    if desirable >= undesirable:
        return ClassWeights(1.0, desirable / (undesirable * RHO))
    return ClassWeights(undesirable * RHO / desirable, 1.0)


def down_sampled(rows: Sequence[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """At most ten of the larger class for one of the other; the rows that stay keep their order."""
    good = [i for i, row in enumerate(rows) if row["label"]]
    bad = [i for i, row in enumerate(rows) if not row["label"]]
    large, small = (good, bad) if len(good) >= len(bad) else (bad, good)
    if len(large) <= MOST * len(small):
        return list(rows)
    kept = {*small, *stream(seed, "down-sample").sample(large, MOST * len(small))}
    return [row for i, row in enumerate(rows) if i in kept]


def in_blocks(rows: Sequence[dict[str, Any]], block: int, seed: int) -> tuple[list[dict[str, Any]], int]:
    """Rows shuffled into blocks of distinct matches and prompts, and how many blocks could not be made so.

    TRL computes KTO's KL term by rotating completions within blocks of the batch size, in the order of the dataset: two
    rows of one prompt there are no mismatch. A last block of one row would be its own pair, so it is cut.
    """
    left = list(rows)
    stream(seed, "order").shuffle(left)
    done: list[dict[str, Any]] = []
    spoilt = 0
    while left:
        taken: list[dict[str, Any]] = []
        seen: set[str] = set()
        rest: list[dict[str, Any]] = []
        for row in left:
            keys = {f"match {row['match']}", f"prompt {row['prompt']}"}
            if len(taken) < block and seen.isdisjoint(keys):
                taken.append(row)
                seen |= keys
            else:
                rest.append(row)
        if len(taken) < min(block, len(left)):
            spoilt += 1
            missing = min(block, len(left)) - len(taken)
            taken, rest = taken + rest[:missing], rest[missing:]
        done += taken
        left = rest
    if len(done) % block == 1 and len(done) > 1:
        done.pop()
    return done, spoilt
