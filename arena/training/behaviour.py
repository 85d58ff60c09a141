"""How a policy played, beside what it was paid: the length and variety of its replies, and its game's own figures."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path
from statistics import fmean
from typing import Any

from arena.run.replayed import games_of, replayed
from arena.store.reader import Reader

_MOST_MATCHES = 200  # whose figures are computed; each is a replay
_CALLS = """SELECT c.reply, c.tokens_out, c.latency_ms FROM calls c JOIN matches m USING (match_id)
JOIN agents a ON a.agent_id = c.agent_id WHERE m.tag = ? AND m.status = 'done' AND a.name = ?"""
_MATCHES = """SELECT DISTINCT m.match_id FROM matches m JOIN seats s USING (match_id) JOIN agents a USING (agent_id)
WHERE m.tag = ? AND m.status = 'done' AND a.name = ? ORDER BY m.match_id LIMIT ?"""


def behaviour(run: Path, tag: str, policy: str) -> dict[str, Any]:
    """The figures of one policy under one tag."""
    with Reader(run) as reader:
        calls = [tuple(row) for row in reader.db.execute(_CALLS, (tag, policy))]
        numbers = [row[0] for row in reader.db.execute(_MATCHES, (tag, policy, _MOST_MATCHES))]
        where = games_of(reader.manifest())
        figures: dict[str, list[float]] = {}
        for number in numbers:
            row = reader.find_match(str(number))
            held = {s["seat"] for s in reader.match_seats(number) if s["agent"] == policy}
            for name, value in replayed(reader, row, where).metrics().items():
                seat = next((s for s in held if name.endswith(f"_{s}")), None)
                is_of_others = seat is None and "_player_" in name
                if value is not None and not is_of_others:
                    figures.setdefault(name.removesuffix(f"_{seat}"), []).append(float(value))
    return {"replies": replies(calls), "metrics": {name: fmean(found) for name, found in sorted(figures.items())}}


def replies(calls: list[tuple[Any, ...]]) -> dict[str, float]:
    """Mean tokens, distinct-1 and distinct-2, the share of replies that are mostly one repeated pair of words."""
    if not calls:
        return {"count": 0}
    one: Counter[str] = Counter()
    two: Counter[tuple[str, str]] = Counter()
    repetitive = 0
    for reply, _, _ in calls:
        words = str(reply).split()
        pairs = list(pairwise(words))
        one.update(words)
        two.update(pairs)
        repetitive += len(pairs) >= 10 and max(Counter(pairs).values()) > len(pairs) / 2
    tokens = [n for _, n, _ in calls if n is not None]
    return {
        "count": len(calls),
        "tokens": fmean(tokens) if tokens else 0.0,
        "seconds": sum(ms or 0 for _, _, ms in calls) / 1000,
        "distinct_1": len(one) / max(sum(one.values()), 1),
        "distinct_2": len(two) / max(sum(two.values()), 1),
        "repetitive": repetitive / len(calls),
    }
