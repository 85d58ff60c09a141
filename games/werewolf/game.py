"""Werewolf: nights and days until one side has won. The stages are in night.py, speech.py and vote.py."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from arena.core import EVERYONE, Event, Game, Match, Payoffs, Table
from arena.games.werewolf.config import WerewolfConfig
from arena.games.werewolf.metrics import metrics
from arena.games.werewolf.night import night
from arena.games.werewolf.presets import PRESETS
from arena.games.werewolf.rules import KIND, Ending, side
from arena.games.werewolf.town import Town, announce
from arena.games.werewolf.twins import twins
from arena.games.werewolf.vote import day


class Werewolf(Game):
    """Werewolf (Mafia): hidden wolves kill by night, all vote by day."""

    version, config_type = 1, WerewolfConfig
    presets: ClassVar[dict[str, dict[str, Any]]] = PRESETS
    speech = True
    # A seat's own knowledge, and who is gone: a few short lines that every decision needs.
    keep = frozenset({"role", "checked", "guarded", "witched", "medium_info", "dawn", "exiled", "shot", "summary_kept"})

    async def play(self, table: Table) -> Payoffs:
        town = Town(table, self.config)
        announce(town)
        end: Ending | None = None
        while end is None:
            end = await night(town) or await day(town)
            if end is None and town.day == self.config.max_days:
                end = Ending("draw", "max_days")
            town.night += 1
        table.tell(EVERYONE, "over", winner=end.winner, reason=end.reason, roles=dict(town.roles))
        return payoffs(town, end)

    def seat_count(self) -> int:
        return sum(self.config.roles.values())

    def rules(self) -> dict[str, Any]:
        """The public configuration, and for the rules text the words of this role set: kind -> roles of that kind."""
        words: dict[str, list[str]] = {}
        for role, kind in KIND.items():
            if self.config.roles.get(role):
                words.setdefault(kind, []).append(role)
        return super().rules() | {"kinds": words}

    def sides(self) -> dict[str, int]:
        wolves = sum(n for role, n in self.config.roles.items() if side(role) == "wolves")
        return {"wolves": wolves, "village": self.seat_count() - wolves}

    def payoff_bounds(self) -> tuple[float, float]:
        return 0, 1

    def phase_name(self, turn: int, events: Sequence[Event]) -> str | None:
        """N0, D1, N1, …: a night ends with its dawn, a day with its exile (or with nobody exiled)."""
        return phase(events)

    def typical(self) -> tuple[int, int]:
        """About a third as many days as seats, three quarters of them alive; a night takes two to four asks in turn."""
        config, seats = self.config, self.seat_count()
        days, living = max(2, round(seats / 3)), seats * 3 // 4
        in_turn = speeches = living * config.rounds
        if config.speech == "bidding":
            in_turn, speeches = 2 * config.turns, config.turns * living
        elif config.speech == "talk":
            in_turn = speeches = living * min(config.talk_limit, config.talk_turns, 4)
        votes = living if config.vote_mode == "sequential" else 1
        asks = speeches + living * (1 + config.summaries) + max(1, seats // 3)
        return days * min(in_turn + votes + 3, asks), days * asks

    def metrics(self, match: Match) -> dict[str, float | None]:
        return metrics(match)

    def twins(self, seed: int, seat: str) -> list[tuple[Match, Match]]:
        return twins(self, seed, seat)


def payoffs(town: Town, end: Ending) -> Payoffs:
    """1 to every seat of the winning side, dead or alive, 0 to the other; half to all on a draw."""
    paid = {seat: 0.5 if end.winner == "draw" else float(side(role) == end.winner) for seat, role in town.roles.items()}
    outcome: dict[str, Any] = {"winner_team": None if end.winner == "draw" else end.winner, "end_reason": end.reason}
    return Payoffs(paid, **outcome, **({"unrated": True} if town.config.compat_no_kill else {}))


def phase(events: Sequence[Event]) -> str:
    """The phase after these events."""
    name = "N0"
    for event in events:
        if event.kind == "dawn":
            name = f"D{event.facts['day']}"
        elif event.kind == "exiled":
            name = f"N{event.facts['day']}"
    return name
