"""Which match is begun next: the one that is expected to take longest, so that none is left over at the end.

What a match is expected to take: the asks on its critical path, as its game declares them, times the median latency of
its slowest model so far. Among equals the plan's order holds, so a plan of one kind is played as it stands.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from arena.run.plan import Planned

Kind = tuple[str, str, tuple[str, ...]]  # where the game is found, config hash, agents: matches that take the same time


class Admission:
    def __init__(self, plan: Sequence[Planned], seconds: Callable[[Planned], float]) -> None:
        self._seconds = seconds
        self._waiting: dict[Kind, deque[Planned]] = {}
        for planned in plan:
            kind = (planned.where, planned.config_sha256, tuple(sorted(set(planned.seating.values()))))
            self._waiting.setdefault(kind, deque()).append(planned)

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def next(self) -> Planned:
        first = {kind: line[0] for kind, line in self._waiting.items()}
        kind = min(first, key=lambda kind: (-self._seconds(first[kind]), first[kind].number))
        planned = self._waiting[kind].popleft()
        if not self._waiting[kind]:
            del self._waiting[kind]
        return planned
