"""Avalon matches with a known deal, answered by the name of each ask, or proposal by proposal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import arena
from arena.core import Match, stream
from arena.core.bots import Bot
from arena.games.avalon.asks import Team

FIVE = ["merlin", "servant", "servant", "assassin", "minion"]
SEVEN = ["merlin", "servant", "servant", "servant", "assassin", "minion", "minion"]

Answerer = Callable[[Match, str], Any]


def new(preset: str = "mute5", deal: list[str] | None = FIVE, seed: int = 5, **config: Any) -> Match:
    """A match with a known deal, led first by player_0."""
    return arena.match(f"avalon/{preset}", seed=seed, **{"deal": deal, "first_leader": 0, **config})


def play(match: Match, until: str = "", **how: Any) -> Match:
    """Answer every ask by its name, until one of that name is open. Left out: the first seats are proposed, everybody
    approves, evil fails, words are few."""
    plain: dict[str, Any] = {
        "speech": {"text": "hm"},
        "propose": lambda m, seat: list(m.seats[: m.pending()[seat].low]),
        "team_vote": "approve",
        "quest": "fail",
        "lady": lambda m, seat: m.pending()[seat].options[0],
        "evil_talk": "hm",
        "assassinate": lambda m, seat: m.pending()[seat].options[0],
        "beliefs": lambda m, seat: m.pending()[seat].fallback,
    } | how
    while not match.done:
        batch = dict(match.pending())
        if until in {ask.name for ask in batch.values()}:
            break
        for seat, ask in batch.items():
            answer = plain[ask.name]
            match.submit(seat, answer(match, seat) if callable(answer) else answer)
    return match


def course(match: Match, *rounds: dict[str, Any]) -> Match:
    """Play proposals as given: `team` (seat numbers), `no` (seats that reject), `fail` (seats that play fail)."""
    for step in rounds:
        for seat, ask in list(match.pending().items()):
            assert ask.name == "propose"
            match.submit(seat, seats(*step["team"]))
        for i, seat in enumerate(match.seats):
            match.submit(seat, "reject" if i in step.get("no", ()) else "approve")
        for seat, ask in list(match.pending().items()):
            if ask.name == "quest":
                match.submit(seat, "fail" if int(seat[-1]) in step.get("fail", ()) else "success")
    return match


def votes_of(match: Match, bot: Bot, on: list[int], voters: range | list[int]) -> list[str]:
    """How these seats vote by the bot once the leader has proposed the team."""
    for seat in list(match.pending()):
        match.submit(seat, seats(*on))
    rng = stream(1)
    return [bot(match.view(seat), match.pending()[seat], rng) for seat in seats(*voters)]


def facts(match: Match, kind: str) -> list[dict[str, Any]]:
    return [event.facts for event in match.events if event.kind == kind]


def asked(match: Match, name: str) -> list[str]:
    return [turn.seat for turn in match.turns if turn.ask.name == name]


def seats(*numbers: int) -> list[str]:
    return [f"player_{i}" for i in numbers]


def team(*numbers: int) -> Answerer:
    """The first seats of these that make a team."""

    def answer(match: Match, seat: str) -> list[str]:
        ask = match.pending()[seat]
        assert isinstance(ask, Team)
        return seats(*numbers)[: ask.low]

    return answer
