"""Who plays whom on which deal. A schedule yields blocks; a block is one deal and the seatings that share it.

    paired       every group of agents meets again and again; on one deal each agent takes every slot (default)
    round-robin  the same, the order of groups shuffled in each cycle
    random       a random group in random slots, a fresh deal for each match
    cross        one deal played by every combination of the slots' own agents (when every agent names its slot)
    swiss        neighbours in the standings meet, round after round (arena.run.swiss)
    adaptive     the matches that say most about who is best, or about the response graph (arena.run.adaptive)

A *slot* is a side where the game has sides and `seating` is not "mixed", else a seat. A schedule is a pure function of
its field and of the results of earlier batches: no clock, no global chance, nothing about matches still open. Static
schedules return everything at once. After any number of whole blocks the counts of agents differ by at most one block
where the numbers allow it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, islice, product
from math import ceil
from typing import Any, NamedTuple, Protocol

from arena.core.errors import UnknownName, UsageError
from arena.core.seeds import Rng, stream

Seating = dict[str, str]  # slot -> agent


class Block(NamedTuple):
    """One deal and the seatings that share it. `one_seed`: they share the match seed too (a cross table's cells)."""

    number: int
    deal: int
    seatings: tuple[Seating, ...]
    one_seed: bool = False


class BlockResult(NamedTuple):
    """A finished block: the payoffs of each of its matches by slot, None where a match is void or failed. `teams`: the
    team of each slot in each match, where slots are seats of a game with teams; else empty."""

    block: Block
    payoffs: tuple[Mapping[str, float] | None, ...]
    teams: tuple[Mapping[str, str], ...] = ()


class Estimate(NamedTuple):
    """Strengths in nats, in the order of the agents asked for. `cov`: what is still believed possible, wide for an
    agent that has hardly played. `clustered`: the sampling covariance of `mean`, matches of a deal counted together."""

    mean: Sequence[float]
    cov: Sequence[Sequence[float]]
    clustered: Sequence[Sequence[float]]


class Posterior(Protocol):
    """Strengths from the results so far. Handed in by the caller, since the engine knows no rating."""

    def __call__(self, agents: Sequence[str], results: Sequence[BlockResult]) -> Estimate: ...


class Stop(NamedTuple):
    """Why a schedule ended. `value` is what the rule looks at: the probability to be best (p_top1), the smallest lead
    over a rival in half-widths (anytime), the edges left open (edges)."""

    rule: str
    why: str
    deals: int
    matches: int
    leader: str | None = None
    value: float | None = None


@dataclass(frozen=True)
class Field:
    """What a schedule may know. `own` = the agents that are bound to a slot (selectors, pins); `sided` = slots are
    sides, which differ in what they can do."""

    slots: tuple[str, ...]
    agents: tuple[str, ...]
    matches: int
    seed: int
    own: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    weights: Mapping[str, float] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    posterior: Posterior | None = None
    sided: bool = False


class Schedule(Protocol):
    name: str
    looks: bool
    """Whether later batches depend on results; a schedule that does not returns everything at once."""

    def batch(self, field: Field, results: Sequence[BlockResult]) -> list[Block] | None:
        """The next blocks, or None when the schedule is finished."""
        ...


class Dynamic(Schedule, Protocol):
    """A schedule that looks at results."""

    def stop(self, field: Field, results: Sequence[BlockResult]) -> Stop | None:
        """Why the schedule is finished; None while it goes on."""
        ...


class Paired:
    """Groups of agents in balanced order; on one deal the group rotates through the slots."""

    name = "paired"
    looks = False
    shuffled = False

    def batch(self, field: Field, results: Sequence[BlockResult]) -> list[Block] | None:
        if results:
            return None
        if field.own:
            return _cross_blocks(field)
        size = min(len(field.agents), len(field.slots))
        rng = stream(field.seed, "schedule")
        groups = islice(_groups(field.agents, size, rng, self.shuffled), ceil(field.matches / size))
        return [Block(i, i, tuple(_rotations(group, field.slots))) for i, group in enumerate(groups)]


class RoundRobin(Paired):
    """As paired, the order of groups shuffled in each cycle."""

    name = "round-robin"
    shuffled = True


class Random:
    """A random group in random slots on a fresh deal, match after match."""

    name = "random"
    looks = False

    def batch(self, field: Field, results: Sequence[BlockResult]) -> list[Block] | None:
        if results:
            return None
        rng = stream(field.seed, "schedule")
        return [Block(i, i, (self._seating(field, rng),)) for i in range(field.matches)]

    def _seating(self, field: Field, rng: Rng) -> Seating:
        distinct = len(field.agents) >= len(field.slots) and not field.weights
        pool = list(field.agents)
        if distinct:
            return dict(zip(field.slots, rng.sample(pool, len(field.slots)), strict=True))
        weights = [field.weights.get(agent, 1.0) for agent in pool]
        return {slot: _weighted(pool, weights, rng) for slot in field.slots}


_STATIC: dict[str, Schedule] = {s.name: s for s in (Paired(), RoundRobin(), Random())}


def dynamic_schedules() -> dict[str, Dynamic]:
    from arena.run.adaptive import Adaptive  # they are built from what this module defines
    from arena.run.swiss import Swiss

    return {s.name: s for s in (Swiss(), Adaptive())}


def find_schedule(name: str) -> Schedule:
    known = _STATIC | dynamic_schedules()
    if name not in known:
        raise UnknownName("schedule", name, known, hint=f"schedules: {', '.join(known)}")
    return known[name]


def _groups(agents: Sequence[str], size: int, rng: Rng, shuffled: bool) -> Iterator[tuple[str, ...]]:
    """Every group of `size`, cycle after cycle, always one whose members have played least so far."""
    played: Counter[str] = Counter()
    while True:
        left = list(combinations(agents, size))
        if shuffled:
            rng.shuffle(left)
        while left:
            group = min(left, key=lambda g: (max(played[a] for a in g), sum(played[a] for a in g)))
            left.remove(group)
            played.update(group)
            yield group


def _rotations(group: Sequence[str], slots: Sequence[str]) -> Iterator[Seating]:
    """As many seatings as there are agents; over them every agent takes every slot equally often."""
    for shift in range(len(group)):
        yield {slot: group[(i + shift) % len(group)] for i, slot in enumerate(slots)}


def _cross_blocks(field: Field) -> list[Block]:
    missing = [slot for slot in field.slots if not field.own.get(slot)]
    if missing:
        raise UsageError(
            f"no agent is named for {', '.join(missing)}; every slot of {', '.join(field.slots)} needs one"
        )
    cells = [
        dict(zip(field.slots, agents, strict=True)) for agents in product(*(field.own[slot] for slot in field.slots))
    ]
    return [Block(i, i, tuple(cells), one_seed=True) for i in range(ceil(field.matches / len(cells)))]


def _weighted(pool: Sequence[str], weights: Sequence[float], rng: Rng) -> str:
    mark = rng.random() * sum(weights)
    for agent, weight in zip(pool, weights, strict=True):
        mark -= weight
        if mark < 0:
            return agent
    return pool[-1]
