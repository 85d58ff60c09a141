"""What a resumed run finds changed, and what it keeps of a record that is begun anew."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from arena.core.errors import UsageError
from arena.run.api import RunResult, resume
from arena.run.fork import fork_run
from arena.run.replayed import verify
from arena.store.reader import Reader
from arena.testing.fake_server import FakeServer, serving
from tests.run.playing import play, rows


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """Its first reply cannot be used, and every second request is refused for good: a turn stays open."""
    with serving(kind="fixed", text="what?", auth="@2") as server:
        yield server


def _broken_off(server: FakeServer, folder: Path, **values: Any) -> RunResult:
    agent = f"openai/fake-1@{server.url}?price_in=1&price_out=1"
    result = play(folder, [agent, "bot/tight"], matches=2, limits={"concurrency": 1}, **values)
    assert result.status == "void"
    server.reset(kind="legal", text="ok", auth="0")
    return result


def _change_the_agent(folder: Path) -> None:
    with sqlite3.connect(folder / "run.sqlite") as db:
        db.execute("""UPDATE calls SET asked='{"max_tokens":7}' WHERE purpose='turn'""")
    db.close()


def test_a_resumed_run_uses_the_reply_that_it_has(server: FakeServer, tmp_path: Path) -> None:
    _broken_off(server, tmp_path / "r")
    before = rows(tmp_path / "r", "SELECT call_key FROM calls WHERE purpose='turn'")

    assert resume(tmp_path / "r").status == "complete"
    assert len(before) == 1
    assert rows(tmp_path / "r", "SELECT call_key FROM calls WHERE purpose='turn' AND turn=0")[0] == before[0]
    assert rows(tmp_path / "r", "SELECT COUNT(*) AS n FROM superseded") == [{"n": 0}]


def test_a_changed_agent_is_refused(server: FakeServer, tmp_path: Path) -> None:
    _broken_off(server, tmp_path / "r")
    _change_the_agent(tmp_path / "r")

    with pytest.raises(UsageError, match=r"match \d, turn \d: .* changed since this call was recorded"):
        resume(tmp_path / "r")


def test_accepted_changes_ask_anew_and_keep_what_was_paid(server: FakeServer, tmp_path: Path) -> None:
    _broken_off(server, tmp_path / "r")
    _change_the_agent(tmp_path / "r")
    old = rows(tmp_path / "r", "SELECT * FROM calls WHERE purpose='turn'")[0]

    result = resume(tmp_path / "r", accept_changes=True)

    kept = rows(tmp_path / "r", "SELECT * FROM superseded")
    assert result.status == "complete"
    assert [json.loads(row["row"])["call_key"] for row in kept] == [old["call_key"]]
    new = rows(tmp_path / "r", f"SELECT * FROM calls WHERE match_id={old['match_id']} AND turn={old['turn']}")
    assert [call["execution"] for call in new] == [1]
    assert new[0]["call_key"] != old["call_key"]
    assert rows(tmp_path / "r", "SELECT kind FROM notes WHERE kind='accepted_changes'") == [
        {"kind": "accepted_changes"}
    ]
    with Reader(tmp_path / "r") as reader:
        assert reader.ledger()["repeated"] == 1
        paid = reader.db.execute("SELECT SUM(cost_usd) FROM calls").fetchone()[0]
        assert reader.ledger()["cost_usd"] == pytest.approx(paid + old["cost_usd"])
        assert list(verify(reader)) == []


def test_a_void_match_begins_anew_where_the_run_says_so(server: FakeServer, tmp_path: Path) -> None:
    _broken_off(server, tmp_path / "r", void={"passes": 0, "restart": True})
    old = rows(tmp_path / "r", "SELECT match_id, call_key FROM calls WHERE purpose='turn'")[0]

    assert resume(tmp_path / "r").status == "complete"

    kept = rows(tmp_path / "r", "SELECT * FROM superseded")
    assert old["call_key"] in {json.loads(r["row"]).get("call_key") for r in kept}
    assert {"calls", "events"} <= {r["table"] for r in kept}
    again = rows(tmp_path / "r", f"SELECT DISTINCT execution FROM calls WHERE match_id={old['match_id']}")
    assert again == [{"execution": 1}]
    with Reader(tmp_path / "r") as reader:
        assert list(verify(reader)) == []


def test_who_a_model_is_stands_in_the_record(tmp_path: Path) -> None:
    play(tmp_path / "r", ["mock/legal", "bot/tight"])

    agents = rows(tmp_path / "r", "SELECT kind, identity, fingerprint FROM agents ORDER BY agent_id")
    assert json.loads(agents[0]["identity"])["provider"] == "mock"
    assert agents[0]["fingerprint"]
    assert agents[1]["fingerprint"] is None


def test_another_model_behind_the_name_is_refused_unless_it_is_accepted(server: FakeServer, tmp_path: Path) -> None:
    _broken_off(server, tmp_path / "r")
    with sqlite3.connect(tmp_path / "r" / "run.sqlite") as db:
        db.execute("UPDATE agents SET fingerprint='0' WHERE kind='model'")
    db.close()

    with pytest.raises(UsageError, match="is not the model that this run began with"):
        resume(tmp_path / "r")
    assert resume(tmp_path / "r", accept_changes=True).status == "complete"


def test_the_calls_of_a_probe_are_paid_rows(tmp_path: Path) -> None:
    with serving() as server:
        play(tmp_path / "r", [f"openai/fake-1@{server.url}?price_in=1&price_out=1", "bot/tight"], matches=2)
        served = server.counts.served

    probes = rows(tmp_path / "r", "SELECT * FROM calls WHERE purpose='probe'")
    assert 1 <= len(probes) <= 6
    assert all(p["match_id"] is None and p["cost_usd"] > 0 and p["reply"] for p in probes)
    assert rows(tmp_path / "r", "SELECT COUNT(*) AS n FROM calls") == [{"n": served}]


def test_the_parameters_that_were_sent_stand_beside_those_asked_for(tmp_path: Path) -> None:
    with serving(supports="-temperature") as server:
        play(tmp_path / "r", [f"openai/fake-1@{server.url}?temperature=0.5", "bot/tight"], matches=2)

    calls = rows(tmp_path / "r", "SELECT asked, params, estimated FROM calls WHERE purpose='turn'")
    assert all(json.loads(c["asked"])["temperature"] == 0.5 for c in calls)
    assert all("temperature" not in json.loads(c["params"]) for c in calls)
    assert {c["estimated"] for c in calls} == {0}


def test_the_runs_time_ends_a_run_of_bots(tmp_path: Path) -> None:
    result = play(tmp_path / "r", ["bot/tight", "bot/loose"], matches=5000, limits={"wall_s": 0.01})

    assert result.status == "budget"
    assert result.matches["done"] < 5000


def test_a_void_branch_of_a_fork_never_loses_its_copied_past(tmp_path: Path) -> None:
    play(
        tmp_path / "r", ["mock/legal", "bot/random"], game="matrix/ipd", matches=2, void={"passes": 0, "restart": True}
    )
    fork_run(tmp_path / "r", "1", "12", 1, out=tmp_path / "f")
    copied = rows(tmp_path / "f", "SELECT turn, answer FROM turns WHERE origin='copied'")
    with sqlite3.connect(tmp_path / "f" / "run.sqlite") as db:
        db.execute("UPDATE matches SET status='void', payoffs=NULL")
    db.close()

    assert resume(tmp_path / "f").status == "complete"
    assert copied
    assert rows(tmp_path / "f", "SELECT turn, answer FROM turns WHERE origin='copied'") == copied


def test_a_budget_of_tokens_counts_what_was_paid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARENA_CACHE", str(tmp_path / "cache"))
    play(tmp_path / "first", ["mock/legal", "bot/tight"])
    play(tmp_path / "again", ["mock/legal", "bot/tight"])

    with Reader(tmp_path / "again") as reader:
        assert reader.ledger()["tokens_in"] > 0
        assert reader.ledger()["paid_tokens"] == 0
