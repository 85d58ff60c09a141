"""The rules of the survival auction, one sentence a test."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.games.survival_auction.rules import Resident, Ties, after, allocate

SAME = {"a": 10, "b": 10, "c": 10}
ALYMPICS = {"a": 8, "b": 9, "c": 10, "d": 11, "e": 12}


def dry(health: int, days: int) -> list[int]:
    """The health after each of so many days without water."""
    resident, found = Resident(health), []
    for _ in range(days):
        resident = after(resident, paid=None, cap=10)
        found.append(resident.health)
    return found


def test_the_highest_bid_wins() -> None:
    assert allocate({"a": 3, "b": 7, "c": 5}, SAME, 10, "nobody") == ("b",)


def test_a_tie_at_the_top_serves_nobody() -> None:
    assert allocate({"a": 7, "b": 7, "c": 5}, SAME, 10, "nobody") == ()
    assert allocate({"a": 0, "b": 0, "c": 0}, SAME, 10, "nobody") == ()


def test_a_tie_below_the_top_does_not_matter() -> None:
    assert allocate({"a": 7, "b": 5, "c": 5}, SAME, 10, "nobody") == ("a",)


def test_a_tie_that_the_water_can_settle_is_served() -> None:
    assert allocate({"a": 7, "b": 7, "c": 5}, SAME, 20, "nobody") == ("a", "b")
    assert allocate({"a": 7, "b": 5, "c": 5}, SAME, 20, "nobody") == ("a",)


def test_alympics_serves_bids_from_the_top_while_the_water_lasts() -> None:
    bids = {"a": 10, "b": 20, "c": 30, "d": 40, "e": 50}

    assert allocate(bids, ALYMPICS, 12, "need") == ("e",)
    assert allocate(bids, ALYMPICS, 20, "need") == ("e", "a")  # 8 units are left: enough for the need of 8 only
    assert allocate(bids, ALYMPICS, 10, "need") == ("c",)  # 12 and 11 are more than there is
    assert allocate(bids, ALYMPICS, 7, "need") == ()


def test_alympics_serves_the_lower_need_of_equal_bids() -> None:
    assert allocate({"e": 100, "b": 100, "a": 1}, ALYMPICS, 12, "need") == ("b",)
    assert allocate({"b": 100, "c": 100}, ALYMPICS, 19, "need") == ("b", "c")


def test_of_equal_bids_and_needs_the_lower_seat_comes_first() -> None:
    assert allocate({"a": 5, "b": 5, "c": 5}, SAME, 10, "need") == ("a",)


def test_thirst_grows_day_by_day() -> None:
    assert dry(8, 4) == [7, 5, 2, 0]
    assert dry(10, 4) == [9, 7, 4, 0]


def test_water_gives_two_health_up_to_the_cap_and_stills_the_thirst() -> None:
    assert after(Resident(5, 4, 100), paid=30, cap=10) == Resident(7, 1, 70)
    assert after(Resident(9, 1, 100), paid=0, cap=10) == Resident(10, 1, 100)


def test_health_is_never_below_zero_and_the_dead_lose_their_money() -> None:
    assert after(Resident(2, 4, 350), paid=None, cap=10) == Resident(0, 5, 0)
    assert after(Resident(4, 4, 350), paid=None, cap=10) == Resident(0, 5, 0)


@pytest.mark.parametrize(("k", "change"), [(1, 2), (2, 1), (3, -1), (4, -4), (5, -8)])
def test_a_rotation_of_k_changes_health_by_two_less_k_times_k_minus_one_halves(k: int, change: int) -> None:
    """Water once in k days, from a health where neither the cap nor death is met."""
    resident = Resident(40, 1)
    for _ in range(3):
        before = resident.health
        resident = after(resident, paid=0, cap=100)
        for _ in range(k - 1):
            resident = after(resident, paid=None, cap=100)

        assert resident.health - before == change == 2 - k * (k - 1) // 2


@given(
    st.dictionaries(st.sampled_from("abcde"), st.integers(0, 5), min_size=1),
    st.integers(0, 40),
    st.sampled_from(["nobody", "need"]),
)
def test_no_more_water_is_given_than_there_is(bids: dict[str, int], supply: int, ties: Ties) -> None:
    winners = allocate(bids, ALYMPICS, supply, ties)

    assert len(set(winners)) == len(winners)
    assert sum(ALYMPICS[seat] for seat in winners) <= supply
    if ties == "need":  # whoever is left out could not have been served after all higher bids
        for seat in set(bids) - set(winners):
            higher = sum(ALYMPICS[w] for w in winners if (-bids[w], ALYMPICS[w]) <= (-bids[seat], ALYMPICS[seat]))
            assert higher + ALYMPICS[seat] > supply


@given(st.permutations("abcde"), st.lists(st.integers(0, 3), min_size=5, max_size=5), st.integers(0, 40))
def test_without_seat_ties_the_order_of_seats_does_not_matter(order: list[str], bids: list[int], supply: int) -> None:
    plain = dict(zip("abcde", bids, strict=True))
    shuffled = {seat: plain[seat] for seat in order}

    for ties in ("nobody", "need"):
        assert set(allocate(plain, ALYMPICS, supply, ties)) == set(allocate(shuffled, ALYMPICS, supply, ties))
