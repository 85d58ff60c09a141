"""Stage games that move on from round to round: the grid, and sequences of losses for one player."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any, Protocol

from arena.core import Rng, Table
from arena.games.matrix.catalogue import CELLS, grid_game, loss_game, moved
from arena.games.matrix.config import MatrixConfig
from arena.games.matrix.rules import Amount, Profile, StageGame, plain

Losses = list[tuple[Amount, ...]]


class Moving(Protocol):
    def game(self) -> StageGame:
        """The stage game of the round to come."""

    def settle(self, profile: Profile) -> dict[str, Any]:
        """Take in what was played; the result is what the round's event says of it beside actions and payoffs."""


def moving_game(config: MatrixConfig, table: Table) -> Moving | None:
    if config.scenario == "grid":
        return Grid(config.seat_tuple)
    if config.scenario == "online":
        k, rng = len(config.base.actions[0]), table.rng("deal.losses")
        if config.losses == "adversarial":
            return Adversary(k)
        return Sequence(loss_sequence(config.losses, k, config.rounds, rng))
    return None


class Grid:
    """A line of four cells, the two seats at its ends."""

    def __init__(self, seats: tuple[str, ...]) -> None:
        self._seats, self._cells = seats, (0, CELLS - 1)

    def game(self) -> StageGame:
        return grid_game(*self._cells)

    def settle(self, profile: Profile) -> dict[str, Any]:
        self._cells = (moved(self._cells[0], profile[0]), moved(self._cells[1], profile[1]))
        return {"positions": dict(zip(self._seats, self._cells, strict=True))}


class Sequence:
    """Losses fixed before the first round."""

    def __init__(self, losses: Losses) -> None:
        self._losses, self._round = losses, 0

    def game(self) -> StageGame:
        return loss_game(self._losses[min(self._round, len(self._losses) - 1)])

    def settle(self, profile: Profile) -> dict[str, Any]:
        losses = self._losses[self._round]
        self._round += 1
        return {"losses": [plain(loss) for loss in losses]}


class Adversary:
    """Loss 1 on the action chosen last, 0 on the others; none in the first round."""

    def __init__(self, k: int) -> None:
        self._losses: tuple[Amount, ...] = (0,) * k

    def game(self) -> StageGame:
        return loss_game(self._losses)

    def settle(self, profile: Profile) -> dict[str, Any]:
        losses = self._losses
        chosen = [*self.game().actions[0]].index(profile[0])
        self._losses = tuple(int(a == chosen) for a in range(len(losses)))
        return {"losses": list(losses)}


def loss_sequence(kind: str, k: int, rounds: int, rng: Rng) -> Losses:
    """`rounds` loss vectors in [0, 1], in thousandths (so that no machine rounds them differently).

    iid: uniform. trend: each action's loss moves in a line from one uniform value to another. sine, square: waves of
    one period (5 to 12 rounds), shifted from action to action.
    """
    if kind == "iid":
        return [tuple(_thousandths(rng.below(1001)) for _ in range(k)) for _ in range(rounds)]
    if kind == "trend":
        ends = [(rng.below(1001), rng.below(1001)) for _ in range(k)]
        last = max(1, rounds - 1)
        return [tuple(_thousandths(a + (b - a) * t // last) for a, b in ends) for t in range(rounds)]
    period, start = 5 + rng.below(8), rng.below(60)
    wave = _sine if kind == "sine" else _square
    return [tuple(_thousandths(wave(t / period + start / 60 + a / k)) for a in range(k)) for t in range(rounds)]


def _thousandths(count: int) -> Amount:
    return count // 1000 if count % 1000 == 0 else Fraction(count, 1000)


def _sine(turn: float) -> int:
    return round(500 + 500 * math.sin(2 * math.pi * turn))


def _square(turn: float) -> int:
    return 1000 if turn % 1.0 < 0.5 else 0
