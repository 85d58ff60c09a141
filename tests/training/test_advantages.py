"""Advantages against tables worked out by hand."""

from __future__ import annotations

import pytest

from arena.core import UsageError
from arena.training import advantages as adv
from arena.training.advantages import TurnTerm


def close(*values: float) -> list[float]:
    return pytest.approx(list(values), abs=1e-3)  # type: ignore[return-value]  # compares as a list


def test_group_divides_by_the_spread_of_the_group() -> None:
    found = adv.group([1.0, 0.0, 0.0, 1.0, 0.5, 0.5], [0, 0, 0, 0, 1, 1], ["player_0"] * 6)

    # mean 0.5, spread 0.57735; the second group does not differ
    assert found == close(0.866, -0.866, -0.866, 0.866, 0.0, 0.0)


def test_group_without_scaling_only_centres() -> None:
    assert adv.group([1.0, 0.0], [0, 0], ["player_0"] * 2, "none") == close(0.5, -0.5)


def test_a_void_rollout_is_in_no_mean_and_has_no_advantage() -> None:
    assert adv.group([1.0, None, 0.0], [0, 0, 0], ["player_0"] * 3, "none") == close(0.5, 0.0, -0.5)


def test_a_group_of_several_seats_is_refused() -> None:
    with pytest.raises(UsageError, match="mixes the seats player_0, player_1"):
        adv.group([1.0, 0.0], [0, 0], ["player_0", "player_1"])


def test_a_share_of_wins_counts_ties_half_and_leaves_out_void_ones() -> None:
    assert adv.win_share([3.0, 1.0, 1.0, None, 5.0], [0, 0, 0, 0, 1]) == [1.0, 0.25, 0.25, None, None]


def test_rae_uses_the_baseline_before_it_updates_it() -> None:
    found, after = adv.rae([1.0, 1.0, 0.0], ["wolf", "wolf", "seer"], {"wolf": 0.5}, decay=0.95)

    assert found == close(0.5, 0.475, 0.0)  # 0.95 * 0.5 + 0.05 * 1 = 0.525
    assert after == {"wolf": pytest.approx(0.54875), "seer": 0.0}


def test_rae_starts_unknown_roles_at_zero_and_skips_void_ones() -> None:
    found, after = adv.rae([None, 2.0], ["a", "a"], {}, decay=0.9)

    assert found == [0.0, 2.0]
    assert after == {"a": pytest.approx(0.2)}


def test_the_last_turn_has_the_outcome_term_alone() -> None:
    turns = [TurnTerm(0, "bid", 1.0), TurnTerm(0, "bid", 9.0), TurnTerm(1, "bid", 0.0), TurnTerm(1, "call", 5.0)]
    found = adv.turn_mixed([1.0, -1.0], [0, 0], turns, 1.0)

    # bids are paid 1, 9, 0: mean 3.333, spread 4.933
    assert found == close(1.0 - 0.473, 1.0, -1.0 - 0.676, -1.0)


def test_returns_sum_what_comes_from_a_turn_on() -> None:
    turns = [TurnTerm(0, "bid", 0.25), TurnTerm(0, "bid", 0.5)]
    found, after = adv.turn_return([1.0], ["buyer"], turns, {"buyer": 0.75}, decay=0.9)

    # 1 + 0.75 - 0.75, then the baseline of buyer/bid is 0.9 * 0.75 + 0.1 * 1.75 = 0.85
    assert found == close(1.0, 1.5 - 0.85)
    assert after["buyer/bid"] == pytest.approx(0.9 * 0.85 + 0.1 * 1.5)


def test_tompo_weighs_welfare_and_the_own_payoff() -> None:
    found = adv.tompo([1.0, 0.0], [3.0, 1.0], [0, 0], ["a/act", "a/act"], alpha=0.5)

    assert found == close(0.707, -0.707)
    assert adv.tompo([1.0, 0.0], [1.0, 3.0], [0, 0], ["a/act", "a/act"], alpha=1.0) == close(-0.707, 0.707)


def test_slots_that_rise_weigh_more_from_the_second_visit_on() -> None:
    assert [adv.rising(h) for h in ([0.5], [0.5, 0.7], [0.7, 0.5], [0.5, 0.5])] == [1.0, 1.25, 0.75, 1.0]


def test_groups_that_differ_least_are_skipped() -> None:
    rewards = [0.0, 1.0, 0.4, 0.6, 0.5, 0.5, 0.0, 0.8]

    assert adv.quiet_groups(rewards, [0, 0, 1, 1, 2, 2, 3, 3], 0.5) == {1, 2}
    assert adv.quiet_groups(rewards, [0, 0, 1, 1, 2, 2, 3, 3], 0.0) == set()
