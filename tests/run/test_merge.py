"""Shards of one plan, each its own run, joined into the run that one process would have made."""

from __future__ import annotations

import shutil
import sqlite3
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from arena.core.errors import StoreError, UsageError
from arena.run.api import RunResult, resume, run_hash
from arena.run.fork import fork_run
from arena.run.replayed import verify
from arena.run.runfile import settings_of
from arena.store.merge import merge
from arena.store.reader import Reader
from tests.run.playing import play, rows

AGENTS = ["mock/legal", "bot/tight", "bot/loose"]
TABLES = ("manifest", "agents", "matches", "seats", "turns", "events", "calls", "messages", "notes", "superseded")


def _shard(folder: Path, which: str, **values: Any) -> RunResult:
    return play(folder, AGENTS, matches=12, executor={"shard": which}, **values)


def _shards(folder: Path, number: int) -> list[Path]:
    found = [folder / f"s{i}" for i in range(1, number + 1)]
    for i, path in enumerate(found, start=1):
        assert _shard(path, f"{i}/{number}").status == "complete"
    return found


def _tables(run: Path) -> dict[str, list[tuple[object, ...]]]:
    with Reader(run) as reader:
        return {t: [tuple(row) for row in reader.db.execute(f"SELECT * FROM {t}")] for t in TABLES}


def _hash(run: Path) -> str:
    with Reader(run) as reader:
        return run_hash(reader)


def test_shards_play_each_match_once_and_join_to_the_whole_run(tmp_path: Path) -> None:
    whole = play(tmp_path / "whole", AGENTS, matches=12)
    shards = _shards(tmp_path, 3)

    merge(shards, tmp_path / "merged")

    numbers = [rows(s, "SELECT match_id FROM matches") for s in shards]
    assert sorted(row["match_id"] for found in numbers for row in found) == list(range(1, 13))
    assert _hash(tmp_path / "merged") == whole.run_hash
    with Reader(tmp_path / "merged") as reader:
        assert list(verify(reader)) == []
        assert reader.ledger()["calls"] == whole.calls
    assert resume(tmp_path / "merged").status == "complete"


def test_merging_in_any_order_twice_or_in_steps_gives_equal_tables(tmp_path: Path) -> None:
    a, b, c = _shards(tmp_path, 3)
    for number, order in enumerate(permutations((a, b, c))):
        merge(order, tmp_path / f"m{number}")
    merge([a, b], tmp_path / "ab")
    merge([tmp_path / "ab", c, a, tmp_path / "ab"], tmp_path / "steps")

    first = _tables(tmp_path / "m0")
    assert all(_tables(tmp_path / f"m{number}") == first for number in range(1, 6))
    assert _tables(tmp_path / "steps") == first


def test_a_run_merged_with_itself_is_itself(tmp_path: Path) -> None:
    play(tmp_path / "r", AGENTS, matches=6)
    merge([tmp_path / "r", tmp_path / "r"], tmp_path / "twice")

    one, two = _tables(tmp_path / "r"), _tables(tmp_path / "twice")
    assert {t: sorted(map(repr, one[t])) for t in TABLES} == {t: sorted(map(repr, two[t])) for t in TABLES}


def test_the_furthest_record_of_a_match_wins_and_the_others_cost_is_kept(tmp_path: Path) -> None:
    done, void = tmp_path / "done", tmp_path / "void"
    priced = ["mock/legal?price_in=1&price_out=1", "bot/tight"]
    play(done, priced, matches=2)
    play(void, priced, matches=2)
    with sqlite3.connect(void / "run.sqlite") as db:
        db.execute("UPDATE matches SET status='void', payoffs=NULL, record_hash=NULL WHERE match_id=1")
    db.close()

    merge([void, done], tmp_path / "m")

    assert [r["status"] for r in rows(tmp_path / "m", "SELECT status FROM matches")] == ["done", "done"]
    with Reader(tmp_path / "m") as m, Reader(done) as d, Reader(void) as v:
        assert m.ledger()["calls"] == d.ledger()["calls"] + v.ledger()["calls"]
        assert m.ledger()["cost_usd"] == pytest.approx(d.ledger()["cost_usd"] + v.ledger()["cost_usd"])
        assert m.ledger()["repeated"] > 0


def test_runs_of_other_settings_do_not_merge(tmp_path: Path) -> None:
    play(tmp_path / "a", AGENTS, matches=6)
    play(tmp_path / "b", AGENTS, matches=6, seed=2)

    with pytest.raises(UsageError, match="are not parts of one run: config_sha256, plan_hash, seed differ"):
        merge([tmp_path / "a", tmp_path / "b"], tmp_path / "m")
    assert not (tmp_path / "m" / "run.sqlite").exists()


def test_nothing_is_merged_over_what_is_there(tmp_path: Path) -> None:
    play(tmp_path / "a", AGENTS, matches=6)

    with pytest.raises(StoreError, match="holds a run already"):
        merge([tmp_path / "a"], tmp_path / "a")


def test_a_shard_is_not_resumed_as_another_one(tmp_path: Path) -> None:
    _shard(tmp_path / "s", "1/3")

    with pytest.raises(UsageError, match="holds shard 1/3"):
        _shard(tmp_path / "s", "2/3")


def test_a_schedule_that_looks_at_results_has_no_shards(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be played in shards"):
        _shard(tmp_path / "s", "1/2", schedule={"kind": "swiss"})


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "a/b", "1/0"])
def test_a_shard_that_is_none(text: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="shard"):
        _shard(tmp_path / "s", text)


def test_copies_of_one_shard_are_that_shard_still(tmp_path: Path) -> None:
    first, second = _shards(tmp_path, 2)

    assert merge([first, first], tmp_path / "again") == ["2/2"]
    assert merge([tmp_path / "again", second], tmp_path / "whole") == []
    with Reader(tmp_path / "again") as reader:
        assert reader.manifest()["config"]["shard"] == "1/2"
    with Reader(tmp_path / "whole") as reader:
        assert reader.manifest()["config"]["shard"] is None
        assert list(verify(reader)) == []


def test_two_copies_that_both_went_on_keep_what_both_paid(tmp_path: Path) -> None:
    whole = play(tmp_path / "a", ["mock/legal?price_in=1&price_out=1", "bot/tight"], matches=2)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    with sqlite3.connect(tmp_path / "b" / "run.sqlite") as db:
        db.execute("UPDATE calls SET started_ms = started_ms + 1")  # the same calls, made and paid again
    db.close()

    merge([tmp_path / "a", tmp_path / "b"], tmp_path / "m")

    with Reader(tmp_path / "m") as reader:
        assert reader.ledger()["calls"] == 2 * whole.calls
        assert reader.ledger()["cost_usd"] == pytest.approx(2 * (whole.cost_usd or 0))


def test_another_model_under_one_name_does_not_merge(tmp_path: Path) -> None:
    a, b = _shards(tmp_path, 2)
    with sqlite3.connect(b / "run.sqlite") as db:
        db.execute("UPDATE agents SET fingerprint='0' WHERE kind='model'")
    db.close()

    with pytest.raises(UsageError, match="mock/legal was another model"):
        merge([a, b], tmp_path / "m")


def test_shards_with_processes_use_them_all(tmp_path: Path) -> None:
    executor = {"kind": "processes", "workers": 2, "shard": "1/2"}
    result = play(tmp_path / "s", ["mock/legal", "bot/tight"], matches=12, executor=executor)
    with_nothing = play(tmp_path / "e", ["mock/legal", "bot/tight"], matches=2, executor=executor | {"shard": "2/2"})

    assert (result.status, result.matches["done"]) == ("complete", 6)
    assert (with_nothing.status, with_nothing.matches["done"]) == ("complete", 0)


def test_a_fork_of_a_shard_plays_all_its_branches(tmp_path: Path) -> None:
    _shard(tmp_path / "s", "1/3")
    first = rows(tmp_path / "s", "SELECT MIN(match_id) AS n FROM matches")[0]["n"]

    forked = fork_run(tmp_path / "s", str(first), "1", 4, out=tmp_path / "f")

    assert (forked.status, forked.matches["done"]) == ("complete", 4)


def test_a_shard_without_a_seed_is_refused() -> None:
    with pytest.raises(UsageError, match="a shard needs a seed"):
        settings_of({"game": "kuhn", "agents": ["bot/tight", "bot/loose"], "executor": {"shard": "1/2"}})
