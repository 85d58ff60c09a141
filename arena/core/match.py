"""One play of one game: drives the game's coroutine, checks answers, keeps the record.

A match is a pure function of game version, config, the two seeds and the answers. Answers of one batch (the asks of
one suspension) are applied together, in seat order, so the order in which they arrive changes nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, NamedTuple

from arena.core.asks import Answer, Ask
from arena.core.errors import GameError, IllegalAnswer
from arena.core.events import Event
from arena.core.game import Game
from arena.core.table import Table
from arena.core.view import View

Render = Callable[[View], list[dict[str, str]]]


class Turn(NamedTuple):
    """One decided ask. `turn` counts asks in opening order, `batch` counts suspensions, `events` those told before."""

    turn: int
    batch: int
    seat: str
    ask: Ask
    answer: Answer
    fallback: bool
    events: int


class Match:
    """`pending()` says who is asked what; `submit` gives answers; `done` and `payoffs` say how it ended.

    `chance` = (turn, branch): from the batch that holds `turn` on, chance is fresh for this branch of a fork.
    """

    def __init__(
        self,
        game: Game,
        seed: int,
        deal_seed: int | None = None,
        *,
        preset: str = "",
        chance: tuple[int, int] | None = None,
        render: Render | None = None,
    ) -> None:
        self.game, self.preset, self.seed = game, preset, seed
        self.deal_seed = seed if deal_seed is None else deal_seed
        self.chance = chance
        self.seats = tuple(f"player_{i}" for i in range(game.seat_count()))
        self._seat_set = frozenset(self.seats)
        self.turns: list[Turn] = []
        self.batch_ends: list[int] = []  # number of events told before each batch was asked
        self.payoffs: dict[str, float] | None = None
        self.outcome: dict[str, Any] = {}
        self.forfeited: str | None = None
        self.renderer = render  # turns a view into messages; the engine's prompts, unless a test gives its own
        self._rules: dict[str, Any] | None = None
        self._views: dict[str, View] = {}
        self._answers: dict[str, tuple[Answer, bool]] = {}
        self._open: dict[str, Ask] = {}
        self._table = Table(self.seats, seed, self.deal_seed)
        self.events: list[Event] = self._table.events
        self._flow: Coroutine[Any, Any, Any] | None = game.play(self._table)
        self._advance(None)

    # --- playing -------------------------------------------------------------------------------------------------

    @property
    def done(self) -> bool:
        return self.payoffs is not None

    def pending(self) -> dict[str, Ask]:
        """The asks still open, in seat order; several = simultaneous."""
        if self._answers:
            return {seat: ask for seat, ask in self._open.items() if seat not in self._answers}
        return self._open

    def opened(self) -> dict[str, Ask]:
        """Every ask of the open batch, answered already or not; the first of them is turn `len(turns)`."""
        return self._open

    def check(self, seat: str, answer: Answer) -> Answer:
        """The answer in canonical form; IllegalAnswer if it is none. The match is unchanged either way."""
        return self._asked(seat).check(answer)

    def submit(self, seat: str, answer: Answer) -> None:
        """A legal answer. An illegal one raises IllegalAnswer and changes nothing."""
        self._take(seat, self._asked(seat).check(answer), False)

    def submit_fallback(self, seat: str, attempted: Answer = None) -> Answer:
        """No legal answer came: what is played in its place (the legal parts of what was attempted, if the game
        keeps any, else the ask's fallback)."""
        ask = self._asked(seat)
        answer = ask.fallback if attempted is None else self.game.partial(ask, attempted)
        self._take(seat, answer, True)
        return answer

    def take(self, seat: str, answer: Answer, *, fallback: bool) -> None:
        """A recorded answer. A fallback is played as it was recorded; any other answer must still be legal."""
        ask = self._asked(seat)
        self._take(seat, answer if fallback else ask.check(answer), fallback)

    def forfeit(self, seat: str) -> None:
        """Ends the match by the game's forfeit rule for `seat`."""
        if self.done or seat not in self.seats:
            raise GameError(f"{seat} cannot forfeit: " + ("the match is over" if self.done else "it holds no seat"))
        payoffs = self.game.forfeit_payoffs(seat, self.seats)
        if payoffs is None:
            raise GameError(f"{self.game.name} has no forfeit rule")
        self.forfeited = seat
        self._end(payoffs)
        self.outcome = {**self.outcome, "end_reason": "forfeit"}

    def close(self) -> None:
        """Lets the game's coroutine go before its end."""
        if self._flow is not None:
            self._flow.close()
            self._flow = None
        self._open, self._answers = {}, {}

    # --- reading -------------------------------------------------------------------------------------------------

    @property
    def roles(self) -> dict[str, str]:
        return self._table.roles

    @property
    def sides(self) -> dict[str, str]:
        return self._table.sides

    @property
    def names(self) -> dict[str, str]:
        return self._table.names

    @property
    def rules(self) -> dict[str, Any]:
        if self._rules is None:
            self._rules = self.game.rules()
        return self._rules

    def view(self, seat: str) -> View:
        if seat not in self._views:
            if seat not in self.seats:
                raise IllegalAnswer(f"{seat} holds no seat of this match; seats are {', '.join(self.seats)}")
            view = self._views[seat] = View(self, seat)
            for turn in self.turns:
                if turn.seat == seat:
                    view._answered(turn)
        return self._views[seat]

    def metrics(self) -> dict[str, float | None]:
        """The game's figures of this match, from the record alone."""
        return self.game.metrics(self)

    def render(self, view: View) -> list[dict[str, str]]:
        if self.renderer is None:
            raise GameError("this match was made without a renderer; `arena.match` gives it one")
        return self.renderer(view)

    # --- inside --------------------------------------------------------------------------------------------------

    def _asked(self, seat: str) -> Ask:
        ask = self._open.get(seat)
        if ask is None or seat in self._answers:
            raise IllegalAnswer(f"{seat} is not asked anything now")
        return ask

    def _take(self, seat: str, answer: Answer, fallback: bool) -> None:
        self._answers[seat] = (answer, fallback)
        if len(self._answers) == len(self._open):
            self._apply()

    def _apply(self) -> None:
        batch, told, given, views = len(self.batch_ends) - 1, len(self.events), self._answers, self._views
        number = len(self.turns)
        answers: dict[str, Answer] = {}
        for seat, ask in self._open.items():
            answer, fallback = given[seat]
            answers[seat] = answer
            turn = Turn(number, batch, seat, ask, answer, fallback, told)
            self.turns.append(turn)
            number += 1
            if seat in views:
                views[seat]._answered(turn)
        if self.chance and number > self.chance[0] >= number - len(answers):
            self._table.branch(*self.chance)
        self._open, self._answers = {}, {}
        self._advance(answers)

    def _advance(self, answers: dict[str, Answer] | None) -> None:
        if self._flow is None:
            raise GameError("this match is closed")
        try:
            asks = self._flow.send(answers)
        except StopIteration as stop:
            self._end(stop.value)
            return
        except GameError:
            raise
        except Exception as error:
            where = f"after turn {len(self.turns) - 1}" if self.turns else "before its first ask"
            raise GameError(f"{self.game.full_name} failed {where}: {type(error).__name__}: {error}") from error
        if not isinstance(asks, dict):
            raise GameError(f"{self.game.full_name} awaited something else than the table: {asks!r}")
        if not asks.keys() <= self._seat_set:
            raise GameError(f"{self.game.full_name} asked {sorted(asks.keys() - self._seat_set)}, who hold no seat")
        if len(asks) > 1 and tuple(asks) != self.seats:
            asks = {seat: asks[seat] for seat in self.seats if seat in asks}
        self._open = asks
        self.batch_ends.append(len(self.events))

    def _end(self, payoffs: Mapping[str, float]) -> None:
        if not isinstance(payoffs, Mapping) or set(payoffs) != set(self.seats):
            raise GameError(f"{self.game.full_name} must pay every seat; it returned {payoffs!r}")
        self.payoffs = {seat: float(payoffs[seat]) for seat in self.seats}
        if not all(math.isfinite(value) for value in self.payoffs.values()):
            raise GameError(f"{self.game.full_name} returned a payoff that is not a finite number: {self.payoffs}")
        self.outcome = dict(getattr(payoffs, "outcome", {}))
        self.close()
