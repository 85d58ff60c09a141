"""`outcome`: a seat's turns are good if it was paid more than others of its role (ours; the baseline to beat).

The seat's payoff against the mean of the same role over the other seats of this dataset (leave-one-out): all of its
turns are desirable above mean + delta, undesirable below mean - delta, dropped between. Ties are dropped.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from arena.training.record import Played
from arena.training.rows import ANSWERED, NO_ROWS, Labelled, Trainee, cap_illegal, kto_row

ALGORITHMS = ("kto",)


def label(matches: Iterable[Played], options: Mapping[str, Any]) -> Labelled:
    """Options: trainee, delta (payoff units), illegal_share, prompts, seed."""
    trainee: Trainee = options.get("trainee") or Trainee()
    delta = float(options.get("delta") or 0.0)
    found = Labelled()
    played = [m for m in matches if m.fork is None]
    paid: dict[str, list[float]] = {}
    for m in played:
        for seat in trainee.seats(m):
            paid.setdefault(_role(m, seat), []).append(m.payoffs[seat])
    for m in played:
        verdicts = {s: _verdict(m.payoffs[s], paid[_role(m, s)], delta) for s in trainee.seats(m)}
        for sent in trainee.turns(m):
            verdict = verdicts[sent.seat]
            prompts = options.get("prompts", "accepted")
            if sent.status in NO_ROWS:
                found.drop(sent.status)
            elif sent.status not in ANSWERED or sent.fallback:
                found.rows.append(kto_row(m, sent, "outcome", False, "illegal", prompts=prompts))
            elif verdict is None:
                found.drop("payoff equal to the mean of its role")
            else:
                reason = "paid above its role" if verdict else "paid below its role"
                found.rows.append(kto_row(m, sent, "outcome", verdict, reason, prompts=prompts))
    cap_illegal(found, float(options.get("illegal_share", 0.2)), int(options.get("seed", 0)))
    return found


def _role(played: Played, seat: str) -> str:
    """Seats without roles or sides are alike: one mean for all of them."""
    return played.roles.get(seat) or played.match.sides.get(seat) or ""


def _verdict(own: float, of_role: list[float], delta: float) -> bool | None:
    """Above, below, or neither; the mean leaves this seat out, and a lone seat has nothing to be compared with."""
    if len(of_role) < 2:
        return None
    mean = (sum(of_role) - own) / (len(of_role) - 1)
    if own > mean + delta + 1e-12:
        return True
    return False if own < mean - delta - 1e-12 else None
