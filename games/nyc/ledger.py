"""A match read back as rows: trips, moves and tips, from the log-only `truth` and the turns.

Metrics, label recipes and the picture all start here. A row's `turn` is the number of its turn: the k-th `move` fact
of a seat belongs to its k-th `move` ask, the k-th `advise` fact to its k-th `advise` ask.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from arena.core import Event, Match
from arena.games.nyc.routes import Street, Trip


class Move(NamedTuple):
    """One `move` turn. `to` and `regret` are None for a lost turn; `go` and `tip_regret` for a tip without a street,
    and the whole tip's part is None where there was none."""

    seat: str
    turn: int
    round: int
    place: int
    to: int | None
    minutes: int
    boards: int
    regret: int | None
    left: int
    adviser: str | None = None
    adviser_colour: str | None = None
    go: int | None = None
    tip_regret: int | None = None
    helpful: bool = False
    harmful: bool = False
    followed: bool | None = None
    paid: str | None = None  # the Red that earned this street's billboards
    p_red: int | None = None
    fallback: bool = False

    @property
    def named(self) -> bool:
        """Whether the tip named a street."""
        return self.go is not None


class Tip(NamedTuple):
    """One `advise` turn. `false` counts claims that do not hold, `claims` those that were made."""

    seat: str
    turn: int
    round: int
    colour: str
    blue: str
    place: int
    go: int | None
    regret: int | None
    helpful: bool
    harmful: bool
    boards: int | None
    followed: bool | None
    revenue: int = 0
    claims: int = 0
    false: int = 0
    clear: bool = False  # claimed `clear`
    false_clear: bool = False
    chars: int = 0
    final: bool = True
    fallback: bool = False


class Journey(NamedTuple):
    """What became of a Blue's trip."""

    seat: str
    trip: Trip
    arrived: bool
    late: bool
    clock: int
    exposure: int
    cost: int
    steps: int
    lost: int

    @property
    def own(self) -> float:
        return self.trip.cost / self.cost if self.arrived else 0.0


class Ledger(NamedTuple):
    places: tuple[str, ...]
    streets: tuple[Street, ...]
    colours: dict[str, str]
    names: dict[str, str]
    known: dict[str, list[int]]
    journeys: dict[str, Journey]
    moves: tuple[Move, ...]
    tips: tuple[Tip, ...]  # empty until the match is over

    def of_colour(self, colour: str) -> list[str]:
        return [seat for seat, own in self.colours.items() if own == colour]

    def revenue(self, seat: str) -> int:
        return sum(move.boards for move in self.moves if move.paid == seat)


def read(match: Match) -> Ledger:
    """The rows of a match, as far as it has come."""
    facts = [event.facts for event in match.events if event.kind == "truth"]
    deal = facts[0]
    turns: dict[tuple[str, str], list[Any]] = {}
    for turn in match.turns:
        turns.setdefault((turn.seat, turn.ask.name), []).append(turn)
    counted: dict[tuple[str, str], int] = {}

    def turn_of(told: Mapping[str, Any]) -> Any:
        """The turn that a fact is about."""
        key = told["seat"], told["what"]
        counted[key] = counted.get(key, 0) + 1
        return turns[key][counted[key] - 1]

    moves = tuple(_move(told, turn_of(told)) for told in facts[1:] if told["what"] == "move")
    tips = tuple(_tip(told, turn_of(told)) for told in facts[1:] if told["what"] == "advise")
    lam = match.game.config.lam
    return Ledger(
        tuple(deal["places"]),
        tuple(Street(*street) for street in deal["streets"]),
        deal["colours"],
        deal["names"],
        deal["known"],
        {seat: _journey(seat, trip, moves, match.events, lam) for seat, trip in deal["trips"].items()},
        moves,
        tips,
    )


def _move(told: Mapping[str, Any], turn: Any) -> Move:
    p_red = turn.answer.get("p_red") if isinstance(turn.answer, dict) else None
    return Move(
        seat=told["seat"],
        turn=turn.turn,
        round=told["round"],
        place=told["place"],
        to=told["head"],
        minutes=told["minutes"],
        boards=told["boards"],
        regret=told["regret"],
        left=told["left"],
        adviser=told["adviser"],
        adviser_colour=told["adviser_colour"],
        go=told["go"],
        tip_regret=told["tip_regret"],
        helpful=told["helpful"],
        harmful=told["harmful"],
        followed=told["followed"],
        paid=told["paid"],
        p_red=p_red,
        fallback=turn.fallback,
    )


def _tip(told: Mapping[str, Any], turn: Any) -> Tip:
    true = [held for held in told["true"].values() if held is not None]
    clear = told["claims"]["boards"] == "clear" and told["go"] is not None
    return Tip(
        seat=told["seat"],
        turn=turn.turn,
        round=told["round"],
        colour=told["colour"],
        blue=told["blue"],
        place=told["place"],
        go=told["go"],
        regret=told["tip_regret"],
        helpful=told["helpful"],
        harmful=told["harmful"],
        boards=told["boards"],
        followed=told["followed"],
        revenue=told["revenue"],
        claims=len(true),
        false=true.count(False),
        clear=clear,
        false_clear=clear and told["true"]["boards"] is False,
        chars=told["chars"],
        final=told["final"],
        fallback=turn.fallback,
    )


def _journey(seat: str, told: Mapping[str, Any], moves: Sequence[Move], events: Sequence[Event], lam: int) -> Journey:
    own = [move for move in moves if move.seat == seat]
    walked = [move for move in own if move.to is not None]
    ended = [event.kind for event in events if event.kind in ("arrived", "late") and event.audience == (seat,)]
    return Journey(
        seat,
        Trip(**{**told, "route": tuple(told["route"])}),
        arrived="arrived" in ended,
        late="late" in ended,
        clock=sum(move.minutes for move in own),
        exposure=sum(move.boards for move in own),
        cost=sum(move.minutes + lam * move.boards for move in walked),
        steps=len(walked),
        lost=len(own) - len(walked),
    )
