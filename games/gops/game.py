"""GOPS: both bid a card for each prize at the same time; the last cards, which are forced, are played unasked."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, ClassVar

from arena.core import EVERYONE, Choice, Config, ConfigError, Game, Match, Payoffs, Rng, Table, View, option
from arena.games.gops.metrics import metrics
from arena.games.gops.rules import total, trick
from arena.games.gops.twins import twins


class GopsConfig(Config):
    n: int = option(6, "cards in each hand, and prizes", low=2, high=13)
    carry: bool = option(True, "a tied prize is added to the next one; otherwise it is lost")
    deal: tuple[int, ...] | None = option(None, "the prizes in a fixed order, as [3, 1, 2]", secret=True)

    def check(self) -> None:
        if self.deal is not None and sorted(self.deal) != list(range(1, self.n + 1)):
            raise ConfigError(f"deal must hold each of 1 to {self.n} once, not {list(self.deal)}")


@cache
def _bid(hand: tuple[int, ...]) -> Choice:
    return Choice("bid", [str(card) for card in hand])  # the fallback is the lowest card


class Gops(Game):
    """GOPS: equal hands of cards bid for prizes that are turned up one by one."""

    version, seats, config_type = 1, 2, GopsConfig
    presets: ClassVar = {
        "default": {},
        "n3": {"n": 3},
        "n4": {"n": 4},
        "n13": {"n": 13},
        "no-carry": {"n": 4, "carry": False},
    }
    zero_sum = True

    async def play(self, table: Table) -> Payoffs:
        n, carry = self.config.n, self.config.carry
        prizes = self.config.deal or table.rng("deal").sample(range(1, n + 1), n)
        hands = {seat: list(range(1, n + 1)) for seat in table.seats}
        scores, carried = dict.fromkeys(table.seats, 0), 0
        for number, prize in enumerate(prizes, 1):
            at_stake = prize + carried
            facts: dict[str, Any] = {"hands": {seat: list(hand) for seat, hand in hands.items()}, "scores": {**scores}}
            table.tell(EVERYONE, "prize", round=number, value=prize, at_stake=at_stake, **facts)
            if number < n:
                given = await table.ask_all({seat: _bid(tuple(hands[seat])) for seat in table.seats})
            else:
                given = {seat: str(hand[0]) for seat, hand in hands.items()}
            bids = {seat: int(card) for seat, card in given.items()}
            for seat, card in bids.items():
                hands[seat].remove(card)
            done = trick(at_stake, [bids[seat] for seat in table.seats], carry=carry)
            winner = None if done.winner is None else table.seats[done.winner]
            carried = done.carried if number < n else 0  # points at stake after the last prize are lost
            if winner is not None:
                scores[winner] += done.points
            lost = 0 if winner is not None else at_stake - carried
            facts = {"bids": bids, "winner": winner, "points": done.points, "carried": carried, "lost": lost}
            table.tell(EVERYONE, "bids", round=number, value=prize, scores={**scores}, **facts)
        first, second = table.seats
        margin = (scores[first] - scores[second]) / total(n)
        return Payoffs({first: margin, second: -margin})

    def payoff_bounds(self) -> tuple[float, float]:
        return -1, 1

    def forfeit_payoffs(self, seat: str, seats: Sequence[str]) -> Payoffs:
        return Payoffs({s: -1 if s == seat else 1 for s in seats})

    def typical(self) -> tuple[int, int]:
        return self.config.n - 1, 2 * (self.config.n - 1)

    def metrics(self, match: Match) -> dict[str, float | None]:
        return metrics(match)

    def twins(self, seed: int, seat: str) -> list[tuple[Match, Match]]:
        return twins(self, seed, seat)

    def worlds(self, view: View, rng: Rng) -> Match:
        """The prizes to come lie in any order."""
        shown = [event.facts["value"] for event in view.of_kind("prize")]
        rest = [prize for prize in range(1, self.config.n + 1) if prize not in shown]
        deal = (*shown, *rng.sample(rest, len(rest)))
        match = Match(Gops(GopsConfig(n=self.config.n, carry=self.config.carry, deal=deal)), rng.getrandbits(63))
        for event in view.of_kind("bids"):
            for seat in match.pending():
                match.submit(seat, str(event.facts["bids"][seat]))
        return match
