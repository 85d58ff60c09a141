"""`winner-only`: the turns of the one best-paid seat or side, to imitate.

Ties, draws and matches in which any fallback was played are dropped. (SPAG's authors: adding losers with a negative
reward did not converge; they trained on winners.)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from arena.training.record import Played
from arena.training.rows import ANSWERED, Labelled, Trainee, kto_row, sft_row

ALGORITHMS = ("sft", "kto")
HAS_ONE_LABEL = True  # for kto rows: to be exported and joined with others, not to be trained on alone


def label(matches: Iterable[Played], options: Mapping[str, Any]) -> Labelled:
    """Options: trainee, prompts, algorithm."""
    trainee: Trainee = options.get("trainee") or Trainee()
    found = Labelled()
    for m in matches:
        if m.fork is not None:
            continue
        turns = trainee.turns(m)
        if any(turn.fallback for turn in m.match.turns):
            found.drop("a fallback was played in the match", len(turns))
            continue
        winners = _winners(m)
        for sent in turns:
            if not winners:
                found.drop("no single winner")
            elif sent.seat not in winners:
                found.drop("not the winner's")
            elif sent.status not in ANSWERED:
                found.drop(sent.status)
            elif options.get("algorithm") == "kto":
                found.rows.append(
                    kto_row(m, sent, "winner-only", True, "won", prompts=options.get("prompts", "accepted"))
                )
            else:
                found.rows.append(sft_row(m, sent, "winner-only", "won", prompts=options.get("prompts", "accepted")))
    return found


def _winners(played: Played) -> set[str]:
    """The seats of the one group (a side, else a seat) that was paid most; empty where two were paid alike."""
    groups: dict[str, list[str]] = {}
    for seat in played.match.seats:
        groups.setdefault(played.match.sides.get(seat, seat), []).append(seat)
    paid = {g: sum(played.payoffs[s] for s in seats) / len(seats) for g, seats in groups.items()}
    best = max(paid.values())
    top = [g for g, value in paid.items() if value == best]
    return set(groups[top[0]]) if len(top) == 1 else set()
