"""What the small poker games share: their betting tree, exact replies to a policy, and a solver."""

from arena.games._poker.solve import cfr_plus
from arena.games._poker.tree import (
    History,
    Node,
    Number,
    Policy,
    Tree,
    best_reply,
    exploitability,
    grow,
    information_sets,
    nash_conv,
    uniform,
    value,
)

__all__ = [
    "History",
    "Node",
    "Number",
    "Policy",
    "Tree",
    "best_reply",
    "cfr_plus",
    "exploitability",
    "grow",
    "information_sets",
    "nash_conv",
    "uniform",
    "value",
]
