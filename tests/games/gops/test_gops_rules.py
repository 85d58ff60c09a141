"""The rules of GOPS, one sentence a test."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from arena.games.gops.rules import Trick, play_out, total, trick

CARDS = st.integers(2, 7).flatmap(lambda n: st.tuples(*[st.permutations(range(1, n + 1)) for _ in range(3)]))


def test_the_higher_card_takes_all_points_at_stake() -> None:
    assert trick(7, (3, 2)) == Trick(winner=0, points=7, carried=0)
    assert trick(7, (1, 4)) == Trick(winner=1, points=7, carried=0)


def test_a_tie_carries_the_points_to_the_next_prize() -> None:
    assert trick(7, (3, 3)) == Trick(winner=None, points=0, carried=7)


def test_without_the_carry_a_tied_prize_is_lost() -> None:
    assert trick(7, (3, 3), carry=False) == Trick(winner=None, points=0, carried=0)


def test_carried_points_go_to_the_next_winner() -> None:
    assert play_out([2, 3, 1], [(1, 1), (3, 2), (2, 3)]) == (5, 1)
    assert play_out([2, 3, 1], [(1, 1), (3, 2), (2, 3)], carry=False) == (3, 1)


def test_points_left_at_the_end_are_lost() -> None:
    assert play_out([1, 2, 3], [(2, 1), (1, 2), (3, 3)]) == (1, 2)


def test_the_prizes_hold_n_times_n_plus_one_halves_points() -> None:
    assert [total(n) for n in (3, 4, 6, 13)] == [6, 10, 21, 91]


@given(CARDS, st.booleans())
def test_no_point_is_made_or_given_twice(cards: tuple[list[int], ...], carry: bool) -> None:
    prizes, first, second = cards
    bids = list(zip(first, second, strict=True))
    won, lost = sum(play_out(prizes, bids, carry=carry)), 0
    if carry:
        for prize, (a, b) in zip(reversed(prizes), reversed(bids), strict=True):
            if a != b:
                break
            lost += prize
    else:
        lost = sum(prize for prize, (a, b) in zip(prizes, bids, strict=True) if a == b)

    assert won + lost == total(len(prizes))


@given(CARDS, st.booleans())
def test_swapping_the_hands_swaps_the_points(cards: tuple[list[int], ...], carry: bool) -> None:
    prizes, first, second = cards
    points = play_out(prizes, list(zip(first, second, strict=True)), carry=carry)

    assert play_out(prizes, list(zip(second, first, strict=True)), carry=carry) == points[::-1]


@given(CARDS)
def test_equal_plans_win_nothing(cards: tuple[list[int], ...]) -> None:
    prizes, plan, _ = cards

    assert play_out(prizes, [(card, card) for card in plan]) == (0, 0)
