"""Solvers against an independent implementation and against figures worked out by hand."""

from __future__ import annotations

import random
import warnings
from fractions import Fraction as F
from typing import Any

import pytest

from arena.games.matrix.catalogue import Parameters, stage_game
from arena.games.matrix.rules import StageGame
from arena.games.matrix.solve import (
    correlated_equilibrium,
    forced_look,
    forced_pure_look,
    nash_mixes,
    pure_equilibria,
    security_mix,
    support_enumeration,
)


def game(name: str, *, n: int | None = None, k: int | None = None, partial: bool = False) -> StageGame:
    return stage_game(name, Parameters(n=n, k=k, partial=partial))


def sorted_mixes(found: Any) -> list[list[float]]:
    return sorted([round(float(w), 9) + 0.0 for w in (*x, *y)] for x, y in found)


def close(one: list[float], other: list[float]) -> bool:
    return all(abs(a - b) < 1e-8 for a, b in zip(one, other, strict=True))


def test_support_enumeration_agrees_with_nashpy_on_200_random_games() -> None:
    """Against its vertex enumeration: its support enumeration compares floats exactly and so loses equilibria."""
    nashpy = pytest.importorskip("nashpy")
    rng = random.Random(20)
    games = 0
    while games < 200:
        rows, columns = ([[rng.randint(-100, 100) for _ in range(3)] for _ in range(3)] for _ in range(2))
        ours = support_enumeration(rows, columns)
        if ours.degenerate:
            continue
        theirs = list(nashpy.Game(rows, columns).vertex_enumeration())

        assert len(ours.found) == len(theirs)
        assert all(map(close, sorted_mixes(ours.found), sorted_mixes(theirs)))
        assert len(ours.found) % 2 == 1  # as in every nondegenerate game
        games += 1


def test_what_nashpy_finds_by_supports_is_found_here_too_in_degenerate_games() -> None:
    nashpy = pytest.importorskip("nashpy")
    rng = random.Random(21)
    for _ in range(100):
        rows, columns = ([[rng.randint(-3, 3) for _ in range(3)] for _ in range(3)] for _ in range(2))
        ours = sorted_mixes(support_enumeration(rows, columns).found)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of an even number of equilibria
            theirs = sorted_mixes(nashpy.Game(rows, columns).support_enumeration(non_degenerate=True))

        assert all(any(close(mix, own) for own in ours) for mix in theirs)


def test_a_degenerate_game_is_marked_and_its_pure_equilibria_are_found() -> None:
    found = support_enumeration([[1, 1], [0, 2]], [[1, 1], [0, 2]])

    assert found.degenerate
    assert ((F(0), F(1)), (F(0), F(1))) in found.found
    assert not support_enumeration([[3, 0], [5, 1]], [[3, 5], [0, 1]]).degenerate


def test_every_equilibrium_found_is_one() -> None:
    rng = random.Random(3)
    for _ in range(50):
        rows, columns = ([[rng.randint(-3, 3) for _ in range(4)] for _ in range(3)] for _ in range(2))
        for x, y in support_enumeration(rows, columns).found:
            row_values = [sum(u * w for u, w in zip(row, y, strict=True)) for row in rows]
            column_values = [sum(columns[i][j] * x[i] for i in range(3)) for j in range(4)]

            assert sum(x) == sum(y) == 1
            assert sum(w * v for w, v in zip(x, row_values, strict=True)) == max(row_values)
            assert sum(w * v for w, v in zip(y, column_values, strict=True)) == max(column_values)


def test_pure_equilibria_of_three_players_are_found_by_brute_force() -> None:
    assert set(pure_equilibria(game("coordination", n=3))) == {("A", "A", "A"), ("B", "B", "B")}
    assert nash_mixes(game("coordination", n=3))[0] == ((F(1), F(0)),) * 3


def test_the_security_mix_of_rock_paper_scissors_is_a_third_each() -> None:
    mix, value = security_mix([[0, -1, 1], [1, 0, -1], [-1, 1, 0]])

    assert mix == pytest.approx([1 / 3] * 3)
    assert value == pytest.approx(0, abs=1e-9)


def test_the_security_mix_of_an_uneven_game() -> None:
    mix, value = security_mix([[3, -1], [-2, 1]])

    assert mix == pytest.approx([3 / 7, 4 / 7])
    assert value == pytest.approx(1 / 7)


def test_the_best_correlated_equilibrium_of_chicken_is_worth_more_than_any_nash_equilibrium() -> None:
    found = correlated_equilibrium(game("chicken"))

    assert found == pytest.approx({("swerve", "swerve"): 1 / 3, ("swerve", "straight"): 1 / 3, ("straight", "swerve"): 1 / 3})  # fmt: skip  # noqa: E501
    assert sum(p * sum(game("chicken").pay(cell)) for cell, p in found.items()) == pytest.approx(16 / 3)


def test_the_only_correlated_equilibrium_of_the_dilemma_is_mutual_defection() -> None:
    assert correlated_equilibrium(game("ipd")) == pytest.approx({("defect", "defect"): 1.0})


def test_a_forced_look_at_full_trust_only_makes_half_honesty_enough() -> None:
    lead = forced_look(game("trust"), 0, F(1, 10))

    assert lead == (F(1, 2), "send", F(-1, 10), F(3, 2))


def test_a_part_level_makes_the_forced_look_pay_both_below_a_fifth() -> None:
    lead = forced_look(game("trust", partial=True), 0, F(1, 10))

    assert lead == (F(3, 5), "send", F(1, 10), F(7, 5))
    assert forced_look(game("trust", partial=True), 0, F(1, 5)).looker == 0


@pytest.mark.parametrize(("p", "answer"), [("1/4", "keep"), ("1/3", "send half"), ("1/2", "send half"), ("3/5", "send"), ("1", "send")])  # fmt: skip  # noqa: E501
def test_the_investor_trusts_in_part_from_a_third_and_fully_from_three_fifths(p: str, answer: str) -> None:
    stage = game("trust", partial=True)

    def worth(own: str | int) -> F:
        return sum((F(p) * stage.pay((own, "return"))[0], (1 - F(p)) * stage.pay((own, "keep"))[0]), start=F(0))

    best = max(map(worth, stage.actions[0]))

    assert [own for own in stage.actions[0] if worth(own) == best][-1] == answer


def test_a_forced_look_at_the_drawn_action_makes_the_trustee_return() -> None:
    assert forced_pure_look(game("trust"), 0, F(1, 10)) == (F(1), "send", F(9, 10), F(1))
