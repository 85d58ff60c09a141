"""What one seat has learnt of the city from its own events, and the best way on what it believes.

A fold over events: pure, so a replayed match comes to the same beliefs. Costs are integers: a believed cost is 200
times minutes + lam * billboards, because a street not yet seen counts (4 heavy_pct + 1.5 some_pct) / 100 billboards.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from arena.core import Event, UsageError, View
from arena.games.nyc.routes import Street, distances, ways_of, weight
from arena.games.nyc.rules import NONE, UNKNOWN, street_class

SCALE = 200
Key = tuple[str, str]


class Beliefs:
    """The map as far as it is told, known billboards, the present round, and how each stranger's claims held."""

    def __init__(self) -> None:
        self.places: list[str] = []
        self.streets: list[Street] = []  # without billboards
        self.ways: list[list[tuple[int, int]]] = []
        self.boards: dict[Key, int] = {}
        self.place: dict[str, Any] | None = None  # the latest `place`
        self.meeting: dict[str, Any] | None = None  # the latest `meeting`
        self.met: dict[str, int] = {}  # traveller -> times it was advised
        self.tip: dict[str, Any] | None = None  # the tip heard this round
        self.lies: dict[str, int] = {}  # adviser -> claims found false
        self.truths: dict[str, int] = {}
        self.open: dict[Key, list[tuple[str, str]]] = {}  # unseen street -> claims made of it

    def known(self, a: str, b: str) -> int | None:
        return self.boards.get(key(a, b))

    def claim_held(self, adviser: str, held: bool) -> None:
        count = self.truths if held else self.lies
        count[adviser] = count.get(adviser, 0) + 1

    def costs(self, rules: Mapping[str, Any]) -> list[int]:
        """The believed cost of every street, times SCALE."""
        return believed_costs(self.streets, self.places, self.boards, rules)

    def plan(self, rules: Mapping[str, Any], place: str, destination: str) -> str:
        """The first step of the route of least believed cost; ties by minutes, then by place number."""
        if not self.places:
            raise UsageError(
                "this bot plans on the map, which map_knowledge=local hides",
                hint="under local, play bot/always, bot/walk, bot/honest-red or bot/silent-red",
            )
        here, there = self.places.index(place), self.places.index(destination)
        costs = self.costs(rules)
        weights = [weight(cost, street.minutes) for cost, street in zip(costs, self.streets, strict=True)]
        left = distances(self.ways, weights, there)
        return self.places[min(self.ways[here], key=lambda way: (weights[way[1]] + left[way[0]], way[0]))[0]]


def beliefs(view: View) -> Beliefs:
    """The beliefs of a view, brought up to date."""
    return view.fold(Beliefs, learn)


def believed_costs(
    streets: Sequence[Street], places: Sequence[str], boards: Mapping[Key, int], rules: Mapping[str, Any]
) -> list[int]:
    """What streets are expected to cost by one who knows `boards`, times SCALE."""
    prior = 8 * rules["heavy_pct"] + 3 * rules["some_pct"]
    found = []
    for street in streets:
        seen = boards.get(key(places[street.u], places[street.v]))
        found.append(SCALE * street.minutes + rules["lam"] * (prior if seen is None else SCALE * seen))
    return found


def key(a: str, b: str) -> Key:
    """A street by the names of its ends."""
    return (a, b) if a < b else (b, a)


def learn(now: Beliefs, event: Event) -> Beliefs:
    """One event more."""
    told = event.facts
    match event.kind:
        case "world":
            now.places = list(told["places"])
            now.streets = [Street(u, v, t, 0) for u, v, t in told["streets"]]
            now.ways = ways_of(len(now.places), now.streets)
        case "briefing":
            now.boards.update({key(a, b): boards for a, b, boards in told["known"]})
        case "place":
            now.place, now.tip = told, None
        case "meeting":
            now.meeting = told
            now.met[told["traveller"]] = now.met.get(told["traveller"], 0) + 1
            for option in told["options"]:
                if option["b"] is not None:
                    now.boards[key(told["place"], option["place"])] = option["b"]
        case "tip" if told["final"]:
            now.tip = told
            _hear(now, told)
        case "moved":
            _walk(now, told)
    return now


def _hear(now: Beliefs, told: Mapping[str, Any]) -> None:
    """A claim about a known street is checked at once; another one waits until the street is walked."""
    if now.place is None or told["go"] == NONE or told["boards"] == UNKNOWN:
        return
    street = key(now.place["place"], told["go"])
    if street in now.boards:
        now.claim_held(told["adviser"], told["boards"] == street_class(now.boards[street]))
    else:
        now.open.setdefault(street, []).append((told["adviser"], told["boards"]))


def _walk(now: Beliefs, told: Mapping[str, Any]) -> None:
    street, boards = key(told["from"], told["to"]), told["billboards"]
    claims = now.open.pop(street, [])
    if street not in now.boards:
        for adviser, claim in claims:
            now.claim_held(adviser, claim == street_class(boards))
    now.boards[street] = boards
