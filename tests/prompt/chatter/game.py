"""A table that talks: each round player_0 speaks, then both vote at once. For the tests of the renderer."""

from __future__ import annotations

from typing import ClassVar

from arena.core import EVERYONE, Choice, Config, Form, Game, Payoffs, Table, Text, option


class ChatterConfig(Config):
    rounds: int = option(3, "rounds of talk", low=1)
    named: bool = option(False, "the seats have first names")
    insists: bool = option(False, "player_0 is first asked the same question twice")


class Chatter(Game):
    """Talk, then vote."""

    version, seats, config_type = 1, 2, ChatterConfig
    presets: ClassVar = {"default": {}, "named": {"named": True}, "insisting": {"insists": True}}
    speech = True
    keep = frozenset({"role"})

    async def play(self, table: Table) -> Payoffs:
        if self.config.named:
            table.rename({"player_0": "Alex", "player_1": "Blair"})
        for seat, role in zip(table.seats, ("speaker", "listener"), strict=True):
            table.tell(seat, "role", role=role)
        sure = Choice("sure", ["yes", "no"], fallback="no")
        for _ in range(2 if self.config.insists else 0):
            await table.ask("player_0", sure)
        claim = Choice("claim", ["none", "honest"])
        for number in range(self.config.rounds):
            said = await table.ask("player_0", Form("speak", Text("speech", 80), intent=[claim]))
            table.tell(EVERYONE, "said", seat="player_0", speech=said["speech"])
            votes = await table.ask_all(table.seats, Choice("vote", [*table.seats, "nobody"], fallback=None))
            table.tell(EVERYONE, "votes", number=number, votes=votes)
        return Payoffs(dict.fromkeys(table.seats, 0))
