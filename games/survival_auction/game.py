"""Survival auction: residents of a dry town bid for the day's water until they are out or the days are over."""

from __future__ import annotations

from functools import cache
from typing import Any, ClassVar, Literal

from arena.core import EVERYONE, Config, ConfigError, Game, Match, Payoffs, Range, Rng, Table, View, option
from arena.games.survival_auction.metrics import metrics
from arena.games.survival_auction.rules import Resident, after, allocate
from arena.games.survival_auction.twins import twins


@cache
def _bid(money: int) -> Range:
    return Range("bid", 0, money, fallback=0)


class SurvivalAuctionConfig(Config):
    residents: int = option(5, "how many bid", low=2, high=20)
    days: int = option(10, "how many days", low=1, high=200)
    health: int = option(8, "health at the start", low=1, high=1000)
    most_health: int = option(10, "health is never above this", low=1, high=1000)
    incomes: tuple[int, ...] = option((100,), "each resident's daily income; a single one is everybody's")
    needs: tuple[int, ...] = option((10,), "each resident's daily need of water; a single one is everybody's")
    supply_low: int = option(10, "least water of a day", low=0, high=10_000)
    supply_high: int = option(10, "most water of a day", low=0, high=10_000)
    ties: Literal["nobody", "need"] = option("nobody", "who wins between equal bids: nobody, or the lower need")
    deal: tuple[int, ...] | None = option(None, "the water of every day, in a fixed order", secret=True)

    def check(self) -> None:
        for name in ("incomes", "needs"):
            values = getattr(self, name)
            if len(values) not in (1, self.residents) or not all(1 <= value <= 10_000 for value in values):
                raise ConfigError(f"{name} must hold 1 or {self.residents} values from 1 to 10000, not {list(values)}")
        if self.health > self.most_health:
            raise ConfigError(f"health must be at most most_health ({self.most_health}), not {self.health}")
        if self.supply_low > self.supply_high:
            raise ConfigError(f"supply_low must be at most supply_high ({self.supply_high}), not {self.supply_low}")
        low, high = self.supply_low, self.supply_high
        if self.deal is not None and (len(self.deal) != self.days or not all(low <= w <= high for w in self.deal)):
            raise ConfigError(f"deal must hold {self.days} values from {low} to {high}, not {list(self.deal)}")

    def of(self, name: Literal["incomes", "needs"], number: int) -> int:
        """The income or need of that resident."""
        values: tuple[int, ...] = getattr(self, name)
        return values[number % len(values)]


class SurvivalAuction(Game):
    """Survival auction: sealed bids for the day's water; thirst kills."""

    version, config_type = 1, SurvivalAuctionConfig
    presets: ClassVar = {
        "default": {},
        "alympics": {
            "days": 20,
            "incomes": (70, 75, 100, 120, 120),
            "needs": (8, 9, 10, 11, 12),
            "supply_low": 10,
            "supply_high": 20,
            "ties": "need",
        },
    }

    def seat_count(self) -> int:
        return int(self.config.residents)

    def rules(self) -> dict[str, Any]:
        """Incomes and needs by seat; `alike`: they are the same for all; `single`: water for one a day, always."""
        config = self.config
        seats = [f"player_{i}" for i in range(config.residents)]
        incomes = {seat: config.of("incomes", i) for i, seat in enumerate(seats)}
        needs = {seat: config.of("needs", i) for i, seat in enumerate(seats)}
        alike = len({*incomes.values()}) == len({*needs.values()}) == 1
        single = max(config.needs) <= config.supply_low and config.supply_high < 2 * min(config.needs)
        return {**super().rules(), "incomes": incomes, "needs": needs, "alike": alike, "single": single}

    async def play(self, table: Table) -> Payoffs:
        config = self.config
        rng = table.rng("deal")
        span = range(config.supply_low, config.supply_high + 1)
        supplies = config.deal or [rng.choice(span) for _ in range(config.days)]
        needs = {seat: config.of("needs", i) for i, seat in enumerate(table.seats)}
        incomes = {seat: config.of("incomes", i) for i, seat in enumerate(table.seats)}
        town = {seat: Resident(config.health) for seat in table.seats}
        for day, supply in enumerate(supplies, 1):
            alive = [seat for seat, resident in town.items() if resident.health]
            if len(alive) < 2:
                break
            for seat in alive:
                town[seat] = town[seat]._replace(money=town[seat].money + incomes[seat])
            table.tell(EVERYONE, "day", day=day, supply=supply, **_shown(town, alive))
            bids = await table.ask_all({seat: _bid(town[seat].money) for seat in alive})
            winners = allocate(bids, needs, supply, config.ties)
            for seat in alive:
                paid = bids[seat] if seat in winners else None
                town[seat] = after(town[seat], paid=paid, cap=config.most_health)
            out = [seat for seat in alive if not town[seat].health]
            table.tell(EVERYONE, "auction", day=day, bids=bids, winners=list(winners), out=out, **_shown(town, alive))
        return Payoffs({seat: float(resident.health > 0) for seat, resident in town.items()})

    def payoff_bounds(self) -> tuple[float, float]:
        return 0, 1

    def typical(self) -> tuple[int, int]:
        return self.config.days, self.config.days * max(2, self.config.residents // 2)

    def metrics(self, match: Match) -> dict[str, float | None]:
        return metrics(match)

    def twins(self, seed: int, seat: str) -> list[tuple[Match, Match]]:
        return twins(self, seed, seat)

    def worlds(self, view: View, rng: Rng) -> Match:
        """The water of the days to come is drawn anew; all else is public."""
        known = [event.facts["supply"] for event in view.of_kind("day")]
        span = range(self.config.supply_low, self.config.supply_high + 1)
        deal = known + [rng.choice(span) for _ in range(self.config.days - len(known))]
        config = type(self.config).make({**self.config.as_json(), "deal": deal})
        match = Match(SurvivalAuction(config), rng.getrandbits(63))
        for event in view.of_kind("auction"):
            for seat, bid in event.facts["bids"].items():
                match.submit(seat, bid)
        return match


def _shown(town: dict[str, Resident], seats: list[str]) -> dict[str, dict[str, int]]:
    """Health, thirst and money of these residents, as facts."""
    return {name: {seat: getattr(town[seat], name) for seat in seats} for name in ("health", "thirst", "money")}
