"""What a Leduc match shows of its players, from the record alone: aggression, folds, bluffs, showdowns."""

from __future__ import annotations

from functools import cache

from arena.core.match import Match
from arena.games.leduc.rules import BET, FOLD, RAISE, left, strength


def metrics(match: Match) -> dict[str, float | None]:
    """Per seat: `aggression` (bets and raises of all moves), `fold_rate` (folds of the moves that faced a bet),
    `bluff` (bets and raises with a hand that loses more than half of the time). All: `showdown`."""
    cards = {e.audience[0]: e.facts["card"] for e in match.events if e.kind == "card"}
    found: dict[str, float | None] = {"showdown": float(any(e.kind == "showdown" for e in match.events))}
    for seat in match.seats:
        moves: list[tuple[str, str | None]] = []  # with the public card, if it lay open
        public: str | None = None
        for event in match.events:
            if event.kind == "public":
                public = event.facts["card"]
            elif event.kind == "action" and event.facts["seat"] == seat:
                moves.append((event.facts["move"], public))
        bold = [open_card for move, open_card in moves if move in (BET, RAISE)]
        facing = [move for move, _ in moves if move not in ("check", BET)]
        found[f"aggression_{seat}"] = _share(len(bold), len(moves))
        found[f"fold_rate_{seat}"] = _share(facing.count(FOLD), len(facing))
        found[f"bluff_{seat}"] = _share(sum(is_behind(cards[seat], open_card) for open_card in bold), len(bold))
    return found


@cache
def is_behind(card: str, public: str | None) -> bool:
    """Whether the hand loses to more than half of what the other may hold (a tie counts half)."""
    balance = 0
    for table_card in [public] if public else left(card):
        mine = strength(card, table_card)
        for other in left(card, table_card):
            theirs = strength(other, table_card)
            balance += (mine > theirs) - (mine < theirs)
    return balance < 0


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
