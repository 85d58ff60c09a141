"""Games on a graph: who is linked, what links pay, and what a node may see of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import combinations
from math import lcm

from arena.core import ConfigError, Rng
from arena.games.matrix.rules import Action, Amount, Profile, StageGame, plain, seat_names

Edge = tuple[int, int]  # the lower player first
Edges = tuple[Edge, ...]
LEVELS = ("none", "own", "neighbours", "all")  # of sight, each holds the one before it


def make_edges(kind: str, n: int, given: Sequence[Sequence[int]] | None, chance: float, rng: Rng | None) -> Edges:
    """The links of a graph of that kind. `rng` draws the random one; without it (before a match) it has no link."""
    every = tuple(combinations(range(n), 2))
    if kind == "ring":
        return tuple(sorted({(min(i, (i + 1) % n), max(i, (i + 1) % n)) for i in range(n)}))
    if kind == "complete":
        return every
    if kind == "random":
        return tuple(edge for edge in every if rng is not None and rng.random() < chance)
    edges = sorted({(min(e), max(e)) for e in given or ()})
    if unfit := [e for e in edges if not 0 <= e[0] < e[1] < n]:
        raise ConfigError(f"edges must join two different players of 0..{n - 1}; {list(unfit[0])} does not")
    return tuple(edges)


def neighbours(n: int, edges: Edges) -> tuple[tuple[int, ...], ...]:
    return tuple(tuple(sorted({*(b for a, b in edges if a == i), *(a for a, b in edges if b == i)})) for i in range(n))


def on_network(pair: StageGame, n: int, edges: Edges) -> StageGame:
    """`pair` played along every link with one action for all; a node's payoff is the sum over its links."""
    if not (pair.is_symmetric and pair.has_labels):
        raise ConfigError(f"a network needs a game of two alike players with labelled actions; {pair.name} is none")
    worth = {profile: pair.pay(profile) for profile in pair.profiles()}

    def pay(profile: Profile) -> tuple[Amount, ...]:
        sums: list[Amount] = [0] * n
        for a, b in edges:
            first, second = worth[profile[a], profile[b]]
            sums[a] += first
            sums[b] += second
        return tuple(sums)

    low, high = pair.low_high
    return StageGame(
        name=pair.name,
        actions=pair.actions[:1] * n,
        pay=pay,
        safe=pair.safe[:1] * n,
        dilemma=pair.dilemma,
        friendly=pair.friendly[:1] * n,
        selfish=pair.selfish[:1] * n,
        bounds=(min(0, low * (n - 1)), max(0, high * (n - 1))),
    )


def linked_goods(game: StageGame, edges: Edges, link_cost: Amount) -> StageGame:
    """Public goods among linked neighbours: what a player contributes is multiplied by 1.6 and shared equally by itself
    and its neighbours; who has no link keeps it. Each end of a link pays `link_cost` a round.

    With all linked this is the ordinary public goods game, less the cost of links.
    """
    n, near = game.n, neighbours(game.n, edges)
    rates = [Fraction(8, 5 * (len(own) + 1)) if own else Fraction(1) for own in near]
    costs = [Fraction(link_cost) * len(own) for own in near]
    parts = lcm(*(x.denominator for x in (*rates, *costs)))  # all in these, so that one Fraction a player is made
    rate_parts, cost_parts = ([int(x * parts) for x in each] for each in (rates, costs))

    def pay(profile: Profile) -> tuple[Amount, ...]:
        give = [int(g) for g in profile]
        shares = [rate * g for rate, g in zip(rate_parts, give, strict=True)]
        kept = ((20 - give[i]) * parts - cost_parts[i] for i in range(n))
        return tuple(Fraction(own + shares[i] + sum(shares[j] for j in near[i]), parts) for i, own in enumerate(kept))

    low, high = -link_cost * (n - 1), 20 + Fraction(8, 5) * 20 * (n - 1) / 2
    return StageGame(
        name=game.name,
        actions=game.actions,
        pay=pay,
        safe=game.safe,
        friendly=game.friendly,
        selfish=game.selfish,
        dilemma=True,
        bounds=(low, high),
        declared_best_sum=max(20 * n, 32 * n - 2 * link_cost * ((n + 1) // 2)),
    )


def seen_by(player: int, level: str, near: Sequence[int], n: int) -> tuple[int, ...]:
    """Whose actions and payoffs of a round a player gets to know: always its own."""
    if level == "all":
        return tuple(range(n))
    return tuple(sorted({player, *near})) if level == "neighbours" else (player,)


def own_links(pair: StageGame, player: int, near: Sequence[int], actions: Mapping[str, Action]) -> dict[str, float]:
    """At level `own` and above: what each of the player's links paid it."""
    seats, mine = seat_names(len(actions)), actions[f"player_{player}"]
    return {seats[j]: plain(pair.pay((mine, actions[seats[j]]))[0]) for j in near}


def edges_of(edges: Sequence[Sequence[str]]) -> Edges:
    """Links between seats, as events hold them, back as links between players."""
    number = {seat: int(seat.removeprefix("player_")) for edge in edges for seat in edge}
    return tuple((number[a], number[b]) for a, b in edges)
