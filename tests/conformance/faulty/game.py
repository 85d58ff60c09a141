"""A game with one planted fault a preset, to see that each check finds what it promises to find."""

from __future__ import annotations

import random
from typing import Any, ClassVar

from arena.core import EVERYONE, Answer, Ask, Choice, Config, Game, ListOf, Payoffs, Table, Text, option


class FaultyConfig(Config):
    fault: str = option("none", "the planted fault")


class Faulty(Game):
    """Two seats choose, both speak, one lists."""

    version, seats, config_type = 1, 2, FaultyConfig
    presets: ClassVar = {
        name: {"fault": name}
        for name in (
            "none",
            "global-random",
            "state-on-the-game",
            "changed-fact",
            "changed-answer",
            "number-as-key",
            "not-zero-sum",
            "out-of-bounds",
            "not-finite-metric",
            "plain-words",
            "shouted-words",
            "nameless-words",
            "hidden-character",
            "no-template",
            "unwatchable",
            "forgotten",
            "partial-raises",
            "partial-passes-on",
            "endless",
        )
    }
    zero_sum = True
    speech = True
    keep = frozenset({"hand"})
    matches = 0

    async def play(self, table: Table) -> Payoffs:
        fault, (first, second) = self.config.fault, table.seats
        self.matches += 1
        hand = [table.rng("deal").below(10), self.matches if fault == "state-on-the-game" else 0]
        if fault == "global-random":
            hand[0] = random.randrange(1000)
        table.tell(first, "forgotten" if fault == "forgotten" else "hand", cards=hand)
        choices = await table.ask_all(table.seats, Choice("choose", ["a", "b"], fallback=None))
        while fault == "endless" and None in choices.values():
            choices = await table.ask_all(table.seats, Choice("choose", ["a", "b"], fallback=None))
        table.tell(EVERYONE, "chosen", choices={1: "a"} if fault == "number-as-key" else choices)
        kind = {"shouted-words": "shouted", "nameless-words": "anonymous"}.get(fault, "said")
        for seat in table.seats:
            words = await table.ask(seat, Text("speak", 60))
            table.tell(EVERYONE, kind, seat=seat, text=str(words) if fault == "plain-words" else words)
        if fault == "unwatchable":
            table.tell(EVERYONE, "mine", said=dict.fromkeys(table.seats, "yes"))
        path = await table.ask(second, ListOf("path", Choice("step", ["n", "s"]), 1, 3))
        if fault == "changed-answer":
            path.append("s")
        table.tell(second, {"hidden-character": "hidden", "no-template": "mystery"}.get(fault, "path"), path=path)
        await table.ask_all(table.seats, Choice("choose", ["a", "b"]))
        if fault == "changed-fact":
            hand.append(1)
        won = {"not-zero-sum": 0.5, "out-of-bounds": 7.0}.get(fault, 1.0)
        return Payoffs({first: won, second: -1.0 if fault == "not-zero-sum" else -won})

    def payoff_bounds(self) -> tuple[float, float]:
        return -1, 1

    def metrics(self, match: Any) -> dict[str, float | None]:
        return {"strange": float("nan")} if self.config.fault == "not-finite-metric" else {"plain": 1.0}

    def partial(self, ask: Ask, answer: Answer) -> Answer:
        if self.config.fault == "partial-raises":
            return [step for step in answer if step in ("n", "s")]
        return answer if self.config.fault == "partial-passes-on" else ask.fallback
