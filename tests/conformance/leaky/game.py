"""A guessing game with planted leaks, to see that the no-leak check finds them. Only the preset `tight` keeps quiet."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from arena.core import EVERYONE, Ask, Choice, Config, Form, Game, Match, Payoffs, Range, Table, option

NUMBERS = ("1", "2", "3")


class LeakyConfig(Config):
    leak: Literal["none", "audience", "legal", "order", "reason", "end"] = option("none", "what leaks", secret=True)
    number: str | None = option(None, "a fixed secret", secret=True)


class Leaky(Game):
    """One seat holds a number, hints, and the other guesses it."""

    version, seats, config_type = 1, 2, LeakyConfig
    presets: ClassVar = {
        "tight": {},
        "wrong-audience": {"leak": "audience"},
        "leaking-legal-set": {"leak": "legal"},
        "leaking-sort-order": {"leak": "order"},
        "leaking-reason": {"leak": "reason"},
        "early-end": {"leak": "end"},
    }
    zero_sum = True
    keep = frozenset({"secret"})

    async def play(self, table: Table) -> Payoffs:
        holder, guesser = table.seats
        leak, secret = self.config.leak, self.config.number or table.rng("deal").choice(NUMBERS)
        table.tell(EVERYONE if leak == "audience" else holder, "secret", number=secret)
        hint = await table.ask(holder, Choice("hint", ("low", "high")))
        table.tell(EVERYONE, "hint", hint=hint)
        if leak == "end":
            table.tell(EVERYONE, "end", number=secret)
        answer = await table.ask(guesser, self.guess(secret, leak))
        if leak != "end":
            table.tell(EVERYONE, "end", number=secret)
        won = answer["stake"] if answer["number"] == secret else -answer["stake"]
        return Payoffs({holder: -won, guesser: won})

    def guess(self, secret: str, leak: str) -> Ask:
        numbers = list(NUMBERS)
        if leak == "legal":
            numbers.remove(next(n for n in NUMBERS if n != secret))
        if leak == "order":
            numbers.sort(key=lambda n: n == secret)

        def rule(whole: dict[str, Any]) -> str | None:
            if whole["stake"] == 3 and whole["number"] == NUMBERS[0]:
                return f"nobody stakes 3 on {secret}" if leak == "reason" else "nobody stakes 3 on 1"
            return None

        return Form("guess", Choice("number", numbers), Range("stake", 1, 3), rule=rule)

    def twins(self, seed: int, seat: str) -> list[tuple[Match, Match]]:
        """The guesser cannot tell two secrets apart before it has guessed."""
        if seat == "player_0":
            return []
        leak = self.config.leak
        pair = [Match(Leaky(LeakyConfig(leak=leak, number=number)), seed) for number in ("1", "3")]
        for match in pair:
            match.submit("player_0", "low")
        return [(pair[0], pair[1])]
