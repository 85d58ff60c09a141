"""What a GOPS match shows of its players, from the record alone."""

from __future__ import annotations

from arena.core.match import Match


def metrics(match: Match) -> dict[str, float | None]:
    """Per seat: `points`; `overbid` (mean lead of its card over the other's where it won); `matched` (share of bids
    equal to the prize). All: `tie_rate` of the rounds, `lost_points`. The forced last round counts but in `matched`."""
    rounds = [event.facts for event in match.events if event.kind == "bids"]
    found: dict[str, float | None] = {
        "tie_rate": _mean([float(r["winner"] is None) for r in rounds]),
        "lost_points": float(sum(r["lost"] for r in rounds)),
    }
    chosen = [r for r in rounds if r["round"] < match.rules["n"]]
    for seat in match.seats:
        leads = [2 * r["bids"][seat] - sum(r["bids"].values()) for r in rounds if r["winner"] == seat]
        found[f"points_{seat}"] = float(rounds[-1]["scores"][seat]) if rounds else None
        found[f"overbid_{seat}"] = _mean(leads)
        found[f"matched_{seat}"] = _mean([float(r["bids"][seat] == r["value"]) for r in chosen])
    return found


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
