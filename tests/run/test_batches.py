"""Runs of schedules that look at results: the results alone change the plan, not a crash nor the order of arrival."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from arena.leaderboards import bt, matches
from arena.leaderboards.posterior import posterior
from arena.models.names import AgentSpec
from arena.models.session import Session
from arena.run.api import RunResult, resolve_agents, resume, start
from arena.run.batches import Batches
from arena.run.executors import EXECUTORS, run_async, shares_of
from arena.run.job import Job
from arena.run.plan import make_plan
from arena.run.runfile import settings_of
from arena.run.schedules import BlockResult, Estimate, Posterior
from arena.run.settings import Settings
from tests.run.playing import rows
from tests.run.worlds import by_strength, field_of, play

KUHN = ["bot/nash", "bot/loose", "bot/tight", "bot/random"]


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
    fitted = bt.fit(table, roles="bias", prior_sd=1.4)
    solved, _, _ = bt._solved(table, "half", "bias", (), 1.4, 1.0)
    maps = solved.named.overall()
    order = [fitted.agents.index(name) for name in names]
    assert solved.named.agents == names
    assert np.allclose(found.cov, maps @ np.linalg.inv(solved.solution.curvature) @ maps.T, atol=1e-9)
    assert np.allclose(found.mean, fitted.table["theta"].to_numpy()[order], atol=1e-9)
    assert np.allclose(found.clustered, fitted.cov[np.ix_(order, order)], atol=1e-9)


def test_an_agent_without_a_match_is_as_wide_as_the_prior() -> None:
    results = play("paired", field_of(2, 40), by_strength([0, 0], 1, 0.0))

    wide = posterior(["a0", "a1", "new"], results).cov
    nothing = posterior(["a0", "a1"], [])

    assert wide[2][2] > 2 * wide[0][0]
    assert np.allclose(nothing.cov, 1.4**2 * np.array([[0.5, -0.5], [-0.5, 0.5]]))


@pytest.mark.parametrize("kind", ["swiss", "adaptive"])
def test_an_odd_field_is_played_though_somebody_sits_out_the_first_batch(kind: str, tmp_path: Path) -> None:
    result = run(tmp_path / "odd", agents=KUHN[:3], schedule={"kind": kind})

    assert result.status == "complete"


@pytest.mark.parametrize(("parts", "workers"), [(1, 1), (1, 8), (4, 32), (64, 2), (1, 100)])
@pytest.mark.parametrize("given", [None, 16])
def test_all_workers_of_all_shards_keep_one_limit_together(parts: int, workers: int, given: int | None) -> None:
    file = {"game": "kuhn", "agents": ["mock/legal", "bot/tight"], "seed": 1, "matches": 200}
    settings = settings_of(file | {"limits": {"concurrency": given} if given else {}})
    divided = replace(settings, limits=settings.limits.divided(parts), workers=workers)
    plan = make_plan(settings, [(None, agent) for agent in settings.agents])
    shares = shares_of(Job("run", "id", divided, tuple(plan), {}, {}, share=parts))

    each = [Session(limits=share.settings.limits, share=share.share).at_once for share in shares]

    assert sum(len(share.plan) for share in shares) == len(plan)
    assert sum(each) * parts <= max(given or 64, parts)  # a shard plays with one call at least
