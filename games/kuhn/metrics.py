"""What a Kuhn match shows of its players, from the record alone: bets without a good card, calls, folds."""

from __future__ import annotations

from arena.core.match import Match


def metrics(match: Match) -> dict[str, float | None]:
    """Per seat: `bluff` (bet with the jack), `aggression` (bets and calls of all moves)."""
    cards = {e.audience[0]: e.facts["card"] for e in match.events if e.kind == "card"}
    found: dict[str, float | None] = {}
    for seat in match.seats:
        moves = [e.facts["move"] for e in match.events if e.kind == "action" and e.facts["seat"] == seat]
        could_bluff = cards[seat] == "J" and any(move in ("check", "bet") for move in moves)
        found[f"bluff_{seat}"] = float("bet" in moves) if could_bluff else None
        found[f"aggression_{seat}"] = sum(m in ("bet", "call") for m in moves) / len(moves) if moves else None
    return found
