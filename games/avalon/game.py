"""The Resistance: Avalon. The stages of a match are in stages.py, its hidden state in board.py."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, ClassVar

from arena.core import EVERYONE, Answer, Event, Game, Match, Payoffs, Rng, Table, View
from arena.games.avalon.board import Board, announce
from arena.games.avalon.config import PRESETS, AvalonConfig
from arena.games.avalon.metrics import metrics
from arena.games.avalon.rules import EVIL_SEATS, LADY_AFTER, TEAM_SIZES, TO_WIN, Ending, side
from arena.games.avalon.stages import quest
from arena.games.avalon.twins import twins
from arena.games.avalon.value import answer_features, answer_value, state_value
from arena.games.avalon.worlds import world


class Avalon(Game):
    """Avalon: hidden evil spoils quests, and good must keep Merlin hidden."""

    version, config_type = 1, AvalonConfig
    presets: ClassVar[dict[str, dict[str, Any]]] = PRESETS
    speech = True
    # A seat's own knowledge and how the quests went: a few short lines that every decision needs.
    keep = frozenset({"role", "sight", "quest_result", "lady_result"})

    async def play(self, table: Table) -> Payoffs:
        board = Board(table, self.config)
        announce(board, self.rules())
        end: Ending | None = None
        while end is None:
            end = await quest(board)
        table.tell(EVERYONE, "over", winner=end.winner, reason=end.reason, roles=dict(board.roles))
        paid = {seat: float(side(role) == end.winner) for seat, role in board.roles.items()}
        return Payoffs(paid, winner_team=end.winner, end_reason=end.reason)

    def seat_count(self) -> int:
        return int(self.config.players)

    def rules(self) -> dict[str, Any]:
        """The public configuration and what follows from it: how many hold each role, team sizes, fails needed."""
        players = self.config.players
        return super().rules() | {
            "roles": dict(Counter(self.config.role_list())),
            "sizes": list(TEAM_SIZES[players]),
            "fails": list(self.config.fails_needed()),
            "evil_seats": EVIL_SEATS[players],
        }

    def sides(self) -> dict[str, int]:
        evil = EVIL_SEATS[self.config.players]
        return {"good": self.config.players - evil, "evil": evil}

    def payoff_bounds(self) -> tuple[float, float]:
        return 0, 1

    def phase_name(self, turn: int, events: Sequence[Event]) -> str | None:
        """Q1P1, Q1P2, …: quest and proposal; L2: the Lady after quest 2; A: the assassination."""
        return phase(events, self.config.lady)

    def typical(self) -> tuple[int, int]:
        """About eight proposals; each has a discussion in turn, a proposal, a vote at once."""
        players, proposals = self.config.players, 8
        discussions = proposals if self.config.talk_every == "proposal" else 4
        speeches = discussions * players * self.config.talk_rounds
        return speeches + 2 * proposals + 5, speeches + proposals * (players + 1) + 8

    def metrics(self, match: Match) -> dict[str, float | None]:
        return metrics(match)

    def twins(self, seed: int, seat: str) -> list[tuple[Match, Match]]:
        return twins(self, seed, seat)

    def worlds(self, view: View, rng: Rng) -> Match:
        return world(self, view, rng)

    def score(self, view: View, answer: Answer) -> float | None:
        return answer_value(view, answer)

    def progress(self, view: View) -> float | None:
        return state_value(view)

    def features(self, view: View, answer: Answer) -> Sequence[float] | None:
        return answer_features(view, answer)


def phase(events: Sequence[Event], lady: bool) -> str:
    """The phase after these events."""
    for event in reversed(events):
        if event.kind == "leader":
            return f"Q{event.facts['quest']}P{event.facts['proposal']}"
        if event.kind == "quest_result" and event.facts["score"]["good"] == TO_WIN:
            return "A"
        if event.kind == "quest_result" and lady and event.facts["quest"] in LADY_AFTER:
            return f"L{event.facts['quest']}"
    return "Q1P1"
