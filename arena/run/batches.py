"""Schedules that look at results: batch r + 1 is planned when batch r is done, and committed before its first call.

What a schedule is told of a finished block is read from the record, so a resumed run plans the same matches.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from arena.core.errors import UsageError
from arena.registry import make_game
from arena.run.plan import Planned, Selected, plan_block, schedule_field
from arena.run.schedules import Block, BlockResult, Field, find_schedule
from arena.run.settings import Settings
from arena.store.reader import Reader


class Batches:
    """Plans the batches of one run, one after another."""

    def __init__(self, settings: Settings, agents: Sequence[Selected], folder: Path, posterior: Any = None) -> None:
        if len(settings.games) > 1:
            raise UsageError(f"the schedule {settings.schedule['kind']!r} plays one game; give static ones several")
        self.settings, self.folder = settings, folder
        plan = settings.games[0]
        self.name, (self.game, self.preset) = plan.name, make_game(plan.name, plan.set)
        self.field: Field = replace(schedule_field(settings, self.game, plan.matches, agents), posterior=posterior)
        self.schedule = find_schedule(str(settings.schedule["kind"]))

    def first(self) -> list[Planned]:
        return self._planned(self.schedule.batch(self.field, []) or [], 0, 1)

    def next(self) -> list[Planned]:
        """The next batch; empty when the schedule is finished or a match of the last batch is still open."""
        with Reader(self.folder) as reader:
            rows = reader.matches()
            seats: dict[int, list[dict[str, Any]]] = defaultdict(list)
            for seat in reader.seats():
                seats[seat["match_id"]].append(seat)
        if any(row["status"] in ("planned", "running", "void") for row in rows):
            return []
        blocks = self.schedule.batch(self.field, results(rows, seats, self.field.slots))
        batch = 1 + max((row["batch_no"] for row in rows), default=-1)
        return self._planned(blocks or [], batch, len(rows) + 1)

    def _planned(self, blocks: Sequence[Block], batch: int, number: int) -> list[Planned]:
        plan = [
            planned
            for block in blocks
            for planned in plan_block(
                self.settings.policy, self.name, self.game, self.preset, self.settings.seed, block
            )
        ]
        return [replace(p, number=number + i, batch_no=batch) for i, p in enumerate(plan)]


def results(
    rows: Sequence[Mapping[str, Any]], seats: Mapping[int, Sequence[Mapping[str, Any]]], slots: Sequence[str]
) -> list[BlockResult]:
    """Finished blocks in their order, with each slot's mean payoff."""
    blocks: dict[int, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        blocks[row["block"]].append(row)
    found = []
    for number, matches in sorted(blocks.items()):
        seatings, payoffs = [], []
        for row in matches:
            held = {slot: [s for s in seats[row["match_id"]] if slot in (s["seat"], s["side"])] for slot in slots}
            seatings.append({slot: own[0]["agent"] for slot, own in held.items() if own})
            paid = json.loads(row["payoffs"]) if row["status"] == "done" else None
            payoffs.append(
                paid and {slot: sum(paid[s["seat"]] for s in own) / len(own) for slot, own in held.items() if own}
            )
        deal = int(matches[0]["deal_id"].rpartition("/")[2].partition("-")[0])
        found.append(BlockResult(Block(number - 1, deal, tuple(seatings)), tuple(payoffs)))
    return found
