"""Who won and how: three successes and the assassination apart, since the final win mixes them."""

from __future__ import annotations

from collections.abc import Iterable

from arena.core.match import Match


def outcome(match: Match) -> dict[str, float | None]:
    quests = [e.facts for e in match.events if e.kind == "quest_result"]
    reached = bool(quests) and quests[-1]["score"]["good"] == 3
    over = next((e.facts for e in match.events if e.kind == "over"), None)
    strike = next((e.facts for e in match.events if e.kind == "assassinated"), None)
    fallbacks = sum(turn.fallback for turn in match.turns)
    good_won = float(over["winner"] == "good") if over else None
    hit = float(strike["hit"]) if strike else None
    good_seats = sum(side == "good" for side in match.sides.values())
    found = {
        "good_won": good_won,
        "good_won_without_fallback": None if fallbacks else good_won,
        "three_successes": float(reached) if over else None,
        "assassin_hit": hit,
        "assassin_edge": None if hit is None else hit - 1 / good_seats,
        "quests_failed": float(sum(not q["success"] for q in quests)),
        "proposals": float(sum(e.kind == "proposed" for e in match.events)),
        "fallback_rate": share(turn.fallback for turn in match.turns),
    }
    for reason in ("three_fails", "five_rejections", "merlin_found"):
        found[f"evil_by_{reason}"] = float(over["reason"] == reason) if over else None
    return found


def share(hits: Iterable[bool]) -> float | None:
    """The part of the cases that are so; None without a case."""
    cases = list(hits)
    return sum(cases) / len(cases) if cases else None


def mean(values: Iterable[float | None]) -> float | None:
    """The mean of what there is."""
    found = [v for v in values if v is not None]
    return sum(found) / len(found) if found else None
