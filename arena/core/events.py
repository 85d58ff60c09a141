"""Facts of a match and who may know them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from arena.core.errors import GameError

EVERYONE: Final = "*"
NOBODY: Final = "-"  # the log only

Audience = str | tuple[str, ...]


class Event(NamedTuple):
    """One fact. `audience` is "*", "-" or a tuple of seats; `facts` holds JSON values, seats by their ids."""

    audience: Audience
    kind: str
    facts: dict[str, Any]

    def reaches(self, seat: str) -> bool:
        return self.audience == EVERYONE or (self.audience != NOBODY and seat in self.audience)


def audience_of(to: str | Iterable[str], seats: Sequence[str]) -> Audience:
    """An audience in canonical form: seat order, no repeats; nobody left is the log."""
    if isinstance(to, str):
        if to in (EVERYONE, NOBODY):
            return to
        to = (to,)
    wanted = set(to)
    if unknown := wanted.difference(seats):
        raise GameError(f"a fact was told to {sorted(unknown)}, who hold no seat of this match")
    return tuple(seat for seat in seats if seat in wanted) or NOBODY
