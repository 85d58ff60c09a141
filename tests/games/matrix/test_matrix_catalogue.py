"""The catalogue: payoffs and equilibria as printed, seats and actions in the order of the table."""

from __future__ import annotations

from fractions import Fraction as F
from typing import Any

import pytest

import arena
from arena.core import ConfigError
from arena.games.matrix.catalogue import Parameters, stage_game
from arena.games.matrix.rules import StageGame
from arena.games.matrix.solve import bimatrix, pure_equilibria, support_enumeration

TABLES = {
    "ipd": [[(3, 3), (0, 5)], [(5, 0), (1, 1)]],
    "ipd_mcg": [[(-1, -1), (-3, 0)], [(0, -3), (-2, -2)]],
    "conflict": [[(0, 0), (-1, 2)], [(2, -1), (0, 0)]],
    "rps": [[(0, 0), (-1, 1), (1, -1)], [(1, -1), (0, 0), (-1, 1)], [(-1, 1), (1, -1), (0, 0)]],
    "pennies": [[(1, -1), (-1, 1)], [(-1, 1), (1, -1)]],
    "stag": [[(4, 4), (0, 3)], [(3, 0), (3, 3)]],
    "chicken": [[(3, 3), (1, 4)], [(4, 1), (0, 0)]],
    "bos": [[(3, 2), (0, 0)], [(0, 0), (2, 3)]],
    "high_low": [[(2, 2), (0, 0)], [(0, 0), (1, 1)]],
    "trust": [[(0, 0), (0, 0)], [(1, 1), (-1, 2)]],
}
ACTIONS = {
    "ipd": ("cooperate", "defect"),
    "conflict": ("0", "1"),
    "rps": ("rock", "paper", "scissors"),
    "stag": ("stag", "hare"),
    "chicken": ("swerve", "straight"),
    "bos": ("opera", "football"),
    "high_low": ("high", "low"),
}


def game(name: str, **given: Any) -> StageGame:
    return stage_game(name, Parameters(**given))


def equilibria(name: str, **given: Any) -> set[tuple[tuple[F, ...], tuple[F, ...]]]:
    return set(support_enumeration(*bimatrix(game(name, **given))).found)


def pure(k: int, a: int, b: int) -> tuple[tuple[F, ...], tuple[F, ...]]:
    return tuple(F(i == a) for i in range(k)), tuple(F(i == b) for i in range(k))


@pytest.mark.parametrize("name", TABLES)
def test_payoffs_are_those_of_the_table(name: str) -> None:
    stage = game(name)

    cells = [[stage.pay((a, b)) for b in stage.actions[1]] for a in stage.actions[0]]

    assert cells == TABLES[name]


@pytest.mark.parametrize("name", ACTIONS)
def test_options_stand_in_the_order_of_the_table(name: str) -> None:
    match = arena.match(f"matrix/{name}", seed=1, commitment=False)

    assert match.pending()["player_0"].name == "act"
    assert match.pending()["player_0"].options == ACTIONS[name]
    assert match.pending()["player_1"].options == ACTIONS[name]


def test_the_investor_is_player_0_and_keeps_or_sends() -> None:
    pending = arena.match("matrix/trust", seed=1).pending()

    assert pending["player_0"].options == ("keep", "send")
    assert pending["player_1"].options == ("return", "keep")


def test_the_printed_equilibria_are_found_exactly() -> None:
    half, third = F(1, 2), F(1, 3)

    assert equilibria("ipd") == {pure(2, 1, 1)}
    assert equilibria("ipd_mcg") == {pure(2, 1, 1)}
    assert equilibria("conflict") == {pure(2, 1, 1)}
    assert equilibria("rps") == {((third,) * 3, (third,) * 3)}
    assert equilibria("pennies") == {((half, half), (half, half))}
    assert equilibria("stag") == {pure(2, 0, 0), pure(2, 1, 1), ((F(3, 4), F(1, 4)),) * 2}
    assert equilibria("chicken") == {pure(2, 0, 1), pure(2, 1, 0), ((half, half), (half, half))}
    assert equilibria("bos") == {pure(2, 0, 0), pure(2, 1, 1), ((F(3, 5), F(2, 5)), (F(2, 5), F(3, 5)))}
    assert equilibria("high_low") == {pure(2, 0, 0), pure(2, 1, 1), ((third, F(2, 3)), (third, F(2, 3)))}


@pytest.mark.parametrize(
    ("name", "mixes", "values"),
    [
        ("rps", ([F(1, 3)] * 3, [F(1, 3)] * 3), (0, 0)),
        ("pennies", ([F(1, 2)] * 2, [F(1, 2)] * 2), (0, 0)),
        ("stag", ([F(3, 4), F(1, 4)], [F(3, 4), F(1, 4)]), (3, 3)),
        ("chicken", ([F(1, 2)] * 2, [F(1, 2)] * 2), (2, 2)),
        ("bos", ([F(3, 5), F(2, 5)], [F(2, 5), F(3, 5)]), (F(6, 5), F(6, 5))),
    ],
)
def test_the_mixed_equilibria_are_worth_what_is_printed(name: str, mixes: Any, values: Any) -> None:
    rows, columns = bimatrix(game(name))
    x, y = mixes

    worth = [sum(x[i] * y[j] * u[i][j] for i in range(len(x)) for j in range(len(y))) for u in (rows, columns)]

    assert worth == list(values)


def test_coordination_has_its_pure_equilibria_and_the_mix_in_inverse_proportion() -> None:
    found = equilibria("coordination", k=3, values=(1, 2, 4))

    mix = (F(4, 7), F(2, 7), F(1, 7))
    assert {pure(3, 0, 0), pure(3, 1, 1), pure(3, 2, 2), (mix, mix)} <= found
    assert len(found) == 7  # and the three mixes of two actions
    assert game("coordination", k=4).actions == (("A", "B", "C", "D"),) * 2


def test_conflict_reaches_its_greatest_sum_only_asymmetrically() -> None:
    stage = game("conflict")

    assert stage.best_sum == 1
    assert [p for p in stage.profiles() if sum(stage.pay(p)) == 1] == [("0", "1"), ("1", "0")]


def test_cournot_on_integers_has_three_equilibria() -> None:
    stage = game("cournot")

    assert set(pure_equilibria(stage)) == {(30, 30), (29, 31), (31, 29)}
    assert stage.pay((30, 30)) == (900, 900)
    assert max(sum(stage.pay(p)) for p in stage.profiles()) == 2025 == stage.best_sum
    assert stage.pay((60, 60)) == (-600, -600)  # no market: the price is 0, not less


def test_bertrand_on_integers_has_two_equilibria() -> None:
    stage = game("bertrand")

    assert set(pure_equilibria(stage)) == {(10, 10), (11, 11)}
    assert stage.pay((10, 10)) == (0, 0)
    assert stage.pay((11, 11)) == (F(89, 2), F(89, 2))
    assert stage.pay((55, 56)) == (2025, 0)
    assert max(sum(stage.pay(p)) for p in stage.profiles()) == 2025


def test_public_goods_pay_20_for_nothing_and_32_for_everything() -> None:
    stage = game("public_goods")

    assert stage.n == 4
    assert stage.pay((0, 0, 0, 0)) == (20, 20, 20, 20)
    assert stage.pay((20, 20, 20, 20)) == (32, 32, 32, 32)
    assert stage.pay((20, 0, 0, 0)) == (8, 28, 28, 28)
    assert stage.low_high == (8, 44)


def test_trust_with_a_part_level_pays_half_and_a_quarter() -> None:
    stage = game("trust", partial=True)

    assert stage.actions[0] == ("keep", "send half", "send")
    assert stage.pay(("send half", "return")) == (F(1, 2), F(1, 2))
    assert stage.pay(("send half", "keep")) == (F(-1, 4), F(3, 4))


def test_a_custom_tensor_is_read_action_by_action() -> None:
    stage = game("custom", payoffs=[[[1, 2], [3, 4], [5, 6]], [["1/3", 0.1], [0, -2], [7, 8]]])

    assert stage.actions == (("A", "B"), ("A", "B", "C"))
    assert stage.pay(("A", "C")) == (5, 6)
    assert stage.pay(("B", "A")) == (F(1, 3), F(1, 10))


def test_a_custom_tensor_may_have_one_or_three_players() -> None:
    alone = game("custom", payoffs=[[1], [2], [3]])
    three = game("custom", payoffs=[[[[1, 2, 3], [4, 5, 6]]], [[[7, 8, 9], [0, 0, 0]]]])

    assert (alone.n, alone.pay(("C",))) == (1, (3,))
    assert [len(own) for own in three.actions] == [2, 1, 2]
    assert three.pay(("B", "A", "A")) == (7, 8, 9)


@pytest.mark.parametrize(
    ("payoffs", "word"),
    [
        ([[[1, 2], [3, float("nan")]], [[0, 0], [0, 0]]], "finite"),
        ([[[1, 2], [3, "inf"]], [[0, 0], [0, 0]]], "finite"),
        ([[[1, 2], [3, True]], [[0, 0], [0, 0]]], "finite"),
        ([[[1, 2], [3, 1e300]], [[0, 0], [0, 0]]], "finite"),
        ([[[1, 2], [3, "1/0"]], [[0, 0], [0, 0]]], "finite"),
        ([[[1, 2], [3]], [[0, 0], [0, 0]]], r"payoffs\[0\]\[1\] must be a list of 2"),
        ([[[1, 2], [3, 4]], [[0, 0]]], r"payoffs\[1\] must be a list of 2"),
        ([[[1, 2, 3], [3, 4, 5]], [[0, 0, 0], [0, 0, 0]]], "must be a list of 2"),
        ([], "must be a list"),
        (7, "must be a list"),
    ],
)
def test_a_bad_tensor_is_refused_when_the_config_is_made(payoffs: Any, word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        arena.match("matrix/custom", seed=1, payoffs=payoffs)


def test_a_tensor_of_more_than_a_million_numbers_is_refused() -> None:
    assert game("coordination", n=2, k=707).size == 499_849
    with pytest.raises(ConfigError, match="1002528"):
        game("coordination", n=2, k=708)


def test_matrix_random_draws_integers_from_the_deal() -> None:
    def table(seed: int, deal_seed: int) -> Any:
        match = arena.match("matrix/matrix_random", seed=seed, deal_seed=deal_seed, n=2, k=3)
        return match.view("player_0").events[0].facts["rows"]

    one = table(1, 7)

    assert one == table(2, 7) != table(2, 8)
    assert len(one) == 9
    assert all(-10 <= x <= 10 and isinstance(x, int) for row in one for x in row["payoffs"].values())
