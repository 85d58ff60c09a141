"""Figures of a match: worked out by hand, against brute force, and their inequalities over generated matches."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import arena
from arena.core import Match
from arena.games.matrix.played import rounds_of
from arena.games.matrix.presets import PRESETS
from arena.games.matrix.regret import (
    external_regret,
    falls,
    growth,
    running_regret,
    student_cdf,
    swap_regret,
    trend_p_value,
)

Play = Callable[..., Match]
C, D = "cooperate", "defect"


def randomly(match: Match, seed: int = 0) -> Match:
    rng = random.Random(seed)
    while not match.done:
        for seat, ask in match.pending().items():
            match.submit(seat, ask.sample(rng))
    return match


def test_the_figures_of_four_rounds_of_the_dilemma(play_rounds: Play) -> None:
    """player_0: C C D C, player_1: C D D D. Payoffs 3 0 1 0 = 4 and 3 5 1 5 = 14."""
    figures = play_rounds("matrix/ipd", [(C, C), (C, D), (D, D), (C, D)]).metrics()

    assert figures["welfare"] == 18 / 4
    assert figures["welfare_ratio"] == 18 / 4 / 6
    assert figures["coordination_rate"] == 2 / 4
    assert figures["cooperation_rate"] == 4 / 8
    assert figures["cooperation_rate_player_0"] == 3 / 4
    assert figures["mutual_cooperation"] == 1 / 4
    # always D would have paid player_0 5 + 1 + 1 + 1 = 8, and player_1 5 + 5 + 1 + 5 = 16
    assert figures["external_regret_player_0"] == 4
    assert figures["external_regret_player_1"] == 2
    assert figures["average_regret_player_0"] == 1
    # D in place of C: player_0 gains 2 + 1 + 1, player_1 gains 2; nobody gains by C in place of D
    assert figures["swap_regret_player_0"] == 4
    assert figures["swap_regret_player_1"] == 2
    assert figures["cce_gap"] == figures["ce_gap"] == 1
    # mixes: 3/4 C against 1/4 C. Best reply D: player_0 1/4 5 + 3/4 = 2, player_1 3/4 5 + 1/4 = 4
    # own mixes: player_0 3/16 3 + 1/16 5 + 3/16 1 = 17/16, player_1 3/16 3 + 9/16 5 + 3/16 1 = 57/16
    assert figures["nash_gap"] == pytest.approx(15 / 16)
    # player_0's answers: after CC C, after CD D, after DD C
    assert figures["cooperation_after_cc_player_0"] == 1
    assert figures["cooperation_after_cd_player_0"] == 0
    assert figures["cooperation_after_dc_player_0"] is None
    assert figures["cooperation_after_dd_player_0"] == 1
    assert figures["retaliation_rate_player_0"] == 1 / 2
    assert figures["forgiveness_player_0"] == 0
    assert figures["distance_win_stay_lose_shift_player_0"] == 0
    assert figures["distance_tit_for_tat_player_0"] == pytest.approx(1 / 3)
    assert "exploitability" not in figures


def test_exploitability_of_always_rock_is_one(play_rounds: Play) -> None:
    figures = play_rounds("matrix/rps", [("rock", "rock")] * 3).metrics()

    assert figures["exploitability"] == 1
    assert figures["nash_gap"] == 1


def test_balanced_rock_paper_scissors_cannot_be_exploited(play_rounds: Play) -> None:
    moves = ("rock", "paper", "scissors")

    figures = play_rounds("matrix/rps", list(product(moves, moves))).metrics()

    assert figures["exploitability"] == pytest.approx(0)
    assert figures["cce_gap"] == figures["ce_gap"] == 0


def test_a_correlated_equilibrium_has_no_gap_though_its_mixes_are_no_nash_equilibrium(play_rounds: Play) -> None:
    swerve, straight = "swerve", "straight"

    figures = play_rounds("matrix/chicken", [(swerve, swerve), (swerve, straight), (straight, swerve)]).metrics()

    assert figures["ce_gap"] == 0
    assert figures["nash_gap"] == pytest.approx(2 / 9)  # straight pays 24/9 against 2/3 swerve, the mix 22/9


def test_the_constant_best_action_has_no_regret(play_rounds: Play) -> None:
    figures = play_rounds("matrix/ipd", [(D, C), (D, D), (D, C)]).metrics()

    assert figures["external_regret_player_0"] == 0
    assert figures["swap_regret_player_0"] == 0


def test_statements_and_promises_are_compared_with_what_was_played(play: Play) -> None:
    """player_0 claims C three times and plays C D C; it promises C once, in the round in which it plays D."""
    moves = iter([C, D, C])

    def answer(seat: str, ask: Any) -> Any:
        if ask.name == "talk" and seat == "player_0":
            answer.turn += 1  # type: ignore[attr-defined]
            promised = C if answer.turn == 2 else None  # type: ignore[attr-defined]
            return {"text": "", "claim_action": C, "promise_action": promised}
        if ask.name == "talk":
            return {"text": "", "claim_action": None, "promise_action": None}
        return next(moves) if seat == "player_0" else D

    answer.turn = 0  # type: ignore[attr-defined]
    figures = play("matrix/ipd", answer, rounds=3, talk="simultaneous").metrics()

    assert figures["talk_honesty"] == figures["talk_honesty_player_0"] == pytest.approx(2 / 3)
    assert figures["talk_honesty_player_1"] is None
    assert figures["promise_break_player_0"] == 1
    assert figures["promise_break_player_1"] is None


def test_commitment_rates_count_rounds_and_proposals(play: Play) -> None:
    """Of the eight blocks of `conflict` the first three are agreed upon."""
    answers = iter(["yes"] * 7 + ["no"] * 9)

    def answer(seat: str, ask: Any) -> Any:
        return next(answers) if ask.name == "commit" else ask.fallback

    figures = play("matrix/conflict", answer).metrics()

    assert figures["agreement_rate"] == 3 / 8
    assert figures["commit_rate"] == 6 / 16


def test_the_governor_is_described_by_openings_welfare_and_cooperation() -> None:
    match = arena.match("matrix/network_pd", seed=1, rounds=2)
    for opened in (["player_0", "player_1"], ["player_5"]):
        match.submit("player_6", {"open": opened})
        for i in range(6):
            match.submit(f"player_{i}", C if i else D)

    figures = match.metrics()

    assert figures["open_nodes"] == 1.5
    assert figures["welfare"] == 10 + 3 + 6 + 6 + 6 + 3
    assert figures["cooperation_rate"] == pytest.approx(5 / 6)


def test_regret_counts_a_stated_mix_at_its_expectation(play: Play) -> None:
    mixes = {"player_0": {"p": [0.5, 0.5]}, "player_1": {"p": [1, 0]}}

    figures = play("matrix/ipd", lambda seat, ask: mixes[seat], rounds=4, mixed=True).metrics()

    assert figures["external_regret_player_0"] == pytest.approx(4 * (5 - 4))  # D pays 5, the mix (3 + 5) / 2


def test_the_regret_of_a_looked_at_player_counts_what_it_declared(play: Play) -> None:
    match = play(
        "matrix/trust", lambda s, ask: {"p": [0.5, 0.5]} if ask.name == "mixed" else "send", rounds=3, simulate="forced"
    )

    assert match.metrics()["external_regret_player_1"] == pytest.approx(3 * (2 - 1.5))
    assert match.metrics()["look_rate"] == 1


def test_online_regret_is_measured_against_the_best_fixed_action(play_rounds: Play) -> None:
    """The adversary: A A B A costs 0 1 0 0, and A B C would have cost 2, 1 and 0 over the four rounds."""
    match = play_rounds("matrix/online", [("A",), ("A",), ("B",), ("A",)], losses="adversarial")

    figures = match.metrics()

    assert figures["external_regret_player_0"] == 1
    assert "welfare" not in figures and "nash_gap" not in figures


def test_where_actions_change_what_can_be_done_later_no_regret_is_given() -> None:
    assert "external_regret_player_0" not in randomly(arena.match("matrix/grid", seed=1)).metrics()
    assert "external_regret_player_0" not in randomly(arena.match("matrix/trust_amount", seed=1)).metrics()


@pytest.mark.parametrize(("falling", "p"), [(17, 0.03195733), (18, 0.01132792), (24, 5.96046e-8)])
def test_the_trend_test_has_its_printed_values_for_25_rounds(falling: int, p: float) -> None:
    assert trend_p_value(24, falling) == pytest.approx(p, rel=1e-6)


def test_falls_of_the_average_regret_are_counted() -> None:
    assert falls([2.0, 3.0, 6.0, 6.0]) == 2  # averages 2, 1.5, 2, 1.5


def test_the_trend_of_many_rounds_is_a_number() -> None:
    assert trend_p_value(5000, 2500) == pytest.approx(0.5, abs=0.01)


def test_growth_recovers_a_power_law() -> None:
    slope = growth([2 * t**0.5 for t in range(1, 26)])

    assert slope is not None
    assert slope.exponent == pytest.approx(0.5)
    assert math.exp(slope.intercept) == pytest.approx(2)
    assert slope.p_value == 0


def test_regret_that_grows_faster_than_time_is_not_called_no_regret() -> None:
    slope = growth([t**1.2 for t in range(1, 26)])

    assert slope is not None
    assert slope.exponent == pytest.approx(1.2)
    assert slope.p_value == 1


def test_growth_needs_three_rounds_of_positive_regret() -> None:
    assert growth([0.0, 1.0, -1.0, 2.0]) is None


def test_growth_agrees_with_scipy() -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = random.Random(4)
    regrets = [t**0.7 * rng.uniform(0.5, 1.5) for t in range(1, 26)]
    fit = stats.linregress([math.log(t) for t in range(1, 26)], [math.log(r) for r in regrets])

    slope = growth(regrets)

    assert slope is not None
    assert slope.exponent == pytest.approx(fit.slope)
    assert slope.p_value == pytest.approx(float(stats.t.cdf((fit.slope - 1) / fit.stderr, 23)))


@pytest.mark.parametrize(
    ("t", "freedom", "p"), [(1.0, 1, 0.75), (-1.0, 1, 0.25), (0.0, 7, 0.5), (2.0, 2, 0.9082483), (1.5, 10, 0.9177463)]
)
def test_students_distribution(t: float, freedom: int, p: float) -> None:
    assert student_cdf(t, freedom) == pytest.approx(p, abs=1e-7)


numbers = st.integers(-5, 5)
LOGS = st.integers(2, 4).flatmap(
    lambda k: st.lists(
        st.tuples(st.integers(0, k - 1), st.lists(numbers, min_size=k, max_size=k)), min_size=1, max_size=8
    )
)


@given(LOGS)
def test_regrets_equal_brute_force_and_swap_regret_is_never_less(log: list[tuple[int, list[int]]]) -> None:
    k = len(log[0][1])
    mixes = [[float(a == played) for a in range(k)] for played, _ in log]
    pays = [[float(u) for u in paid] for _, paid in log]
    gained = sum(paid[played] for played, paid in log)
    fixed = [sum(paid[a] for _, paid in log) for a in range(k)]
    swapped = [sum(paid[swap[played]] for played, paid in log) for swap in product(range(k), repeat=k)]

    external, swap = external_regret(mixes, pays), swap_regret(mixes, pays)

    assert external == pytest.approx(max(fixed) - gained)
    assert swap == pytest.approx(max(swapped) - gained)
    assert swap >= external - 1e-9
    assert running_regret(mixes, pays)[-1] == pytest.approx(external)


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["ipd", "rps", "bos", "stag", "matrix_random", "pd_network", "public_goods"]), st.integers(0, 999)
)
def test_gaps_are_ordered_in_every_match(name: str, seed: int) -> None:
    match = randomly(arena.match(f"matrix/{name}", seed=seed, rounds=4), seed)

    figures = match.metrics()

    assert figures["ce_gap"] >= figures["cce_gap"] - 1e-9  # type: ignore[operator]
    assert figures["ce_gap"] >= -1e-9  # type: ignore[operator]
    if figures["nash_gap"] is not None:
        assert figures["nash_gap"] >= -1e-9


@pytest.mark.parametrize("preset", PRESETS)
def test_figures_depend_on_the_configuration_not_on_the_play(preset: str) -> None:
    begun = arena.match(f"matrix/{preset}", seed=1).metrics()
    ended = randomly(arena.match(f"matrix/{preset}", seed=1)).metrics()

    assert list(begun) == list(ended)
    assert all(value is None for value in begun.values())
    assert all(value is None or math.isfinite(value) for value in ended.values())


@pytest.mark.parametrize("preset", PRESETS)
def test_what_the_rounds_paid_can_be_computed_from_the_record(preset: str) -> None:
    match = randomly(arena.match(f"matrix/{preset}", seed=2), 2)

    for played in rounds_of(match):
        if "simulated" not in played.facts:
            assert [float(x) for x in played.game.pay(played.profile)] == pytest.approx(list(played.payoffs))
