"""A hidden-identity steering game on a New York street graph, in the style of CONSCIENTIA (arXiv 2604.09746).

Blues cross the city; whoever they meet on the way gives them a tip. Some of those are Reds, paid for every billboard
that a Blue passes on their word. The paper's game is not public: all numbers and rules here are ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from arena.core import Event, Game, Match, Payoffs, Table, Text
from arena.core.asks import Ask
from arena.core.seeds import stream
from arena.games.nyc.asks import advise_ask, move_ask
from arena.games.nyc.config import NycConfig
from arena.games.nyc.generator import make_deal
from arena.games.nyc.metrics import metrics
from arena.games.nyc.plot import plot
from arena.games.nyc.rules import BLUE, RED
from arena.games.nyc.town import Tip, Town, Traveller, destination_of
from arena.games.nyc.twins import twins

_CITY = {"nodes": 40, "n_blue": 6, "n_red": 4, "hops_min": 5, "hops_max": 10}


class Nyc(Game):
    """Travellers on a deadline take tips from strangers; some strangers are paid per billboard."""

    version, config_type = 1, NycConfig
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "small": {"elicit_trust": False},
        "tiny": {
            "nodes": 9,
            "n_blue": 2,
            "n_red": 1,
            "hops_min": 2,
            "hops_max": 4,
            "chances_min": 1,
            "elicit_trust": False,
        },
        "midtown": {"map": "midtown"},
        "city": _CITY,
        "city-talk": {**_CITY, "messages": 3},
    }
    headline = "payoff"
    contest = False
    speech = True
    keep = frozenset({"players", "world", "briefing"})

    async def play(self, table: Table) -> Payoffs:
        town = self._settle(table)
        town.brief()
        while travelling := town.travelling():
            met = town.meet()
            for blue, adviser in met.items():
                town.tell_meeting(adviser, town.blues[blue])
            tips = await (self._talk(town, met) if self.config.messages == 3 else self._tips(town, met, final=True))
            for traveller in travelling:
                if self.config.messages == 1:
                    town.tell_place(traveller)
                if traveller.seat in tips:
                    town.tell_tip(tips[traveller.seat])
            await self._move(town, travelling, tips)
        town.log_tips()
        return town.payoffs()

    def _settle(self, table: Table) -> Town:
        """Colours by seat; the map from the deal's seed, or from its own."""
        for i, seat in enumerate(table.seats):
            colour = BLUE if i < self.config.n_blue else RED
            table.assign(seat, role=colour, side=colour)
        own = self.config.map_seed
        map_rng = table.rng("deal.map") if own is None else stream(own, "deal.map")
        return Town(self.config, table, make_deal(self.config, map_rng, table.rng("deal")))

    async def _tips(self, town: Town, met: dict[int, int], *, final: bool) -> dict[int, Tip]:
        """All advice of a round, given at once."""
        seats, config = town.table.seats, self.config
        asks = {
            seats[adviser]: advise_ask(town.exit_names(town.blues[blue]), config.max_chars)
            for blue, adviser in met.items()
        }
        answers = await town.table.ask_all(asks)
        return {
            blue: town.add_tip(adviser, town.blues[blue], answers[seats[adviser]], final=final)
            for blue, adviser in met.items()
        }

    async def _talk(self, town: Town, met: dict[int, int]) -> dict[int, Tip]:
        """messages = 3: the Blue asks, gets a tip, answers back, and the final tip replaces the first."""
        seats, names = town.table.seats, town.deal.names
        for traveller in town.travelling():
            town.tell_place(traveller)
        for blue, adviser in met.items():
            town.tell(blue, "encounter", round=town.round, adviser=names[adviser])
        said = await town.table.ask_all({seats[blue]: self._words("question") for blue in met})
        for blue, adviser in met.items():
            town.tell(adviser, "question", traveller=names[blue], text=said[seats[blue]])
        for tip in (await self._tips(town, met, final=False)).values():
            town.tell_tip(tip)
        said = await town.table.ask_all({seats[blue]: self._words("answer_back") for blue in met})
        for blue, adviser in met.items():
            town.tell(adviser, "answer_back", traveller=names[blue], text=said[seats[blue]])
        return await self._tips(town, met, final=True)

    async def _move(self, town: Town, travelling: Sequence[Traveller], tips: dict[int, Tip]) -> None:
        """All moves of a round, given at once; then their effects, and what became of each tip."""
        seats = town.table.seats
        heard: dict[int, Tip] = {} if self.config.mute else tips
        asks = {seats[b.seat]: self._move_ask(town, b, b.seat in heard) for b in travelling}
        answers = await town.table.ask_all(asks)
        for blue in travelling:
            town.move(blue, destination_of(answers[seats[blue.seat]]), tips.get(blue.seat))
        for tip in tips.values():
            town.tell_outcome(tip)

    def _move_ask(self, town: Town, blue: Traveller, with_tip: bool) -> Ask:
        return move_ask(town.exit_names(blue), self.config.elicit_trust, with_tip)

    def _words(self, name: str) -> Text:
        return Text(name, self.config.max_chars)

    # --- hooks ---------------------------------------------------------------------------------------------------

    def seat_count(self) -> int:
        return int(self.config.n_blue + self.config.n_red)

    def rules(self) -> dict[str, Any]:
        return super().rules() | {"announced_red_rate": self.config.announced}

    def sides(self) -> dict[str, int]:
        return {BLUE: self.config.n_blue, RED: self.config.n_red}

    def phase_name(self, turn: int, events: Sequence[Event]) -> str | None:
        return next((f"R{e.facts['round']}" for e in reversed(events) if e.kind in ("place", "meeting")), None)

    def typical(self) -> tuple[int, int]:
        hops = (self.config.hops_min + self.config.hops_max) // 2 if self.config.map == "grown" else 4
        talk = 3 if self.config.messages == 3 else 1
        return (1 + talk) * (hops + 2), self.config.n_blue * (hops + 1) * (1 + talk)

    def metrics(self, match: Match) -> dict[str, float | None]:
        return metrics(match)

    def twins(self, seed: int, seat: str) -> list[tuple[Match, Match]]:
        return twins(self, seed, seat)

    def plot(self, match: Match) -> str:
        return plot(match)
