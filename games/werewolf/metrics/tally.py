"""Counting: sums by name, and the rates made of them."""

from __future__ import annotations

from collections import defaultdict


def rate(hits: float, cases: float) -> float | None:
    """hits / cases; None without cases."""
    return hits / cases if cases else None


class Tally(defaultdict[str, float]):
    """Sums by name. `declare` makes a name appear even when nothing is counted."""

    def __init__(self) -> None:
        super().__init__(float)

    def declare(self, *names: str) -> None:
        for name in names:
            self[name] += 0

    def figures(self) -> dict[str, float | None]:
        return dict(self)
