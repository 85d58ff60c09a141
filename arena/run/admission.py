"""Which match is begun next: the one that is expected to take longest, so that none is left over at the end.

What a match is expected to take: the asks on its critical path, as its game declares them, times the median latency of
its slowest model so far. Among equals the plan's order holds, so a plan of one kind is played as it stands.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from heapq import heapify, heappop, heapreplace

from arena.run.plan import Planned

Kind = tuple[str, str, tuple[str, ...]]  # where the game is found, config hash, agents: matches that take the same time


class Admission:
    def __init__(self, plan: Sequence[Planned], seconds: Callable[[Planned], float]) -> None:
        self._seconds = seconds
        self._waiting: dict[Kind, deque[Planned]] = {}
        self._heap: list[tuple[float, int, Kind]] = []
        self._until_weighed = 0
        for planned in plan:
            kind = (planned.where, planned.config_sha256, tuple(sorted(set(planned.seating.values()))))
            self._waiting.setdefault(kind, deque()).append(planned)

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def next(self) -> Planned:
        if self._until_weighed == 0:
            self._weigh()
        self._until_weighed -= 1
        weight, _, kind = self._heap[0]
        line = self._waiting[kind]
        planned = line.popleft()
        if line:
            heapreplace(self._heap, (weight, line[0].number, kind))
        else:
            heappop(self._heap)
            del self._waiting[kind]
        return planned

    def _weigh(self) -> None:
        """Weigh every kind anew, often where there are few and seldom where there are thousands."""
        self._heap = [(-self._seconds(line[0]), line[0].number, kind) for kind, line in self._waiting.items()]
        heapify(self._heap)
        self._until_weighed = 1 + len(self._heap) // 16
