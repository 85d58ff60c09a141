"""Who may sit where in a block of a schedule that looks at results: one deal on which a group takes every open slot.

A slot with one agent of its own is pinned: that agent sits there in every match, and is rated with the others. With one
open slot the two agents of a block meet the pinned ones, not each other, on the same deal.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import NamedTuple

from arena.core.errors import UsageError
from arena.run.schedules import Block, Field


class Places(NamedTuple):
    """The slots that `agents` take in turn, and the agents that stay where they are."""

    slots: tuple[str, ...]
    agents: tuple[str, ...]
    pinned: dict[str, str]

    @property
    def size(self) -> int:
        """Agents of a block, and its matches."""
        return min(len(self.agents), max(2, len(self.slots)))

    @property
    def rated(self) -> tuple[str, ...]:
        """Everybody who plays: those who take turns first."""
        return tuple(dict.fromkeys((*self.agents, *self.pinned.values())))

    def blocks_in(self, matches: int) -> int:
        """Blocks are never split, so the last may go beyond."""
        return ceil(matches / self.size)

    def block(self, number: int, group: Sequence[str]) -> Block:
        """A fresh deal on which every agent of the group takes every open slot equally often."""
        seatings = [
            {slot: group[(i + shift) % len(group)] for i, slot in enumerate(self.slots)} | self.pinned
            for shift in range(len(group))
        ]
        return Block(number, number, tuple(seatings), one_seed=bool(self.pinned))


def places(field: Field) -> Places:
    """The places of a field; agents that cannot all take the same slots are refused."""
    if not field.own:
        found = Places(field.slots, field.agents, {})
    else:
        pinned = {slot: agents[0] for slot, agents in field.own.items() if len(agents) == 1}
        open_ = tuple(slot for slot in field.slots if slot not in pinned)
        lists = {field.own.get(slot, ()) for slot in open_}
        if len(lists) > 1 or () in lists:
            raise UsageError(
                f"the agents of {', '.join(open_)} differ, and this schedule compares agents that take the same slots",
                hint="pin all slots but one kind, or use schedule.kind = 'paired' or schedule.goal = 'edges'",
            )
        found = Places(open_, next(iter(lists), ()), pinned)
    if len(set(found.agents)) < 2:
        raise UsageError(f"this schedule needs two agents or more to compare; it has {len(set(found.agents))}")
    return found
