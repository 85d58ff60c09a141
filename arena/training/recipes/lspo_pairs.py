"""`lspo-pairs`, LSPO-style: speeches as latent strategies, their value in an abstract game, pairs between them.

Published (LSPO): diverse utterances are clustered into latent strategies, the abstract game over them is solved by CFR,
and DPO moves towards the preferred ones. Features, clusters, the abstract game and pair selection are unknown; ours:

1. Per role and kind of ask, each speech is its intent (one-hot) beside hashed word 1-2-gram TF-IDF of 512 dimensions,
   L2-normalised; k-means with k = 4 in the first iteration and one more in each later one, seeded. Asks without words
   keep their answers as strategies.
2. A cell is (role, kind of ask, how often the seat was asked this before). Its strategies are weighed by 1,000 rounds
   of regret matching+: a strategy's value is the mean payoff of the matches that chose it, each weighed by how likely
   the others' choices in it are under their present strategies. Fewer than 10 visits: the role's mean.
3. Where candidates of a forked state are in two clusters or more: chosen from the likeliest, rejected from the least
   likely one, if their probabilities differ by 0.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from statistics import fmean
from typing import TYPE_CHECKING, Any

from arena.core.asks import Ask, Form, Text
from arena.core.canonical import canonical
from arena.prompt import wire
from arena.training.recipes.fork_pairs import State, states_of
from arena.training.record import Played
from arena.training.rows import Labelled, NothingToLearn, Trainee, dpo_row

if TYPE_CHECKING:
    import numpy as np

ALGORITHMS = ("dpo",)
DIMENSIONS, FIRST_K, ROUNDS, LEAST_VISITS, LEAST_GAP = 512, 4, 1000, 10, 0.2
_MOST_WEIGHT = 10.0  # of one match in a value

Cell = tuple[str, str, int]
Weights = Mapping[Cell, Mapping[str, float]]


@dataclass(frozen=True)
class Choice:
    """One own decision: where it stood, what was chosen, in which match and seat."""

    cell: Cell
    strategy: str
    match: int
    seat: str


def label(matches: Iterable[Played], options: Mapping[str, Any]) -> Labelled:
    """Options: trainee, seed, k (the iteration)."""
    matches, found = list(matches), Labelled()
    states = states_of(matches, options.get("trainee") or Trainee())
    if not states:
        raise NothingToLearn(
            "this run holds no forks, so there are no candidates to compare",
            hint="`arena train dpo --recipe lspo-pairs` plays them in its collect stage",
        )
    clusters = Clusters(matches, FIRST_K - 1 + int(options.get("k", 1)), int(options.get("seed", 0)))
    choices = [choice for number, m in enumerate(matches) for choice in _choices(m, number, clusters)]
    solved = solve(choices, [dict(m.payoffs) for m in matches])
    for state in states:
        _label(found, state, clusters, solved)
    return found


def _label(found: Labelled, state: State, clusters: Clusters, solved: Weights) -> None:
    m, sent = state.played, state.sent
    cell = _cell(m, sent.seat, sent.turn)
    by_strategy: dict[str, list[str]] = {}
    for text in sorted(state.values):
        by_strategy.setdefault(clusters.strategy(cell, m.match.turns[sent.turn].ask, text), []).append(text)
    weights = {s: solved.get(cell, {}).get(s, 0.0) for s in by_strategy}
    if len(weights) < 2:
        found.drop("all candidates in one cluster")
        return
    ordered = sorted(weights, key=lambda s: (weights[s], s))
    worst, best = ordered[0], ordered[-1]
    gap = weights[best] - weights[worst]
    if gap < LEAST_GAP:
        found.drop("no cluster clearly preferred")
        return

    def value(text: str) -> float:
        return fmean(state.values[text].values())

    chosen, rejected = max(by_strategy[best], key=value), min(by_strategy[worst], key=value)
    found.rows.append(
        dpo_row(m, sent, "lspo-pairs", chosen, rejected, "preferred strategy", weight=min(1.0, gap), name="0")
    )


# --- strategies -----------------------------------------------------------------------------------------------------


class Clusters:
    """Speeches of each (role, kind of ask) in k groups; the same matches and seed give the same groups."""

    def __init__(self, matches: Sequence[Played], k: int, seed: int) -> None:
        texts: dict[tuple[str, str], dict[str, None]] = {}
        for m in matches:
            for turn in m.match.turns:
                if _has_words(turn.ask):
                    role = _cell(m, turn.seat, turn.turn)[0]
                    shown = wire(turn.ask, turn.answer, m.match.names)
                    texts.setdefault((role, turn.ask.name), {})[shown] = None
        self._groups = {key: _grouped(sorted(found), k, seed) for key, found in texts.items()}

    def strategy(self, cell: Cell, ask: Ask, text: str) -> str:
        """The strategy that an answer in wire format is of."""
        group = self._groups.get(cell[:2])
        if group is None or not _has_words(ask):
            return text
        return group.nearest(text)


class _Group:
    def __init__(self, frequency: np.ndarray, centroids: np.ndarray) -> None:
        self._frequency, self._centroids = frequency, centroids

    def nearest(self, text: str) -> str:
        import numpy as np

        distance = ((self._centroids - _vector(text, self._frequency)) ** 2).sum(-1)
        return f"cluster {int(np.argmin(distance))}"


def _grouped(texts: Sequence[str], k: int, seed: int) -> _Group:
    """k-means with k-means++ starts, 50 rounds at most."""
    import numpy as np

    counts = np.stack([_counts(text) for text in texts])
    frequency = np.log((1 + len(texts)) / (1 + (counts > 0).sum(0))) + 1
    points = np.stack([_vector(text, frequency) for text in texts])
    rng = np.random.default_rng(seed)
    centroids = points[[int(rng.integers(len(points)))]]
    while len(centroids) < min(k, len(points)):
        nearest = ((points[:, None] - centroids[None]) ** 2).sum(-1).min(1)
        if nearest.sum() <= 0:
            break
        centroids = np.vstack([centroids, points[int(rng.choice(len(points), p=nearest / nearest.sum()))]])
    for _ in range(50):
        of = ((points[:, None] - centroids[None]) ** 2).sum(-1).argmin(1)
        moved = np.stack([points[of == c].mean(0) if (of == c).any() else centroids[c] for c in range(len(centroids))])
        if np.allclose(moved, centroids):
            break
        centroids = moved
    return _Group(frequency, centroids)


def _counts(text: str) -> np.ndarray:
    """Hashed words, pairs of words, and the values of fields (the intent is part of the wire text)."""
    import numpy as np

    words = re.findall(r"\w+", text.lower())
    found = np.zeros(DIMENSIONS)
    for gram in [*words, *(f"{a} {b}" for a, b in pairwise(words))]:
        found[int.from_bytes(sha256(gram.encode()).digest()[:4]) % DIMENSIONS] += 1
    return found


def _vector(text: str, frequency: np.ndarray) -> np.ndarray:
    import numpy as np

    weighed = _counts(text) * frequency
    norm = float(np.linalg.norm(weighed))
    return np.asarray(weighed / norm if norm else weighed)


def _has_words(ask: Ask) -> bool:
    return isinstance(ask, Text) or (isinstance(ask, Form) and any(isinstance(f, Text) for f in ask.fields))


# --- the abstract game ----------------------------------------------------------------------------------------------


def _cell(m: Played, seat: str, turn: int) -> Cell:
    """Role, kind of ask, and how often the seat was asked this before."""
    ask = m.match.turns[turn].ask.name
    before = sum(t.seat == seat and t.ask.name == ask for t in m.match.turns[:turn])
    return m.roles.get(seat) or m.match.sides.get(seat) or "", ask, before


def _choices(m: Played, number: int, clusters: Clusters) -> Iterable[Choice]:
    for turn in m.match.turns:
        cell = _cell(m, turn.seat, turn.turn)
        shown = canonical(None) if turn.answer is None else wire(turn.ask, turn.answer, m.match.names)
        yield Choice(cell, clusters.strategy(cell, turn.ask, shown), number, turn.seat)


def solve(choices: Sequence[Choice], payoffs: Sequence[Mapping[str, float]], rounds: int = ROUNDS) -> Weights:
    """The average strategy of every cell after regret matching+."""
    import numpy as np

    slots = sorted({(c.cell, c.strategy) for c in choices})
    index = {slot: i for i, slot in enumerate(slots)}
    cells = sorted({cell for cell, _ in slots})
    of_cell = np.array([cells.index(cell) for cell, _ in slots])
    chosen = np.array([index[c.cell, c.strategy] for c in choices])
    match = np.array([c.match for c in choices])
    seats = sorted({c.seat for c in choices})
    seat = np.array([seats.index(c.seat) for c in choices])
    paid = np.array([payoffs[c.match].get(c.seat, 0.0) for c in choices])
    visits = np.bincount(chosen, minlength=len(slots))
    seen = visits / np.bincount(of_cell, weights=visits)[of_cell]
    roles = np.array([sorted({c[0] for c in cells}).index(cell[0]) for cell, _ in slots])
    mean_of_role = np.bincount(roles[chosen], weights=paid) / np.bincount(roles[chosen])
    regret, total = np.zeros(len(slots)), np.zeros(len(slots))
    strategy = 1.0 / np.bincount(of_cell)[of_cell]
    width = int(match.max()) + 1
    for _ in range(rounds):
        ratio = np.log(np.maximum(strategy[chosen], 1e-9) / seen[chosen])
        of_match = np.bincount(match, weights=ratio, minlength=width)
        of_seat = np.zeros((width, len(seats)))
        np.add.at(of_seat, (match, seat), ratio)
        weight = np.exp(np.minimum(of_match[match] - of_seat[match, seat], np.log(_MOST_WEIGHT)))
        mass = np.bincount(chosen, weights=weight, minlength=len(slots))
        value = np.bincount(chosen, weights=weight * paid, minlength=len(slots)) / np.maximum(mass, 1e-12)
        value = np.where(visits < LEAST_VISITS, mean_of_role[roles], value)
        expected = np.bincount(of_cell, weights=strategy * value)[of_cell]
        regret = np.maximum(regret + value - expected, 0.0)
        mass_of_cell = np.bincount(of_cell, weights=regret)[of_cell]
        uniform = 1.0 / np.bincount(of_cell)[of_cell]
        strategy = np.where(mass_of_cell > 0, regret / np.maximum(mass_of_cell, 1e-12), uniform)
        total += strategy
    found: dict[Cell, dict[str, float]] = {}
    for (cell, name), value in zip(slots, total / rounds, strict=True):
        found.setdefault(cell, {})[name] = float(value)
    return found
