"""Who meets whom, what a claim is worth, who earns what: the rules between the map and the flow.

Seats are numbers here: 0..n_blue-1 are Blue, the next n_red are Red.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from arena.core import Rng
from arena.games.nyc.routes import Exit

BLUE, RED = "blue", "red"
NONE, UNKNOWN = "none", "unknown"
CLASSES = ("clear", "some", "heavy")
HEAVY = 3  # billboards from which a street is heavy
MOST = 5  # billboards a street can have


def street_class(boards: int) -> str:
    """clear: none; some: 1 or 2; heavy: 3 or more."""
    return CLASSES[0 if boards == 0 else 1 if boards < HEAVY else 2]


class Truth(NamedTuple):
    """What of a tip was true; None = not claimed."""

    boards: bool | None
    fastest: bool | None


def truth_of(boards: str, fastest: str, go: Exit | None, exits: Sequence[Exit]) -> Truth:
    """Whether the two claims about the street to `go` hold. It is fastest if no other exit arrives sooner."""
    if go is None:
        return Truth(None, None)
    soonest = go.arrival == min(e.arrival for e in exits)
    return Truth(
        None if boards == UNKNOWN else boards == street_class(go.boards),
        None if fastest == UNKNOWN else (fastest == "yes") == soonest,
    )


def meetings(
    rng: Rng, travelling: Sequence[int], n_blue: int, n_red: int, p_meet: int, red_rate: int
) -> dict[int, int]:
    """Travelling Blue -> the seat that advises it this round.

    An adviser serves at most one Blue a round; Blues that arrived or are late still advise. If nobody of the drawn
    colour is free, the other colour serves; with `red_rate` 0 no Red is drawn at all.
    """
    order, busy, met = list(travelling), set[int](), dict[int, int]()
    rng.shuffle(order)
    for blue in order:
        if rng.below(100) >= p_meet:
            continue
        wants_red = rng.below(100) < red_rate
        blues = [seat for seat in range(n_blue) if seat != blue and seat not in busy]
        reds = [seat for seat in range(n_blue, n_blue + n_red) if seat not in busy] if red_rate else []
        candidates = (reds or blues) if wants_red else (blues or reds)
        if candidates:
            met[blue] = candidates[rng.below(len(candidates))]
            busy.add(met[blue])
    return dict(sorted(met.items()))


class Credit(NamedTuple):
    """Who earns from a Blue's next moves, and from how many."""

    red: int
    tip: int  # the number of the tip that earned it
    moves: int


def credit_after(credit: Credit | None, shown: tuple[int, int] | None, followed: bool, window: int) -> Credit | None:
    """The credit on a Blue's move. `shown` = (Red, tip number) if this round's tip came from a Red; (-1, _) if it
    came from a Blue; None if there was no tip, and then the credit stays."""
    if shown is None:
        return credit
    return Credit(*shown, window) if followed and shown[0] >= 0 else None


def own_share(best_cost: int, cost: int, arrived: bool) -> Fraction:
    """own: the best route's cost over the cost incurred; 0 for a Blue that did not arrive in time."""
    return Fraction(best_cost, cost) if arrived else Fraction(0)


def blue_payoffs(own: Sequence[Fraction], share: float) -> list[float]:
    """Each Blue's own share, mixed with the mean of all Blues."""
    mean = sum(own, Fraction(0)) / len(own)
    return [(1 - share) * float(one) + share * float(mean) for one in own]


def red_payoff(revenue: int, best_hops: int) -> float:
    """Billboards seen on a Red's word, over the most that the best routes' number of streets could show."""
    return float(Fraction(revenue, MOST * best_hops))
