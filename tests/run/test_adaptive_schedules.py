"""Schedules that look at results: whom they seat, and what they save."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.core.errors import UsageError
from arena.core.seeds import stream
from arena.leaderboards.posterior import posterior
from arena.run.belief import Belief
from arena.run.schedules import Estimate, find_schedule
from tests.run.worlds import by_chance, by_strength, field_of, groups, known, play


@pytest.mark.parametrize("kind", ["swiss", "adaptive"])
@given(agents=st.integers(2, 7), slots=st.integers(2, 5), seed=st.integers(0, 9))
def test_in_every_block_each_agent_takes_each_seat_equally_often(kind: str, agents: int, slots: int, seed: int) -> None:
    results = play(kind, field_of(agents, 60, slots, seed), by_chance(seed))

    assert 60 <= sum(len(r.block.seatings) for r in results) < 60 + min(agents, slots)
    for number, (block, _, _) in enumerate(results):
        sat = Counter((slot, agent) for seating in block.seatings for slot, agent in seating.items())
        assert len(set(sat.values())) == 1
        assert len({agent for _, agent in sat}) == min(agents, slots)
        assert (block.number, block.deal) == (number, number)


def test_the_first_batch_is_a_ring() -> None:
    pairs = groups(find_schedule("adaptive").batch(field_of(5, 100), []) or [])
    tables = groups(find_schedule("adaptive").batch(field_of(5, 100, slots=3), []) or [])

    assert pairs == [["a0", "a1"], ["a1", "a2"], ["a2", "a3"], ["a3", "a4"], ["a4", "a0"]]
    assert tables == [["a0", "a1", "a2"], ["a2", "a3", "a4"], ["a4", "a0", "a1"]]
    assert groups(find_schedule("adaptive").batch(field_of(2, 100), []) or []) == [["a0", "a1"]]


def test_where_draws_never_differ_the_best_by_mean_meet() -> None:
    field = field_of(5, 100, slots=3, batch=2)
    ring = play("adaptive", replace(field, matches=9), by_chance(1))

    blocks = find_schedule("adaptive").batch(replace(field, posterior=known([0.1, 0.5, -1.0, 0.4, 0.2])), ring) or []

    assert groups(blocks) == [["a1", "a3", "a4"]] * 2


def test_a_clear_leader_meets_those_that_may_be_better() -> None:
    field = field_of(4, 2000, batch=400)
    ring = play("adaptive", replace(field, matches=8), by_chance(1))

    blocks = find_schedule("adaptive").batch(replace(field, posterior=known([1.0, 0.5, 0.0, -3.0], sd=0.5)), ring) or []

    met = Counter(agent for group in groups(blocks) for agent in group)
    assert met["a0"] > met["a1"] > met["a2"] > 10 * met["a3"]


def test_draws_follow_the_estimate() -> None:
    cov = [[1.0, 0.5, 0.2], [0.5, 2.0, -0.3], [0.2, -0.3, 0.5]]
    belief, rng = Belief(Estimate([1.0, 0.0, -1.0], cov, cov), 3), stream(1)

    drawn = np.array([belief.draw(rng) for _ in range(20_000)])

    assert np.allclose(drawn.mean(axis=0), [1, 0, -1], atol=0.03)
    assert np.allclose(np.cov(drawn.T), cov, atol=0.05)


def test_swiss_pairs_neighbours_in_the_standings() -> None:
    def stronger(seating: Mapping[str, str], deal: int) -> dict[str, float]:
        return {slot: -float(agent[1:]) for slot, agent in seating.items()}

    results = play("swiss", field_of(6, 60), stronger)

    late = [frozenset(group) for group in groups([r.block for r in results[-6:]])]
    assert late[:3] == [{"a0", "a1"}, {"a2", "a3"}, {"a4", "a5"}]
    assert late[3:] == [{"a1", "a2"}, {"a3", "a4"}, {"a5", "a0"}]


@given(agents=st.sampled_from([3, 5, 7, 8]), slots=st.sampled_from([2, 3]), seed=st.integers(0, 20))
def test_in_swiss_nobody_sits_out_twice_running(agents: int, slots: int, seed: int) -> None:
    field = field_of(agents, 90, slots, seed)
    per_round = agents // slots

    blocks = [r.block for r in play("swiss", field, by_chance(seed))]

    rounds = [blocks[i : i + per_round] for i in range(0, len(blocks) - per_round + 1, per_round)]
    out = [set(field.agents) - {agent for group in groups(part) for agent in group} for part in rounds]
    assert all(len(sitting) == agents % slots for sitting in out)
    assert not any(one & two for one, two in pairwise(out))


def test_pinned_agents_stay_and_the_others_meet_them_on_the_same_deals() -> None:
    field = replace(field_of(3, 40), own={"player_1": ("ref",), "player_0": ("a0", "a1", "a2")})

    results = play("adaptive", field, by_chance(3))

    assert {seating["player_1"] for r in results for seating in r.block.seatings} == {"ref"}
    assert all(r.block.one_seed and len(r.block.seatings) == 2 for r in results)
    assert all(len({seating["player_0"] for seating in r.block.seatings}) == 2 for r in results)


def test_agents_that_cannot_take_the_same_seats_are_refused() -> None:
    field = replace(field_of(3, 40), own={"player_1": ("x", "y"), "player_0": ("a0", "a1")})

    with pytest.raises(UsageError, match="compares agents that take the same slots"):
        find_schedule("swiss").batch(field, [])
    with pytest.raises(UsageError, match="two agents or more"):
        find_schedule("adaptive").batch(field_of(1, 10), [])
    with pytest.raises(UsageError, match="no posterior"):
        find_schedule("adaptive").batch(replace(field_of(3, 10), posterior=None), [])


# --- what it saves ----------------------------------------------------------------------------------------------------


def _right(kind: str, games: int, repetitions: int) -> float:
    """How often the best of eight models half a nat apart is named: half a nat for the first seat, deal sd 2 nats."""
    strength, found = [-0.5 * i for i in range(8)], 0
    for seed in range(repetitions):
        field = field_of(8, games, seed=seed)
        mean = posterior(field.agents, play(kind, field, by_strength(strength, seed, 2.0))).mean
        found += mean[0] == max(mean)
    return found / repetitions


def test_adaptive_pairs_need_a_third_of_the_games_of_random_ones() -> None:
    assert _right("adaptive", 200, 20) >= max(0.9, _right("random", 600, 20))


@pytest.mark.long
def test_adaptive_pairs_need_a_third_of_the_games_of_random_ones_over_many_runs() -> None:
    """The figures themselves: benchmarks/schedules.py."""
    assert _right("adaptive", 240, 150) >= 0.93
    assert _right("random", 720, 150) < 0.95
