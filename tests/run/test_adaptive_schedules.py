"""Schedules that look at results: who they seat, that nothing but results changes them, when they stop, what they save."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from math import exp, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.core.errors import UsageError
from arena.core.seeds import stream
from arena.leaderboards import bt, matches
from arena.leaderboards.fitting import bootstrap
from arena.leaderboards.posterior import posterior
from arena.run.adaptive import TopTwo
from arena.run.api import RunResult, resolve_agents, resume, start
from arena.run.batches import Batches
from arena.run.belief import Belief
from arena.run.executors import EXECUTORS, run_async
from arena.run.response_graph import clopper_pearson, graph_of, hoeffding
from arena.run.runfile import settings_of
from arena.run.schedules import Block, BlockResult, Estimate, Field, Posterior, find_schedule
from arena.run.stopping import anytime_factor
from tests.run.playing import rows

KUHN = ["bot/nash", "bot/loose", "bot/tight", "bot/random"]
Pay = Callable[[Mapping[str, str], int], dict[str, float]]  # seating, deal -> payoffs


def field_of(agents: int, matches: int, slots: int = 2, seed: int = 1, **options: Any) -> Field:
    names = tuple(f"a{i}" for i in range(agents))
    seats = tuple(f"player_{i}" for i in range(slots))
    return Field(seats, names, matches, seed, options=options, posterior=posterior)


def play(kind: str, field: Field, pay: Pay) -> list[BlockResult]:
    """A whole run in a world where `pay` says how matches end."""
    results: list[BlockResult] = []
    while blocks := find_schedule(kind).batch(field, results):
        results += [BlockResult(b, tuple(pay(seating, b.deal) for seating in b.seatings)) for b in blocks]
    return results


def by_chance(seed: int) -> Pay:
    return lambda seating, deal: {slot: stream(seed, deal, slot, who).random() for slot, who in seating.items()}


def by_strength(strength: Sequence[float], seed: int, deal_sd: float) -> Pay:
    """Logistic matches with half a nat for the first seat, and deals that favour one seat."""

    def pay(seating: Mapping[str, str], deal: int) -> dict[str, float]:
        first, second = (strength[int(seating[slot][1:])] for slot in ("player_0", "player_1"))
        ahead = first - second + 0.5 + random.Random(f"{seed} {deal}").gauss(0, deal_sd)
        won = float(stream(seed, deal, seating["player_0"]).random() < 1 / (1 + exp(-ahead)))
        return {"player_0": won, "player_1": 1 - won}

    return pay


def known(mean: Sequence[float], sd: float = 0.0) -> Posterior:
    """A posterior that is given, not fitted."""
    cov = [[sd**2 * (i == j) for j in range(len(mean))] for i in range(len(mean))]
    return lambda agents, results: Estimate(mean, cov, cov)


def groups(blocks: Sequence[Block]) -> list[list[str]]:
    return [list(block.seatings[0].values()) for block in blocks]


# --- balance and who meets whom ---------------------------------------------------------------------------------------


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
    pairs = groups(TopTwo().batch(field_of(5, 100), []) or [])
    tables = groups(TopTwo().batch(field_of(5, 100, slots=3), []) or [])

    assert pairs == [["a0", "a1"], ["a1", "a2"], ["a2", "a3"], ["a3", "a4"], ["a4", "a0"]]
    assert tables == [["a0", "a1", "a2"], ["a2", "a3", "a4"], ["a4", "a0", "a1"]]
    assert groups(TopTwo().batch(field_of(2, 100), []) or []) == [["a0", "a1"]]


def test_where_draws_never_differ_the_best_by_mean_meet() -> None:
    field = field_of(5, 100, slots=3, batch=2)
    ring = play("adaptive", replace(field, matches=9), by_chance(1))

    blocks = TopTwo().batch(replace(field, posterior=known([0.1, 0.5, -1.0, 0.4, 0.2])), ring) or []

    assert groups(blocks) == [["a1", "a3", "a4"]] * 2


def test_a_clear_leader_meets_those_that_may_be_better() -> None:
    field = field_of(4, 2000, batch=400)
    ring = play("adaptive", replace(field, matches=8), by_chance(1))

    blocks = TopTwo().batch(replace(field, posterior=known([1.0, 0.5, 0.0, -3.0], sd=0.5)), ring) or []

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
    assert not any(one & two for one, two in zip(out, out[1:], strict=False))


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


# --- a function of seed and results -----------------------------------------------------------------------------------


def run(folder: Path, *, given: Posterior = posterior, agents: Sequence[str] = KUHN, **values: Any) -> RunResult:
    file = {"game": "kuhn", "seed": 3, "matches": 48, "schedule": {"kind": "adaptive"}} | values
    settings = settings_of({**file, "agents": list(agents)})
    return start(settings, resolve_agents(settings.agents, [file["game"]]), folder, posterior=given)


def batches_of(folder: Path, agents: Sequence[str] = KUHN, **values: Any) -> Batches:
    file = {"game": "kuhn", "seed": 3, "matches": 48, "schedule": {"kind": "adaptive"}} | values
    specs = resolve_agents(list(agents), [file["game"]])
    settings = settings_of({**file, "agents": list(agents)})
    return Batches(settings, [(s.selector, s.agent.canonical) for s in specs], folder, posterior)


def plan_of(folder: Path) -> list[tuple[Any, ...]]:
    query = "SELECT match_id, key, block, batch_no, deal_id, payoffs, record_hash FROM matches ORDER BY match_id"
    return [tuple(row.values()) for row in rows(folder, query)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert run(folder).status == "complete"
    return folder


def test_a_run_stopped_between_batches_goes_on_as_if_it_had_not_been(tmp_path: Path, whole: Path) -> None:
    asked = 0

    def breaking(agents: Sequence[str], results: Sequence[BlockResult]) -> Estimate:
        nonlocal asked
        asked += 1
        if asked == 3:
            raise RuntimeError("the power fails")
        return posterior(agents, results)

    with pytest.raises(RuntimeError, match="the power fails"):
        run(tmp_path / "run", given=breaking)
    assert 8 < len(plan_of(tmp_path / "run")) < 48

    resume(tmp_path / "run", posterior=posterior)

    assert plan_of(tmp_path / "run") == plan_of(whole)


def test_the_order_in_which_matches_end_changes_nothing(
    tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def backwards(job: Any, writer: Any, progress: Any, person: Any, more: Any) -> Any:
        job = replace(job, plan=job.plan[::-1])
        return await run_async(job, writer, progress, person, lambda: more()[::-1])

    monkeypatch.setitem(EXECUTORS, "async", backwards)
    run(tmp_path / "run")

    ended = [r["match_id"] for r in rows(tmp_path / "run", "SELECT match_id FROM turns GROUP BY 1 ORDER BY MIN(rowid)")] \
        if False else None
    assert ended is None
    assert plan_of(tmp_path / "run") == plan_of(whole)
