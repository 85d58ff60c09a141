"""A match that begins as another one went: the record's rows of the turns that are copied into it.

Turns before the decision are applied; those of the decision's own batch are given but not yet applied, unless the
decision is copied too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from arena.core.asks import Answer
from arena.core.game import Game
from arena.core.record import record, replay
from arena.play import new_match
from arena.run.plan import Planned
from arena.run.rows import Decision, event_rows, turn_row
from arena.store.reader import StoredMatch, StoredTurn
from arena.store.writer import Unit
from arena.training.record import Played


@dataclass(frozen=True)
class Prefix:
    """The turns of a match around the decision `at`, each with its status; `answer` decides it, if it is decided."""

    turns: Sequence[Mapping[str, Any]]
    at: int
    answer: Answer = None
    decided: bool = False

    @classmethod
    def of(cls, played: Played, at: int) -> Prefix:
        """What was decided before a turn, and beside it in its batch."""
        turns = record(played.match)["turns"]
        batch = turns[at]["batch"]
        statuses = {number: sent.status for number, sent in played.sent.items()}
        kept = [t for t in turns if t["batch"] <= batch]
        return cls([{**t, "status": statuses.get(t["turn"], "legal")} for t in kept], at)

    def rows(self, planned: Planned, game: Game) -> tuple[Unit, Unit]:
        """The rows of its turns, and of the events that they led to."""
        chance = (planned.fork_turn or 0, planned.branch or 0)
        match = new_match(game, planned.seed, planned.deal_seed, preset=planned.preset, chance=chance)
        batch = self.turns[self.at]["batch"]
        turns = [t for t in self.turns if t["turn"] != self.at or self.decided]
        replay(match, [t for t in turns if t["batch"] < batch])
        told, opened = len(match.events), dict(match.opened())
        now = [self._decided(t) for t in turns if t["batch"] == batch]
        asks = {t.turn: t.ask for t in match.turns} | {t["turn"]: opened[t["seat"]] for t in now}
        replay(match, now)
        unit: Unit = []
        for t in [*(t for t in turns if t["batch"] < batch), *now]:
            decision = Decision(
                turn=t["turn"],
                batch=t["batch"],
                seat=t["seat"],
                ask=asks[t["turn"]],
                answer=t["answer"],
                status=t["status"],
                fallback=bool(t["fallback"]),
                origin="copied",
            )
            unit.append(turn_row(planned.number, match, decision, applied=t["batch"] < batch or self.decided))
        events = event_rows(planned.number, match, 0)
        return unit, events if self.decided else events[:told]

    def stored(self, seats: Sequence[str]) -> StoredMatch:
        """The same as a runner reads it from a record; it tells the events itself."""
        batch = self.turns[self.at]["batch"]
        return StoredMatch("running", 0, tuple(
            StoredTurn(
                t["turn"], t["batch"], seats.index(t["seat"]), t["ask_hash"], t["status"], t["answer"],
                bool(t["fallback"]), t["batch"] < batch, None, None, None,
            )
            for t in self.turns if t["turn"] != self.at
        ), (), {})  # fmt: skip

    def _decided(self, turn: Mapping[str, Any]) -> Mapping[str, Any]:
        if turn["turn"] != self.at:
            return turn
        return {**turn, "answer": self.answer, "fallback": False, "status": "legal"}
