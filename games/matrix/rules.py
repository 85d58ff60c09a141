"""Stage games: who may do what in a round, and what each profile of actions pays.

Amounts are integers or Fractions, so that sums, regrets and equilibria are exact; what leaves the rules (events,
payoffs) is shown as JSON numbers. A stage game never changes; where play moves on from round to round (a grid, a
loss sequence, a network that forms), the next round has another stage game.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from itertools import product
from math import prod
from typing import Any, NamedTuple

Action = str | int
Actions = tuple[str, ...] | range  # labels in the order of the table, or integers
Profile = tuple[Action, ...]  # one action for each player, in seat order
Amount = int | Fraction
Pay = Callable[[Profile], tuple[Amount, ...]]

_FEW = 20_000  # profiles that may be listed, or whose outcomes may be kept


class Outcome(NamedTuple):
    """What a profile pays: exactly, and as events show it."""

    exact: tuple[Amount, ...]
    shown: dict[str, int | float]


@dataclass(frozen=True, eq=False)
class StageGame:
    """One round's game. `safe` is the declared action for a seat that gives no legal answer; None = one is drawn.

    `friendly` and `selfish` are what dilemma strategies call C and D. `dilemma` says whether the words fit the game,
    so that cooperation is worth a figure. `roles` are named where the seats are not alike.
    """

    name: str
    actions: tuple[Actions, ...]
    pay: Pay
    safe: tuple[Action | None, ...]
    friendly: tuple[Action, ...]
    selfish: tuple[Action, ...]
    dilemma: bool = False
    roles: tuple[str, ...] = ()
    bounds: tuple[Amount, Amount] | None = None  # of one player's payoff, where profiles are too many to list
    declared_best_sum: Amount | None = None

    @property
    def n(self) -> int:
        return len(self.actions)

    @property
    def has_labels(self) -> bool:
        return not any(isinstance(own, range) for own in self.actions)

    @cached_property
    def size(self) -> int:
        """How many profiles there are."""
        return prod(len(own) for own in self.actions)

    def profiles(self) -> Iterator[Profile]:
        return product(*self.actions)

    @cached_property
    def outcomes(self) -> Outcomes:
        return Outcomes(self)

    @cached_property
    def low_high(self) -> tuple[Amount, Amount]:
        """The least and the greatest payoff of one player in one round."""
        if self.bounds is not None:
            return self.bounds
        every = [amount for profile in self.profiles() for amount in self.pay(profile)]
        return min(every), max(every)

    @cached_property
    def best_sum(self) -> Amount | None:
        """The greatest sum of all payoffs; None where it is neither declared nor cheap to find."""
        if self.declared_best_sum is not None:
            return self.declared_best_sum
        return max(sum(self.pay(p)) for p in self.profiles()) if self.size <= _FEW else None

    @cached_property
    def is_zero_sum(self) -> bool:
        return self.n == 2 and self.size <= _FEW and all(sum(self.pay(p)) == 0 for p in self.profiles())

    @cached_property
    def is_symmetric(self) -> bool:
        """Two players who could change seats."""
        if self.n != 2 or self.actions[0] != self.actions[1] or self.size > _FEW:
            return False
        return all(self.pay((a, b)) == self.pay((b, a))[::-1] for a, b in self.profiles())

    def replies(self, player: int, profile: Profile) -> list[Amount]:
        """What each own action would pay `player`, the others' actions being those of `profile`."""
        before, after = profile[:player], profile[player + 1 :]
        return [self.pay((*before, action, *after))[player] for action in self.actions[player]]

    def is_friendly(self, player: int, action: Action) -> bool:
        """Whether an action counts as cooperation: the friendly label, or a number nearer to it than to the selfish."""
        if isinstance(action, int):
            friendly, selfish = int(self.friendly[player]), int(self.selfish[player])
            return abs(action - friendly) <= abs(action - selfish)
        return action == self.friendly[player]

    def rows(self) -> list[dict[str, Any]]:
        """The payoff table as JSON: one row a profile."""
        return [
            {"actions": dict(zip(seat_names(self.n), profile, strict=True)), "payoffs": self.outcomes[profile].shown}
            for profile in self.profiles()
        ]


class Outcomes(dict[Profile, Outcome]):
    """Profile -> outcome, worked out when first met, kept where profiles are few."""

    def __init__(self, game: StageGame) -> None:
        self._pay, self._seats, self._keep = game.pay, seat_names(game.n), game.size <= _FEW

    def __missing__(self, profile: Profile) -> Outcome:
        exact = self._pay(profile)
        found = Outcome(exact, dict(zip(self._seats, map(plain, exact), strict=True)))
        if self._keep:
            self[profile] = found
        return found


def seat_names(n: int) -> tuple[str, ...]:
    return tuple(f"player_{i}" for i in range(n))


def plain(amount: Amount) -> int | float:
    """An amount as a JSON number: an integer where it is one."""
    if isinstance(amount, int):
        return amount
    return amount.numerator if amount.denominator == 1 else float(amount)


def exact(number: float | str | Fraction) -> Amount:
    """A number as it is written in decimal (or as a fraction), not as a float stores it."""
    value = Fraction(str(number))
    return value.numerator if value.denominator == 1 else value


def sums_to_one(weights: Iterable[float]) -> bool:
    """Whether probabilities, read as the decimals that they are written as, sum to 1 within 1e-9."""
    whole = sum((Fraction(repr(w)) for w in weights), start=Fraction(0))
    return abs(whole - 1) <= Fraction(1, 10**9)


def drawn(weights: Sequence[float], at: float) -> int:
    """The index that a uniform number `at` in [0, 1) picks; never one of weight 0."""
    reached, last = 0.0, 0
    for index, weight in enumerate(weights):
        if weight > 0:
            reached, last = reached + weight, index
            if at < reached:
                return index
    return last


def total(paid: Sequence[Sequence[Amount]], player: int, aggregate: str, factor: Amount) -> Amount:
    """A player's payoff of a match: the sum of its round payoffs, their mean, or with round t weighing factor^(t-1)."""
    own = [amounts[player] for amounts in paid]
    if aggregate == "discounted":
        return sum((amount * factor**t for t, amount in enumerate(own)), start=0)
    whole = sum(own)
    return Fraction(whole) / len(own) if aggregate == "mean" else whole
