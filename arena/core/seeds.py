"""Chance by named streams: every draw of a match comes from a stream that its seed and a name determine.

`below` and `shuffle` are written out here because published worlds depend on them; they use only `getrandbits`,
whose values Python keeps between versions.
"""

from __future__ import annotations

import random
from collections.abc import MutableSequence, Sequence
from hashlib import sha256
from typing import Any, TypeVar

T = TypeVar("T")


class Rng(random.Random):
    """A seeded stream. The methods overridden here draw the same on every Python version."""

    def below(self, n: int) -> int:
        """A uniform integer in 0..n-1."""
        if n <= 0:
            raise ValueError("below() needs a positive bound")
        bits = n.bit_length()
        value = self.getrandbits(bits)
        while value >= n:
            value = self.getrandbits(bits)
        return value

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        low, high = (0, start) if stop is None else (start, stop)
        return low + step * self.below((high - low + step - 1) // step)

    def randint(self, a: int, b: int) -> int:
        return a + self.below(b - a + 1)

    def choice(self, seq: Sequence[T]) -> T:  # type: ignore[override]  # sequences are all we draw from
        return seq[self.below(len(seq))]

    def shuffle(self, x: MutableSequence[Any]) -> None:
        for i in range(len(x) - 1, 0, -1):
            j = self.below(i + 1)
            x[i], x[j] = x[j], x[i]

    def sample(self, population: Sequence[T], k: int, *, counts: object = None) -> list[T]:
        pool = list(population)
        self.shuffle(pool)
        return pool[:k]


def derive(*parts: object) -> int:
    """A 63-bit seed from any parts: the first 63 bits of the SHA-256 of their text, joined by NUL."""
    return int.from_bytes(sha256("\0".join(map(str, parts)).encode()).digest()[:8]) >> 1


def stream(*parts: object) -> Rng:
    """The stream that these parts name."""
    return Rng(int.from_bytes(sha256("\0".join(map(str, parts)).encode()).digest()[:16]))
