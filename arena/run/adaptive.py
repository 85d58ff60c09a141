"""The matches that say most, batch after batch.

    goal = "top1"    who is best: top-two Thompson sampling (Russo 2016) on the Bradley-Terry posterior
    goal = "edges"   who beats whom, for alpha-Rank: ResponseGraphUCB (arena.run.response_graph)

Top-two: a ring of groups first (1-2, 2-3, …, n-1), so that every agent is compared; it needs no result and is the first
batch. Then, for each block, strengths are drawn from the posterior and the best agent meets the one that is best in a
later draw, both sides of one deal. The posterior is asked once a batch.
"""

from __future__ import annotations

from collections.abc import Sequence

from arena.core.seeds import Rng, stream
from arena.run import stopping
from arena.run.belief import Belief
from arena.run.response_graph import ResponseGraph
from arena.run.schedules import Block, BlockResult, Dynamic, Field, Stop
from arena.run.seating import Places, places

REDRAWS = 30


class Adaptive:
    name = "adaptive"
    looks = True

    def batch(self, field: Field, results: Sequence[BlockResult]) -> list[Block] | None:
        return _goal(field).batch(field, results)

    def stop(self, field: Field, results: Sequence[BlockResult]) -> Stop | None:
        return _goal(field).stop(field, results)


class TopTwo:
    name = "top1"
    looks = True

    def batch(self, field: Field, results: Sequence[BlockResult]) -> list[Block] | None:
        where, posterior = places(field), stopping.posterior_of(field)
        if self.stop(field, results):
            return None
        groups = _ring(where)
        if results:
            size = int(field.options.get("batch", 4))
            rng = stream(field.seed, "schedule", 1 + (len(results) - len(groups)) // size)
            belief = Belief(posterior(where.rated, results), len(where.agents))
            groups = [[where.agents[i] for i in _contenders(belief, where.size, rng)] for _ in range(size)]
        left = where.blocks_in(field.matches) - len(results)
        return [where.block(len(results) + i, group) for i, group in enumerate(groups[:left])]

    def stop(self, field: Field, results: Sequence[BlockResult]) -> Stop | None:
        return stopping.stop(field, results)


def _goal(field: Field) -> Dynamic:
    return ResponseGraph() if field.options.get("goal", "top1") == "edges" else TopTwo()


def _ring(where: Places) -> list[list[str]]:
    """Groups that overlap in one agent, round the whole field."""
    agents, size = where.agents, where.size
    starts = range(0, len(agents), size - 1) if len(agents) > size else [0]
    return [[agents[(start + i) % len(agents)] for i in range(size)] for start in starts]


def _contenders(belief: Belief, size: int, rng: Rng) -> list[int]:
    """Agents that are best in successive draws; after 30 draws without a new one, the next by mean."""
    chosen = [belief.draw_best(rng)]
    while len(chosen) < size:
        fresh = (i for i in (belief.draw_best(rng) for _ in range(REDRAWS)) if i not in chosen)
        others = [i for i in range(len(belief.mean)) if i not in chosen]
        chosen.append(next(fresh, max(others, key=lambda i: belief.mean[i])))
    return chosen
