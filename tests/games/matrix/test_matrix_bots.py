"""Scripted players: exact totals, extortion, learning without regret, and a legal answer to every ask."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction as F
from typing import Any

import pytest

import arena
from arena.core import ConfigError, Match
from arena.games.matrix.bots import ALIASES, BOTS
from arena.games.matrix.presets import PRESETS

Play = Callable[..., Match]

# Ten rounds of T 5, R 3, P 1, S 0: both totals are exact.
TOTALS = {
    ("allc", "allc"): (30, 30),
    ("allc", "alld"): (0, 50),
    ("alld", "alld"): (10, 10),
    ("alld", "tft"): (14, 9),
    ("alld", "grim"): (14, 9),
    ("alld", "pavlov"): (30, 5),
    ("alld", "tf2t"): (18, 8),
    ("alld", "suspicious"): (10, 10),
    ("tft", "alternate"): (23, 28),
    ("tft", "suspicious"): (25, 25),
    ("grim", "alternate"): (27, 12),
    ("grim", "suspicious"): (13, 13),
    ("pavlov", "alternate"): (21, 26),
    ("pavlov", "suspicious"): (18, 23),
    ("tf2t", "alternate"): (15, 40),
    ("tft", "tft"): (30, 30),
    ("grim", "grim"): (30, 30),
    ("pavlov", "pavlov"): (30, 30),
    ("tft", "pavlov"): (30, 30),
    ("grim", "pavlov"): (30, 30),
    ("suspicious", "suspicious"): (10, 10),
    ("tf2t", "suspicious"): (27, 32),
}
HEDGE_BOUND = 14.8231  # spread 2 times the root of 100 ln 3 / 2


@pytest.mark.parametrize("pair", TOTALS)
def test_ten_rounds_pay_the_exact_totals(pair: tuple[str, str], play_bots: Play) -> None:
    first, second = TOTALS[pair]

    assert play_bots("matrix/ipd", pair).payoffs == {"player_0": first, "player_1": second}
    assert play_bots("matrix/ipd", pair[::-1]).payoffs == {"player_0": second, "player_1": first}


def test_short_names_stand_for_full_words() -> None:
    assert set(ALIASES.values()) <= set(BOTS)
    assert {"allc", "alld", "tft", "suspicious", "tf2t", "grim", "pavlov", "gtft", "zd", "ftpl", "ftl"} <= set(ALIASES)
    assert {"alternate", "hedge", "exp3", "minimax", "nash"} <= set(BOTS)


@pytest.mark.parametrize("shown", [1, 3, "all"])
def test_bots_play_alike_however_much_of_the_past_is_shown_again(shown: int | str, play_bots: Play) -> None:
    assert play_bots("matrix/ipd", ["tf2t", "alternate"], history=shown).payoffs == {"player_0": 15, "player_1": 40}


def test_bots_learn_the_links_of_a_random_network(play_bots: Play) -> None:
    match = play_bots("matrix/pd_network", ["best-reply", "hedge"] * 3, network="random", edge_prob=0.7)

    assert match.events[-2].facts["actions"]["player_0"] == "defect"


def test_generous_tit_for_tat_forgives_a_third_of_the_time(play_bots: Play) -> None:
    match = play_bots("matrix/ipd", ["gtft", "alld"], rounds=3000)

    assert match.metrics()["cooperation_rate_player_0"] == pytest.approx(1 / 3, abs=0.03)


def test_generosity_is_an_option(play_bots: Play) -> None:
    assert play_bots("matrix/ipd", ["gtft", "alld"], options=[{"g": 0.0}, {}]).payoffs == {
        "player_0": 9,
        "player_1": 14,
    }


def test_extortion_gets_three_times_the_surplus_of_an_unconditional_cooperator(play_bots: Play) -> None:
    match = play_bots("matrix/ipd", ["zd", "random-cooperate"], rounds=20_000)
    payoffs = match.payoffs or {}
    own, other = (payoffs[seat] / 20_000 - 1 for seat in match.seats)

    assert own / other == pytest.approx(3, rel=0.08)


def test_extortion_probabilities_are_those_of_press_and_dyson() -> None:
    from arena.games.matrix.dilemmas import extortion
    from arena.games.matrix.memory import Memory

    memory = Memory(arena.match("matrix/ipd", seed=1).view("player_0"))

    assert extortion(memory, 3.0) == pytest.approx(
        {(True, True): 11 / 13, (True, False): 1 / 2, (False, True): 7 / 26, (False, False): 0}
    )
    assert extortion(Memory(arena.match("matrix/rps", seed=1).view("player_0")), 3.0) is None


def test_taking_turns_shares_conflict_equally(play_bots: Play) -> None:
    match = play_bots("matrix/conflict", ["take-turns", "take-turns"])

    assert match.payoffs == {"player_0": 8, "player_1": 8}
    assert match.metrics()["commit_rate"] == 1


@pytest.mark.parametrize("rival", [name for name in BOTS if name != "bandit-governor"])
def test_hedge_keeps_its_regret_below_the_bound_against_any_bot(rival: str, play_bots: Play) -> None:
    match = play_bots("matrix/rps", ["hedge", rival], rounds=100, mixed=True)

    regret = match.metrics()["external_regret_player_0"]
    assert regret is not None and regret <= HEDGE_BOUND


def test_hedge_keeps_its_bound_against_an_opponent_who_knows_its_probabilities() -> None:
    """The worst opponent: it answers every mix with what hurts it most."""
    from arena.core import Rng

    match = arena.match("matrix/rps", seed=1, rounds=100, mixed=True)
    while not match.done:
        mix = BOTS["hedge"](match.view("player_0"), match.pending()["player_0"], Rng(1))
        rock, paper, scissors = mix["p"]
        worth = [scissors - paper, rock - scissors, paper - rock]
        match.submit("player_0", mix)
        match.submit("player_1", {"p": [float(w == max(worth) and worth.index(w) == i) for i, w in enumerate(worth)]})

    regret = match.metrics()["external_regret_player_0"]
    assert regret is not None and regret <= HEDGE_BOUND


def test_the_regret_of_a_stated_mix_is_not_that_of_the_draw(play_bots: Play) -> None:
    regrets = {
        play_bots("matrix/rps", ["hedge", "always-cooperate"], seed=s, rounds=1, mixed=True).metrics()[
            "external_regret_player_0"
        ]
        for s in range(12)
    }

    assert regrets == {1.0}  # a third each is worth 0 whatever was drawn, and the best reply 1


@pytest.mark.parametrize("learner", ["hedge", "ftpl", "exp3", "ftl", "fictitious"])
def test_learners_find_the_dominant_action(learner: str, play_bots: Play) -> None:
    match = play_bots("matrix/conflict", [learner, "random-cooperate"], rounds=400, commitment=False)

    late = [e.facts["actions"]["player_0"] for e in match.events if e.kind == "round"][300:]
    assert late.count("1") >= 75


def test_exp3_learns_from_its_own_payoffs_alone(play_bots: Play) -> None:
    match = play_bots("matrix/conflict", ["exp3", "allc"], rounds=400, commitment=False, feedback="bandit")

    late = [e.facts["actions"]["player_0"] for e in match.view("player_0").of_kind("round")][300:]
    assert late.count("1") >= 75


def test_hedge_follows_the_best_action_of_a_loss_sequence(play_bots: Play) -> None:
    match = play_bots("matrix/online", ["hedge"], mixed=True, rounds=400, k=3, losses="trend")

    bound = (400 * 1.0986 / 2) ** 0.5
    regret = match.metrics()["external_regret_player_0"]
    assert regret is not None and regret <= bound


def test_nash_plays_the_equilibrium_that_is_asked_for(play_bots: Play) -> None:
    for index, actions in enumerate([("opera", "opera"), ("football", "football")]):
        match = play_bots("matrix/bos", ["nash", "nash"], options=[{"index": index}] * 2, rounds=1)

        assert tuple(match.events[1].facts["actions"].values()) == actions


def test_minimax_mixes_a_third_each(play_bots: Play) -> None:
    match = play_bots("matrix/rps", ["minimax", "nash"], rounds=1, mixed=True)

    assert all(turn.answer["p"] == pytest.approx([1 / 3] * 3) for turn in match.turns)


def test_the_leader_declares_what_it_would_best_be_seen_to_play(play_bots: Play) -> None:
    match = play_bots("matrix/trust_sim", ["leader", "leader"], simulate="forced", partial=True, rounds=1)

    declared, sent = (turn.answer for turn in match.turns)
    assert declared == {"p": [0.6, 0.4]}
    assert sent == "send"
    assert F(3, 5) + F(2, 5) * 2 == F(7, 5)  # what it then expects


@pytest.mark.parametrize(
    ("config", "looks"), [({}, 0), ({"partial": True}, 1), ({"simulate_shows": "pure"}, 1), ({"simulate_cost": 0.0}, 0)]
)
def test_the_leader_looks_where_that_pays(config: dict[str, Any], looks: int, play_bots: Play) -> None:
    assert play_bots("matrix/trust_sim", ["leader", "leader"], **config).metrics()["look_rate"] == looks


def test_the_governor_tries_every_number_of_open_nodes(play_bots: Play) -> None:
    match = play_bots("matrix/network_pd", ["tft"] * 6 + ["bandit_governor"])

    opened = [len(turn.answer["open"]) for turn in match.turns if turn.seat == "player_6"]
    assert opened[0] == 0 and set(opened) == {0, 1, 2, 3}


@pytest.mark.parametrize("preset", PRESETS)
def test_every_bot_answers_every_ask_of_every_preset(preset: str, play_bots: Play) -> None:
    names = list(BOTS)
    extras: list[dict[str, Any]] = [{}, {"talk": "simultaneous"}, {"history": "none"}, {"feedback": "bandit"}]
    seats = arena.match(f"matrix/{preset}", seed=1).seats
    for i, extra in enumerate(extras):
        for first in range(i, len(names), len(extras)):
            bots = [names[(first + j) % len(names)] for j in range(len(seats))]
            try:
                assert play_bots(f"matrix/{preset}", bots, **extra).done
            except ConfigError:
                assert extra  # the preset itself can be made
