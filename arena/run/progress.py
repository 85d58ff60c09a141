"""What a display may show of a run: counts and sums while it plays, made by whoever plays it; steps while it trains."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any, NamedTuple


class Tally(NamedTuple):
    """What an agent did in the matches of this session: sums, so that tallies of several processes add up."""

    seats: int = 0
    payoff: float = 0.0
    squares: float = 0.0
    turns: int = 0
    lost: int = 0  # without a legal answer of its own

    def plus(self, o: Tally) -> Tally:
        return Tally(
            self.seats + o.seats,
            self.payoff + o.payoff,
            self.squares + o.squares,
            self.turns + o.turns,
            self.lost + o.lost,
        )


@dataclass
class Progress:
    """`spent_usd` was spent before this session, `budget_usd` is the run's; `models`: rows as a session gives them."""

    planned: int = 0
    done: int = 0
    void: int = 0
    failed: int = 0
    live: int = 0
    events: list[str] = field(default_factory=list)
    models: Callable[[], list[dict[str, Any]]] = list
    tallies: Callable[[], Mapping[str, Tally]] = dict
    spent_usd: float = 0.0
    budget_usd: float | None = None

    def say(self, text: str) -> None:
        self.events.append(text)


@dataclass(frozen=True)
class Steps:
    """A trainer at work. `rows`: what is known of its steps so far, as in metrics.jsonl."""

    planned: int
    rows: Callable[[], Sequence[Mapping[str, Any]]]


_SUMS = ("in_flight", "waiting", "window", "calls", "cached", "tokens_in", "tokens_cached", "tokens_out")


def joined_models(parts: Iterable[list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The rows of several processes, one a model."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in (row for part in parts for row in part):
        found.setdefault(row["model"], []).append(row)
    return [_joined(rows) for rows in found.values()]


def _joined(rows: list[dict[str, Any]]) -> dict[str, Any]:
    from arena.models.ledger import cost_text

    costs = [row["cost_usd"] for row in rows if row["cost_usd"] is not None]
    unpriced = sum(row["unpriced_calls"] for row in rows)
    latencies = [row["latency_s"] for row in rows if row["latency_s"] is not None]
    return rows[0] | {
        **{key: sum(row[key] for row in rows) for key in _SUMS},
        "state": next((row["state"] for row in rows if row["state"] != "ok"), "ok"),
        "cost_usd": sum(costs) if costs else None,
        "cost": cost_text(sum(costs), unpriced),
        "unpriced_calls": unpriced,
        "latency_s": median(latencies) if latencies else None,
    }


def joined_tallies(parts: Iterable[Mapping[str, Iterable[float]]]) -> dict[str, Tally]:
    found: dict[str, Tally] = {}
    for agent, sums in (item for part in parts for item in part.items()):
        found[agent] = Tally(*sums).plus(found.get(agent, Tally()))  # type: ignore[arg-type]  # they come as JSON
    return found
