"""The asks of a configuration. They never change, so all its matches share them.

Where a scenario declares no safe action, the fallback of a missing answer is drawn anew each round; there is one ask
for each action that may be drawn, made once.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

from arena.core import Answer, Ask, Choice, Form, ListOf, Number, Range, Table, Text
from arena.games.matrix.rules import Action, Actions, StageGame, seat_names, sums_to_one

YES_NO = ("yes", "no")
COMMIT = Choice("commit", YES_NO, fallback="no")
SIMULATE = Choice("simulate", YES_NO, fallback="no")
PROGRAM = Text("program", 8000, optional=True)


class AskSet:
    """The asks for actions of one configuration; `mixed`: for probabilities."""

    def __init__(self, stage: StageGame, *, mixed: bool) -> None:
        self._seats = seat_names(stage.n)
        make = mixed_ask if mixed else act_ask
        made: dict[tuple[Actions, Action | None], Ask] = {}  # alike seats get the same object

        def one(actions: Actions, fallback: Action) -> Ask:
            if (actions, fallback) not in made:
                made[actions, fallback] = make(actions, fallback)
            return made[actions, fallback]

        self._fixed: dict[str, Ask] = {}
        self._drawn: dict[str, tuple[Ask, ...]] = {}
        for seat, actions, safe in zip(self._seats, stage.actions, stage.safe, strict=True):
            if safe is not None:
                self._fixed[seat] = one(actions, safe)
            else:
                self._drawn[seat] = tuple(one(actions, action) for action in actions)

    def acts(self, table: Table) -> Mapping[str, Ask]:
        """Every player's ask for this round's action."""
        if not self._drawn:
            return self._fixed
        below = table.rng("fallback").below
        drawn = {seat: asks[below(len(asks))] for seat, asks in self._drawn.items()}
        return {seat: self._fixed[seat] if seat in self._fixed else drawn[seat] for seat in self._seats}


def act_ask(actions: Actions, fallback: Action, name: str = "act") -> Ask:
    """An action: one of the labels, or a number."""
    if isinstance(actions, range):
        return Range(name, actions[0], actions[-1], fallback=fallback)
    return Choice(name, actions, fallback=fallback)


def mixed_ask(actions: Actions, fallback: Action) -> Ask:
    """A probability for each action, in the order of the table, from which the engine draws."""
    k = len(actions)

    def rule(answer: Answer) -> str | None:
        return None if sums_to_one(answer["p"]) else "the probabilities must sum to 1"

    def draw(rng: Random) -> dict[str, Any]:
        cuts = sorted(int(rng.random() * 1001) for _ in range(k - 1))
        return {"p": [(b - a) / 1000 for a, b in zip([0, *cuts], [*cuts, 1000], strict=True)]}

    point = {"p": [1 if action == fallback else 0 for action in actions]}
    return Form("mixed", ListOf("p", Number("p", 0, 1), k, k), rule=rule, draw=draw, fallback=point)


def plan_ask(actions: Actions, fallback: Action, rounds: int) -> Ask:
    """Own actions for the next rounds."""
    entry = act_ask(actions, fallback)
    return Form("plan", ListOf("actions", entry, rounds, rounds, fallback=[fallback] * rounds))


def talk_ask(actions: Actions, max_chars: int) -> Ask:
    """A message; beside it, if the seat likes, what the words say that it will play, and what they promise."""
    intent = [act_ask(actions, actions[0], name) for name in ("claim_action", "promise_action")]
    return Form("talk", Text("text", max_chars), intent=intent)
