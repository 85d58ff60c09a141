"""Swiss: neighbours in the standings meet.

A round is a batch, whatever `batch` says. Agents are ordered by score rate, ties by lot; groups are cut off from the
top (1-2, 3-4, …), in every second round half a group further down (2-3, 4-5, …, and the last with the first), so that
no pair is left to itself. Who is over sits out: the last, in every second round the first, never twice running.
"""

from __future__ import annotations

from collections.abc import Sequence

from arena.core.seeds import Rng, stream
from arena.run import stopping
from arena.run.outcomes import matches_of, share
from arena.run.schedules import Block, BlockResult, Field, Stop
from arena.run.seating import Places, places


class Swiss:
    name = "swiss"
    looks = True

    def batch(self, field: Field, results: Sequence[BlockResult]) -> list[Block] | None:
        where = places(field)
        if self.stop(field, results):
            return None
        blocks = len(where.agents) // where.size
        number = len(results) // blocks
        order = _standings(where, results, stream(field.seed, "schedule", number))
        groups = _groups(order, where.size, number, results[len(results) - blocks :])
        left = where.blocks_in(field.matches) - len(results)
        return [where.block(len(results) + i, group) for i, group in enumerate(groups[:left])]

    def stop(self, field: Field, results: Sequence[BlockResult]) -> Stop | None:
        return stopping.stop(field, results)


def _standings(where: Places, results: Sequence[BlockResult], rng: Rng) -> list[str]:
    """Best score rate first; an agent without a finished match counts as even."""
    total, matches = dict.fromkeys(where.rated, 0.0), dict.fromkeys(where.rated, 0)
    for result in results:
        for teams in matches_of(result):
            for team in teams:
                for agent in team.agents:
                    total[agent] += share(team, teams)
                    matches[agent] += 1
    order = list(where.agents)
    rng.shuffle(order)
    return sorted(order, key=lambda agent: -total[agent] / matches[agent] if matches[agent] else -0.5)


def _groups(order: list[str], size: int, number: int, last: Sequence[BlockResult]) -> list[list[str]]:
    """The groups of a round, in order; `last` is the round before it."""
    second = number % 2 == 1
    if over := len(order) % size:
        played = {agent for result in last for seating in result.block.seatings for agent in seating.values()}
        may = [agent for agent in order if agent in played] if last else order
        out = may[:over] if second else may[-over:]
        order = [agent for agent in order if agent not in out]
    elif second:
        order = order[size // 2 :] + order[: size // 2]
    return [order[i : i + size] for i in range(0, len(order), size)]
