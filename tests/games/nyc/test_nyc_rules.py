"""The rules as sentences: claims, meetings, credit, payoffs."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.core import Rng
from arena.core.seeds import stream
from arena.games.nyc.generator import midtown
from arena.games.nyc.rules import (
    Credit,
    Truth,
    blue_payoffs,
    credit_after,
    meetings,
    own_share,
    red_payoff,
    street_class,
    truth_of,
)


@pytest.mark.parametrize(("boards", "word"), [(0, "clear"), (1, "some"), (2, "some"), (3, "heavy"), (5, "heavy")])
def test_a_street_is_clear_some_or_heavy_by_its_billboards(boards: int, word: str) -> None:
    assert street_class(boards) == word


# At Times Square (3), bound for the Plaza (14): 10 Rockefeller Center is 3 minutes with 5 boards, 6 in all; 13
# Carnegie Hall 4 minutes with 4 boards, 6 in all; 9 Hell's Kitchen 3 minutes with 1 board, 10 in all.
EXITS = midtown(2).to(14).exits(3)
BY_HEAD = {e.head: e for e in EXITS}


@pytest.mark.parametrize(
    ("head", "boards", "fastest", "truth"),
    [
        (10, "heavy", "yes", Truth(True, True)),
        (10, "clear", "no", Truth(False, False)),
        (13, "clear", "yes", Truth(False, True)),  # two exits arrive at the same minute: both are fastest
        (9, "some", "yes", Truth(True, False)),
        (9, "unknown", "no", Truth(None, True)),
        (9, "some", "unknown", Truth(True, None)),
    ],
)
def test_a_claim_is_true_or_false_by_the_map(head: int, boards: str, fastest: str, truth: Truth) -> None:
    assert truth_of(boards, fastest, BY_HEAD[head], EXITS) == truth


def test_without_a_street_nothing_is_claimed() -> None:
    assert truth_of("unknown", "unknown", None, EXITS) == Truth(None, None)


@given(
    st.integers(0, 2**40),
    st.integers(1, 6),
    st.integers(1, 4),
    st.integers(0, 100),
    st.integers(0, 100),
    st.data(),
)
def test_meetings_keep_the_rules(
    seed: int, n_blue: int, n_red: int, p_meet: int, red_rate: int, data: st.DataObject
) -> None:
    travelling = data.draw(st.lists(st.integers(0, n_blue - 1), unique=True).map(sorted))
    met = meetings(stream(seed, "meet"), travelling, n_blue, n_red, p_meet, red_rate)

    assert set(met) <= set(travelling)
    assert all(blue != adviser for blue, adviser in met.items())
    assert len(set(met.values())) == len(met)
    assert red_rate or all(adviser < n_blue for adviser in met.values())
    assert p_meet or not met
    if p_meet == 100 and red_rate and len(travelling) <= n_red:
        assert set(met) == set(travelling)  # a Red is free for everybody


def test_with_red_rate_100_reds_serve_while_they_last_and_then_blues() -> None:
    for seed in range(50):
        met = meetings(stream(seed, "meet"), [0, 1, 2], 3, 2, 100, 100)

        assert len(met) == 3
        assert sorted(adviser for adviser in met.values() if adviser >= 3) == [3, 4]


def test_half_of_those_met_are_red_at_red_rate_50_while_both_colours_are_free() -> None:
    rng = stream(1, "meet")
    met = Counter(adviser >= 3 for _ in range(4000) for adviser in meetings(rng, [0], 3, 2, 100, 50).values())

    assert met[True] + met[False] == 4000
    assert abs(met[True] - 2000) < 150


def test_a_meeting_is_drawn_in_the_published_order() -> None:
    class Script(Rng):
        """A stream that gives these integers, and shuffles nothing."""

        given = [0, 99, 1, 80, 79, 49, 0]

        def below(self, n: int) -> int:
            return Script.given.pop(0)

        def shuffle(self, x: object) -> None:
            pass

    # Blue 0: met (0 < 80); not red (99 >= 50); free Blues are 1 and 2, the second advises. Blue 1: not met (80).
    # Blue 2: met (79 < 80); red (49 < 50); the first Red advises.
    assert meetings(Script(), [0, 1, 2], 3, 2, 80, 50) == {0: 2, 2: 3}
    assert Script.given == []


def test_a_followed_red_tip_gives_credit_for_window_moves() -> None:
    assert credit_after(None, (4, 7), True, 2) == Credit(red=4, tip=7, moves=2)


def test_a_tip_that_is_not_followed_or_comes_from_a_blue_ends_credit() -> None:
    old = Credit(3, 1, 1)

    assert credit_after(old, (4, 7), False, 2) is None
    assert credit_after(old, (-1, 7), True, 2) is None
    assert credit_after(old, (-1, 7), False, 2) is None


def test_without_a_tip_credit_stays() -> None:
    assert credit_after(Credit(3, 1, 1), None, False, 2) == Credit(3, 1, 1)
    assert credit_after(None, None, False, 2) is None


def test_own_is_best_cost_over_cost_and_nothing_for_the_late() -> None:
    assert own_share(16, 39, True) == Fraction(16, 39)
    assert own_share(16, 39, False) == 0
    assert own_share(16, 0, False) == 0  # late without a step


def test_each_blue_gains_a_quarter_of_the_mean() -> None:
    assert blue_payoffs([Fraction(1), Fraction(1, 2), Fraction(0)], 0.25) == [0.875, 0.5, 0.125]


def test_a_red_is_paid_by_the_billboards_of_the_best_routes_length() -> None:
    assert red_payoff(23, 4) == 23 / 20
