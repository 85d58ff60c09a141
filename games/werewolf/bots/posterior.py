"""The Bayes player's belief: all worlds (wolf set, seers, possessed) that fit what it knows, weighed by what it saw.

A world is kept while it contradicts nothing that the seat knows for certain; the rest of the evidence multiplies its
weight. The factors are ours: rough frequencies, not fitted to any player. Nine seats have 504 worlds, thirteen 25,740,
fifteen 60,060. What was weighed once is not weighed again: a belief grows with the notes that it belongs to.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations
from math import comb
from typing import TYPE_CHECKING, Any, NamedTuple

from arena.games.werewolf.bots.notes import Claim, Death, Notes, Round, Said
from arena.games.werewolf.rules import KIND

if TYPE_CHECKING:
    import numpy as np

    Array = np.ndarray[Any, Any]

MAX_WORLDS = 250_000
CLAIM = {"seer": 0.5, "wolf": 0.15, "possessed": 0.4, "human": 0.01}  # P(claims to be the seer), a day
FALSE_WOLF = {"wolf": 2 / 7, "human": 5 / 7}  # a false seer's `wolf` report falls on …
FALSE_GOOD = {"wolf": 0.5, "human": 0.5}
SEER_ERRS = 0.001
HUMAN_ON_WOLF = 2.0  # a human's ballot: weight of each wolf, against 1 for each human
WOLF_ON_HUMAN = 3.0  # a wolf's ballot: weight of each human, against 1 for each wolf
POISONED_WOLF = 0.15  # a wolf dead in the night, where a witch may have done it


class Worlds(NamedTuple):
    """One row a world, one column a seat: who is what."""

    wolf: Array
    seer: Array
    possessed: Array


@lru_cache(maxsize=32)
def worlds(seats: int, wolves: int, seers: int, possessed: int) -> Worlds:
    """All worlds of a role set."""
    import numpy as np

    rows = list(_rows(seats, wolves, seers, possessed))
    table = np.array(rows, dtype=np.int8).reshape(len(rows), seats)
    return Worlds(table == 1, table == 2, table == 3)


def _rows(seats: int, wolves: int, seers: int, possessed: int) -> Iterator[list[int]]:
    for pack in combinations(range(seats), wolves):
        humans = [s for s in range(seats) if s not in pack]
        for gifted in combinations(humans, seers):
            plain = [s for s in humans if s not in gifted]
            for mad in combinations(plain, possessed):
                row = [0] * seats
                for seat in pack:
                    row[seat] = 1
                for seat in gifted:
                    row[seat] = 2
                for seat in mad:
                    row[seat] = 3
                yield row


def count_of(n: Notes, kind: str) -> int:
    return sum(number for role, number in n.roles.items() if KIND[role] == kind)


def believe(n: Notes) -> Belief | None:
    """The belief of these notes, up to date; None where there are too many worlds to weigh."""
    seats, wolves = len(n.seats), count_of(n, "wolf")
    seers, possessed = count_of(n, "seer"), count_of(n, "possessed")
    if comb(seats, wolves) * comb(seats - wolves, seers) * comb(seats - wolves - seers, possessed) > MAX_WORLDS:
        return None
    if n.belief is None:
        n.belief = Belief(n, worlds(seats, wolves, seers, possessed))
    belief: Belief = n.belief
    belief.update(n)
    return belief


class Belief:
    """Worlds with log-weights. `update` weighs the evidence that came since the last look."""

    def __init__(self, n: Notes, every: Worlds) -> None:
        import numpy as np

        self.index = {seat: i for i, seat in enumerate(n.seats)}
        self.read = self.sure = 0
        me = self.index[n.me]
        fits = ~every.wolf[:, me] & ~every.possessed[:, me] & (every.seer[:, me] == (n.kind == "seer"))
        self.worlds = Worlds(*(array[fits] for array in every))
        self.weight: Array = np.zeros(len(self.worlds.wolf))

    def update(self, n: Notes) -> None:
        known = [*n.checked.values(), *n.medium.values()]
        if self.sure == len(known) and self.read == len(n.evidence) > 0:
            return
        for report in known[self.sure :]:
            self._keep(self._wolf(report.target) == n.says_wolf(report.result))
        for evidence in n.evidence[self.read :]:
            match evidence:
                case Claim():
                    self._claim(n, evidence)
                case Said():
                    self._said(n, evidence)
                case Round():
                    self.weight = self.weight + self._ballots(evidence)
                case Death():
                    self._death(n, evidence)
        self.sure, self.read = len(known), len(n.evidence)
        self._going_on(n)

    def wolf(self, n: Notes) -> dict[str, float]:
        """P(wolf) of every seat; in a public vote, with the ballots that are cast already."""
        open_vote = Round(n.round, n.tied or n.alive, n.alive)
        return self._share(self.worlds.wolf, self.weight + self._ballots(open_vote) if n.round else self.weight)

    def seer(self) -> dict[str, float]:
        """P(seer) of every seat."""
        return self._share(self.worlds.seer, self.weight)

    def _share(self, table: Array, log_weight: Array) -> dict[str, float]:
        import numpy as np

        weight = np.exp(log_weight - log_weight.max())
        shares = (weight / weight.sum()) @ table
        return {seat: float(shares[i]) for seat, i in self.index.items()}

    # --- evidence ----------------------------------------------------------------------------------------------------

    def _wolf(self, seat: str) -> Array:
        column: Array = self.worlds.wolf[:, self.index[seat]]
        return column

    def _keep(self, fits: Array) -> None:
        """Drop the worlds that do not fit; evidence that leaves none (a rule broken elsewhere) is passed over."""
        if fits.any() and not fits.all():
            self.worlds = Worlds(*(array[fits] for array in self.worlds))
            self.weight = self.weight[fits]

    def _claim(self, n: Notes, claim: Claim) -> None:
        import numpy as np

        i, kind = self.index[claim.seat], KIND.get(claim.role)
        mine = kind == n.kind and n.roles.get(claim.role) == 1  # only I can hold it
        if claim.seat == n.me or not (kind == "seer" or mine):
            return
        human = np.where(self.worlds.possessed[:, i], CLAIM["possessed"], CLAIM["human"])
        liar = np.where(self.worlds.wolf[:, i], CLAIM["wolf"], human)
        self.weight = self.weight + np.log(np.where(self.worlds.seer[:, i], CLAIM["seer"], liar))

    def _said(self, n: Notes, said: Said) -> None:
        import numpy as np

        result = said.report.result
        if said.seat == n.me or KIND.get(n.claims.get(said.seat, "seer")) != "seer":
            return
        if not n.says_wolf(result) and result != "good" and result not in KIND:
            return
        wolf, says_wolf = self._wolf(said.report.target), n.says_wolf(result)
        false = FALSE_WOLF if says_wolf else FALSE_GOOD
        from_seer = np.where(wolf == says_wolf, 1.0, SEER_ERRS)
        from_other = np.where(wolf, false["wolf"], false["human"])
        self.weight = self.weight + np.log(np.where(self.worlds.seer[:, self.index[said.seat]], from_seer, from_other))

    def _ballots(self, vote: Round) -> Array:
        """Log-weights of ballots: humans lean to wolves, wolves to humans, each among the voter's candidates."""
        import numpy as np

        cast = [(voter, target) for voter, target in vote.ballots.items() if target is not None and target != voter]
        if not cast:
            return np.zeros(len(self.weight))
        by_wolf = self.worlds.wolf[:, [self.index[voter] for voter, _ in cast]]
        on_wolf = self.worlds.wolf[:, [self.index[target] for _, target in cast]]
        wolves = self.worlds.wolf[:, [self.index[seat] for seat in vote.candidates]].sum(axis=1)
        weights: Array = np.log(HUMAN_ON_WOLF) * (~by_wolf & on_wolf).sum(axis=1)
        weights = weights + np.log(WOLF_ON_HUMAN) * (by_wolf & ~on_wolf).sum(axis=1)
        standing = np.array([voter in vote.candidates for voter, _ in cast])
        for stands in (0, 1):  # a voter that stands itself chooses among the others
            cast_by_wolves = by_wolf[:, standing == stands].sum(axis=1)
            cast_by_humans = int((standing == stands).sum()) - cast_by_wolves
            size = len(vote.candidates) - stands
            for_human = HUMAN_ON_WOLF * wolves + (size - wolves)
            for_wolf = (wolves - stands) + WOLF_ON_HUMAN * (size - wolves + stands)
            weights = weights - cast_by_humans * np.log(np.maximum(for_human, 1))
            weights = weights - cast_by_wolves * np.log(np.maximum(for_wolf, 1))
        return weights

    def _death(self, n: Notes, death: Death) -> None:
        import numpy as np

        wolf = self._wolf(death.seat)
        if death.role is not None:
            self._keep(wolf == (KIND[death.role] == "wolf"))
        elif death.how == "night" and death.seat != n.poisoned:
            if count_of(n, "witch") and n.kind != "witch":
                self.weight = self.weight + np.where(wolf, np.log(POISONED_WOLF), 0.0)
            else:
                self._keep(~wolf)

    def _going_on(self, n: Notes) -> None:
        """The match is not over: some wolf lives, and under parity fewer wolves than others."""
        living = self.worlds.wolf[:, [self.index[seat] for seat in n.alive]].sum(axis=1)
        fits = living > 0
        if n.rules["win"] == "parity":
            fits &= 2 * living < len(n.alive)
        self._keep(fits)
