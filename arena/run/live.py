"""A match in play: the engine's match, its players, and what its turns have cost so far."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from arena.core.match import Match
from arena.run.keys import PromptChain
from arena.run.plan import Planned
from arena.run.players import Player
from arena.run.rows import Ledger
from arena.store.reader import StoredCall

if TYPE_CHECKING:
    from arena.run.runner import Runner


class LiveMatch:
    def __init__(self, run: Runner, planned: Planned, match: Match, players: Mapping[str, Player]) -> None:
        self.run, self.planned, self.match, self.players = run, planned, match, players
        self.execution = 0
        self.ledger = Ledger()
        self.memos: dict[str, Any] = {}
        self.stored_calls: dict[int, dict[str, StoredCall]] = {}
        self.chains: dict[str, PromptChain] = {}
        self.told = 0  # events already in the record
        self.forfeits: list[str] = []  # seats whose recorded turn of the open batch is a forfeit
        self._spent: dict[str, float] = {}

    @property
    def has_clock(self) -> bool:
        return self.run.policy.turn_s is not None or self.run.policy.match_s is not None

    def spend(self, seat: str, seconds: float) -> None:
        self._spent[seat] = self._spent.get(seat, 0.0) + seconds

    def time_left(self, seat: str, this_turn: float) -> float:
        """Seconds that the seat may still take, by its clocks."""
        policy = self.run.policy
        left = [math.inf]
        if policy.turn_s is not None:
            left.append(policy.turn_s - this_turn)
        if policy.match_s is not None:
            left.append(policy.match_s - self._spent.get(seat, 0.0) - this_turn)
        return min(left)
