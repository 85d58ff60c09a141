"""Which match is begun next, and what is said of a step that holds up the others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from arena.run import match_task
from arena.run.admission import Admission
from arena.run.api import resolve_agents, start
from arena.run.plan import Planned, make_plan
from arena.run.progress import Progress
from arena.run.runfile import settings_of
from arena.store.reader import Reader
from tests.run.playing import play, rows


def _plan(*games: str, agents: tuple[str, ...] = ("bot/random", "mock/legal")) -> list[Planned]:
    file = {"games": [{"game": game, "matches": 4} for game in games], "agents": list(agents), "seed": 1}
    return make_plan(settings_of(file), [(None, agent) for agent in agents])


def _order(admission: Admission) -> list[int]:
    found = []
    while admission:
        found.append(admission.next().number)
    return found


def test_matches_of_one_kind_begin_in_the_order_of_the_plan() -> None:
    assert _order(Admission(_plan("kuhn"), lambda _: 1.0)) == [1, 2, 3, 4]


def test_the_longest_begin_first() -> None:
    plan = _plan("kuhn", "gops")
    long = {p.number for p in plan if p.where == "gops"}

    order = _order(Admission(plan, lambda p: 9.0 if p.where == "gops" else 1.0))

    assert set(order[:4]) == long
    assert sorted(order) == list(range(1, 9))
    assert order[:4] == sorted(order[:4])


def test_what_is_learned_of_latencies_counts_at_once() -> None:
    plan = [replace(p, where=f"{p.where}{p.number}") for p in _plan("kuhn")]
    seconds = dict.fromkeys(range(1, 5), 1.0)
    admission = Admission(plan, lambda p: seconds[p.number])

    first = admission.next().number
    seconds[3] = 5.0

    assert (first, admission.next().number) == (1, 3)


def test_matches_enough_are_live_for_the_batches_of_a_local_model(tmp_path: Path) -> None:
    """More than the 96 of models at servers: the batch starts when it is full."""
    agents = ["hf/tiny-random?choice=grammar&batch=128&wait_ms=1000", "bot/tight"]
    assert play(tmp_path, agents, matches=128).status == "complete"

    with Reader(tmp_path) as reader:
        times = [(match["started_ms"], match["ended_ms"]) for match in reader.matches()]
    first = min(ended for _, ended in times)
    assert sum(started <= first for started, _ in times) == 128


def test_order_of_admission_changes_no_record(tmp_path: Path) -> None:
    agents = ["mock/legal?latency=3ms", "mock/legal?seed=2"]
    many = play(tmp_path / "many", agents, matches=12)
    one = play(tmp_path / "one", agents, matches=12, limits={"concurrency": 1})

    hashes = "SELECT match_id, record_hash FROM matches ORDER BY match_id"
    assert rows(tmp_path / "many", hashes) == rows(tmp_path / "one", hashes)
    assert many.run_hash == one.run_hash


def test_a_slow_step_is_named_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(match_task, "_SLOW_S", 0.0)
    seen: list[Progress] = []
    settings = settings_of({"game": "kuhn", "agents": ["mock/legal", "bot/tight"], "seed": 1, "matches": 4})

    start(settings, resolve_agents(settings.agents, ["kuhn"]), tmp_path / "r", watch=seen.append)

    said = [text for text in seen[0].events if "held up all other matches" in text]
    assert len(said) == 1
    assert "kuhn-v1" in said[0]
