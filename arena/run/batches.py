"""Schedules that look at results: batch r + 1 is planned when batch r is done, and committed before its first call.

What a schedule is told of a finished block is read from the record, in order of blocks, so neither the order in which
matches end nor a crash changes the plan. A match that is void for good (its prompt is too long) counts as ended.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from arena.core.errors import UsageError
from arena.core.match import Match
from arena.models.names import parse_list
from arena.registry import make_game
from arena.run.plan import Planned, Selected, plan_block, schedule_field
from arena.run.schedules import Block, BlockResult, Field, Posterior, Stop, dynamic_schedules
from arena.run.settings import Settings
from arena.store.reader import Reader

Row = Mapping[str, Any]


class Batches:
    """Plans the batches of one run, one after another. `ended`: why there is no next one, once there is none."""

    def __init__(
        self, settings: Settings, agents: Sequence[Selected], folder: Path, posterior: Posterior | None = None
    ) -> None:
        if len(settings.games) > 1:
            raise UsageError(f"the schedule {settings.schedule['kind']!r} plays one game; give static ones several")
        self.settings, self.folder = settings, folder
        plan = settings.games[0]
        self.name, (self.game, self.preset) = plan.name, make_game(plan.name, plan.set)
        field = schedule_field(settings, self.game, plan.matches, agents)
        sided = bool(self.game.sides()) and field.slots == tuple(self.game.sides())
        self.field: Field = replace(field, posterior=posterior, sided=sided)
        self.schedule = dynamic_schedules()[str(settings.schedule["kind"])]
        self.ended: Stop | None = None

    def first(self) -> list[Planned]:
        return self._planned(self.schedule.batch(self.field, []) or [], 0, 1)

    def next(self) -> list[Planned]:
        """The next batch; empty when the schedule is finished or a match of the last batch is still open."""
        with Reader(self.folder) as reader:
            rows = reader.matches()
            seats: dict[int, list[Row]] = defaultdict(list)
            for seat in reader.seats():
                seats[seat["match_id"]].append(seat)
        if any(_is_open(row) for row in rows):
            return []
        results = self._results(rows, seats)
        blocks = self.schedule.batch(self.field, results)
        if blocks is None:
            self.ended = self.schedule.stop(self.field, results)
            return []
        return self._planned(blocks, 1 + max(row["batch_no"] for row in rows), len(rows) + 1)

    def _planned(self, blocks: Sequence[Block], batch: int, number: int) -> list[Planned]:
        plan = [
            planned
            for block in blocks
            for planned in plan_block(
                self.settings.policy, self.name, self.game, self.preset, self.settings.seed, block
            )
        ]
        return [replace(p, number=number + i, batch_no=batch) for i, p in enumerate(plan)]

    def _results(self, rows: Sequence[Row], seats: Mapping[int, Sequence[Row]]) -> list[BlockResult]:
        """Finished blocks in their order, with each slot's mean payoff."""
        blocks: dict[int, list[Row]] = defaultdict(list)
        for row in rows:
            blocks[row["block"]].append(row)
        found = []
        for number, matches in sorted(blocks.items()):
            parts = [self._match(row, seats[row["match_id"]]) for row in matches]
            block = Block(number - 1, number - 1, tuple(seating for seating, _, _ in parts))  # each has its own deal
            teams = tuple(teams for _, _, teams in parts)
            found.append(BlockResult(block, tuple(paid for _, paid, _ in parts), teams if any(teams) else ()))
        return found

    def _match(self, row: Row, seats: Sequence[Row]) -> tuple[dict[str, str], dict[str, float] | None, dict[str, str]]:
        """Agents, payoffs and teams of one match by slot."""
        sides = {seat["seat"]: seat["side"] for seat in seats if seat["side"]}
        if row["status"] != "done":  # sides are written when a match ends
            sides = dict(Match(self.game, int(row["seed"]), int(row["deal_seed"])).sides)
        held = {slot: [s for s in seats if slot in (s["seat"], sides.get(s["seat"]))] for slot in self.field.slots}
        seating = {slot: str(own[0]["agent"]) for slot, own in held.items()}
        teams = {slot: sides[slot] for slot in self.field.slots if slot in sides}
        if row["status"] != "done":
            return seating, None, teams
        payoffs = json.loads(row["payoffs"])
        return seating, {slot: sum(payoffs[s["seat"]] for s in own) / len(own) for slot, own in held.items()}, teams


def why_ended(folder: Path, posterior: Posterior | None = None) -> Stop | None:
    """Why the schedule of a run has no further match; None while it has one, or one is still open. Derived from the
    record, so that it is known of any run however its last session ended."""
    with Reader(folder) as reader:
        settings = Settings.from_json(reader.manifest()["config"])
        if settings.schedule.get("kind") in dynamic_schedules():
            batches = Batches(settings, parse_list(list(settings.agents)), folder, posterior)
            batches.next()
            return batches.ended
        if any(_is_open(row) for row in reader.db.execute("SELECT status, reason FROM matches")):
            return None
        query = "SELECT COUNT(*), COUNT(DISTINCT deal_id) FROM matches WHERE status='done'"
        played, deals = reader.db.execute(query).fetchone()
    return Stop("matches", f"all planned matches are played: {played}", deals, played)


def _is_open(row: Row) -> bool:
    """Whether the match will still be played, in this session or when the run is resumed."""
    if row["status"] == "void":
        return not (row["reason"] or "").startswith("context_length")
    return row["status"] in ("planned", "running")
