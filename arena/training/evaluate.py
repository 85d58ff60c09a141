"""Paired evaluation: every policy in the same seat, against the same opponent, on the same deal and engine streams.

Deal j meets one opponent of the list, in turn, so that all have equal weight; on it every seating is played by every
policy, and the others draw alike (`alike.py`). What is compared is the difference on a deal, meaned over seatings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from arena.core.game import Game
from arena.core.match import Match
from arena.run.plan import Planned
from arena.store.reader import Reader
from arena.training.bootstrap import Estimate, estimate
from arena.training.play import Table, play

LOST = ("n_illegal", "n_refused", "n_truncated", "n_timeout")
OTHERS = "others"  # as an opponent: the policies of the other roles, and `rest` where no role is trained
Cell = tuple[str, str, int, int]  # match key, policy, deal, seating
Others = Mapping[str, str]  # seat word -> policy that holds the other trained roles


@dataclass(frozen=True)
class Comparison:
    """What is played: policies of one role, in turn, against each opponent."""

    tag: str
    role: str
    policies: tuple[str, ...]
    opponents: tuple[str, ...]  # NAME, WORD=NAME for a seat, role or side, or OTHERS
    deals: int
    others: Others = field(default_factory=dict)
    rest: str = ""  # who holds what nobody is named for


@dataclass
class Results:
    """Payoffs of each policy by deal, meaned over its seats and seatings; and what else was counted of its seats."""

    paid: dict[str, dict[int, float]] = field(default_factory=dict)
    clean: dict[str, dict[int, float]] = field(default_factory=dict)  # deals without any fallback, by any seat
    turns: dict[str, int] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)
    by_seat: dict[str, dict[str, list[float]]] = field(default_factory=dict)
    by_opponent: dict[str, dict[str, list[float]]] = field(default_factory=dict)

    def difference(self, policy: str, other: str, seed: int, *, clean: bool = False) -> Estimate:
        """policy - other, deal by deal."""
        source = self.clean if clean else self.paid
        mine, theirs = source.get(policy, {}), source.get(other, {})
        return estimate([mine[deal] - theirs[deal] for deal in sorted(mine) if deal in theirs], seed)

    def mean(self, policy: str, seed: int) -> Estimate:
        return estimate([value for _, value in sorted(self.paid.get(policy, {}).items())], seed)

    def lost_rate(self, policy: str) -> float:
        """Share of the policy's turns that ended without a legal answer."""
        return self.lost.get(policy, 0) / max(self.turns.get(policy, 0), 1)


def trained_seats(match: Match, game: Game, role: str, index: int) -> list[str]:
    """The seats that a role's policy holds on a deal; without a role the index-th side or seat."""
    if role:
        return [s for s in match.seats if role in (s, match.roles.get(s), match.sides.get(s))]
    slots = list(game.sides()) or list(match.seats)
    slot = slots[index % len(slots)]
    return [s for s in match.seats if slot in (s, match.sides.get(s))]


def seatings(game: Game, role: str) -> int:
    """In how many ways a policy is seated on a deal."""
    return 1 if role else len(list(game.sides())) or game.seat_count()


def words(match: Match, seat: str) -> list[str]:
    return [word for word in (seat, match.roles.get(seat), match.sides.get(seat)) if word]


def compare(table: Table, comparison: Comparison) -> Results:
    """Play what is missing of a comparison and read it."""
    game, _ = table.make()
    cells: dict[Cell, tuple[str, Sequence[str]]] = {}  # opponent, and the policy's seats
    plan: list[Planned] = []
    common: dict[str, str] = {}  # the others at the table draw alike for every policy
    for deal in range(comparison.deals):
        opponent = comparison.opponents[deal % len(comparison.opponents)] if comparison.opponents else ""
        for index in range(seatings(game, comparison.role)):
            for policy in comparison.policies:
                held: list[str] = []
                fill = seated(game, comparison, policy, opponent, index, held)
                planned = table.planned(comparison.tag, deal, index, fill)
                cells[planned.key, policy, deal, index] = (opponent, held)
                plan.append(planned)
                common[planned.key] = f"{comparison.tag}/{planned.deal_seed}/{index}"
    numbers = play(table, plan, common=common)
    return _read(table, comparison, cells, numbers)


def seated(
    game: Game, comparison: Comparison, policy: str, opponent: str, index: int, held: list[str]
) -> Callable[[Match], dict[str, str]]:
    word, mark, name = opponent.partition("=")
    if opponent == OTHERS:
        word = name = ""
    elif not mark or ":" in word or "?" in word or "/" in word:
        word, name = "", opponent

    def seat(match: Match) -> dict[str, str]:
        own = trained_seats(match, game, comparison.role, index)
        held[:] = own
        found = {}
        for s in match.seats:
            known = next((comparison.others[w] for w in words(match, s) if w in comparison.others), None)
            if s in own:
                found[s] = policy
            elif name and (not word or word in words(match, s)):
                found[s] = name
            else:
                found[s] = known or comparison.rest or name or "bot/random"
        return found

    return seat


def _read(
    table: Table,
    comparison: Comparison,
    cells: Mapping[Cell, tuple[str, Sequence[str]]],
    numbers: Mapping[str, int],
) -> Results:
    results = Results()
    sums: dict[str, dict[int, list[float]]] = {p: {} for p in comparison.policies}
    dirty: dict[str, set[int]] = {p: set() for p in comparison.policies}
    with Reader(table.folder) as reader:
        seats: dict[int, dict[str, dict[str, Any]]] = {}
        wanted = set(numbers.values())
        for row in reader.seats():
            if row["match_id"] in wanted:
                seats.setdefault(row["match_id"], {})[row["seat"]] = row
    for (key, policy, deal, _), (opponent, own) in cells.items():
        rows = seats[numbers[key]]
        payoff = fmean(rows[s]["payoff"] for s in own)
        sums[policy].setdefault(deal, []).append(payoff)
        lost = {s: sum(row[c] for c in LOST) for s, row in rows.items()}
        if any(lost.values()):
            dirty[policy].add(deal)
        results.lost[policy] = results.lost.get(policy, 0) + sum(lost[s] for s in own)
        turns = sum(rows[s]["n_legal"] + rows[s]["n_repaired"] + lost[s] for s in own)
        results.turns[policy] = results.turns.get(policy, 0) + turns
        for s in own:
            results.by_seat.setdefault(policy, {}).setdefault(s, []).append(rows[s]["payoff"])
        results.by_opponent.setdefault(policy, {}).setdefault(opponent, []).append(payoff)
    for policy, deals in sums.items():
        results.paid[policy] = {deal: fmean(values) for deal, values in deals.items()}
        results.clean[policy] = {d: v for d, v in results.paid[policy].items() if d not in dirty[policy]}
    return results
