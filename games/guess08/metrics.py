"""What a guessing match shows of its players, from the record alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from arena.core.match import Match
from arena.games.guess08.rules import target


def metrics(match: Match) -> dict[str, float | None]:
    """Per seat: `win_rate`, `final_health`, `adaptation_index`, `level`, `prediction_error`."""
    rounds = [event.facts for event in match.events if event.kind == "round"]
    found: dict[str, float | None] = {}
    for seat in match.seats:
        own = [r for r in rounds if seat in r["numbers"]]
        gaps = [(r["round"], abs(r["numbers"][seat] - target(r["numbers"]))) for r in own]
        found[f"win_rate_{seat}"] = match.payoffs[seat] if match.payoffs else None
        found[f"final_health_{seat}"] = float(own[-1]["health"][seat]) if own else None
        found[f"adaptation_index_{seat}"] = adaptation_index(gaps, match.rules["rounds"])
        found[f"level_{seat}"] = float(nearest_level(own[0]["numbers"][seat])) if own else None
        found[f"prediction_error_{seat}"] = _prediction_error(match, seat, rounds)
    return found


def adaptation_index(gaps: Sequence[tuple[int, Fraction]], rounds: int) -> float | None:
    """Sum of |number - target| in the second half of the rounds over that of the first half; lower = learns.

    Only rounds that the seat played; None with fewer than two in a half, or when the first half's sum is 0.
    """
    first = [gap for number, gap in gaps if number <= rounds // 2]
    second = [gap for number, gap in gaps if number > rounds // 2]
    if len(first) < 2 or len(second) < 2 or not sum(first):
        return None
    return float(sum(second) / sum(first))


def nearest_level(number: int, *, most: int = 20) -> int:
    """The k whose guess 50·0.8^k is nearest to a first number; of two as near the smaller k."""
    return min(range(most + 1), key=lambda k: (abs(number - 50 * Fraction(4, 5) ** k), k))


def prediction_error(predicted: Mapping[str, int], numbers: Mapping[str, int]) -> Fraction | None:
    """|mean predicted - mean chosen| over the same seats; None unless every one of `numbers` was predicted."""
    if not numbers or any(seat not in predicted for seat in numbers):
        return None
    return abs(Fraction(sum(predicted[seat] for seat in numbers) - sum(numbers.values()), len(numbers)))


def _prediction_error(match: Match, seat: str, rounds: Sequence[Mapping[str, Any]]) -> float | None:
    """The mean over the rounds in which the seat's answer predicted all others."""
    answers = [turn.answer for turn in match.turns if turn.seat == seat]
    errors = []
    for answer, facts in zip(answers, (r for r in rounds if seat in r["numbers"]), strict=False):
        if isinstance(answer, dict) and answer.get("prediction"):
            others = {s: x for s, x in facts["numbers"].items() if s != seat}
            errors.append(prediction_error(answer["prediction"], others))
    whole = [error for error in errors if error is not None]
    return float(sum(whole) / len(whole)) if whole else None
