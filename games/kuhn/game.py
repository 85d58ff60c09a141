"""Kuhn poker: one hidden card each, one bet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from arena.core import EVERYONE, Choice, Config, ConfigError, Game, Match, Payoffs, Table, option
from arena.games.kuhn.metrics import metrics
from arena.games.kuhn.rules import DEALS, folded, is_over, legal, plain, to_act, won
from arena.games.kuhn.twins import twins

_CHECK_OR_BET = Choice("move", ("check", "bet"), fallback="check")
_FOLD_OR_CALL = Choice("move", ("fold", "call"), fallback="fold")


class KuhnConfig(Config):
    deal: str | None = option(None, 'a fixed deal, as "KQ": player_0 holds K, player_1 holds Q', secret=True)

    def check(self) -> None:
        if self.deal is not None and self.deal not in DEALS:
            raise ConfigError(f"deal must be one of {', '.join(DEALS)}, not {self.deal!r}")


class Kuhn(Game):
    """Kuhn poker: three cards, ante 1, one bet of 1."""

    version, seats, config_type = 1, 2, KuhnConfig
    presets: ClassVar = {"default": {}}
    zero_sum = True
    keep = frozenset({"card"})

    async def play(self, table: Table) -> Payoffs:
        deal = self.config.deal or table.rng("deal").choice(DEALS)
        for seat, card in zip(table.seats, deal, strict=True):
            table.tell(seat, "card", card=card)
        history: tuple[str, ...] = ()
        while not is_over(history):
            seat = table.seats[to_act(history)]
            move = await table.ask(seat, _CHECK_OR_BET if legal(history)[0] == "check" else _FOLD_OR_CALL)
            history = (*history, plain(move))
            table.tell(EVERYONE, "action", seat=seat, move=move)
        first, second = table.seats
        if folded(history) is None:
            table.tell(EVERYONE, "showdown", cards={first: deal[0], second: deal[1]})
        chips = won(deal, history)
        return Payoffs({first: chips, second: -chips}, end_reason="fold" if folded(history) is not None else "showdown")

    def payoff_bounds(self) -> tuple[float, float]:
        return -2, 2

    def forfeit_payoffs(self, seat: str, seats: Sequence[str]) -> Payoffs:
        return Payoffs({s: -2 if s == seat else 2 for s in seats})

    def typical(self) -> tuple[int, int]:
        return 2, 3

    def metrics(self, match: Match) -> dict[str, float | None]:
        return metrics(match)

    def twins(self, seed: int, seat: str) -> list[tuple[Match, Match]]:
        return twins(self, seed, seat)
