"""Each state that a crash can leave of a turn, made by hand and resumed: what is asked again, and what is not."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from arena.core import Ask, View
from arena.core.errors import StoreError, UsageError
from arena.core.methods import Completion, Context
from arena.registry import methods
from arena.run.api import resume
from arena.store.export import export_jsonl
from arena.store.schema import FILE
from tests.run.leftovers import SCRIPT, Leftover, record
from tests.run.playing import play, rows

Cut = Callable[[], Leftover]


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    """Four matches of Kuhn poker. The model seat checks; facing a bet it is asked again and folds."""
    agents = [f"mock/script?file={SCRIPT}&count_file={tmp_path / 'served'}", "bot/kuhn-loose"]
    assert play(tmp_path / "whole", agents, seed=3, limits={"concurrency": 2}).status == "complete"
    return tmp_path / "whole"


@pytest.fixture
def left(whole: Path, tmp_path: Path) -> Leftover:
    return Leftover(whole, tmp_path / "left", tmp_path / "served")


def _reasked(folder: Path) -> dict[str, Any]:
    """A turn that took two calls."""
    return rows(folder, "SELECT * FROM turns WHERE reasks=1 ORDER BY match_id, turn LIMIT 1")[0]


def test_a_match_that_is_only_planned_is_played(left: Leftover, whole: Path) -> None:
    left.unfinish(1, "planned")
    left.write(*(f"DELETE FROM {table} WHERE match_id=1" for table in ("calls", "events", "turns")))

    assert resume(left.folder).status == "complete"

    assert record(left.folder) == record(whole)
    assert left.sent() == sorted(r["call_key"] for r in rows(whole, "SELECT call_key FROM calls WHERE match_id=1"))


def test_a_request_whose_reply_is_lost_is_sent_again_under_its_key(left: Leftover, whole: Path) -> None:
    turn = _reasked(whole)
    left.cut(turn["match_id"], turn["batch"])

    assert resume(left.folder).status == "complete"

    assert record(left.folder) == record(whole)
    assert set(left.keys(turn["match_id"], turn["turn"])) <= set(left.sent())


def test_a_committed_call_of_an_undecided_turn_is_read_and_not_made_again(left: Leftover, whole: Path) -> None:
    """A single call and its turn are one unit; a call alone comes of a reply that is asked again, or of a method."""
    turn = _reasked(whole)
    left.cut(turn["match_id"], turn["batch"])
    left.put_back(whole, "calls", f"match_id={turn['match_id']} AND turn={turn['turn']}")

    assert resume(left.folder).status == "complete"

    assert record(left.folder) == record(whole)
    assert not set(left.keys(turn["match_id"], turn["turn"])) & set(left.sent())


def test_a_first_attempt_that_was_illegal_is_kept_and_only_the_reask_is_sent(left: Leftover, whole: Path) -> None:
    turn = _reasked(whole)
    here = f"match_id={turn['match_id']} AND turn={turn['turn']}"
    left.cut(turn["match_id"], turn["batch"])
    left.put_back(whole, "calls", f"{here} AND path LIKE 'r0/%'")

    assert resume(left.folder).status == "complete"

    assert record(left.folder) == record(whole)
    assert not set(left.keys(turn["match_id"], turn["turn"], attempt=0)) & set(left.sent())
    assert set(left.keys(turn["match_id"], turn["turn"], attempt=1)) <= set(left.sent())


def test_committed_calls_of_a_method_are_not_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(methods(), "thrice", _Thrice())
    served = tmp_path / "served"
    play(tmp_path / "whole", [f"thrice:mock/legal?count_file={served}", "bot/tight"], matches=2)
    paths = rows(tmp_path / "whole", "SELECT path FROM calls WHERE turn=0 AND match_id=1 ORDER BY path")
    left = Leftover(tmp_path / "whole", tmp_path / "left", served)
    left.cut(1, 0)
    left.put_back(tmp_path / "whole", "calls", "match_id=1 AND turn=0 AND path LIKE '%think%'")

    assert resume(left.folder).status == "complete"

    assert [p["path"] for p in paths] == ["r0/act/0/0", "r0/think/0/0", "r0/think/1/0"]
    assert record(left.folder) == record(tmp_path / "whole")
    first = rows(left.folder, "SELECT call_key, path FROM calls WHERE match_id=1 AND turn=0")
    assert {r["path"] for r in first if r["call_key"] in left.sent()} == {"r0/act/0/0"}


@pytest.fixture
def throws(tmp_path: Path) -> tuple[Path, Cut]:
    """A match of simultaneous throws by two models, and a way to leave only a part of its third round."""
    agents = [f"mock/legal?seed={n}&count_file={tmp_path / 'served'}" for n in (1, 2)]
    play(tmp_path / "throws", agents, game="matrix/rps", set={"rounds": 4}, matches=2)
    return tmp_path / "throws", lambda: Leftover(tmp_path / "throws", tmp_path / "left", tmp_path / "served")


def test_a_decided_turn_of_an_open_batch_is_kept_and_the_other_seat_is_asked(throws: tuple[Path, Cut]) -> None:
    whole, copy = throws
    left = copy()
    left.cut(1, 2)
    decided = "match_id=1 AND batch=2 AND seat_no=1"
    left.put_back(whole, "turns", decided)
    left.put_back(whole, "calls", "match_id=1 AND turn=5")
    left.write(f"UPDATE turns SET applied=0 WHERE {decided}")

    assert resume(left.folder).status == "complete"

    assert record(left.folder) == record(whole)
    assert left.sent() == sorted(k for turn in (4, 6, 7) for k in left.keys(1, turn))


def test_a_batch_that_is_decided_and_not_applied_is_applied_without_a_call(throws: tuple[Path, Cut]) -> None:
    whole, copy = throws
    left = copy()
    left.cut(1, 3)  # the last round
    left.put_back(whole, "turns", "match_id=1 AND batch=3")
    left.put_back(whole, "calls", "match_id=1 AND turn >= 6")
    left.write("UPDATE turns SET applied=0 WHERE match_id=1 AND batch=3")

    assert resume(left.folder).status == "complete"

    assert record(left.folder) == record(whole)
    assert left.sent() == []


def test_payoffs_that_are_missing_are_computed_by_replay(throws: tuple[Path, Cut]) -> None:
    whole, copy = throws
    left = copy()
    left.unfinish(1)

    assert resume(left.folder).status == "complete"

    assert record(left.folder) == record(whole)
    assert left.sent() == []


@pytest.mark.parametrize(("status", "again"), [("void", False), ("failed", True)])
def test_a_void_match_goes_on_and_a_failed_one_when_that_is_asked_for(
    status: str, again: bool, throws: tuple[Path, Cut]
) -> None:
    whole, copy = throws
    left = copy()
    left.cut(1, 2)
    left.write(f"UPDATE matches SET status='{status}', reason='an earlier trouble' WHERE match_id=1")

    if again:
        assert resume(left.folder).status == status
        assert left.sent() == []
    assert resume(left.folder, retry_failed=again).status == "complete"

    assert record(left.folder) == record(whole)
    assert left.sent() == sorted(k for turn in (4, 5, 6, 7) for k in left.keys(1, turn))


def test_resuming_at_every_batch_gives_the_whole_run_and_its_exports(left: Leftover, whole: Path) -> None:
    export_jsonl(whole, whole.parent / "whole.jsonl")
    for match, batch in [
        (r["match_id"], r["batch"]) for r in rows(whole, "SELECT DISTINCT match_id, batch FROM turns")
    ]:
        left.cut(match, batch)
        if rows(left.folder, f"SELECT 1 FROM matches WHERE match_id={match} AND status='running'"):
            assert resume(left.folder).status == "complete"

        assert record(left.folder) == record(whole)
    export_jsonl(left.folder, whole.parent / "left.jsonl")
    assert (whole.parent / "left.jsonl").read_bytes() == (whole.parent / "whole.jsonl").read_bytes()


@pytest.mark.parametrize("what", ["prompt='00'", "asked='{}'"])
def test_a_stored_call_of_other_words_stops_the_resume_and_names_agent_and_turn(
    what: str, left: Leftover, whole: Path
) -> None:
    turn = _reasked(whole)
    left.cut(turn["match_id"], turn["batch"])
    left.put_back(whole, "calls", f"match_id={turn['match_id']} AND turn={turn['turn']} AND path LIKE 'r0/%'")
    left.write(f"UPDATE calls SET {what} WHERE match_id={turn['match_id']} AND turn={turn['turn']}")

    with pytest.raises(UsageError) as caught:
        resume(left.folder)

    assert f"match {turn['match_id']}, turn {turn['turn']}: mock/script" in caught.value.message
    assert "--accept-changes" in str(caught.value.hint)
    assert not set(left.keys(turn["match_id"], turn["turn"])) & set(left.sent())
    assert resume(left.folder, accept_changes=True).status == "complete"
    hashes = "SELECT match_id, record_hash FROM matches ORDER BY match_id"
    assert rows(left.folder, hashes) == rows(whole, hashes)
    assert rows(left.folder, "SELECT * FROM notes WHERE kind='accepted_changes'")


def test_a_game_that_changed_fails_its_match_and_spends_nothing(left: Leftover, whole: Path) -> None:
    turn = _reasked(whole)
    left.cut(turn["match_id"], turn["batch"])
    left.write(f"UPDATE turns SET ask_hash='00' WHERE match_id={turn['match_id']} AND turn=0")

    result = resume(left.folder)

    (match,) = rows(left.folder, f"SELECT status, reason FROM matches WHERE match_id={turn['match_id']}")
    assert result.status == match["status"] == "failed"
    assert "ReplayMismatch" in match["reason"]
    assert left.sent() == []


def test_a_run_of_a_game_version_that_is_not_installed_is_left_alone(left: Leftover) -> None:
    left.cut(1, 0)
    left.write("UPDATE matches SET game='kuhn-v9'")
    before = (left.folder / FILE).read_bytes()

    with pytest.raises(UsageError, match="kuhn-v9 is not installed"):
        resume(left.folder)

    assert (left.folder / FILE).read_bytes() == before
    assert left.sent() == []


def test_settings_of_another_release_are_one_error(left: Leftover) -> None:
    left.cut(1, 0)
    left.write("UPDATE manifest SET value=json_set(value, '$.limits.new_in_v2', 1) WHERE key='config'")
    before = (left.folder / FILE).read_bytes()

    with pytest.raises(StoreError, match=r"settings are those of another release: .*new_in_v2"):
        resume(left.folder)

    assert (left.folder / FILE).read_bytes() == before


def test_the_notes_of_a_resume_say_what_changed(left: Leftover) -> None:
    left.cut(1, 0)

    resume(left.folder)

    db = sqlite3.connect(left.folder / FILE)
    (body,) = db.execute("SELECT body FROM notes WHERE kind='resume'").fetchone()
    assert json.loads(body)["limits"]["concurrency"] == 2
    db.close()


class _Thrice:
    """Thinks twice, then answers."""

    method: Any = None
    name = "thrice"
    options: Mapping[str, tuple[type, Any]] = {}
    as_objects = False

    def calls(self, seats: int, options: Mapping[str, Any]) -> int:
        return 3

    async def answer(self, view: View, ask: Ask, ctx: Context, options: Mapping[str, Any]) -> Completion:
        for sample in range(2):
            await ctx.call(ctx.messages(), purpose="think", sample=sample)
        return await ctx.call(ctx.messages(), shape=ctx.shape())
