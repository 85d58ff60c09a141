"""The asks of a configuration. They never change, so all its matches share them.

Where a scenario declares no safe action a missing answer is a lost turn (None), and the round then plays an action
drawn uniformly for the seat. Drawn so late, it stands in no ask, where a seat could read what chance will do.
"""

from __future__ import annotations

from random import Random
from typing import Any

from arena.core import Answer, Ask, Choice, Form, ListOf, Number, Range, Text
from arena.games.matrix.rules import Action, Actions, StageGame, seat_names, sums_to_one

YES_NO = ("yes", "no")
COMMIT = Choice("commit", YES_NO, fallback="no")
SIMULATE = Choice("simulate", YES_NO, fallback="no")
PROGRAM = Text("program", 8000, optional=True)


def action_asks(stage: StageGame, *, mixed: bool) -> dict[str, Ask]:
    """Every player's ask for an action (`mixed`: for probabilities). Alike players share one object."""
    make = mixed_ask if mixed else act_ask
    made: dict[tuple[Actions, Action | None], Ask] = {}
    asks: dict[str, Ask] = {}
    for seat, actions, safe in zip(seat_names(stage.n), stage.actions, stage.safe, strict=True):
        if (actions, safe) not in made:
            made[actions, safe] = make(actions, safe)
        asks[seat] = made[actions, safe]
    return asks


def act_ask(actions: Actions, fallback: Action | None, name: str = "act") -> Ask:
    """An action: one of the labels, or a number."""
    if isinstance(actions, range):
        return Range(name, actions[0], actions[-1], fallback=fallback)
    return Choice(name, actions, fallback=fallback)


def mixed_ask(actions: Actions, safe: Action | None) -> Ask:
    """A probability for each action, in the order of the table, from which the engine draws. Without an answer it is
    the safe action, or any with equal chances."""
    k = len(actions)

    def rule(answer: Answer) -> str | None:
        return None if sums_to_one(answer["p"]) else "the probabilities must sum to 1"

    def draw(rng: Random) -> dict[str, Any]:
        cuts = sorted(int(rng.random() * 1001) for _ in range(k - 1))
        return {"p": [(b - a) / 1000 for a, b in zip([0, *cuts], [*cuts, 1000], strict=True)]}

    point = {"p": [1 / k if safe is None else int(action == safe) for action in actions]}
    return Form("mixed", ListOf("p", Number("p", 0, 1), k, k), rule=rule, draw=draw, fallback=point)


def plan_ask(actions: Actions, safe: Action | None, rounds: int) -> Ask:
    """Own actions for the next rounds."""
    entries = ListOf("actions", act_ask(actions, safe), rounds, rounds)
    return Form("plan", entries, fallback={"actions": [safe] * rounds})


def talk_ask(actions: Actions, max_chars: int) -> Ask:
    """A message; beside it, if the seat likes, what the words say that it will play, and what they promise."""
    intent = [act_ask(actions, actions[0], name) for name in ("claim_action", "promise_action")]
    return Form("talk", Text("text", max_chars), intent=intent)
