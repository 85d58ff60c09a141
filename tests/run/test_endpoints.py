"""An endpoint that answers garbage, HTML, half a JSON, 429, 500 or nothing: it ends no run and counts as no move.

A real server on loopback and the real client; only back-off passes without waiting.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from arena.cli.counted import plain_rows
from arena.models import limiter
from arena.run.api import resume
from arena.run.replayed import verify
from arena.store.reader import Reader
from arena.testing.fake_server import FakeServer, serving
from tests.run.playing import play, rows

FAULTS: list[dict[str, str]] = [
    {"broken": "garbage", "protocol": "@1"},
    {"broken": "html", "protocol": "@1"},
    {"broken": "html_502", "protocol": "@1"},
    {"broken": "half_json", "protocol": "@1"},
    {"broken": "nothing", "protocol": "@1"},
    {"broken": "no_http", "protocol": "@1"},
    {"broken": "no_choices", "protocol": "@1"},
    {"broken": "error_in_200", "protocol": "@1"},
    {"broken": "short_body", "protocol": "@1"},
    {"rate_limit": "@1"},
    {"rate_limit": "@1", "retry_after": "0"},
    {"overloaded": "@1"},
    {"server": "@1"},
    {"connection": "@1"},
    {"hang": "@1"},
    {"quota": "@1"},
    {"auth": "@1"},
    {"not_found": "@1"},
]
NAMES = [f.get("broken") or "-".join(f) for f in FAULTS]
PASSING = [f for f in FAULTS if not {"quota", "auth", "not_found"} & set(f)]  # those that a later try may not meet


async def at_once(self: limiter.Clock, seconds: float) -> None:
    """Back-off without waiting."""
    await asyncio.sleep(0)


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(limiter.Clock, "sleep", at_once)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))  # what was found out about a port is not kept


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with serving(samples="request") as made:
        yield made


def _agents(server: FakeServer, timeout: str = "20s") -> list[str]:
    return [f"openai/fake-1@{server.url}?timeout={timeout}", "bot/nash", "bot/tight"]


def _play(folder: Path, server: FakeServer, fault: dict[str, Any]) -> Any:
    timeout = {"@1": "100ms", "@3": "1s"}.get(fault.get("hang", ""), "20s")
    return play(folder, _agents(server, timeout), matches=6, illegal={"reasks": 1})


@pytest.mark.parametrize("fault", FAULTS, ids=NAMES)
def test_a_dead_endpoint_voids_its_matches_and_no_other_and_the_run_goes_on_later(
    fault: dict[str, str], server: FakeServer, tmp_path: Path
) -> None:
    server.reset(**fault)

    result = _play(tmp_path / "run", server, fault)

    asked = "SELECT match_id FROM seats JOIN agents USING (agent_id) WHERE kind='model'"
    assert (result.status, result.exit_code) == ("void", 3)
    assert result.matches == {"planned": 6, "done": 2, "void": 4, "failed": 0}
    assert result.resume == f"arena resume {tmp_path / 'run'}"
    assert {r["status"] for r in rows(tmp_path / "run", f"SELECT status FROM matches WHERE match_id IN ({asked})")} == {
        "void"
    }
    assert not rows(tmp_path / "run", "SELECT * FROM turns WHERE fallback=1 OR status!='legal'")
    assert not rows(tmp_path / "run", "SELECT * FROM matches WHERE status='void' AND (payoffs NOT NULL OR reason='')")
    assert not rows(tmp_path / "run", "SELECT * FROM calls")

    server.reset(samples="request", **dict.fromkeys(fault.keys() - {"broken", "retry_after"}, "0"))
    assert resume(tmp_path / "run").status == "complete"

    assert {r["status"] for r in rows(tmp_path / "run", "SELECT status FROM turns")} == {"legal"}
    with Reader(tmp_path / "run") as reader:
        assert list(verify(reader)) == []


@pytest.mark.parametrize("fault", PASSING, ids=[f.get("broken") or "-".join(f) for f in PASSING])
def test_a_fault_at_every_third_request_changes_no_result(
    fault: dict[str, str], server: FakeServer, tmp_path: Path
) -> None:
    healthy = _play(tmp_path / "healthy", server, {})
    fault = {key: "@3" if value == "@1" else value for key, value in fault.items()}
    server.reset(**fault)

    result = _play(tmp_path / "run", server, fault)

    assert healthy.status == result.status == "complete"
    assert rows(tmp_path / "run", "SELECT * FROM call_errors")
    assert not rows(tmp_path / "run", "SELECT * FROM turns WHERE fallback=1")
    table = "SELECT match_id, record_hash, payoffs FROM matches ORDER BY match_id"
    assert rows(tmp_path / "run", table) == rows(tmp_path / "healthy", table)
    score = ("win_rate", "payoff", "n_matches", "n_void", "illegal_per_100_turns")
    scores = [[[row[key] for key in score] for row in plain_rows([tmp_path / n])] for n in ("run", "healthy")]
    assert scores[0] == scores[1]


def test_a_server_that_dies_in_the_middle_leaves_open_turns(server: FakeServer, tmp_path: Path) -> None:
    play(tmp_path / "healthy", _agents(server), matches=2)
    server.reset(fail_after=4)  # what the endpoint can do was found out by now

    result = play(tmp_path / "run", _agents(server), matches=12)

    done = rows(tmp_path / "run", "SELECT * FROM calls")
    assert result.status == "void"
    assert len(done) == 4
    assert not rows(tmp_path / "run", "SELECT * FROM turns WHERE fallback=1")
    server.reset(samples="request", fail_after=0)
    assert resume(tmp_path / "run").status == "complete"
    assert not {r["call_key"] for r in done} & set(server.counts.keys), "a committed call was made again"


@pytest.mark.parametrize(
    ("flaw", "status"),
    [
        ("empty", "illegal"),
        ("refuse", "refused"),
        ("filter", "refused"),
        ("truncate", "truncated"),
        ("illegal", "illegal"),
    ],
)
def test_what_the_model_itself_says_is_its_answer_and_never_legal(
    flaw: str, status: str, server: FakeServer, tmp_path: Path
) -> None:
    server.reset(**{flaw: "@1"})

    result = play(tmp_path / "run", _agents(server), matches=6)

    turns = rows(tmp_path / "run", "SELECT * FROM turns WHERE last_call NOT NULL")
    assert result.status == "complete"
    assert {t["status"] for t in turns} == {status}
    assert all(t["fallback"] and t["reason"] for t in turns)
