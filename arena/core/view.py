"""A view: all that one seat may know. Bots read its events, models its messages; both grow only at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from arena.core.events import Event

if TYPE_CHECKING:
    from arena.core.asks import Answer, Ask
    from arena.core.game import Game
    from arena.core.match import Match, Turn

S = TypeVar("S")


class Exchange(NamedTuple):
    """One past ask of this seat: the events that it had seen by then (a count), the ask, the answer that was played."""

    seen: int
    ask: Ask
    answer: Answer
    fallback: bool


class View:
    """The match as `seat` sees it, now. Reading is cheap: only events that came since the last look are filtered."""

    def __init__(self, match: Match, seat: str) -> None:
        self._match = match
        self.seat = seat
        self._events: list[Event] = []
        self._read = 0
        self._folds: dict[Any, tuple[int, Any]] = {}
        self.exchanges: list[Exchange] = []
        self.pages: dict[object, object] = {}  # the prompt renderer keeps what it rendered here

    @property
    def events(self) -> Sequence[Event]:
        """The facts whose audience holds this seat, in order. Do not change them."""
        log = self._match.events
        if self._read < len(log):
            self._read_to(len(log))
        return self._events

    def _read_to(self, end: int) -> int:
        """Take in the log up to `end`; the result is how many of its events this seat has seen."""
        seat = self.seat
        for event in self._match.events[self._read : end]:
            to = event.audience
            if to == "*" or (to != "-" and seat in to):
                self._events.append(event)
        self._read = max(end, self._read)
        return len(self._events)

    def _answered(self, turn: Turn) -> None:
        self.exchanges.append(Exchange(self._read_to(turn.events), turn.ask, turn.answer, turn.fallback))

    @property
    def ask(self) -> Ask | None:
        """The open ask of this seat, if there is one."""
        return self._match.pending().get(self.seat)

    @property
    def game(self) -> str:
        return self._match.game.full_name

    @property
    def game_class(self) -> type[Game]:
        return type(self._match.game)

    @property
    def keep(self) -> frozenset[str]:
        """The event kinds that a shortened memory always shows."""
        return self._match.game.keep

    @property
    def seats(self) -> tuple[str, ...]:
        return self._match.seats

    @property
    def names(self) -> dict[str, str]:
        """How seats are called at this table; empty where they are called by their ids."""
        return self._match.names

    @property
    def rules(self) -> dict[str, Any]:
        """What everybody knows before the first move."""
        return self._match.rules

    def of_kind(self, *kinds: str) -> list[Event]:
        return [event for event in self.events if event.kind in kinds]

    def last(self, kind: str) -> dict[str, Any] | None:
        """The facts of the latest event of that kind."""
        return next((event.facts for event in reversed(self.events) if event.kind == kind), None)

    def fold(self, start: Callable[[], S], step: Callable[[S, Event], S], key: object = None) -> S:
        """A state computed from all events, kept between looks, so that a bot pays for new events only.

        It must be a pure function of the events: a replayed match computes it anew. `key` names it where one step
        function serves several states.
        """
        name = (step, key)
        read, state = self._folds.get(name) or (0, start())
        events = self.events
        for event in events[read:]:
            state = step(state, event)
        self._folds[name] = (len(events), state)
        return state

    def messages(self) -> list[dict[str, str]]:
        """What a model reads: rules, then by turns what happened and what the seat answered. Works at any moment."""
        return self._match.render(self)
