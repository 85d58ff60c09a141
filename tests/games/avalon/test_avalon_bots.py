"""All scripted players: how strong they are, that they answer legally and fast, and touch only their own stream."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np
import pytest

import arena
from arena.core import Match, stream
from arena.core.bots import Bot
from arena.games.avalon.bots import BOTS
from arena.games.avalon.game import Avalon

PRESETS = sorted(Avalon.presets)
NAIVE, BAYES = BOTS["naive"], BOTS["bayes"]


def play(match: Match, bots: dict[str, Bot] | Bot, seed: int = 0) -> Match:
    """Each seat, or each side, by its bot."""
    rng = stream("bots", seed)
    while not match.done:
        for seat, ask in list(match.pending().items()):
            bot = bots[match.sides[seat]] if isinstance(bots, dict) else bots
            match.submit(seat, bot(match.view(seat), ask, rng))
    return match


def good_won(match: Match) -> bool:
    return bool(match.outcome["winner_team"] == "good")


# --- strength -------------------------------------------------------------------------------------------------------

# good wins, three successes, proposals a match of the published engine's baselines (400 matches each)
ANCHORS = {
    5: (0.340, 0.56, 7.5, 0.06),
    6: (0.453, 0.58, 12.5, 0.06),
    7: (0.035, 0.037, 5.1, 0.03),
    8: (0.022, 0.025, 5.6, 0.03),
    9: (0.035, 0.043, 6.5, 0.03),
}


def check_anchor(players: int, deals: int) -> None:
    wins, successes, proposals, margin = ANCHORS[players]
    matches = [
        play(arena.match(f"avalon/p{players}", seed=s, fifth_reject="auto_pass", talk_rounds=0), NAIVE, s)
        for s in range(deals)
    ]
    reached = [m.turns[-1].ask.name == "assassinate" for m in matches]
    made = sum(sum(e.kind == "proposed" for e in m.events) for m in matches)

    assert abs(sum(map(good_won, matches)) / deals - wins) < margin
    assert abs(sum(reached) / deals - successes) < margin
    assert abs(made / deals / proposals - 1) < 0.1


@pytest.mark.parametrize("players", ANCHORS)
def test_naive_against_naive_plays_like_the_published_baselines(players: int) -> None:
    check_anchor(players, 400)


@pytest.mark.long
@pytest.mark.parametrize("players", ANCHORS)
def test_2_000_naive_matches_play_like_the_published_baselines(players: int) -> None:
    check_anchor(players, 2000)


def gain(players: int, deals: int) -> tuple[float, float]:
    """How much oftener good wins as Bayes than as naive on the same deals against naive evil; the 95 % half-width."""
    differences = []
    for seed in range(deals):
        won = []
        for bot in (BAYES, NAIVE):
            match = arena.match(f"avalon/p{players}", seed=seed, talk_rounds=0)
            won.append(good_won(play(match, {"good": bot, "evil": NAIVE}, seed)))
        differences.append(won[0] - won[1])
    mean = sum(differences) / deals
    return mean, 1.96 * sqrt(sum((d - mean) ** 2 for d in differences) / (deals - 1) / deals)


def check_gain(players: int, deals: int) -> None:
    mean, half = gain(players, deals)

    assert mean - half >= (0.10 if players >= 7 else -0.02)


@pytest.mark.parametrize("players", [5, 7, 9])
def test_bayes_beats_naive_as_good(players: int) -> None:
    check_gain(players, 150)


@pytest.mark.long
@pytest.mark.parametrize("players", [5, 6, 7, 8, 9, 10])
def test_bayes_beats_naive_as_good_on_1_000_paired_deals(players: int) -> None:
    check_gain(players, 1000)


# --- good behaviour -------------------------------------------------------------------------------------------------


def mixed(preset: str, seed: int) -> Match:
    """A match in which each seat is a bot drawn by the seed; every answer must be legal."""
    match, rng = arena.match(f"avalon/{preset}", seed=seed), stream("mixed", seed)
    names = [*BOTS, None]
    players: dict[str, Callable[..., Any] | None] = {}
    for seat in match.seats:
        name = rng.choice(names)
        players[seat] = BOTS[name] if name else None
    while not match.done:
        for seat, ask in list(match.pending().items()):
            bot = players[seat]
            match.submit(seat, bot(match.view(seat), ask, rng) if bot else ask.sample(rng))
    return match


@pytest.mark.parametrize("preset", PRESETS)
def test_all_bots_answer_legally_in_any_company(preset: str) -> None:
    for seed in range(15):
        assert mixed(preset, seed).payoffs


@pytest.mark.long
@pytest.mark.parametrize("preset", PRESETS)
def test_all_bots_answer_legally_in_10_000_matches(preset: str) -> None:
    for seed in range(10_000):
        assert mixed(preset, seed).payoffs


@pytest.mark.parametrize(
    "config", [{"lady": True}, {"evil_talk": True}, {"propose_first": True, "talk_every": "quest"}]
)
def test_bots_know_every_ask(config: dict[str, Any]) -> None:
    for bot in BOTS.values():
        for seed in range(4):
            match = play(arena.match("avalon/full8", seed=seed, elicit_beliefs="quest", **config), bot, seed)
            assert match.payoffs


def test_neither_the_game_nor_a_bot_touches_the_process_wide_random_state() -> None:
    random.seed(99)
    np.random.seed(99)  # the global state is what is watched
    before = random.getstate(), np.random.get_state()[1].tolist()  # type: ignore[index]
    for seed in range(6):
        mixed("full10", seed)

    assert (random.getstate(), np.random.get_state()[1].tolist()) == before  # type: ignore[index]


def test_bots_answer_the_same_from_a_replayed_view() -> None:
    match = play(arena.match("avalon/full7", seed=8), BAYES, 8)
    again = arena.match("avalon/full7", seed=8)
    for turn in match.turns:
        fresh = arena.match(record=arena.core.record(again)) if turn.turn % 40 == 0 else again
        for bot in BOTS.values():
            ask = again.pending()[turn.seat]
            answers = [bot(m.view(turn.seat), ask, stream(turn.turn)) for m in (again, fresh)]
            assert answers[0] == answers[1]
        again.submit(turn.seat, turn.answer)
    assert again.payoffs == match.payoffs


# --- speed ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("preset", "bot", "most_ms"), [("p5", "naive", 3), ("p5", "bayes", 3), ("p10", "naive", 15)])
def test_fast_enough_for_thousands_of_matches(preset: str, bot: str, most_ms: float) -> None:
    """CPU time a match; the margin is for a busy machine."""
    play(arena.match(f"avalon/{preset}", seed=0), BOTS[bot])
    best = float("inf")
    for start in (0, 20, 40):
        began = time.process_time()
        for seed in range(start, start + 20):
            play(arena.match(f"avalon/{preset}", seed=seed), BOTS[bot], seed)
        best = min(best, (time.process_time() - began) / 20)

    assert best * 1000 < 2 * most_ms
