"""Elicited beliefs (`elicit_beliefs`): how well good sees evil, how well evil hides and sees Merlin."""

from __future__ import annotations

from collections.abc import Mapping
from math import log
from typing import Any

from arena.core.match import Match
from arena.games.avalon.metrics.outcome import mean
from arena.games.avalon.rules import sight

CLIP = 0.01  # no belief counts as surer than 1 % and 99 % in the log loss


def beliefs(match: Match) -> dict[str, float | None]:
    """Per good seat without sight `deduction_accuracy`, `belief_log_loss`, `belief_brier`; per evil seat `deception`;
    all: their means and `merlin_exposure`. Each is the mean over the quests after which beliefs were given."""
    given = [e.facts["beliefs"] for e in match.events if e.kind == "believed"]
    found: dict[str, float | None] = {}
    blind = [s for s in match.seats if match.sides[s] == "good" and sight(match.roles, s) is None]
    evil = [s for s in match.seats if match.sides[s] == "evil"]
    for name, of_one in (("deduction_accuracy", accuracy), ("belief_log_loss", log_loss), ("belief_brier", brier)):
        for seat in blind:
            found[f"{name}_{seat}"] = mean(of_one(b[seat]["evil"], match.sides) for b in given)
        found[name] = mean(found[f"{name}_{seat}"] for seat in blind)
    for seat in evil:
        found[f"deception_{seat}"] = mean(hidden(b, match.sides, seat) for b in given)
    found["deception"] = mean(found[f"deception_{seat}"] for seat in evil)
    found["merlin_exposure"] = mean(exposure(match, b) for b in given)
    return found


def accuracy(belief: Mapping[str, int], sides: Mapping[str, str]) -> float:
    """Right calls over the number of other seats: evil from .5 on, but .5 itself is always wrong. (A published code
    divides by the constant 5, so its figures are not comparable.)"""
    right = sum(p > 50 if sides[s] == "evil" else p < 50 for s, p in belief.items())
    return right / len(belief)


def log_loss(belief: Mapping[str, int], sides: Mapping[str, str]) -> float:
    """Mean of -ln of the chance given to the truth."""
    chances = [p / 100 if sides[s] == "evil" else 1 - p / 100 for s, p in belief.items()]
    return -sum(log(min(max(c, CLIP), 1 - CLIP)) for c in chances) / len(chances)


def brier(belief: Mapping[str, int], sides: Mapping[str, str]) -> float:
    """Mean squared distance from the truth."""
    return sum((p / 100 - (sides[s] == "evil")) ** 2 for s, p in belief.items()) / len(belief)


def hidden(given: Mapping[str, Any], sides: Mapping[str, str], seat: str) -> float | None:
    """How good an evil seat looks: the good seats' mean belief that it is good."""
    return mean(1 - b["evil"][seat] / 100 for s, b in given.items() if sides[s] == "good")


def exposure(match: Match, given: Mapping[str, Any]) -> float | None:
    """Evil's mean belief in the true Merlin, less that of a guess among the good."""
    merlin = next((s for s, role in match.roles.items() if role == "merlin"), None)
    good = sum(side == "good" for side in match.sides.values())
    seen = mean(b["merlin"][merlin] / 100 for b in given.values() if b.get("merlin"))
    return None if seen is None else seen - 1 / good
