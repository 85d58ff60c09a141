"""Kuhn's rules, one sentence a test."""

from __future__ import annotations

import pytest

from arena.games.kuhn.rules import BET, DEALS, PASS, folded, is_over, legal, plain, to_act, won

ENDS = {
    (PASS, PASS): 1,
    (BET, BET): 2,
    (PASS, BET, BET): 2,
}


def test_the_six_deals_give_each_player_another_card() -> None:
    assert sorted(DEALS) == ["JK", "JQ", "KJ", "KQ", "QJ", "QK"]


def test_without_a_bet_one_checks_or_bets() -> None:
    assert legal(()) == legal((PASS,)) == ("check", "bet")


def test_facing_a_bet_one_folds_or_calls() -> None:
    assert legal((BET,)) == legal((PASS, BET)) == ("fold", "call")


def test_a_call_is_a_bet_and_a_fold_is_a_pass() -> None:
    assert [plain(move) for move in ("check", "fold", "bet", "call")] == [PASS, PASS, BET, BET]


def test_the_first_player_acts_again_only_after_check_and_bet() -> None:
    assert [to_act(h) for h in ((), (PASS,), (BET,), (PASS, BET))] == [0, 1, 1, 0]
    assert not is_over((PASS, BET))


def test_five_betting_sequences_end_the_hand() -> None:
    ends = [(PASS, PASS), (PASS, BET, PASS), (PASS, BET, BET), (BET, PASS), (BET, BET)]

    assert all(is_over(history) for history in ends)
    assert not any(is_over(history[:-1]) for history in ends)


@pytest.mark.parametrize(("history", "stake"), ENDS.items())
def test_at_a_showdown_the_higher_card_wins_the_stake(history: tuple[str, ...], stake: int) -> None:
    assert won("KQ", history) == won("KJ", history) == won("QJ", history) == stake
    assert won("QK", history) == won("JK", history) == won("JQ", history) == -stake
    assert folded(history) is None


@pytest.mark.parametrize("deal", DEALS)
def test_who_folds_loses_the_ante_whatever_the_cards(deal: str) -> None:
    assert won(deal, (BET, PASS)) == 1
    assert folded((BET, PASS)) == 1
    assert won(deal, (PASS, BET, PASS)) == -1
    assert folded((PASS, BET, PASS)) == 0
