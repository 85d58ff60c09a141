"""Guess 0.8 of the average, round after round, with health to lose."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar

from arena.core import EVERYONE, Ask, Config, Each, Form, Game, Match, Payoffs, Range, Rng, Table, View, option
from arena.games.guess08.metrics import metrics
from arena.games.guess08.rules import HIGH, LOW, outcome, target
from arena.games.guess08.twins import twins

_FALLBACK = (LOW + HIGH) // 2  # the guess of somebody who does not think about the others
_GUESS = Range("guess", LOW, HIGH, fallback=_FALLBACK)


@cache
def _guess_and_predict(others: tuple[str, ...]) -> Form:
    prediction = Each("prediction", others, Range("number", LOW, HIGH))
    return Form("guess", Range("number", LOW, HIGH, fallback=_FALLBACK), intent=[prediction])


class Guess08Config(Config):
    players: int = option(5, "how many play", low=2, high=20)
    rounds: int = option(10, "how many rounds", low=1, high=100)
    health: int = option(10, "health at the start; each round that is not won costs 1", low=1, high=100)
    predict: bool = option(False, "each answer may also state what the seat expects of the others")


class Guess08(Game):
    """Guess 0.8 of the average: nearest to it wins the round, all others lose health."""

    version, config_type = 1, Guess08Config
    presets: ClassVar = {"default": {}, "predict": {"predict": True}, "short-lived": {"health": 3}}

    def seat_count(self) -> int:
        return int(self.config.players)

    async def play(self, table: Table) -> Payoffs:
        health = dict.fromkeys(table.seats, self.config.health)
        won = dict.fromkeys(table.seats, 0)
        for number in range(1, self.config.rounds + 1):
            alive = [seat for seat in table.seats if health[seat] > 0]
            if len(alive) < 2:
                # Alone, any number is the nearest: the rounds left are won without being asked for.
                for seat in alive:
                    left = self.config.rounds - number + 1
                    table.tell(EVERYONE, "alone", seat=seat, rounds=left)
                    won[seat] += left
                break
            table.tell(EVERYONE, "open", round=number, health={**health})
            given = await table.ask_all({seat: self.guess(seat, alive) for seat in alive})
            numbers = {seat: int(given[seat]["number"] if self.config.predict else given[seat]) for seat in alive}
            self.settle(table, number, numbers, health, won)
        return Payoffs({seat: won[seat] / self.config.rounds for seat in table.seats})

    def guess(self, seat: str, alive: list[str]) -> Ask:
        return _guess_and_predict(tuple(s for s in alive if s != seat)) if self.config.predict else _GUESS

    def settle(
        self, table: Table, number: int, numbers: dict[str, int], health: dict[str, int], won: dict[str, int]
    ) -> None:
        """Pay the round and tell it."""
        winning, winners = outcome(numbers)
        for seat in numbers:
            if seat in winners:
                won[seat] += 1
            else:
                health[seat] -= 1
        facts: dict[str, Any] = {
            "round": number,
            "numbers": numbers,
            "target": round(float(target(numbers)), 2),
            "winning": winning,
            "winners": list(winners),
            "health": {**health},
            "out": [seat for seat in numbers if health[seat] == 0],
        }
        table.tell(EVERYONE, "round", **facts)

    def payoff_bounds(self) -> tuple[float, float]:
        return 0, 1

    def typical(self) -> tuple[int, int]:
        return self.config.rounds, self.config.rounds * self.config.players

    def metrics(self, match: Match) -> dict[str, float | None]:
        return metrics(match)

    def twins(self, seed: int, seat: str) -> list[tuple[Match, Match]]:
        return twins(self, seed, seat)

    def worlds(self, view: View, rng: Rng) -> Match:
        """Nothing is hidden but what the others are choosing now."""
        match = Match(Guess08(self.config), rng.getrandbits(63))
        for event in view.of_kind("round"):
            for seat, number in event.facts["numbers"].items():
                match.submit(seat, {"number": number} if self.config.predict else number)
        return match
