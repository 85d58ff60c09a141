"""The rules of guessing 0.8 of the average, one sentence a test."""

from __future__ import annotations

from fractions import Fraction as F

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.games.guess08.rules import Outcome, level, outcome, target

NUMBERS = st.lists(st.integers(1, 100), min_size=1, max_size=8)


def named(*numbers: int) -> dict[str, int]:
    return {f"player_{i}": number for i, number in enumerate(numbers)}


def test_the_number_nearest_to_the_target_wins() -> None:
    assert target(named(10, 20, 30, 40, 50)) == 24
    assert outcome(named(10, 20, 30, 40, 50)) == Outcome(20, ("player_1",))


def test_of_two_equally_near_the_smaller_number_wins() -> None:
    assert target(named(20, 28, 1, 1, 100)) == 24
    assert outcome(named(20, 28, 1, 1, 100)) == Outcome(20, ("player_0",))


def test_all_who_chose_the_winning_number_win() -> None:
    assert outcome(named(20, 20, 10, 40, 50)) == Outcome(20, ("player_0", "player_1"))


def test_if_all_chose_the_same_number_nobody_wins() -> None:
    assert outcome(named(7, 7, 7, 7, 7)) == Outcome(None, ())
    assert outcome(named(1, 1)) == Outcome(None, ())


def test_a_player_alone_wins() -> None:
    assert outcome(named(80)) == Outcome(80, ("player_0",))


def test_the_target_is_not_rounded() -> None:
    """Numbers 3, 4, 5, 1: target 2.6, so 3 is nearer than 1; with 7 players fractions of the target are no decimals."""
    assert outcome(named(3, 4, 5, 1)) == Outcome(3, ("player_0",))
    assert target(named(1, 2, 3, 4, 5, 6, 8)) == F(4 * 29, 35)
    assert outcome(named(1, 2, 3, 4, 5, 6, 8)).winning == 3


@given(st.lists(st.integers(1, 100), min_size=2, max_size=20))
def test_rounding_the_target_to_two_decimals_as_published_changes_no_winner(numbers: list[int]) -> None:
    """Rounding can only make a tie, at x.5, and the exact target comes that near to x.5 from 21 players on."""
    goal = round(target(named(*numbers)), 2)

    if len(set(numbers)) > 1:
        assert outcome(named(*numbers)).winning == sorted((abs(number - goal), number) for number in numbers)[0][1]


@pytest.mark.parametrize(("k", "number"), [(0, 50), (1, 40), (2, 32), (3, 26), (4, 20), (10, 5), (17, 1), (60, 1)])
def test_what_a_level_k_player_says(k: int, number: int) -> None:
    assert level(k) == number


@given(NUMBERS)
def test_the_winner_is_nearest_in_exact_arithmetic(numbers: list[int]) -> None:
    chosen, goal = named(*numbers), target(named(*numbers))
    winning, winners = outcome(chosen)

    if len(numbers) > 1 and len(set(numbers)) == 1:
        assert winners == ()
    else:
        assert winning == sorted((abs(number - goal), number) for number in numbers)[0][1]
        assert winners == tuple(seat for seat, number in chosen.items() if number == winning)


@given(NUMBERS)
def test_seats_do_not_matter(numbers: list[int]) -> None:
    shuffled = sorted(numbers)

    assert outcome(named(*numbers)).winning == outcome(named(*shuffled)).winning
    assert len(outcome(named(*numbers)).winners) == len(outcome(named(*shuffled)).winners)
