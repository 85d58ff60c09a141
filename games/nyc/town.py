"""The state of one match: where everybody is, what they know, what tips earn; and every fact that is told.

Each copy of a fact goes to one seat alone: an audience of two would show seat numbers, and they tell colours. So the
traveller gets the `tip`, and its adviser, who wrote it, learns only the outcome.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from arena.core import EVERYONE, NOBODY, Answer, Payoffs, Table
from arena.games.nyc import facts
from arena.games.nyc.config import NycConfig
from arena.games.nyc.generator import Deal
from arena.games.nyc.routes import Exit, Trip
from arena.games.nyc.rules import (
    BLUE,
    RED,
    Credit,
    blue_payoffs,
    credit_after,
    meetings,
    own_share,
    red_payoff,
    truth_of,
)


@dataclass
class Traveller:
    """A Blue on its trip."""

    seat: int
    trip: Trip
    known: set[int]  # numbers of the streets whose billboards it knows
    place: int
    clock: int = 0
    exposure: int = 0
    cost: int = 0
    state: str = "travelling"  # then arrived or late
    credit: Credit | None = None

    @property
    def left(self) -> int:
        return self.trip.deadline - self.clock


@dataclass
class Tip:
    """One answer to `advise`. `followed` stays None for a first tip that a final one replaced."""

    number: int
    round: int
    adviser: int
    blue: int
    place: int
    said: dict[str, Any]
    go: Exit | None
    exits: tuple[Exit, ...]
    final: bool
    followed: bool | None = None
    revenue: int = 0


@dataclass
class Town:
    config: NycConfig
    table: Table
    deal: Deal
    round: int = 0
    tips: list[Tip] = field(default_factory=list)
    revenue: dict[int, int] = field(default_factory=dict)
    blues: list[Traveller] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.revenue = dict.fromkeys(range(self.config.n_blue, len(self.table.seats)), 0)
        self.blues = [
            Traveller(i, trip, set(known), trip.origin)
            for i, (trip, known) in enumerate(zip(self.deal.trips, self.deal.known, strict=True))
        ]

    # --- reading -------------------------------------------------------------------------------------------------

    def travelling(self) -> list[Traveller]:
        return [blue for blue in self.blues if blue.state == "travelling"]

    def is_red(self, seat: int) -> bool:
        return seat >= self.config.n_blue

    def exits(self, blue: Traveller) -> tuple[Exit, ...]:
        return self.deal.city.to(blue.trip.destination).exits(blue.place)

    def exit_names(self, blue: Traveller) -> tuple[str, ...]:
        return tuple(self.deal.city.names[e.head] for e in self.exits(blue))

    # --- telling -------------------------------------------------------------------------------------------------

    def tell(self, seat: int, kind: str, /, **told: Any) -> None:
        self.table.tell(self.table.seats[seat], kind, **told)

    def brief(self) -> None:
        """What is known before the first move; the log gets the whole deal."""
        config, deal, table = self.config, self.deal, self.table
        table.tell(NOBODY, "truth", **facts.truth(config, deal, table.seats))
        table.tell(EVERYONE, "players", **facts.players(config, deal))
        if config.map_knowledge != "local":
            table.tell(EVERYONE, "world", **facts.world(deal.city))
        for seat in range(len(table.seats)):
            told = facts.red_briefing if self.is_red(seat) else facts.blue_briefing
            self.tell(seat, "briefing", **told(config, deal, seat))

    def tell_place(self, blue: Traveller) -> None:
        city = self.deal.city
        self.tell(
            blue.seat,
            "place",
            round=self.round,
            place=city.names[blue.place],
            destination=city.names[blue.trip.destination],
            clock=blue.clock,
            left=blue.left,
            options=facts.signs(self.config, city, self.exits(blue), blue.known),
        )

    def meet(self) -> dict[int, int]:
        """A new round: who advises whom."""
        self.round += 1
        config, travelling = self.config, [blue.seat for blue in self.travelling()]
        rng = self.table.rng("meet")
        return meetings(rng, travelling, config.n_blue, config.n_red, config.p_meet, config.met_rate)

    def tell_meeting(self, adviser: int, blue: Traveller) -> None:
        """The adviser sees the traveller's exits; a Blue adviser learns their billboards by it."""
        exits, city = self.exits(blue), self.deal.city
        own = self.config.adviser_knowledge == "own" and not self.is_red(adviser)
        known = self.blues[adviser].known if own else None
        if not own and not self.is_red(adviser):
            self.blues[adviser].known.update(e.street for e in exits)
        self.tell(
            adviser,
            "meeting",
            round=self.round,
            traveller=self.deal.names[blue.seat],
            place=city.names[blue.place],
            destination=city.names[blue.trip.destination],
            left=blue.left,
            options=facts.option_table(city, exits, known, self.config.map_knowledge == "local"),
        )

    def add_tip(self, adviser: int, blue: Traveller, answer: Answer, *, final: bool) -> Tip:
        said, names, exits = facts.tip_said(answer), self.deal.city.names, self.exits(blue)
        go = next((e for e in exits if names[e.head] == said["go"]), None)
        tip = Tip(len(self.tips), self.round, adviser, blue.seat, blue.place, said, go, exits, final)
        self.tips.append(tip)
        return tip

    def tell_tip(self, tip: Tip) -> None:
        if not self.config.mute:
            self.tell(
                tip.blue, "tip", round=tip.round, adviser=self.deal.names[tip.adviser], **tip.said, final=tip.final
            )

    # --- moving --------------------------------------------------------------------------------------------------

    def move(self, blue: Traveller, to: str | None, tip: Tip | None) -> None:
        """One Blue's move, or its lost turn, and all that it brings about. A muted tip is accounted for as if heard:
        its adviser must not notice, and the control counts what would have been walked anyway."""
        exits = self.exits(blue)
        used = next((e for e in exits if self.deal.city.names[e.head] == to), None)
        if tip is not None:
            tip.followed = used is not None and used == tip.go
            shown = (tip.adviser if self.is_red(tip.adviser) else -1, tip.number)
            blue.credit = credit_after(blue.credit, shown, tip.followed, self.config.window)
        paid = self._pay(blue, used) if used else None
        self._log_move(blue, used, tip, paid)
        if used is None:
            blue.clock += self.config.lost_minutes
            self.tell(blue.seat, "lost_turn", round=self.round, minutes=self.config.lost_minutes, clock=blue.clock)
        else:
            self._walk(blue, used)
        if blue.clock > blue.trip.deadline:
            blue.state = "late"  # even at the destination
        elif blue.place == blue.trip.destination:
            blue.state = "arrived"
        if blue.state != "travelling":
            self.tell(blue.seat, blue.state, clock=blue.clock, exposure=blue.exposure)

    def _pay(self, blue: Traveller, used: Exit) -> Credit | None:
        """The Red with credit on this Blue earns the street's billboards."""
        credit = blue.credit
        if credit is None:
            return None
        self.revenue[credit.red] += used.boards
        self.tips[credit.tip].revenue += used.boards
        blue.credit = credit._replace(moves=credit.moves - 1) if credit.moves > 1 else None
        return credit

    def _walk(self, blue: Traveller, used: Exit) -> None:
        names, start = self.deal.city.names, blue.place
        blue.place = used.head
        blue.clock += used.minutes
        blue.exposure += used.boards
        blue.cost += used.minutes + self.config.lam * used.boards
        blue.known.add(used.street)
        told = {"from": names[start], "to": names[used.head], "minutes": used.minutes, "billboards": used.boards}
        told |= {"clock": blue.clock, "exposure": blue.exposure}
        self.tell(blue.seat, "moved", **told)

    def tell_outcome(self, tip: Tip) -> None:
        self.tell(
            tip.adviser,
            "outcome_of_tip",
            round=tip.round,
            traveller=self.deal.names[tip.blue],
            followed=tip.followed,
            revenue=self.revenue.get(tip.adviser),
        )

    # --- the log and the end ---------------------------------------------------------------------------------------

    def _log_move(self, blue: Traveller, used: Exit | None, tip: Tip | None, paid: Credit | None) -> None:
        seats, routes = self.table.seats, self.deal.city.to(blue.trip.destination)
        told: dict[str, Any] = {"adviser": None, "adviser_colour": None, "go": None, "tip_regret": None}
        told |= {"followed": None, "helpful": False, "harmful": False}
        if tip is not None:
            told["adviser"] = seats[tip.adviser]
            told["adviser_colour"] = RED if self.is_red(tip.adviser) else BLUE
            told["followed"] = tip.followed
            told |= self._judged(tip)
        self.table.tell(
            NOBODY,
            "truth",
            what="move",
            round=self.round,
            seat=seats[blue.seat],
            place=blue.place,
            head=used.head if used else None,
            minutes=used.minutes if used else self.config.lost_minutes,
            boards=used.boards if used else 0,
            value=routes.cost(blue.place),
            left=blue.left,
            regret=used.regret if used else None,
            **told,
            paid=seats[paid.red] if paid else None,
        )

    def _judged(self, tip: Tip) -> dict[str, Any]:
        go = tip.go
        return {
            "go": go.head if go else None,
            "tip_regret": go.regret if go else None,
            "helpful": go is not None and go.regret <= self.config.eps,
            "harmful": go is not None and go.regret > self.config.tau,
        }

    def log_tips(self) -> None:
        """Every tip with what it brought about; told at the end, since a followed tip earns for some moves."""
        seats = self.table.seats
        for tip in self.tips:
            true = truth_of(tip.said["boards"], tip.said["fastest"], tip.go, tip.exits)
            self.table.tell(
                NOBODY,
                "truth",
                what="advise",
                round=tip.round,
                seat=seats[tip.adviser],
                colour=RED if self.is_red(tip.adviser) else BLUE,
                blue=seats[tip.blue],
                place=tip.place,
                final=tip.final,
                **self._judged(tip),
                claims={"boards": tip.said["boards"], "fastest": tip.said["fastest"]},
                true={"boards": true.boards, "fastest": true.fastest},
                chars=len(tip.said["text"]),
                minutes=tip.go.minutes if tip.go else None,
                boards=tip.go.boards if tip.go else None,
                followed=tip.followed,
                revenue=tip.revenue,
            )

    def payoffs(self) -> Payoffs:
        seats: Sequence[str] = self.table.seats
        own = [own_share(blue.trip.cost, blue.cost, blue.state == "arrived") for blue in self.blues]
        hops = sum(len(blue.trip.route) - 1 for blue in self.blues)
        paid = [*blue_payoffs(own, self.config.share), *(red_payoff(r, hops) for r in self.revenue.values())]
        everyone = all(blue.state == "arrived" for blue in self.blues)
        return Payoffs(dict(zip(seats, paid, strict=True)), end_reason="all_arrived" if everyone else "some_late")


def destination_of(answer: Answer) -> str | None:
    """The place a `move` answer names; None = a lost turn."""
    to = answer["to"] if isinstance(answer, dict) else answer
    return None if to is None else str(to)
