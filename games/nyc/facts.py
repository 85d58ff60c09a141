"""What seats are told and what the log holds, as JSON: places by name in every view, by number in `truth`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from arena.games.nyc.config import NycConfig
from arena.games.nyc.generator import Deal
from arena.games.nyc.routes import City, Exit
from arena.games.nyc.rules import BLUE, RED, street_class

Facts = dict[str, Any]


def world(city: City) -> Facts:
    """The street list with minutes, without billboards."""
    return {"places": list(city.names), "streets": [[s.u, s.v, s.minutes] for s in city.streets]}


def players(config: NycConfig, deal: Deal) -> Facts:
    """Who is there, sorted by name: seat order would tell colours."""
    classes = [street_class(s.boards) for s in deal.city.streets]
    return {
        "names": sorted(deal.names),
        "n_blue": config.n_blue,
        "n_red": config.n_red,
        "announced_red_rate": config.announced,
        "shares": {word: round(100 * classes.count(word) / len(classes)) for word in ("clear", "some", "heavy")},
    }


def blue_briefing(config: NycConfig, deal: Deal, seat: int) -> Facts:
    trip, city = deal.trips[seat], deal.city
    return {
        "colour": BLUE,
        "name": deal.names[seat],
        "origin": city.names[trip.origin],
        "destination": city.names[trip.destination],
        "deadline": trip.deadline,
        "known": [billboards(city, street) for street in deal.known[seat]],
    }


def red_briefing(config: NycConfig, deal: Deal, seat: int) -> Facts:
    return {
        "colour": RED,
        "name": deal.names[seat],
        "fellows": sorted(name for j, name in enumerate(deal.names) if j >= config.n_blue and j != seat),
        "known": [billboards(deal.city, street) for street in range(len(deal.city.streets))],
    }


def billboards(city: City, street: int) -> list[Any]:
    """[place, place, billboards] of a street."""
    s = city.streets[street]
    return [city.names[s.u], city.names[s.v], s.boards]


def signs(config: NycConfig, city: City, exits: Sequence[Exit], known: set[int]) -> list[Facts]:
    """What a traveller reads where it stands: minutes of each street and through it, billboards if it knows them."""
    local = config.map_knowledge == "local"
    return [
        {"place": city.names[e.head], "t": e.minutes, "b": e.boards if e.street in known else None}
        | ({} if local else {"minutes": e.arrival})
        for e in exits
    ]


def option_table(city: City, exits: Sequence[Exit], known: set[int] | None, local: bool) -> list[Facts]:
    """What an adviser sees of the traveller's exits. `known` None = everything; else the adviser's own knowledge."""
    if known is None:
        return [
            {"place": city.names[e.head], "t": e.minutes, "b": e.boards, "minutes": e.arrival, "total": e.total}
            for e in exits
        ]
    return [
        {
            "place": city.names[e.head],
            "t": e.minutes,
            "b": e.boards if e.street in known else None,
            "minutes": None if local else e.arrival,
            "total": None,
        }
        for e in exits
    ]


def truth(config: NycConfig, deal: Deal, seats: Sequence[str]) -> Facts:
    """The first `truth`: the whole deal."""
    blues = seats[: config.n_blue]
    return {
        "what": "deal",
        "places": list(deal.city.names),
        "streets": [list(s) for s in deal.city.streets],
        "trips": {seat: {**t._asdict(), "route": list(t.route)} for seat, t in zip(blues, deal.trips, strict=True)},
        "colours": {seat: BLUE if i < config.n_blue else RED for i, seat in enumerate(seats)},
        "names": dict(zip(seats, deal.names, strict=True)),
        "known": {seat: list(known) for seat, known in zip(blues, deal.known, strict=True)},
    }


def tip_said(answer: Mapping[str, Any]) -> Facts:
    """The words and claims of an `advise` answer; a claim left out is `unknown`."""
    return {
        "go": answer["go"],
        "boards": answer["boards"] or "unknown",
        "fastest": answer["fastest"] or "unknown",
        "text": answer["text"],
    }
