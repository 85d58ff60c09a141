"""Known values of small GOPS games, in exact fractions, and the margins between scripted plans."""

from __future__ import annotations

from fractions import Fraction as F
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog

import arena
from arena.core import stream
from arena.games.gops.bots import match_prize, prize_plus_one
from arena.games.gops.solve import game_value, matrix_value, reply_to_uniform


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_the_value_is_zero_by_recursive_linear_programming(n: int) -> None:
    assert game_value(n) == 0


@pytest.mark.parametrize("n", [2, 3, 4])
def test_without_the_carry_the_value_is_zero_too(n: int) -> None:
    assert game_value(n, carry=False) == 0


def test_best_reply_to_a_uniform_bidder() -> None:
    assert reply_to_uniform(3)[0] == F(14, 9)
    assert reply_to_uniform(4) == (F(443, 144), {1: [1], 2: [1], 3: [3], 4: [4]})


def test_best_reply_to_a_uniform_bidder_without_the_carry_bids_the_prize() -> None:
    assert reply_to_uniform(3, carry=False) == (F(4, 3), {1: [1], 2: [2], 3: [3]})
    assert reply_to_uniform(4, carry=False) == (F(5, 2), {1: [1], 2: [2], 3: [3], 4: [4]})


def test_matrix_values_by_hand() -> None:
    half, zero = F(1, 2), F(0)

    assert matrix_value([[F(1), F(-1)], [F(-1), F(1)]]) == 0
    assert matrix_value([[F(3), zero], [zero, F(2)]]) == F(6, 5)
    assert matrix_value([[zero, F(-1), F(1)], [F(1), zero, F(-1)], [F(-1), F(1), zero]]) == 0
    assert matrix_value([[F(2), F(3)], [F(1), F(4)]]) == 2  # a saddle point
    assert matrix_value([[half]]) == half
    assert matrix_value([[F(-5), F(-7), F(-6)]]) == -7


@given(
    st.integers(1, 4).flatmap(
        lambda width: st.lists(st.lists(st.integers(-9, 9), min_size=width, max_size=width), min_size=1, max_size=4)
    )
)
def test_matrix_values_agree_with_another_solver(rows: list[list[int]]) -> None:
    pay = np.array(rows, dtype=float)
    height, width = pay.shape
    answer = linprog(  # the row player's mix x and value v: maximise v with x·pay >= v
        c=[0.0] * height + [-1.0],
        A_ub=np.hstack([-pay.T, np.ones((width, 1))]),
        b_ub=np.zeros(width),
        A_eq=[[1.0] * height + [0.0]],
        b_eq=[1.0],
        bounds=[(0, None)] * height + [(None, None)],
    )

    assert answer.fun is not None
    assert float(matrix_value([[F(entry) for entry in row] for row in rows])) == pytest.approx(-answer.fun, abs=1e-7)


@pytest.mark.parametrize(("n", "margin"), [(4, 2), (6, 9), (13, 65)])
def test_one_more_than_the_prize_beats_the_prize_by_a_known_margin(n: int, margin: int) -> None:
    points = n * (n + 1) // 2
    for seed in range(5):
        match, rng = arena.match("gops", seed=seed, n=n), stream(seed)
        while not match.done:
            for seat, ask in list(match.pending().items()):
                bot = match_prize if seat == "player_0" else prize_plus_one
                match.submit(seat, bot(match.view(seat), ask, rng))

        assert match.payoffs == {"player_0": -margin / points, "player_1": margin / points}


def test_the_solved_reply_meets_the_engine() -> None:
    """All plays of the 3-card game against a uniform bidder, on the engine: the best first bids give 14/9 on average.

    The reply bids the first prize; the second bid is the better one of two, found by playing both.
    """
    total = F(0)
    for deal in permutations((1, 2, 3)):
        for first in (1, 2, 3):
            left = [card for card in (1, 2, 3) if card != first]
            mine = [card for card in (1, 2, 3) if card != deal[0]]
            total += max(sum((_margin(deal, (deal[0], bid), (first, other)) for other in left), F(0)) for bid in mine)

    assert total / (6 * 3 * 2) == F(14, 9)


def _margin(deal: tuple[int, ...], mine: tuple[int, int], theirs: tuple[int, int]) -> F:
    match = arena.match("gops", seed=1, n=3, deal=deal)
    for one, other in zip(mine, theirs, strict=True):
        match.submit("player_0", str(one))
        match.submit("player_1", str(other))
    scores = match.events[-1].facts["scores"]
    return F(scores["player_0"] - scores["player_1"])
