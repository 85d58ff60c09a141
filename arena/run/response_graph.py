"""ResponseGraphUCB: play where it is not yet sure who would gain by changing strategy (Rowland et al. 2019).

A profile says who plays: a pair of agents where slots are alike, one agent for each slot where they are sides or have
agents of their own. An edge joins two payoffs of one population, at profiles that differ in its agent alone; for pairs,
the two payoffs of a pair. It is resolved while their confidence intervals are disjoint. Every profile is played once,
then always a least-played one with an unresolved edge.

Payoffs are the scores that alpha-Rank is computed from, so they lie in 0..1. The sample is the deal, not the match.
Intervals: Clopper and Pearson where every deal so far was won or lost, else Hoeffding; error .01 for a payoff, with
stop = "anytime" spread over all numbers of deals (6 / (pi² N²) of it at N). Counts and sums are all that is kept. Left
out on purpose: the other ways of choosing a profile.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import ceil, comb, log, perm, pi, prod, sqrt

from arena.core.errors import UsageError
from arena.core.seeds import Rng, stream
from arena.run import stopping
from arena.run.outcomes import matches_of, share
from arena.run.schedules import Block, BlockResult, Field, Seating, Stop

DELTA = 0.01

Profile = tuple[str, ...]
Payoff = tuple[int, int]  # profile, population
Edge = tuple[Payoff, Payoff]


@dataclass(frozen=True)
class Graph:
    """`alike`: slots are interchangeable and a profile is a pair, which plays both ways round on a deal."""

    slots: tuple[str, ...]
    alike: bool
    profiles: list[Profile]
    edges: list[Edge]

    def seatings(self, profile: Profile) -> tuple[Seating, ...]:
        first = dict(zip(self.slots, profile, strict=True))
        return (first, dict(zip(self.slots, profile[::-1], strict=True))) if self.alike else (first,)


class Tally:
    """Deals of each profile, and sums of the payoffs of each population in it."""

    def __init__(self, graph: Graph, results: Sequence[BlockResult]) -> None:
        place = {profile: i for i, profile in enumerate(graph.profiles)}
        self.deals = [0] * len(place)
        self.sums = [[0.0] * len(graph.slots) for _ in place]
        self.binary = True
        for result in results:
            if None in result.payoffs:
                continue
            i = place[tuple(result.block.seatings[0][slot] for slot in graph.slots)]
            payoffs = _payoffs(graph, graph.profiles[i], result)
            self.deals[i] += 1
            self.sums[i] = [total + payoff for total, payoff in zip(self.sums[i], payoffs, strict=True)]
            self.binary = self.binary and all(payoff in (0.0, 1.0) for payoff in payoffs)

    def interval(self, payoff: Payoff, anytime: bool) -> tuple[float, float]:
        profile, population = payoff
        n, total = self.deals[profile], self.sums[profile][population]
        if not n:
            return 0.0, 1.0
        delta = DELTA * 6 / (pi * n) ** 2 if anytime else DELTA
        return clopper_pearson(round(total), n, delta) if self.binary else hoeffding(total, n, delta)

    def is_resolved(self, edge: Edge, anytime: bool) -> bool:
        (low_a, high_a), (low_b, high_b) = (self.interval(payoff, anytime) for payoff in edge)
        return low_a > high_b or low_b > high_a


class ResponseGraph:
    name = "edges"
    looks = True

    def batch(self, field: Field, results: Sequence[BlockResult]) -> list[Block] | None:
        graph = graph_of(field)
        tally = Tally(graph, results)
        unresolved = _unresolved(field, graph, tally)
        left = _limit(field, graph) - len(results)
        if left <= 0 or not unresolved:
            return None
        chosen = list(range(len(graph.profiles)))
        if results:
            size = int(field.options.get("batch", 4))
            rng = stream(field.seed, "schedule", 1 + (len(results) - len(graph.profiles)) // size)
            chosen = _least_played(tally, unresolved, min(size, left), rng)
        return [Block(n, n, graph.seatings(graph.profiles[i])) for n, i in enumerate(chosen, len(results))]

    def stop(self, field: Field, results: Sequence[BlockResult]) -> Stop | None:
        graph = graph_of(field)
        unresolved = len(_unresolved(field, graph, Tally(graph, results)))
        end = stopping.matches_played(results)
        if not unresolved:
            why = f"all {len(graph.edges)} edges of the response graph are resolved"
            return end._replace(rule="edges", why=why, value=0.0)
        if len(results) < _limit(field, graph):
            return None
        why = f"{end.why}; {unresolved} of {len(graph.edges)} edges of the response graph are not resolved"
        return end._replace(why=why, value=float(unresolved))


def graph_of(field: Field) -> Graph:
    """The profiles and edges of a field."""
    if field.options.get("stop") == "p_top1":
        raise UsageError("schedule.goal = 'edges' looks for no best agent; stop is 'matches' or 'anytime'")
    if not field.own and not field.sided:
        if len(field.slots) != 2:
            raise UsageError(
                f"schedule.goal = 'edges' compares pairs, sides, or agents of each slot; here are {len(field.slots)} "
                "seats and agents for any of them",
                hint="name an agent or more for every seat (player_0=NAME,…), or use schedule.goal = 'top1'",
            )
        _check(comb(len(field.agents), 2), field.matches // 2)
        pairs: list[Profile] = list(combinations(field.agents, 2))
        return Graph(field.slots, True, pairs, [((i, 0), (i, 1)) for i in range(len(pairs))])
    lists = [field.own.get(slot, ()) if field.own else field.agents for slot in field.slots]
    mirrors = bool(field.own) or not field.options.get("no_model_on_both_sides", True)
    _check(prod(map(len, lists)) if mirrors else perm(len(field.agents), len(lists)), field.matches)
    profiles = [p for p in product(*lists) if mirrors or len(set(p)) == len(p)]
    return Graph(field.slots, False, profiles, [edge for k in range(len(lists)) for edge in _edges(profiles, k)])


def _edges(profiles: Sequence[Profile], population: int) -> Iterator[Edge]:
    """Every two profiles that differ in the agent of one population."""
    by_others: dict[Profile, list[Payoff]] = defaultdict(list)
    for i, profile in enumerate(profiles):
        by_others[profile[:population] + profile[population + 1 :]].append((i, population))
    for payoffs in by_others.values():
        yield from combinations(payoffs, 2)


def _check(profiles: int, most: int) -> None:
    if profiles < 1:
        raise UsageError("schedule.goal = 'edges' has nothing to compare: every slot needs an agent, one of them two")
    if profiles > most:
        raise UsageError(
            f"schedule.goal = 'edges' plays each of {profiles:,} profiles at least once; the matches allow {most:,}",
            hint="--matches MORE, or fewer agents",
        )


def _limit(field: Field, graph: Graph) -> int:
    return ceil(field.matches / (2 if graph.alike else 1))


def _payoffs(graph: Graph, profile: Profile, result: BlockResult) -> list[float]:
    """The mean scores of a deal: of each agent of a pair over both ways round, else of each slot."""
    total = [0.0] * len(profile)
    for teams in matches_of(result):
        for team in teams:
            k = profile.index(team.agents[0]) if graph.alike else graph.slots.index(team.level)
            total[k] += share(team, teams)
    return [value / len(result.payoffs) for value in total]


def _unresolved(field: Field, graph: Graph, tally: Tally) -> list[Edge]:
    anytime = stopping.rule_of(field) == "anytime"
    return [edge for edge in graph.edges if not tally.is_resolved(edge, anytime)]


def _least_played(tally: Tally, unresolved: Sequence[Edge], count: int, rng: Rng) -> list[int]:
    """Profiles with an unresolved edge, least played first, ties by lot; what is chosen counts as played."""
    deals = {profile: tally.deals[profile] for edge in unresolved for profile, _ in edge}
    chosen: list[int] = []
    while len(chosen) < count:
        least = min(deals.values())
        chosen.append(rng.choice([profile for profile, n in sorted(deals.items()) if n == least]))
        deals[chosen[-1]] += 1
    return chosen


def hoeffding(total: float, n: int, delta: float) -> tuple[float, float]:
    """An interval for the mean of values in 0..1, wrong with probability `delta` at most (Hoeffding 1963)."""
    half = sqrt(log(2 / delta) / (2 * n))
    return total / n - half, total / n + half


def clopper_pearson(wins: int, n: int, delta: float) -> tuple[float, float]:
    """The exact interval for a probability (Clopper and Pearson 1934)."""
    from scipy.special import betaincinv

    low = float(betaincinv(wins, n - wins + 1, delta / 2)) if wins else 0.0
    high = float(betaincinv(wins + 1, n - wins, 1 - delta / 2)) if wins < n else 1.0
    return low, high
