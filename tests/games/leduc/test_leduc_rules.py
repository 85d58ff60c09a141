"""Leduc's rules, one sentence a test."""

from __future__ import annotations

from fractions import Fraction as F

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.games.leduc.rules import DEALS, MOST_CHIPS, Hand, hand, is_over, left, legal, strength, to_act, won


def h(moves: str) -> tuple[str, ...]:
    """A history from its first letters: k check, b bet, f fold, c call, r raise."""
    words = {"k": "check", "b": "bet", "f": "fold", "c": "call", "r": "raise"}
    return tuple(words[letter] for letter in moves)


@st.composite
def histories(draw: st.DrawFn) -> tuple[str, ...]:
    history: tuple[str, ...] = ()
    while not is_over(history):
        history = (*history, draw(st.sampled_from(legal(history))))
    return history


def test_every_deal_stands_for_its_share_of_the_120() -> None:
    assert len(DEALS) == 24
    assert sum(DEALS.values()) == 1
    assert DEALS["KQJ"] == F(8, 120)
    assert DEALS["JJQ"] == DEALS["JQJ"] == DEALS["QJJ"] == F(4, 120)
    assert "JJJ" not in DEALS


def test_without_a_bet_one_checks_or_bets() -> None:
    for past in ("", "k", "kk", "kkk", "bc", "brck"):
        assert legal(h(past)) == ("check", "bet")


def test_folding_is_legal_only_when_facing_a_bet() -> None:
    assert legal(h("b")) == legal(h("kb")) == legal(h("kkb")) == ("fold", "call", "raise")


def test_there_are_at_most_two_raises_a_round() -> None:
    assert legal(h("br")) == legal(h("kbr")) == ("fold", "call")
    assert legal(h("brcb")) == ("fold", "call", "raise")
    assert legal(h("brcbr")) == ("fold", "call")


def test_the_first_player_acts_first_in_both_rounds() -> None:
    assert [to_act(h(past)) for past in ("", "kk", "bc", "kbc", "brc", "kbrc")] == [0] * 6
    assert [to_act(h(past)) for past in ("k", "b", "kbr", "kkk", "kkb")] == [1] * 5


def test_a_bet_is_two_chips_in_the_first_round_and_four_in_the_second() -> None:
    assert hand(h("b")).chips == (3, 1)
    assert hand(h("br")).chips == (3, 5)
    assert hand(h("kb")).chips == (1, 3)
    assert hand(h("brc")) == Hand(round=1, chips=(5, 5))
    assert hand(h("brcb")).chips == (9, 5)
    assert hand(h("brcbrc")).chips == (13, 13)
    assert MOST_CHIPS == 13


def test_what_a_call_costs() -> None:
    assert [hand(h(past)).owed for past in ("", "b", "br", "kb", "kkb", "kkbr", "kk")] == [0, 2, 2, 2, 4, 4, 0]


def test_who_folds_loses_what_it_put_in() -> None:
    assert won("KQJ", h("bf")) == 1
    assert won("KQJ", h("brf")) == -3
    assert won("KQJ", h("kbf")) == -1
    assert won("JQQ", h("brcbrf")) == -9
    assert hand(h("brf")).folded == 0


@pytest.mark.parametrize(
    ("deal", "chips"),
    [("KQJ", 1), ("QKJ", -1), ("JQJ", 1), ("KJJ", -1), ("QQK", 0), ("QKK", -1), ("KQQ", -1), ("JKK", -1)],
)
def test_a_pair_wins_then_the_higher_card_and_equal_cards_split(deal: str, chips: int) -> None:
    assert won(deal, h("kkkk")) == chips
    assert won(deal, h("bckk")) == 3 * chips


def test_strength_orders_a_pair_above_every_card() -> None:
    assert strength("J", "J") > strength("K", "J") > strength("Q", "J")


def test_the_cards_that_are_left() -> None:
    assert left("J", "J", "K") == ["Q", "Q", "K"]


@given(histories(), st.sampled_from(sorted(DEALS)))
def test_every_hand_ends_and_pays_at_most_thirteen_chips(history: tuple[str, ...], deal: str) -> None:
    end = hand(history)

    assert len(history) <= 8
    assert abs(won(deal, history)) <= min(end.chips) <= 13
    assert end.folded is not None or end.chips[0] == end.chips[1]


@given(histories(), st.sampled_from(sorted(DEALS)))
def test_swapping_the_cards_swaps_a_showdown(history: tuple[str, ...], deal: str) -> None:
    swapped = deal[1] + deal[0] + deal[2]

    if hand(history).folded is None:
        assert won(swapped, history) == -won(deal, history)
    else:
        assert won(swapped, history) == won(deal, history)
