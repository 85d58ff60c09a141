"""A GOPS match at the table: what is told, asked, paid and measured."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import arena
from arena.core import ConfigError, Event, IllegalAnswer, Match, record, stream
from arena.games.gops.bots import BOTS, match_prize, prize_plus_one, top_down
from arena.games.gops.game import Gops

PRESETS = sorted(Gops.presets)


def played(deal: list[int], *bids: tuple[int, int], **config: Any) -> Match:
    match = arena.match("gops", seed=1, n=len(deal), deal=deal, **config)
    for first, second in bids:
        match.submit("player_0", str(first))
        match.submit("player_1", str(second))
    return match


def finish(match: Match, seed: int) -> None:
    rng = stream(seed)
    while not match.done:
        for seat, ask in list(match.pending().items()):
            assert match.view(seat).messages()[-1]["role"] == "user"
            match.submit(seat, ask.sample(rng))


def test_a_match_of_three_prizes() -> None:
    match = played([2, 3, 1], (1, 1), (3, 2))

    first = {"player_0": [1, 2, 3], "player_1": [1, 2, 3]}
    none = {"player_0": 0, "player_1": 0}
    assert match.events[:3] == [
        Event("*", "prize", {"round": 1, "value": 2, "at_stake": 2, "hands": first, "scores": none}),
        Event(
            "*",
            "bids",
            {
                "round": 1,
                "value": 2,
                "bids": {"player_0": 1, "player_1": 1},
                "winner": None,
                "points": 0,
                "carried": 2,
                "lost": 0,
                "scores": none,
            },
        ),
        Event(
            "*",
            "prize",
            {
                "round": 2,
                "value": 3,
                "at_stake": 5,
                "hands": {"player_0": [2, 3], "player_1": [2, 3]},
                "scores": none,
            },
        ),
    ]
    assert match.events[3].facts["winner"] == "player_0"
    assert match.events[3].facts["points"] == 5
    assert match.payoffs == {"player_0": 4 / 6, "player_1": -4 / 6}


def test_the_forced_last_cards_are_played_without_asking() -> None:
    match = played([2, 3, 1], (1, 1), (3, 2))

    assert len(match.turns) == 4
    assert match.events[-1].facts["bids"] == {"player_0": 2, "player_1": 3}
    assert match.done


def test_points_tied_at_the_end_are_told_as_lost() -> None:
    match = played([1, 2, 3], (2, 1), (1, 2))

    assert match.events[-1].facts == {
        "round": 3,
        "value": 3,
        "bids": {"player_0": 3, "player_1": 3},
        "winner": None,
        "points": 0,
        "carried": 0,
        "lost": 3,
        "scores": {"player_0": 1, "player_1": 2},
    }
    assert match.payoffs == {"player_0": -1 / 6, "player_1": 1 / 6}


def test_without_the_carry_the_next_prize_stands_alone() -> None:
    match = played([2, 3, 1], (1, 1), carry=False)

    assert match.events[1].facts["lost"] == 2
    assert match.events[2].facts["at_stake"] == 3


def test_a_card_is_gone_once_played() -> None:
    match = played([2, 3, 1], (1, 2))

    assert match.pending()["player_0"].options == ("2", "3")
    assert match.pending()["player_1"].options == ("1", "3")
    with pytest.raises(IllegalAnswer):
        match.submit("player_0", "1")


@pytest.mark.parametrize("answer", [1, "4", "0", "1.0", "01", "", None, ["1"]])
def test_only_a_card_of_the_hand_is_legal(answer: object) -> None:
    match = played([2, 3, 1])

    with pytest.raises(IllegalAnswer):
        match.submit("player_0", answer)


def test_an_unusable_answer_plays_the_lowest_card() -> None:
    match = played([2, 3, 1])
    match.submit("player_1", "3")

    assert match.submit_fallback("player_0") == "1"
    assert match.events[1].facts["winner"] == "player_1"


def test_nobody_sees_a_card_before_both_have_played() -> None:
    match, other = played([2, 3, 1]), played([2, 3, 1])
    before = list(match.view("player_1").events)
    match.submit("player_0", "3")
    other.submit("player_1", "2")

    assert match.view("player_1").events == before
    match.submit("player_1", "2")
    other.submit("player_0", "3")
    assert record(match) == record(other)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"n": 1}, "n must be at least 2"),
        ({"n": 14}, "at most 13"),
        ({"n": 3, "deal": [1, 2]}, "deal must hold each of 1 to 3 once"),
        ({"n": 3, "deal": [1, 2, 2]}, "deal must hold each of 1 to 3 once"),
        ({"n": 3.0}, "n must be an integer"),
    ],
)
def test_a_config_that_cannot_be_played_is_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        arena.match("gops", seed=1, **config)


def test_the_order_of_the_prizes_is_no_public_rule() -> None:
    assert played([2, 3, 1]).rules == {"n": 3, "carry": True}


def test_paired_matches_share_the_order_of_the_prizes() -> None:
    for deal_seed in range(20):
        one, other = (arena.match("gops", seed=s, deal_seed=deal_seed) for s in (1, 2))
        for match in (one, other):
            while not match.done:
                for seat, ask in list(match.pending().items()):
                    match.submit(seat, (ask.options or ())[0])
        assert one.events == other.events


@pytest.mark.parametrize("preset", PRESETS)
@given(seed=st.integers(0, 10**6))
def test_random_play_of_every_preset_ends_renders_and_replays(preset: str, seed: int) -> None:
    match = arena.match(f"gops/{preset}", seed=seed)
    finish(match, seed)

    assert match.payoffs is not None
    assert match.payoffs["player_0"] == -match.payoffs["player_1"]
    assert -1 <= match.payoffs["player_0"] <= 1
    assert all(match.view(seat).messages() for seat in match.seats)
    assert record(arena.match(record=record(match))) == record(match)


@pytest.mark.parametrize("preset", PRESETS)
@given(seed=st.integers(0, 10**6), seat=st.sampled_from(["player_0", "player_1"]))
def test_worlds_that_a_seat_cannot_tell_apart_look_the_same(preset: str, seed: int, seat: str) -> None:
    match = arena.match(f"gops/{preset}", seed=seed)
    for one, other in match.game.twins(seed, seat):
        assert one.view(seat).events == other.view(seat).events
        assert one.pending().keys() == other.pending().keys() == {seat}
        ask = one.pending()[seat]
        card = ask.sample(stream(seed))
        for world in (one, other):
            world.submit(seat, card)
        assert one.view(seat).events != other.view(seat).events  # the other seat had played another card


@given(seed=st.integers(0, 10**6), rounds=st.integers(0, 5))
def test_a_drawn_world_agrees_with_all_that_was_played(seed: int, rounds: int) -> None:
    rng = stream(seed)
    match = arena.match("gops", seed=seed)
    for _ in range(rounds):
        for seat, ask in list(match.pending().items()):
            match.submit(seat, ask.sample(rng))
    world = match.game.worlds(match.view("player_0"), rng)

    assert world is not None
    assert world.events[: len(match.events)] == match.events
    assert world.pending() == match.pending()
    assert world.rules == match.rules


def test_a_model_reads_hands_scores_and_points_at_stake() -> None:
    match = played([2, 3, 1], (1, 1))

    assert match.view("player_1").messages()[-1]["content"] == (
        "Round 1: player_0 played 1, you played 1. The cards are equal: 2 points stay at stake.\n"
        "Round 2 of 3: the prize is 3. With the points carried over, 5 points are at stake.\n"
        "player_0 holds 2, 3. Points: 0.\n"
        "You hold 2, 3. Points: 0.\n"
        "Which card do you play for the 5 points at stake?\n"
        'Answer with one of: "2" | "3"'
    )


def test_what_the_scripted_players_bid() -> None:
    rng = stream(1)
    for prize, matched, plus_one in ((1, "1", "2"), (3, "3", "4"), (4, "4", "1")):
        match = played([prize, *[card for card in (1, 2, 3, 4) if card != prize]])
        view, ask = match.view("player_0"), match.pending()["player_0"]

        assert match_prize(view, ask, rng) == matched
        assert prize_plus_one(view, ask, rng) == plus_one
        assert top_down(view, ask, rng) == "4"


def test_a_plan_whose_card_is_gone_takes_the_next_higher_one() -> None:
    match = played([1, 3, 2, 4], (3, 1))

    assert match_prize(match.view("player_0"), match.pending()["player_0"], stream(1)) == "4"


@pytest.mark.parametrize("name", BOTS)
def test_every_scripted_player_finishes_against_random_play(name: str) -> None:
    for preset in PRESETS:
        match, rng = arena.match(f"gops/{preset}", seed=3), stream(3)
        while not match.done:
            for seat, ask in list(match.pending().items()):
                bot = BOTS[name]
                match.submit(seat, bot(match.view(seat), ask, rng) if seat == "player_0" else ask.sample(rng))
        assert match.payoffs


def test_metrics_by_hand() -> None:
    """Prizes 2, 3, 1, 4; bids 2-1, 3-3, 1-4, 4-2: player_0 takes 2 and 4, player_1 the carried 3 and the 1."""
    match = played([2, 3, 1, 4], (2, 1), (3, 3), (1, 4))

    assert match.payoffs == {"player_0": 0.2, "player_1": -0.2}
    assert match.metrics() == {
        "tie_rate": 0.25,
        "lost_points": 0.0,
        "points_player_0": 6.0,
        "overbid_player_0": 1.5,  # 2 over 1, and 4 over 2 in the forced round
        "matched_player_0": 1.0,
        "points_player_1": 4.0,
        "overbid_player_1": 3.0,
        "matched_player_1": 1 / 3,
    }
