"""The table: all that a game's flow can touch. Asking suspends the flow; telling is the only way out for a fact."""

from __future__ import annotations

from collections.abc import Awaitable, Generator, Iterable, Mapping, Sequence
from types import coroutine
from typing import Any

from arena.core.asks import Answer, Ask
from arena.core.errors import GameError
from arena.core.events import Audience, Event, audience_of
from arena.core.seeds import Rng, stream

Asks = dict[str, Ask]


@coroutine
def _suspend(asks: Asks) -> Generator[Asks, dict[str, Answer], dict[str, Answer]]:
    return (yield asks) if asks else {}


@coroutine
def _suspend_one(seat: str, asks: Asks) -> Generator[Asks, dict[str, Answer], Answer]:
    return (yield asks)[seat]


class Table:
    """`seats` in order. Streams named "deal" or "deal.NAME" come from the deal's seed, all others from the match's."""

    def __init__(self, seats: tuple[str, ...], seed: int, deal_seed: int) -> None:
        self.seats = seats
        self.events: list[Event] = []
        self.roles: dict[str, str] = {}
        self.sides: dict[str, str] = {}
        self.names: dict[str, str] = {}
        self._seed, self._deal_seed = seed, deal_seed
        self._branch: tuple[object, ...] = ()
        self._streams: dict[str, Rng] = {}
        self._audiences: dict[Any, Audience] = {}

    def ask(self, seat: str, ask: Ask) -> Any:
        """`await` it: one seat's answer."""
        return _suspend_one(seat, {seat: ask})

    def ask_all(self, asks: Mapping[str, Ask] | Iterable[str], ask: Ask | None = None) -> Awaitable[dict[str, Answer]]:
        """`await` it: everybody's answers, given at the same time; nobody sees another's before all are in."""
        if type(asks) is dict or isinstance(asks, Mapping):  # the usual case first: it is quicker to tell
            return _suspend(dict(asks))
        return _suspend({seat: _given(ask) for seat in asks})

    def tell(self, to: str | Iterable[str], kind: str, /, **facts: Any) -> None:
        """A fact for an audience: EVERYONE, NOBODY (the log), a seat, or seats."""
        if to != "*":
            key = to if isinstance(to, str) else tuple(to)
            if key not in self._audiences:
                self._audiences[key] = audience_of(key, self.seats)
            self.events.append(Event(self._audiences[key], kind, facts))
        else:
            self.events.append(Event("*", kind, facts))

    def assign(self, seat: str, *, role: str, side: str | None = None) -> None:
        """The role and side that a seat holds: for schedules, ratings and pages. Views learn it only by `tell`."""
        self.roles[seat] = role
        if side is not None:
            self.sides[seat] = side

    def rename(self, names: Mapping[str, str]) -> None:
        """Names that everybody reads in place of seat ids; answers, events and records keep the ids."""
        self.names.update(names)

    def rng(self, name: str) -> Rng:
        """The stream of that name; the same object each time."""
        if name not in self._streams:
            self._streams[name] = stream(*self._parts(name))
        return self._streams[name]

    def others(self, seat: str) -> tuple[str, ...]:
        return tuple(s for s in self.seats if s != seat)

    def branch(self, *parts: object) -> None:
        """From here on chance is fresh: every stream, opened or not, starts anew from these parts too."""
        self._branch = parts
        for name, rng in self._streams.items():
            rng.setstate(stream(*self._parts(name)).getstate())

    def _parts(self, name: str) -> Sequence[object]:
        deal = name == "deal" or name.startswith("deal.")
        return (self._deal_seed if deal else self._seed, name, *self._branch)


def _given(ask: Ask | None) -> Ask:
    if ask is None:
        raise GameError("ask_all(seats) needs the ask that all of them get")
    return ask
