"""Leduc's tree: exact values, best replies and exploitability of any policy; the solved policy.

A policy maps what a player knows ("QJ:check check bet": holds Q, J lies open, the betting so far) to the probability
of each legal move, in the order of `rules.legal`.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from arena.games._poker import Policy, Tree, grow
from arena.games.leduc import rules

POLICY_FILE = Path(__file__).parent / "policy.json"


@cache
def tree() -> Tree:
    return grow(
        rules.DEALS,
        legal=rules.legal,
        after=lambda history, move: (*history, move),
        is_over=rules.is_over,
        to_act=rules.to_act,
        won=rules.won,
        key=rules.known,
    )


@cache
def nash_policy() -> Policy:
    """What `python -m arena.games.leduc.solve` found."""
    found: dict[str, list[float]] = json.loads(POLICY_FILE.read_text(encoding="utf-8"))["policy"]
    return found
