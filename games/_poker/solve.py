"""CFR+ (Tammelin, 2014) on a betting tree: regrets clipped at 0, players in turn, later rounds weigh more.

Deterministic: floats, no sampling, the same operations in the same order on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence

from arena.games._poker.tree import Node, Tree, information_sets


def cfr_plus(tree: Tree, iterations: int) -> dict[str, tuple[float, ...]]:
    """The average policy after that many iterations (both players updated in each)."""
    chance = [float(p) for p in tree.chance]
    sets = information_sets(tree)
    regrets = {name: [0.0] * len(moves) for name, moves in sets.items()}
    totals = {name: [0.0] * len(moves) for name, moves in sets.items()}

    def walk(node: Node, player: int, own: Sequence[float], others: Sequence[float], weight: int) -> list[float]:
        """For each deal, the player's chips times the chance that deal and opponent lead here (`others`)."""
        if not node.children:
            sign = 1 if player == 0 else -1
            return [sign * chips * other for chips, other in zip(node.chips, others, strict=True)]
        current = {name: matched(regrets[name]) for name, _ in node.groups}
        by_deal = [current[name] for name in _names(node, len(own))]
        if node.player != player:
            below = [
                walk(child, player, own, [o * p[i] for o, p in zip(others, by_deal, strict=True)], weight)
                for i, child in enumerate(node.children)
            ]
            return [sum(column) for column in zip(*below, strict=True)]
        below = [
            walk(child, player, [o * p[i] for o, p in zip(own, by_deal, strict=True)], others, weight)
            for i, child in enumerate(node.children)
        ]
        mixed = [
            sum(chance_of * v for chance_of, v in zip(p, column, strict=True))
            for p, column in zip(by_deal, zip(*below, strict=True), strict=True)
        ]
        for name, deals in node.groups:
            here = sum(mixed[d] for d in deals)
            regret, total, reach = regrets[name], totals[name], own[deals[0]] * weight
            for i, branch in enumerate(below):
                regret[i] = max(0.0, regret[i] + sum(branch[d] for d in deals) - here)
                total[i] += reach * current[name][i]
        return mixed

    for iteration in range(1, iterations + 1):
        for player in (0, 1):
            walk(tree.root, player, [1.0] * len(chance), chance, iteration)
    return {name: tuple(matched(total)) for name, total in totals.items()}


def matched(weights: Sequence[float]) -> list[float]:
    """Regret matching: in proportion to the weights; all alike if none is positive."""
    total = sum(weights)
    return [w / total for w in weights] if total > 0 else [1 / len(weights)] * len(weights)


def _names(node: Node, deals: int) -> list[str]:
    """For each deal the information set that holds it."""
    found = [""] * deals
    for name, members in node.groups:
        for d in members:
            found[d] = name
    return found
