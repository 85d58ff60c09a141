"""A Leduc match at the table: who is told what, what is asked, what is paid, what is measured."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import arena
from arena.core import ConfigError, Event, IllegalAnswer, Match, record, stream
from arena.games.leduc.bots import BOTS, loose, tight
from arena.games.leduc.metrics import is_behind
from arena.games.leduc.rules import DEALS


def played(deal: str, *moves: str) -> Match:
    match = arena.match("leduc", seed=1, deal=deal)
    for move in moves:
        match.submit(next(iter(match.pending())), move)
    return match


def test_a_hand_from_deal_to_showdown() -> None:
    match = played("QKQ", "check", "bet", "call", "bet", "raise", "call")

    assert match.events == [
        Event(("player_0",), "card", {"card": "Q"}),
        Event(("player_1",), "card", {"card": "K"}),
        Event("*", "action", {"seat": "player_0", "move": "check", "pot": 2, "owed": 0}),
        Event("*", "action", {"seat": "player_1", "move": "bet", "pot": 4, "owed": 2}),
        Event("*", "action", {"seat": "player_0", "move": "call", "pot": 6, "owed": 0}),
        Event("*", "public", {"card": "Q"}),
        Event("*", "action", {"seat": "player_0", "move": "bet", "pot": 10, "owed": 4}),
        Event("*", "action", {"seat": "player_1", "move": "raise", "pot": 18, "owed": 4}),
        Event("*", "action", {"seat": "player_0", "move": "call", "pot": 22, "owed": 0}),
        Event("*", "showdown", {"cards": {"player_0": "Q", "player_1": "K"}, "public": "Q"}),
    ]
    assert match.payoffs == {"player_0": 11.0, "player_1": -11.0}
    assert match.outcome == {"end_reason": "showdown"}


def test_folded_hands_and_the_unseen_card_stay_hidden() -> None:
    match = played("QKJ", "bet", "fold")

    assert match.payoffs == {"player_0": 1.0, "player_1": -1.0}
    assert [e.kind for e in match.events] == ["card", "card", "action", "action"]
    assert match.outcome == {"end_reason": "fold"}


def test_equal_cards_split_the_pot() -> None:
    assert played("QQK", "bet", "call", "check", "check").payoffs == {"player_0": 0.0, "player_1": 0.0}


def test_an_unusable_answer_checks_if_it_may_and_else_folds() -> None:
    match = arena.match("leduc", seed=1, deal="KQJ")

    assert match.submit_fallback("player_0") == "check"
    match.submit("player_1", "bet")
    assert match.submit_fallback("player_0") == "fold"
    assert match.payoffs == {"player_0": -1.0, "player_1": 1.0}


@pytest.mark.parametrize("answer", ["raise", "fold", "call", "BET", "b", "", 0, None])
def test_a_move_that_is_not_offered_is_illegal(answer: object) -> None:
    match = arena.match("leduc", seed=1)

    with pytest.raises(IllegalAnswer):
        match.submit("player_0", answer)
    assert not match.turns


@pytest.mark.parametrize("deal", ["JJJ", "KQ", "KQA", "kqj", "KQJJ"])
def test_an_impossible_deal_is_refused(deal: str) -> None:
    with pytest.raises(ConfigError, match="deal must be one of"):
        arena.match("leduc", seed=1, deal=deal)


def test_a_fixed_deal_is_no_public_rule() -> None:
    assert played("KQJ").rules == {}


def test_paired_matches_share_the_deck() -> None:
    for deal_seed in range(50):
        one, other = (arena.match("leduc", seed=s, deal_seed=deal_seed) for s in (1, 2))
        for match in (one, other):
            for _ in range(4):
                match.submit(next(iter(match.pending())), "check")
        assert one.events == other.events


def test_deals_come_by_their_shares() -> None:
    counts = dict.fromkeys(DEALS, 0)
    for seed in range(6000):
        match = arena.match("leduc", seed=seed)
        match.submit("player_0", "check")
        match.submit("player_1", "check")
        counts["".join(e.facts["card"] for e in match.events if "card" in e.facts)] += 1

    assert all(300 <= counts[deal] <= 500 for deal, share in DEALS.items() if share * 120 == 8)
    assert all(130 <= counts[deal] <= 270 for deal, share in DEALS.items() if share * 120 == 4)


@given(st.sampled_from(sorted(DEALS)), st.integers(0, 10**6))
def test_random_play_ends_renders_and_replays(deal: str, seed: int) -> None:
    rng = stream(seed)
    match = arena.match("leduc", seed=seed, deal=deal)
    while not match.done:
        ((seat, ask),) = match.pending().items()
        assert match.view(seat).messages()[-1]["role"] == "user"
        match.submit(seat, ask.sample(rng))

    assert match.payoffs is not None
    assert sum(match.payoffs.values()) == 0
    assert max(match.payoffs.values()) <= 13
    assert all(match.view(seat).messages() for seat in match.seats)
    assert record(arena.match(record=record(match))) == record(match)


@given(st.integers(0, 10**6), st.sampled_from(["player_0", "player_1"]))
def test_worlds_that_a_seat_cannot_tell_apart_look_the_same(seed: int, seat: str) -> None:
    match = arena.match("leduc", seed=seed)
    for one, other in match.game.twins(seed, seat):
        assert one.view(seat).events == other.view(seat).events
        assert one.pending() == other.pending()
        assert one.events[:2] != other.events[:2]


@given(st.integers(0, 10**6), st.integers(0, 6))
def test_a_drawn_world_agrees_with_all_that_the_seat_saw(seed: int, moves: int) -> None:
    rng = stream(seed)
    match = arena.match("leduc", seed=seed)
    for _ in range(moves):
        if not match.done:
            ((seat, ask),) = match.pending().items()
            match.submit(seat, ask.sample(rng))
    for seat in match.seats:
        world = match.game.worlds(match.view(seat), rng)
        assert world is not None
        assert world.view(seat).events == match.view(seat).events
        assert world.pending() == match.pending()
        assert world.payoffs == match.payoffs or match.payoffs is None


def test_worlds_are_drawn_by_the_cards_that_are_left() -> None:
    """Holding K with J open: the other holds Q twice as often as J or K."""
    match, rng = played("KQJ", "check", "check"), stream(5)
    others = {"J": 0, "Q": 0, "K": 0}
    for _ in range(2000):
        world = match.game.worlds(match.view("player_0"), rng)
        assert world is not None
        others[world.view("player_1").events[0].facts["card"]] += 1

    assert 900 <= others["Q"] <= 1100
    assert 420 <= others["J"] <= 580
    assert 420 <= others["K"] <= 580


def test_a_model_reads_what_a_call_costs() -> None:
    match = played("KQJ", "check", "bet", "call", "bet")

    messages = match.view("player_1").messages()
    assert messages[-1]["content"] == (
        "You: bet. The pot holds 4 chips.\n"
        "player_0: call. The pot holds 6 chips.\n"
        "The card on the table is J.\n"
        "player_0: bet. The pot holds 10 chips.\n"
        "Your opponent has bet. A call costs you 4 chips. What do you do?\n"
        'Answer with one of: "fold" | "call" | "raise"'
    )
    assert "K" not in "".join(m["content"] for m in messages[1:])


def test_a_loose_player_never_folds_and_a_tight_one_folds_a_jack() -> None:
    match, rng = played("KJQ", "bet"), stream(2)
    ((seat, ask),) = match.pending().items()

    assert {loose(match.view(seat), ask, rng) for _ in range(50)} == {"call", "raise"}
    assert tight(match.view(seat), ask, rng) == "fold"


@pytest.mark.parametrize(
    ("deal", "moves", "wanted"),
    [
        ("KJQ", (), "bet"),
        ("JKQ", (), "check"),
        ("KJQ", ("check", "bet"), "raise"),
        ("JQJ", ("check", "check"), "bet"),
        ("KQJ", ("check", "check", "check", "bet"), "call"),
        ("KQJ", ("check", "check", "bet"), "fold"),
        ("QKJ", ("check", "check", "bet"), "call"),
        ("QKJ", ("check", "check", "check", "bet"), "fold"),
    ],
)
def test_what_the_tight_player_does(deal: str, moves: tuple[str, ...], wanted: str) -> None:
    match = played(deal, *moves)
    ((seat, ask),) = match.pending().items()

    assert tight(match.view(seat), ask, stream(1)) == wanted


@pytest.mark.parametrize("name", BOTS)
def test_every_scripted_player_finishes_against_random_play(name: str) -> None:
    for seed in range(60):
        match, rng = arena.match("leduc", seed=seed), stream(seed)
        while not match.done:
            ((seat, ask),) = match.pending().items()
            answer = BOTS[name](match.view(seat), ask, rng) if seat == "player_1" else ask.sample(rng)
            match.submit(seat, answer)
        assert match.payoffs


def test_metrics_by_hand() -> None:
    """player_0: check, raise, bet, fold = 2 of 4 aggressive; it raised a queen (even before the public card) and
    bet it with a jack open (behind: a jack or a king beats it); it folded 1 of the 2 times it faced a bet."""
    match = played("QKJ", "check", "bet", "raise", "call", "bet", "raise", "fold")

    assert match.metrics() == {
        "showdown": 0.0,
        "aggression_player_0": 0.5,
        "fold_rate_player_0": 0.5,
        "bluff_player_0": 0.5,
        "aggression_player_1": 2 / 3,
        "fold_rate_player_1": 0.0,
        "bluff_player_1": 0.0,
    }


def test_a_jack_without_a_pair_is_a_bluff() -> None:
    assert is_behind("J", None)
    assert not is_behind("K", None)
    assert is_behind("J", "K")
    assert not is_behind("J", "J")
    assert played("JKQ", "bet", "fold").metrics()["bluff_player_0"] == 1.0
    assert played("JKQ", "check", "check", "check", "check").metrics()["bluff_player_0"] is None
