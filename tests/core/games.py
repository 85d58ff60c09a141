"""Small games that the tests of the core play."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from arena.core import EVERYONE, Choice, Config, Game, Match, Payoffs, Rng, Table, Text, option

Flow = Callable[[Table], Awaitable[Mapping[str, float]]]

THROW = Choice("throw", ["rock", "paper", "scissors"])


class ThrowsConfig(Config):
    rounds: int = option(2, "rounds", low=0)
    mark: str | None = option(None, "a control", secret=True)


class Throws(Game):
    """Both throw at once, `rounds` times; the draws of chance are told to nobody."""

    name, version, seats, config_type = "throws", 1, 2, ThrowsConfig

    async def play(self, table: Table) -> Payoffs:
        score = dict.fromkeys(table.seats, 0.0)
        for number in range(self.config.rounds):
            table.tell("-", "noise", deal=table.rng("deal").below(1000), other=table.rng("other").below(1000))
            throws = await table.ask_all(table.seats, THROW)
            table.tell(EVERYONE, "round", number=number, throws=throws)
            score[table.seats[0]] += throws["player_0"] > throws["player_1"]
        return Payoffs(score, end_reason="rounds")

    def forfeit_payoffs(self, seat: str, seats: Sequence[str]) -> dict[str, float]:
        return {s: -1.0 if s == seat else 1.0 for s in seats}

    def metrics(self, match: Match) -> dict[str, float | None]:
        return {"rounds": float(len([e for e in match.events if e.kind == "round"]))}


class Whispers(Game):
    """Player 0 whispers to player 1; player 2 hears that something was said; the log keeps a note."""

    name, version, seats = "whispers", 1, 3

    async def play(self, table: Table) -> Payoffs:
        first, second, third = table.seats
        words = await table.ask(first, Text("whisper", 50))
        table.tell([second, first], "whispered", text=words)
        table.tell(third, "overheard", length=len(words))
        table.tell("-", "note", seen=False)
        await table.ask(second, THROW)
        return Payoffs(dict.fromkeys(table.seats, 0))


class Flowing(Game):
    """Whatever flow a test gives it."""

    name, version, seats = "flowing", 1, 2

    def __init__(self, flow: Flow) -> None:
        super().__init__()
        self.flow = flow

    async def play(self, table: Table) -> Mapping[str, float]:
        return await self.flow(table)


def throws(seed: int = 7, deal_seed: int | None = None, *, chance: Any = None, **config: Any) -> Match:
    return Match(Throws(ThrowsConfig(**config)), seed, deal_seed, chance=chance)


def flowing(flow: Flow) -> Match:
    return Match(Flowing(flow), 1)


def played(match: Match, seed: int = 1) -> Match:
    rng = Rng(seed)
    while not match.done:
        for seat, ask in match.pending().items():
            match.submit(seat, ask.sample(rng))
    return match
