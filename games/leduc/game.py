"""Leduc poker: one hidden card each, a public card between two betting rounds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from arena.core import EVERYONE, Choice, Config, ConfigError, Game, Match, Payoffs, Rng, Table, View, option
from arena.games.leduc.metrics import metrics
from arena.games.leduc.rules import DEALS, DECK, MOST_CHIPS, hand, is_over, legal, won
from arena.games.leduc.twins import twins

_ASKS = {
    ("check", "bet"): Choice("move", ("check", "bet"), fallback="check"),
    ("fold", "call", "raise"): Choice("move", ("fold", "call", "raise"), fallback="fold"),
    ("fold", "call"): Choice("move", ("fold", "call"), fallback="fold"),
}


class LeducConfig(Config):
    deal: str | None = option(None, 'a fixed deal, as "KQJ": player_0 has K, player_1 Q, J is public', secret=True)

    def check(self) -> None:
        if self.deal is not None and self.deal not in DEALS:
            raise ConfigError(f"deal must be one of {', '.join(DEALS)}, not {self.deal!r}")


class Leduc(Game):
    """Leduc poker: six cards, ante 1, raises of 2 and then 4, one public card."""

    version, seats, config_type = 1, 2, LeducConfig
    presets: ClassVar = {"default": {}}
    zero_sum = True
    keep = frozenset({"card", "public"})

    async def play(self, table: Table) -> Payoffs:
        deal = self.config.deal or "".join(table.rng("deal").sample(DECK, 3))
        for seat, card in zip(table.seats, deal[:2], strict=True):
            table.tell(seat, "card", card=card)
        history: tuple[str, ...] = ()
        while not is_over(history):
            before = hand(history)
            seat = table.seats[before.player]
            move = await table.ask(seat, _ASKS[legal(history)])
            history = (*history, move)
            now = hand(history)
            table.tell(EVERYONE, "action", seat=seat, move=move, pot=sum(now.chips), owed=now.owed)
            if now.round > before.round:
                table.tell(EVERYONE, "public", card=deal[2])
        end = hand(history)
        first, second = table.seats
        if end.folded is None:
            table.tell(EVERYONE, "showdown", cards={first: deal[0], second: deal[1]}, public=deal[2])
        chips = won(deal, history)
        return Payoffs({first: chips, second: -chips}, end_reason="showdown" if end.folded is None else "fold")

    def payoff_bounds(self) -> tuple[float, float]:
        return -MOST_CHIPS, MOST_CHIPS

    def forfeit_payoffs(self, seat: str, seats: Sequence[str]) -> Payoffs:
        return Payoffs({s: -MOST_CHIPS if s == seat else MOST_CHIPS for s in seats})

    def typical(self) -> tuple[int, int]:
        return 5, 5

    def metrics(self, match: Match) -> dict[str, float | None]:
        return metrics(match)

    def twins(self, seed: int, seat: str) -> list[tuple[Match, Match]]:
        return twins(self, seed, seat)

    def worlds(self, view: View, rng: Rng) -> Match:
        """Every way the unseen cards may lie is as likely as another, whatever was bet."""
        deals = [deal for deal in DEALS if _fits(deal, view)]
        deal = rng.choices(deals, weights=[int(120 * DEALS[deal]) for deal in deals])[0]
        match = Match(Leduc(LeducConfig(deal=deal)), rng.getrandbits(63))
        for event in view.of_kind("action"):
            match.submit(event.facts["seat"], event.facts["move"])
        return match


def _fits(deal: str, view: View) -> bool:
    """Whether the deal agrees with every card that the seat has seen."""
    own, public, shown = (view.last(kind) for kind in ("card", "public", "showdown"))
    hands = dict(zip(view.seats, deal, strict=False))
    return (
        (own is None or own["card"] == hands[view.seat])
        and (public is None or public["card"] == deal[2])
        and (shown is None or shown["cards"] == hands)
    )
