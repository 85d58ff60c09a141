"""What a state and an answer are worth to a seat: named features, and a linear value whose weights are data.

`value.json` holds the weights of each side, the questions that a dialogue guide asks each role, and what each feature
means. A learning loop may edit the file; nothing in it is run. The belief behind the features is that of
`bot/avalon-bayes`, so they follow from the view alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from math import exp
from pathlib import Path
from typing import Any

from arena.core import Answer, View
from arena.games.avalon.bots.bayes import merlin_chances
from arena.games.avalon.bots.notes import Notes, notes
from arena.games.avalon.bots.posterior import Belief, belief
from arena.games.avalon.bots.sets import set_of
from arena.games.avalon.rules import APPROVE, FAIL, PROPOSALS, QUESTS, TO_WIN

VALUE_FILE = Path(__file__).parent / "value.json"
STATE = ("bias", "successes", "failures", "quest", "rejections", "sureness", "merlin_seen")
ANSWER = (
    *("team_good", "team_spoilt", "on_team", "vote_good", "vote_spoilt"),
    *("card_fail", "target_merlin", "target_open"),
)
FEATURES = (*STATE, *ANSWER)
MOST_SEATS = 10


@cache
def weights() -> dict[str, dict[str, float]]:
    """Side -> feature -> weight."""
    found: dict[str, dict[str, float]] = json.loads(VALUE_FILE.read_text(encoding="utf-8"))["weights"]
    return found


def state_features(view: View) -> dict[str, float]:
    """What is so whatever the seat answers now."""
    n = notes(view)
    now = belief(n)
    return {
        "bias": 1.0,
        "successes": n.successes / TO_WIN,
        "failures": n.failures / TO_WIN,
        "quest": n.quest / QUESTS,
        "rejections": (n.proposal - 1) / (PROPOSALS - 1),
        "sureness": _sureness(now, n),
        "merlin_seen": _merlin_seen(n) if view.rules["merlin"] else 0.0,
    }


def action_features(view: View, answer: Answer) -> dict[str, float]:
    """What the answer to the open ask adds; `value.json` says what each feature means."""
    n = notes(view)
    found = dict.fromkeys(ANSWER, 0.0)
    name = view.ask.name if view.ask else ""
    if name == "propose" and isinstance(answer, list):
        team = set_of(n.numbers(answer))
        found["team_good"], found["team_spoilt"] = _team(n, team)
        found["on_team"] = float(team >> n.me & 1)
    elif name == "team_vote":
        sign = 1.0 if answer == APPROVE else -1.0
        good, spoilt = _team(n, n.team)
        found["vote_good"], found["vote_spoilt"] = sign * (good - 0.5), sign * (spoilt - 0.5)
    elif name == "quest":
        found["card_fail"] = float(answer == FAIL)
    elif name == "assassinate" and answer in n.seats:
        found["target_merlin"] = merlin_chances(n)[n.seats.index(answer)]
    elif name == "lady" and answer in n.seats:
        chance = belief(n).is_evil()[n.seats.index(answer)]
        found["target_open"] = 1 - 2 * abs(chance - 0.5)
    return found


def answer_features(view: View, answer: Answer) -> list[float]:
    """`FEATURES` in order, then P(evil) of the other seats clockwise from one's own, filled up to ten seats."""
    n = notes(view)
    values = state_features(view) | action_features(view, answer)
    evil = belief(n).is_evil()
    clockwise = [evil[(n.me + i) % n.players] for i in range(1, n.players)]
    return [values[name] for name in FEATURES] + clockwise + [0.0] * (MOST_SEATS - n.players)


def state_value(view: View) -> float:
    """The chance that the seat's side wins, as the linear heuristic has it."""
    over = view.last("over")
    if over is not None:
        return float(view.last("role")["side"] == over["winner"])  # type: ignore[index]  # every seat is told its role
    return _logistic(_linear(view, state_features(view)))


def answer_value(view: View, answer: Answer) -> float | None:
    """The same after an answer; None for asks that it knows nothing about (speech, beliefs)."""
    added = action_features(view, answer)
    if not any(added.values()) and (view.ask is None or view.ask.name in ("speech", "evil_talk", "beliefs")):
        return None
    return _logistic(_linear(view, state_features(view) | added))


def _linear(view: View, values: Mapping[str, float]) -> float:
    own = weights()["evil" if notes(view).is_evil else "good"]
    return sum(own[name] * value for name, value in values.items())


def _logistic(x: float) -> float:
    return 1 / (1 + exp(-x))


def _team(n: Notes, team: int) -> tuple[float, float]:
    """The chance that the team is wholly good, and that it holds enough evil to spoil the quest."""
    now = belief(n)
    return now.good_team(team), now.enough_evil(team, n.needed)


def _merlin_seen(n: Notes) -> float:
    """How well the ballots show Merlin, to those who can tell: evil, and Merlin himself."""
    if n.is_evil:
        return max(merlin_chances(n))
    return merlin_chances(n)[n.me] if n.role == "merlin" else 0.0


def _sureness(now: Belief, n: Notes) -> float:
    """The chance of the best team of this quest's size to be wholly good: what the seat's knowledge is worth."""
    return min(1.0, max(now.good_teams(n.size)))


def guide(role: str) -> Sequence[str]:
    """The questions that a player of this role answers for itself before it speaks."""
    found: Mapping[str, Any] = json.loads(VALUE_FILE.read_text(encoding="utf-8"))["guides"]
    return tuple(found[role])
