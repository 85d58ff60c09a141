"""What a bot makes of its view, and how its choice answers whatever it is asked.

A strategy says what to play (an action, or a weight for each action); the rest is alike for all of them: a plan
repeats the choice, a commitment is agreed to when the plans pay at least what mutual selfish play pays, words and
looks are not bought.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial, wraps
from typing import Any

from arena.core import Answer, Ask, Event, Form, ListOf, Range, Rng, View
from arena.games.matrix.catalogue import CELLS, game_from_rows, grid_game, loss_game, moved
from arena.games.matrix.facts import config_of
from arena.games.matrix.network import edges_of, linked_goods, neighbours, on_network
from arena.games.matrix.rules import Action, Amount, Profile, StageGame, drawn, exact

Choice = Action | list[float]  # an action, or one weight for each action
Strategy = Callable[..., Choice]
Bot = Callable[..., Answer]


class Memory:
    """`rounds` are the facts of the rounds that the seat was told of, oldest first; `player` its number (-1: none)."""

    def __init__(self, view: View) -> None:
        self.config = config_of(view.rules)
        self.knows_horizon = view.rules["rounds"] is not None
        self.game: StageGame = self.config.stage
        self.seats = self.config.seat_tuple
        self.seat = view.seat
        self.player = self.seats.index(view.seat) if view.seat in self.seats else -1
        self.others = tuple(seat for seat in self.seats if seat != view.seat)
        self.rounds: list[dict[str, Any]] = []
        self.games: list[StageGame] = []  # of each of these rounds
        self.plans: dict[str, list[Action]] = {}
        self.peek: dict[str, Any] | None = None
        self.opened: list[str] = []  # the latest `visibility` events: the open nodes
        self.cells = (0, CELLS - 1)
        self.near: tuple[tuple[int, ...], ...] = ()
        self.ahead = 0  # while a plan is made: rounds from now
        self.kept: dict[str, Any] = {}

    @property
    def number(self) -> int:
        """The round that is chosen for."""
        return len(self.rounds) + 1 + self.ahead

    @property
    def actions(self) -> Sequence[Action]:
        return self.game.actions[self.player]

    def cooperated(self, back: int, seat: str | None = None) -> bool:
        """Whether `seat` cooperated `back` rounds ago (1 = the last one); None: at least half of the others whose
        actions were seen did. What was not seen, and what lies before the first round, counts as cooperation."""
        if len(self.rounds) < back:
            return True
        played = self.rounds[-back]["actions"]
        game = self.games[-back]
        if seat is None:
            seen = [game.is_friendly(self.seats.index(s), played[s]) for s in self.others if s in played]
            return 2 * sum(seen) >= len(seen)
        return seat not in played or game.is_friendly(self.seats.index(seat), played[seat])

    def gains(self) -> list[Amount]:
        """What each action would have paid so far, over the rounds in which the others' actions were seen."""
        nothing: tuple[int, list[Amount]] = (0, [0] * len(self.actions))
        kept: tuple[int, list[Amount]] = self.kept.get("gains", nothing)
        read, sums = kept
        for facts, game in zip(self.rounds[read:], self.games[read:], strict=True):
            played = facts["actions"]
            if game.name == "online":
                if "losses" in facts:
                    sums = [s - exact(loss) for s, loss in zip(sums, facts["losses"], strict=True)]
            elif len(played) == len(self.seats):
                profile = tuple(played[seat] for seat in self.seats)
                sums = [s + gain for s, gain in zip(sums, game.replies(self.player, profile), strict=True)]
        self.kept["gains"] = len(self.rounds), sums
        return sums


def _take(memory: Memory, event: Event) -> Memory:
    kind, facts = event.kind, event.facts
    if kind == "round":
        _take_round(memory, facts)
    elif kind == "history":
        known = memory.rounds[-1]["round"] if memory.rounds else 0
        for earlier in facts["rounds"]:
            if earlier["round"] > known:
                _take_round(memory, earlier)
    elif kind == "rules":
        _take_rules(memory, facts)
    elif kind == "links":
        edges = edges_of(facts["links"])
        memory.near = neighbours(len(memory.seats), edges)
        memory.game = linked_goods(memory.config.base, edges, memory.config.cost_of_link)
    elif kind == "plans":
        memory.plans = facts["plans"]
    elif kind == "peek":
        memory.peek = facts
    elif kind == "visibility" and facts["open"]:
        memory.opened.append(facts["seat"])
    return memory


def _take_round(memory: Memory, facts: dict[str, Any]) -> None:
    if memory.rounds and memory.rounds[-1]["round"] == facts["round"]:
        return  # a part of a round that the seat was told whole
    game = memory.game
    if "losses" in facts:
        game = loss_game([exact(loss) for loss in facts["losses"]])
    memory.rounds.append(facts)
    memory.games.append(game)
    memory.peek = None
    if "positions" in facts:
        first, second = memory.cells = tuple(facts["positions"].values())
        memory.game = grid_game(first, second)


def _take_rules(memory: Memory, facts: dict[str, Any]) -> None:
    if "rows" in facts:
        memory.game = game_from_rows(memory.game, facts["rows"])
    if "edges" in facts:
        n, edges = len(memory.seats), edges_of(facts["edges"])
        memory.near = neighbours(n, edges)
        if memory.config.graph == "random":
            memory.game = on_network(memory.config.base, n, edges)


def remember(view: View) -> Memory:
    return view.fold(partial(Memory, view), _take)


# --- from a choice to an answer -------------------------------------------------------------------------------------


def bot(strategy: Strategy) -> Bot:
    """A player that chooses by `strategy(memory, rng, **options)`."""

    @wraps(strategy)
    def play(view: View, ask: Ask, rng: Rng, **options: Any) -> Answer:
        memory = remember(view)
        name = ask.name
        if name == "act":
            return _as_action(memory, strategy(memory, rng, **options), ask, rng)
        if name == "mixed":
            return {"p": as_mix(memory, strategy(memory, rng, **options))}
        if name == "plan":
            return {"actions": _plan(memory, strategy, ask, rng, options)}
        return _elsewhere(memory, ask)

    return play


def as_mix(memory: Memory, choice: Choice) -> list[float]:
    if isinstance(choice, list):
        return choice
    return [1.0 if action == choice else 0.0 for action in memory.actions]


def _as_action(memory: Memory, choice: Choice, ask: Ask, rng: Rng) -> Action:
    if isinstance(choice, list):
        choice = memory.actions[drawn(choice, rng.random())]
    if isinstance(ask, Range) and isinstance(choice, int) and ask.high != memory.actions[-1]:
        return choice * ask.high // int(memory.actions[-1])  # returning: as large a part of what came in
    return choice


def _plan(memory: Memory, strategy: Strategy, ask: Ask, rng: Rng, options: dict[str, Any]) -> list[Action]:
    assert isinstance(ask, Form) and isinstance(ask.fields[0], ListOf)
    entries = ask.fields[0]
    plan = []
    for memory.ahead in range(entries.low):
        plan.append(_as_action(memory, strategy(memory, rng, **options), entries.item, rng))
    memory.ahead = 0
    return plan


def _elsewhere(memory: Memory, ask: Ask) -> Answer:
    """The answers that do not depend on the strategy."""
    if ask.name == "commit":
        return "yes" if plans_pay(memory) >= selfish_pays(memory) else "no"
    if ask.name == "links":
        return {"want": list(memory.others)}
    if ask.name == "visibility":
        return {"open": list(memory.seats[: memory.config.governor_budget])}
    return ask.fallback  # no words, no program, no look


def plans_pay(memory: Memory) -> Amount:
    """What the proposed plans pay this player if all are carried out."""
    length = len(memory.plans[memory.seat])
    return _pays(memory, [tuple(memory.plans[seat][t] for seat in memory.seats) for t in range(length)])


def selfish_pays(memory: Memory) -> Amount:
    """What as many rounds of everybody's selfish action would pay."""
    return _pays(memory, [memory.game.selfish] * len(memory.plans[memory.seat]))


def _pays(memory: Memory, profiles: Sequence[Profile]) -> Amount:
    cells, game, whole = memory.cells, memory.game, 0
    paid: Amount = whole
    for profile in profiles:
        paid += game.pay(profile)[memory.player]
        if game.name == "grid":
            cells = (moved(cells[0], profile[0]), moved(cells[1], profile[1]))
            game = grid_game(*cells)
    return paid
