"""Schedules that look at results: whom they seat, that results alone change them, when they stop, what they save."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
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
from arena.models.names import AgentSpec
from arena.run.api import RunResult, resolve_agents, resume, start
from arena.run.batches import Batches
from arena.run.belief import Belief
from arena.run.executors import EXECUTORS, run_async
from arena.run.response_graph import clopper_pearson, graph_of, hoeffding
from arena.run.runfile import settings_of
from arena.run.schedules import (
    Block,
    BlockResult,
    Estimate,
    Field,
    Posterior,
    Stop,
    dynamic_schedules,
    find_schedule,
)
from arena.run.settings import Settings
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


def stop_of(kind: str, field: Field, results: Sequence[BlockResult]) -> Stop:
    end = dynamic_schedules()[kind].stop(field, results)
    assert end is not None
    return end


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


# --- a function of seed and results -----------------------------------------------------------------------------------


def settings_and_agents(agents: Sequence[str] = KUHN, **values: Any) -> tuple[Settings, list[AgentSpec]]:
    file = {"game": "kuhn", "seed": 3, "matches": 48, "schedule": {"kind": "adaptive"}, "agents": list(agents)} | values
    settings = settings_of(file)
    specs = resolve_agents(settings.agents, [str(file["game"])])
    return replace(settings, agents=tuple(spec.agent.canonical for spec in specs)), specs


def run(folder: Path, *, ratings: Posterior = posterior, **values: Any) -> RunResult:
    return start(*settings_and_agents(**values), folder, posterior=ratings)


def batches_of(folder: Path, *, ratings: Posterior = posterior, **values: Any) -> Batches:
    settings, specs = settings_and_agents(**values)
    return Batches(settings, [(spec.selector, spec.agent.canonical) for spec in specs], folder, ratings)


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
        run(tmp_path / "run", ratings=breaking)
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

    assert plan_of(tmp_path / "run") == plan_of(whole)


def test_a_batch_waits_for_its_open_matches_but_not_for_one_that_is_void_for_good(tmp_path: Path) -> None:
    run(tmp_path / "run", matches=8)
    longer = batches_of(tmp_path / "run")
    assert len(longer.next()) == 8

    _set_void(tmp_path / "run", "server_error: 503")
    assert longer.next() == []
    assert longer.ended is None

    _set_void(tmp_path / "run", "context_length: too long")
    assert len(longer.next()) == 8


def _set_void(folder: Path, reason: str) -> None:
    with sqlite3.connect(folder / "run.sqlite") as db:
        db.execute("UPDATE matches SET status='void', reason=?, payoffs=NULL WHERE match_id=3", (reason,))
    db.close()


def test_the_planner_says_why_it_ended(whole: Path) -> None:
    batches = batches_of(whole)

    assert batches.next() == []
    assert batches.ended is not None
    assert batches.ended[:4] == ("matches", "all planned matches are played: 48", 24, 48)


# --- the posterior ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("game", "agents", "seating"),
    [
        ("kuhn", KUHN, "sides"),
        ("matrix/pennies", ["bot/random", "bot/always", "bot/nash"], "sides"),
        ("werewolf/mini5", ["bot/werewolf-greedy", "bot/random"], "sides"),
        ("werewolf/mini5", ["bot/werewolf-greedy", "bot/random"], "mixed"),
    ],
)
def test_the_posterior_is_the_fit_of_the_match_table(
    tmp_path: Path, game: str, agents: list[str], seating: str
) -> None:
    seen: list[tuple[Sequence[str], Sequence[BlockResult]]] = []

    def noting(agents: Sequence[str], results: Sequence[BlockResult]) -> Estimate:
        seen.append((sorted(agents), results))
        return posterior(agents, results)

    schedule = {"kind": "adaptive", "seating": seating}
    run(tmp_path / "run", game=game, agents=agents, schedule=schedule, matches=20)
    batches_of(tmp_path / "run", ratings=noting, game=game, agents=agents, schedule=schedule, matches=40).next()
    names, results = seen[-1]

    found = posterior(names, results)

    table = matches.read(tmp_path / "run")
    labels, mean, cov = bt.posterior(table)
    fitted = bt.fit(table, roles="bias", prior_sd=1.4)
    order = [fitted.agents.index(name) for name in names]
    assert labels == names
    assert np.allclose(found.mean, mean, atol=1e-9)
    assert np.allclose(found.cov, cov, atol=1e-9)
    assert np.allclose(found.mean, fitted.table["theta"].to_numpy()[order], atol=1e-9)
    assert np.allclose(found.clustered, fitted.cov[np.ix_(order, order)], atol=1e-9)


def test_an_agent_without_a_match_is_as_wide_as_the_prior() -> None:
    results = play("paired", field_of(2, 40), by_strength([0, 0], 1, 0.0))

    wide = posterior(["a0", "a1", "new"], results).cov
    nothing = posterior(["a0", "a1"], [])

    assert wide[2][2] > 2 * wide[0][0]
    assert np.allclose(nothing.cov, 1.4**2 * np.array([[0.5, -0.5], [-0.5, 0.5]]))


# --- stopping ---------------------------------------------------------------------------------------------------------


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


@pytest.mark.parametrize(("deals", "planned"), [(1, 10), (20, 400), (300, 200)])
def test_the_board_and_the_schedule_mean_the_same_interval(deals: int, planned: int) -> None:
    assert anytime_factor(deals, planned) == pytest.approx(bootstrap.anytime_factor(deals, planned), rel=1e-12)


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


# --- edges ------------------------------------------------------------------------------------------------------------

WINS = {("x", "u"): 0.9, ("x", "v"): 0.2, ("y", "u"): 0.3, ("y", "v"): 0.85}  # noisy matching pennies


def bernoulli(seed: int) -> Pay:
    """The first seat wins with the chance that WINS gives; payoffs on some scale, since scores are what counts."""

    def pay(seating: Mapping[str, str], deal: int) -> dict[str, float]:
        won = stream(seed, deal).random() < WINS[seating["player_0"], seating["player_1"]]
        return {"player_0": 7.0 * won, "player_1": 7.0 - 7.0 * won}

    return pay


def pennies(matches_: int, **options: Any) -> Field:
    own = {"player_0": ("x", "y"), "player_1": ("u", "v")}
    return replace(field_of(4, matches_, goal="edges", **options), own=own)


def means(results: Sequence[BlockResult]) -> dict[tuple[str, ...], float]:
    """The mean payoff of the first seat in each profile."""
    paid: dict[tuple[str, ...], list[float]] = {}
    for block, (payoffs,), _ in results:
        paid.setdefault(tuple(block.seatings[0].values()), []).append((payoffs or {})["player_0"])
    return {profile: sum(values) / len(values) for profile, values in paid.items()}


@pytest.mark.parametrize("stop", ["matches", "anytime"])
def test_a_bernoulli_game_is_resolved_with_the_right_signs(stop: str) -> None:
    field = pennies(2000, stop=stop)

    results = play("adaptive", field, bernoulli(1))

    end, mean = stop_of("adaptive", field, results), means(results)
    assert (end.rule, end.why) == ("edges", "all 4 edges of the response graph are resolved")
    assert len(results) < 400
    assert mean["x", "u"] > mean["y", "u"]
    assert mean["x", "v"] < mean["y", "v"]
    assert mean["x", "u"] > mean["x", "v"]
    assert mean["y", "u"] < mean["y", "v"]


def test_an_interval_that_holds_at_all_times_asks_for_more_deals() -> None:
    fixed, anytime = (len(play("adaptive", pennies(2000, stop=s), bernoulli(2))) for s in ("matches", "anytime"))

    assert fixed < anytime


def test_rock_paper_scissors_is_resolved_pair_by_pair() -> None:
    names = ("rock", "paper", "scissors")
    beats = {("paper", "rock"), ("scissors", "paper"), ("rock", "scissors")}

    def pay(seating: Mapping[str, str], deal: int) -> dict[str, float]:
        first, second = seating["player_0"], seating["player_1"]
        surely = 0.95 if "rock" in (first, second) else 0.75  # scissors against paper is the hard one
        won = float((stream(deal, first).random() < surely) == ((first, second) in beats))
        return {"player_0": won, "player_1": 1 - won}

    field = replace(field_of(3, 2000, goal="edges"), agents=names)
    results = play("adaptive", field, pay)

    deals = Counter(frozenset(r.block.seatings[0].values()) for r in results)
    assert stop_of("adaptive", field, results).rule == "edges"
    assert all(len(r.block.seatings) == 2 for r in results)
    assert deals[frozenset({"paper", "scissors"})] > 1.5 * max(deals[frozenset({"rock", n})] for n in names[1:])


def test_a_run_that_ends_before_its_edges_are_resolved_says_so() -> None:
    field = pennies(12)

    end = stop_of("adaptive", field, play("adaptive", field, bernoulli(1)))

    assert (end.rule, end.value) == ("matches", 4)
    assert end.why == "all planned matches are played: 12; 4 of 4 edges of the response graph are not resolved"


def test_a_side_is_a_population_of_all_agents() -> None:
    field = replace(field_of(3, 100, goal="edges"), sided=True)

    apart, mirrors = graph_of(field), graph_of(replace(field, options={"no_model_on_both_sides": False}))

    assert len(apart.profiles) == 6
    assert len(mirrors.profiles) == 9
    assert len(mirrors.edges) == 2 * 3 * 3
    assert all(sum(a != b for a, b in zip(*(mirrors.profiles[i] for i, _ in edge), strict=True)) == 1
               for edge in mirrors.edges)  # fmt: skip


def test_what_edges_cannot_mean_is_refused() -> None:
    with pytest.raises(UsageError, match="here are 5 seats"):
        graph_of(field_of(3, 100, slots=5))
    with pytest.raises(UsageError, match="28 profiles at least once; the matches allow 20"):
        graph_of(field_of(8, 40))
    with pytest.raises(UsageError, match="looks for no best agent"):
        graph_of(field_of(3, 40, stop="p_top1"))


def test_intervals_by_hand() -> None:
    assert hoeffding(25, 50, 0.01) == pytest.approx((0.5 - 0.23018, 0.5 + 0.23018), abs=1e-5)
    assert clopper_pearson(5, 10, 0.05) == pytest.approx((0.18709, 0.81291), abs=1e-5)
    assert clopper_pearson(0, 10, 0.05) == pytest.approx((0, 1 - 0.025**0.1))
    assert clopper_pearson(10, 10, 0.05) == pytest.approx((0.025**0.1, 1))


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
