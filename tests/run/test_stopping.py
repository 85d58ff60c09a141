"""When a schedule has seen enough: each rule, and how often it errs."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt

import pytest

from arena.run.schedules import Field, dynamic_schedules, find_schedule
from arena.run.stopping import anytime_factor
from tests.run.worlds import by_chance, by_strength, field_of, known, play, stop_of


def test_p_top1_stops_at_95_percent_and_says_that_it_is_bayesian() -> None:
    field = field_of(3, 400, stop="p_top1")
    ring = play("adaptive", replace(field, matches=6, options={}), by_chance(1))
    # P(N(gap, 2 sd²) > 0) = .95 at gap = 1.645 sqrt(2) sd; the third agent is out of it
    unsure, sure = known([2.2, 0.0, -9.0], sd=1.0), known([2.5, 0.0, -9.0], sd=1.0)

    assert find_schedule("adaptive").batch(replace(field, posterior=unsure), ring)
    assert find_schedule("adaptive").batch(replace(field, posterior=sure), ring) is None
    end = stop_of("adaptive", replace(field, posterior=sure), ring)
    assert (end.rule, end.leader, end.deals, end.matches) == ("p_top1", "a0", 3, 6)
    assert "Bayesian" in end.why
    assert end.value == pytest.approx(0.9615, abs=0.015)


def test_anytime_stops_when_the_leader_is_clear_of_every_rival() -> None:
    field = field_of(3, 400, stop="anytime")
    played = play("adaptive", replace(field, matches=60, options={}), by_chance(1))
    half_width = anytime_factor(30, 200, 0.05 / 2) * sqrt(2) * 0.1

    def lead(share: float) -> Field:
        return replace(field, posterior=known([0.0, -share * half_width, -9.0], sd=0.1))

    adaptive = dynamic_schedules()["adaptive"]
    assert adaptive.stop(lead(0.99), played) is None
    assert adaptive.stop(lead(1.01), played[:19]) is None  # too early for an asymptotic interval
    end = stop_of("adaptive", lead(1.01), played)
    assert (end.rule, end.leader, end.deals) == ("anytime", "a0", 30)
    assert end.value == pytest.approx(1.01)


def test_the_anytime_factor_by_hand() -> None:
    # a = .05, t0 = 20: r² = (5.9915 + ln 6.9915) / 20 = .39680; t = 20: t r² = 7.9360
    assert anytime_factor(20, 80) == pytest.approx(sqrt(2 * 8.9360 / 7.9360 * 4.0908), rel=1e-4)


def _false_stops(repetitions: int, games: int, deal_sd: float) -> int:
    """Runs of two equal agents that end before all matches are played."""
    ends = 0
    for seed in range(repetitions):
        field = field_of(2, games, seed=seed, stop="anytime")
        results = play("adaptive", field, by_strength([0, 0], seed, deal_sd))
        ends += 2 * len(results) < games
    return ends


def test_equal_agents_are_seldom_told_apart() -> None:
    assert _false_stops(40, 80, 1.0) <= 2


@pytest.mark.long
@pytest.mark.parametrize("deal_sd", [0.0, 2.0])
def test_equal_agents_are_told_apart_in_5_percent_of_runs_at_most(deal_sd: float) -> None:
    assert _false_stops(300, 200, deal_sd) <= 15


@pytest.mark.parametrize("rule", ["anytime", "p_top1"])
def test_a_much_better_agent_ends_the_run_early(rule: str) -> None:
    field = field_of(3, 400, stop=rule)

    end = stop_of("swiss", field, play("swiss", field, by_strength([0, 3, 0], 1, 0.0)))

    assert (end.rule, end.leader) == (rule, "a1")
    assert end.matches < 200
