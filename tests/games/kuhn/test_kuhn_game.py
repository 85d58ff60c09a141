"""A Kuhn match at the table: who is told what, what is asked, what is paid, what is measured."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

import arena
from arena.core import ConfigError, Event, IllegalAnswer, Match, record, stream
from arena.games.kuhn.bots import loose, nash, tight
from arena.games.kuhn.rules import DEALS


def played(deal: str, *moves: str) -> Match:
    match = arena.match("kuhn", seed=1, deal=deal)
    for move in moves:
        match.submit(next(iter(match.pending())), move)
    return match


def test_a_called_bet_is_shown_and_paid() -> None:
    match = played("QK", "check", "bet", "call")

    assert match.events == [
        Event(("player_0",), "card", {"card": "Q"}),
        Event(("player_1",), "card", {"card": "K"}),
        Event("*", "action", {"seat": "player_0", "move": "check"}),
        Event("*", "action", {"seat": "player_1", "move": "bet"}),
        Event("*", "action", {"seat": "player_0", "move": "call"}),
        Event("*", "showdown", {"cards": {"player_0": "Q", "player_1": "K"}}),
    ]
    assert match.payoffs == {"player_0": -2.0, "player_1": 2.0}
    assert match.outcome == {"end_reason": "showdown"}


def test_folded_hands_stay_hidden() -> None:
    match = played("QJ", "bet", "fold")

    assert match.payoffs == {"player_0": 1.0, "player_1": -1.0}
    assert match.outcome == {"end_reason": "fold"}
    assert [e.kind for e in match.view("player_1").events] == ["card", "action", "action"]
    assert not any("Q" in str(e.facts) for e in match.view("player_1").events)


def test_an_unusable_answer_checks_if_it_may_and_else_folds() -> None:
    match = arena.match("kuhn", seed=1, deal="KQ")

    assert match.submit_fallback("player_0") == "check"
    match.submit("player_1", "bet")
    assert match.submit_fallback("player_0") == "fold"
    assert match.payoffs == {"player_0": -1.0, "player_1": 1.0}


@pytest.mark.parametrize("answer", ["call", "Bet", "be", "", 1, None, ["bet"], {"move": "bet"}])
def test_only_an_exact_label_is_legal(answer: object) -> None:
    match = arena.match("kuhn", seed=1)

    with pytest.raises(IllegalAnswer):
        match.submit("player_0", answer)
    assert not match.turns


@pytest.mark.parametrize("deal", ["KK", "K", "kq", "KQJ", ""])
def test_an_impossible_deal_is_refused(deal: str) -> None:
    with pytest.raises(ConfigError, match="deal must be one of"):
        arena.match("kuhn", seed=1, deal=deal)


def test_a_fixed_deal_is_no_public_rule() -> None:
    assert played("KQ").rules == {}


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
def test_paired_matches_share_the_cards(deal_seed: int, seed: int) -> None:
    one, other = (arena.match("kuhn", seed=s, deal_seed=deal_seed) for s in (seed, seed + 1))

    assert one.events == other.events


def test_all_six_deals_come_equally_often() -> None:
    counts = dict.fromkeys(DEALS, 0)
    for seed in range(3000):
        match = arena.match("kuhn", seed=seed)
        counts["".join(e.facts["card"] for e in match.events)] += 1

    assert all(400 <= count <= 600 for count in counts.values())


@given(st.sampled_from(DEALS), st.integers(0, 10**6))
def test_random_play_ends_within_bounds_and_replays(deal: str, seed: int) -> None:
    rng = stream(seed)
    match = arena.match("kuhn", seed=seed, deal=deal)
    while not match.done:
        ((seat, ask),) = match.pending().items()
        assert match.view(seat).messages()[-1]["role"] == "user"
        match.submit(seat, ask.sample(rng))

    assert match.payoffs is not None
    assert sum(match.payoffs.values()) == 0
    assert max(match.payoffs.values()) in (1, 2)
    assert record(arena.match(record=record(match))) == record(match)


@given(st.integers(0, 10**6), st.sampled_from(["player_0", "player_1"]))
def test_worlds_that_a_seat_cannot_tell_apart_look_the_same(seed: int, seat: str) -> None:
    match = arena.match("kuhn", seed=seed)
    for one, other in match.game.twins(seed, seat):
        assert one.view(seat).events == other.view(seat).events
        assert one.pending() == other.pending()
        assert one.events[:2] != other.events[:2]


def test_a_model_reads_its_card_and_the_bets_only() -> None:
    match = played("KQ", "check", "bet")

    messages = match.view("player_0").messages()
    assert [m["role"] for m in messages] == ["system", "user", "assistant", "user"]
    assert "Your card is K." in messages[1]["content"]
    assert messages[-1]["content"].endswith('Answer with one of: "fold" | "call"')
    assert "Q" not in "".join(m["content"] for m in messages[1:])


def test_metrics_by_hand() -> None:
    """player_0 bluffs with the jack, player_1 folds the queen; the second hand is checked through."""
    assert played("JQ", "bet", "fold").metrics() == {
        "bluff_player_0": 1.0,
        "aggression_player_0": 1.0,
        "bluff_player_1": None,
        "aggression_player_1": 0.0,
    }
    assert played("QJ", "check", "check").metrics() == {
        "bluff_player_0": None,
        "aggression_player_0": 0.0,
        "bluff_player_1": 0.0,
        "aggression_player_1": 0.0,
    }


@pytest.mark.parametrize("bots", [(nash, nash), (loose, tight)])
def test_scripted_matches_are_fast(bots: tuple[object, object]) -> None:
    """The target is 5,000 matches a second of CPU."""
    n, began = 1500, time.process_time()
    for seed in range(n):
        match, rng = arena.match("kuhn", seed=seed), stream(seed, "bots")
        while not match.done:
            ((seat, ask),) = match.pending().items()
            match.submit(seat, bots[seat == "player_1"](match.view(seat), ask, rng))  # type: ignore[operator]

    assert n / (time.process_time() - began) >= 5000
