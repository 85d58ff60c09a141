"""Two-player card games with public betting as a tree, and exact values on it.

One node stands for one betting history, one entry of a vector for one deal. All that is hidden is the deal, so the
information sets of a node are groups of deals, and none spans two nodes: a best reply is one walk from the leaves.
A public card belongs to the deal; a player's key shows it from the round on in which it lies open.

Numbers are Fractions or floats: `grow` makes a tree in Fractions, which gives exact values of a policy in Fractions;
`Tree.floats()` is for policies in floats, and faster. All values are chips of one hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

Number = Fraction | float
History = tuple[str, ...]
Policy = Mapping[str, Sequence[Number]]  # information set -> the probability of each of its moves


@dataclass(frozen=True)
class Node:
    """A history where `player` acts, or (without children) the end of a hand."""

    history: History
    player: int = -1
    moves: tuple[str, ...] = ()
    children: tuple[Node, ...] = ()
    groups: tuple[tuple[str, tuple[int, ...]], ...] = ()  # information set -> the deals that it holds together
    chips: tuple[int, ...] = ()  # at an end: what player 0 wins in each deal


@dataclass(frozen=True)
class Tree:
    """`chance[d]` is the probability of `deals[d]`."""

    root: Node
    deals: tuple[str, ...]
    chance: tuple[Number, ...]

    def floats(self) -> Tree:
        return replace(self, chance=tuple(float(p) for p in self.chance))


def grow(
    deals: Mapping[str, Fraction],
    *,
    legal: Callable[[History], tuple[str, ...]],
    after: Callable[[History, str], History],
    is_over: Callable[[History], bool],
    to_act: Callable[[History], int],
    won: Callable[[str, History], int],
    key: Callable[[str, History, int], str],
) -> Tree:
    """The tree of a game given by its rules: `won` is player 0's chips, `key` names what a player knows."""
    names = tuple(deals)

    def node(history: History) -> Node:
        if is_over(history):
            return Node(history, chips=tuple(won(deal, history) for deal in names))
        player, groups = to_act(history), dict[str, list[int]]()
        for number, deal in enumerate(names):
            groups.setdefault(key(deal, history, player), []).append(number)
        moves = legal(history)
        return Node(
            history,
            player,
            moves,
            tuple(node(after(history, move)) for move in moves),
            tuple((name, tuple(members)) for name, members in groups.items()),
        )

    return Tree(node(()), names, tuple(deals.values()))


def information_sets(tree: Tree, player: int | None = None) -> dict[str, tuple[str, ...]]:
    """Every information set (of one player, if given) with its moves."""
    found: dict[str, tuple[str, ...]] = {}

    def walk(node: Node) -> None:
        if player in (None, node.player):
            found.update((name, node.moves) for name, _ in node.groups)
        for child in node.children:
            walk(child)

    walk(tree.root)
    return found


def uniform(tree: Tree) -> dict[str, tuple[Fraction, ...]]:
    """Every move of an information set equally often."""
    return {name: (Fraction(1, len(moves)),) * len(moves) for name, moves in information_sets(tree).items()}


def value(tree: Tree, policy: Policy) -> Number:
    """Player 0's expected chips when both play `policy`."""

    def walk(node: Node, weights: Sequence[Number]) -> Number:
        if not node.children:
            return sum(chips * weight for chips, weight in zip(node.chips, weights, strict=True))
        return sum(walk(child, weighted(node, i, weights, policy)) for i, child in enumerate(node.children))

    return walk(tree.root, tree.chance)


def best_reply(tree: Tree, policy: Policy, player: int) -> tuple[Number, dict[str, str]]:
    """What `player` wins at best against the other's part of `policy`, and its moves; of equal moves the first."""
    reply: dict[str, str] = {}

    def walk(node: Node, weights: Sequence[Number]) -> list[Number]:
        """For each deal, the player's chips times `weights`: the chance that deal and opponent lead here."""
        if not node.children:
            sign = 1 if player == 0 else -1
            return [sign * chips * weight for chips, weight in zip(node.chips, weights, strict=True)]
        if node.player != player:
            below = (walk(child, weighted(node, i, weights, policy)) for i, child in enumerate(node.children))
            return [sum(column) for column in zip(*below, strict=True)]
        branches = [walk(child, weights) for child in node.children]
        best: list[Number] = [0] * len(weights)
        for name, deals in node.groups:
            totals = [sum(branch[d] for d in deals) for branch in branches]
            pick = totals.index(max(totals))
            reply[name] = node.moves[pick]
            for d in deals:
                best[d] = branches[pick][d]
        return best

    return sum(walk(tree.root, tree.chance)), reply


def nash_conv(tree: Tree, policy: Policy) -> Number:
    """What the two players could gain together by replying best to `policy`: 0 in equilibrium only."""
    return best_reply(tree, policy, 0)[0] + best_reply(tree, policy, 1)[0]


def exploitability(tree: Tree, policy: Policy) -> Number:
    """NashConv / 2: what a best reply wins from `policy` on average over both seats."""
    return nash_conv(tree, policy) / 2


def weighted(node: Node, move: int, weights: Sequence[Number], policy: Policy) -> list[Number]:
    """The weights of the deals after the acting player made that move."""
    down = list(weights)
    for name, deals in node.groups:
        chance = policy[name][move]
        for d in deals:
            down[d] = weights[d] * chance
    return down
