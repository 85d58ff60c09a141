"""Solution concepts: Nash equilibria by support enumeration, pure equilibria, correlated equilibria, safe play.

Support enumeration works in exact arithmetic, so `1/3` is 1/3 and no tolerance decides what an equilibrium is.
numpy and scipy are imported by the linear programs only.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations
from typing import Any, NamedTuple

from arena.games.matrix.rules import Amount, Profile, StageGame

Mix = tuple[Fraction, ...]
Payoffs = Sequence[Sequence[Amount]]  # [row action][column action]


class Equilibria(NamedTuple):
    """The equilibria found, small supports first. Where a mix may have more best replies than actions, the game is
    degenerate: it may have equilibria that are not found, usually a continuum of them."""

    found: tuple[tuple[Mix, Mix], ...]
    degenerate: bool


def bimatrix(game: StageGame) -> tuple[list[list[Amount]], list[list[Amount]]]:
    """The payoffs of both players: [row action][column action]."""
    cells = [[game.pay((a, b)) for b in game.actions[1]] for a in game.actions[0]]
    return [[cell[0] for cell in row] for row in cells], [[cell[1] for cell in row] for row in cells]


def support_enumeration(rows: Payoffs, columns: Payoffs) -> Equilibria:
    """For supports of equal size: solve indifference, keep what is nonnegative and has no better reply outside."""
    m, n = len(rows), len(rows[0])
    transposed = [[columns[i][j] for i in range(m)] for j in range(n)]
    found: dict[tuple[Mix, Mix], None] = {}
    degenerate = False
    for size in range(1, min(m, n) + 1):
        for own in combinations(range(m), size):
            for other in combinations(range(n), size):
                y, more_y = _indifferent(rows, own, other)
                x, more_x = _indifferent(transposed, other, own)
                degenerate |= more_x or more_y
                if x and y:
                    found[x, y] = None
    return Equilibria(tuple(found), degenerate)


def _indifferent(payoffs: Payoffs, own: Sequence[int], other: Sequence[int]) -> tuple[Mix | None, bool]:
    """The other side's mix on `other` against which the actions `own` pay alike and best, if there is exactly one;
    and whether this shows the game to be degenerate: more best replies than actions in the mix, or many solutions."""
    size = len(own)
    system = [[Fraction(payoffs[i][j]) for j in other] + [Fraction(-1), Fraction(0)] for i in own]
    system.append([Fraction(1)] * size + [Fraction(0), Fraction(1)])
    solution, many = _solve(system)
    if solution is None or min(solution[:-1]) < 0:
        return None, many
    at = dict(zip(other, solution, strict=False))
    mix = tuple(at.get(j, Fraction(0)) for j in range(len(payoffs[0])))
    values = [sum((p * w for p, w in zip(row, mix, strict=True) if w), start=Fraction(0)) for row in payoffs]
    best = max(values)
    if values[own[0]] != best:
        return None, False
    return mix, values.count(best) > sum(1 for weight in mix if weight)


def _solve(system: list[list[Fraction]]) -> tuple[list[Fraction] | None, bool]:
    """The one solution of a square linear system (last column = right side), or None and whether there are many."""
    size = len(system)
    rank = 0
    for column in range(size):
        pivot = next((r for r in range(rank, size) if system[r][column]), None)
        if pivot is None:
            continue
        system[rank], system[pivot] = system[pivot], system[rank]
        head = system[rank][column]
        system[rank] = [value / head for value in system[rank]]
        for r in range(size):
            if r != rank and (factor := system[r][column]):
                system[r] = [a - factor * b for a, b in zip(system[r], system[rank], strict=True)]
        rank += 1
    if rank == size:
        return [row[-1] for row in system], False
    return None, all(row[-1] == 0 for row in system[rank:])


def pure_equilibria(game: StageGame) -> list[Profile]:
    """Profiles from which no player gains by another action, by brute force."""
    best: list[dict[Profile, Amount]] = [{} for _ in range(game.n)]
    paid = {profile: game.pay(profile) for profile in game.profiles()}
    for profile, amounts in paid.items():
        for i, amount in enumerate(amounts):
            others = profile[:i] + profile[i + 1 :]
            if amount > best[i].get(others, amount - 1):
                best[i][others] = amount
    return [
        profile
        for profile, amounts in paid.items()
        if all(amount == best[i][profile[:i] + profile[i + 1 :]] for i, amount in enumerate(amounts))
    ]


def nash_mixes(game: StageGame) -> list[tuple[Mix, ...]]:
    """One mix for each player and equilibrium: by support enumeration in small games of two, else the pure ones."""
    if game.n == 2 and max(len(own) for own in game.actions) <= 6:
        return list(support_enumeration(*bimatrix(game)).found)
    if game.size > 20_000:
        return []
    return [tuple(map(_pure, game.actions, profile)) for profile in pure_equilibria(game)]


def _pure(actions: Sequence[str | int], action: str | int) -> Mix:
    return tuple(Fraction(a == action) for a in actions)


def security_mix(payoffs: Payoffs) -> tuple[list[float], float]:
    """The mix that guarantees most against any reply, and what it guarantees (the value, in a zero-sum game)."""
    import numpy as np
    from scipy.optimize import linprog

    table = np.array(payoffs, dtype=float)
    actions, replies = table.shape
    objective = np.zeros(actions + 1)
    objective[-1] = -1.0  # maximise the guaranteed value
    below = np.hstack([-table.T, np.ones((replies, 1))])
    one = np.append(np.ones(actions), 0.0)[None, :]
    bounds = [(0, 1)] * actions + [(None, None)]
    result: Any = linprog(
        objective, A_ub=below, b_ub=np.zeros(replies), A_eq=one, b_eq=[1.0], bounds=bounds, method="highs"
    )
    mix = [max(0.0, float(w)) for w in result.x[:-1]]
    return [w / sum(mix) for w in mix], float(result.x[-1])


def correlated_equilibrium(game: StageGame, weights: Sequence[float] | None = None) -> dict[Profile, float]:
    """The correlated equilibrium with the greatest weighted sum of payoffs (of itself, welfare), by linear program."""
    import numpy as np
    from scipy.optimize import linprog

    profiles = list(game.profiles())
    index = {profile: i for i, profile in enumerate(profiles)}
    paid = [game.pay(profile) for profile in profiles]
    per_player = weights or [1.0] * game.n
    goal = np.array([-sum(w * float(a) for w, a in zip(per_player, amounts, strict=True)) for amounts in paid])
    constraints = []
    for player, told, instead in _deviations(game):
        row = np.zeros(len(profiles))
        for i, profile in enumerate(profiles):
            if profile[player] == told:
                other = (*profile[:player], instead, *profile[player + 1 :])
                row[i] = float(paid[index[other]][player] - paid[i][player])
        constraints.append(row)
    result: Any = linprog(
        goal,
        A_ub=np.array(constraints) if constraints else None,
        b_ub=np.zeros(len(constraints)) if constraints else None,
        A_eq=np.ones((1, len(profiles))),
        b_eq=[1.0],
        bounds=(0, 1),
        method="highs",
    )
    return {profile: float(p) for profile, p in zip(profiles, result.x, strict=True) if p > 1e-12}


def _deviations(game: StageGame) -> Iterator[tuple[int, str | int, str | int]]:
    for player, actions in enumerate(game.actions):
        for told in actions:
            for instead in actions:
                if told != instead:
                    yield player, told, instead


class Lead(NamedTuple):
    """What a player who is always looked at should declare, the answer to it, and what both then expect."""

    declared: Fraction  # the probability of its first action
    answer: str | int
    looker: Fraction
    looked_at: Fraction


def forced_look(game: StageGame, looker: int, cost: Amount) -> Lead:
    """Mixed simulation that always happens, against a player of two actions: exact.

    The looker answers best to the declared mix and, when indifferent, as the other would like. So the other declares
    one of the probabilities at which the best answer changes, or 0 or 1.
    """
    looked = 1 - looker
    first, second = game.actions[looked]

    def lines(player: int) -> dict[str | int, tuple[Fraction, Fraction]]:
        """Answer -> payoff as intercept and slope in the probability of `first`."""
        found = {}
        for answer in game.actions[looker]:
            high, low = (Fraction(game.pay(_pair(looker, answer, a))[player]) for a in (first, second))
            found[answer] = (low, high - low)
        return found

    own, theirs = lines(looked), lines(looker)
    cuts = {Fraction(0), Fraction(1)}
    for (a, b), (c, d) in combinations(theirs.values(), 2):
        if b != d and 0 <= (cut := (c - a) / (b - d)) <= 1:
            cuts.add(cut)
    best: Lead | None = None
    for p in sorted(cuts):
        top = max(a + b * p for a, b in theirs.values())
        for answer, (a, b) in theirs.items():
            if a + b * p == top:
                gain = own[answer][0] + own[answer][1] * p
                if best is None or gain > best.looked_at:
                    best = Lead(p, answer, top - cost, gain)
    assert best is not None
    return best


def forced_pure_look(game: StageGame, looker: int, cost: Amount) -> Lead:
    """Pure simulation that always happens: the drawn action is seen, so the other declares the action that it would
    lead with."""
    looked = 1 - looker
    leads = []
    for action in game.actions[looked]:
        replies = {answer: game.pay(_pair(looker, answer, action)) for answer in game.actions[looker]}
        top = max(amounts[looker] for amounts in replies.values())
        answer = max((a for a in replies if replies[a][looker] == top), key=lambda a: replies[a][looked])
        share = Fraction(action == game.actions[looked][0])
        leads.append(Lead(share, answer, Fraction(top - cost), Fraction(replies[answer][looked])))
    return max(leads, key=lambda lead: lead.looked_at)


def _pair(looker: int, answer: str | int, action: str | int) -> Profile:
    return (answer, action) if looker == 0 else (action, answer)
