"""An online Plackett-Luce ladder: mu and sigma of each key after each match, for live display.

The update of Weng and Lin 2011 (algorithm 4) with the tie rule and the defaults of OpenSkill, to which it is equal.
Team sums distort teams of unequal size, and sigma is no confidence interval: boards publish batch fits.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import exp, sqrt

from arena.core.errors import UsageError


class Ladder:
    """`ratings` maps each key seen so far to (mu, sigma)."""

    def __init__(
        self, mu: float = 25.0, sigma: float = 25 / 3, beta: float = 25 / 6, tau: float = 25 / 300, kappa: float = 1e-4
    ) -> None:
        self.mu, self.sigma, self.beta, self.tau, self.kappa = mu, sigma, beta, tau, kappa
        self.ratings: dict[Hashable, tuple[float, float]] = {}

    def update(self, teams: Sequence[Sequence[Hashable]], ranks: Sequence[float]) -> None:
        """One match: the keys of each team, and its rank (smaller is better, equal is a tie)."""
        n = len(teams)
        if n != len(ranks) or n < 2 or not all(teams):
            raise UsageError("teams: a match needs two teams or more, none empty, and one rank a team")
        ratings, fresh, drift = self.ratings, (self.mu, self.sigma), self.tau**2
        members = [[ratings.get(key, fresh) for key in team] for team in teams]
        means, variances = [], []
        for team in members:
            mean = variance = 0.0
            for mu, sigma in team:
                mean += mu
                variance += sigma * sigma + drift
            means.append(mean)
            variances.append(variance)
        c = sqrt(sum(variances) + n * self.beta**2)
        top = max(means)
        power = [exp((mean - top) / c) for mean in means]
        order = sorted(range(n), key=ranks.__getitem__)
        below, total = [0.0] * n, 0.0  # the sum over a place and all behind it
        for k in range(n - 1, -1, -1):
            total += power[order[k]]
            below[k] = total
        start, inverse, squared = 0, 0.0, 0.0
        while start < n:
            rank, end = ranks[order[start]], start + 1
            while end < n and ranks[order[end]] == rank:
                end += 1
            # Each team of a rank gives the same term over their number, so a rank counts once.
            inverse += 1 / below[start]
            squared += 1 / below[start] ** 2
            for i in order[start:end]:
                expected = power[i] * inverse
                self._move(
                    teams[i],
                    members[i],
                    variances[i],
                    c,
                    1 / (end - start) - expected,
                    expected - power[i] ** 2 * squared,
                )
            start = end

    def _move(
        self,
        team: Sequence[Hashable],
        members: list[tuple[float, float]],
        variance: float,
        c: float,
        surprise: float,
        spread: float,
    ) -> None:
        """Omega and delta of a team, shared among its members by their part of its variance."""
        omega, delta = variance / c * surprise, variance * sqrt(variance) / c**3 * spread
        for key, (mu, sigma) in zip(team, members, strict=True):
            own = sigma * sigma + self.tau**2
            share = own / variance
            self.ratings[key] = (mu + share * omega, sqrt(own * max(1 - share * delta, self.kappa)))
