"""Forks: the past is copied, one turn is asked anew, and chance after it is common or fresh."""

from __future__ import annotations

from pathlib import Path

import pytest

from arena.core.errors import UsageError
from arena.leaderboards import plain
from arena.leaderboards.runs import seats
from arena.run.fork import fork_run
from arena.run.replayed import verify
from arena.store.export import match_rows
from arena.store.reader import Reader
from tests.run.playing import play, rows


@pytest.fixture
def run(tmp_path: Path) -> Path:
    play(tmp_path / "run", ["mock/legal", "bot/loose"], game="leduc", matches=6)
    return tmp_path / "run"


def _long_match(run: Path) -> str:
    return str(rows(run, "SELECT match_id FROM matches ORDER BY turns DESC LIMIT 1")[0]["match_id"])


def test_copied_turns_cost_nothing_and_the_fork_stands_alone(run: Path) -> None:
    result = fork_run(run, _long_match(run), "2", 3)

    fork = Path(result.run)
    copied = rows(fork, "SELECT * FROM turns WHERE origin='copied'")
    assert result.status == "complete"
    assert {t["turn"] for t in copied} == {0, 1}
    assert all(t["last_call"] is None for t in copied)
    assert not rows(fork, "SELECT * FROM calls WHERE turn < 2")
    with Reader(fork) as reader:
        assert list(verify(reader)) == []
        assert reader.manifest()["parent"]["turn"] == 2


def test_a_model_that_a_fork_does_not_ask_cost_nothing(tmp_path: Path) -> None:
    play(tmp_path / "run", ["mock/legal?price_in=1&price_out=1", "bot/tight"], game="kuhn", matches=6)
    of_the_bot = """SELECT match_id, turn FROM turns JOIN matches m USING (match_id)
        JOIN seats USING (match_id, seat_no) JOIN agents USING (agent_id) WHERE kind = 'bot' AND turn = m.turns - 1"""
    last = rows(tmp_path / "run", of_the_bot)[0]

    fork = Path(fork_run(tmp_path / "run", str(last["match_id"]), str(last["turn"]), 2).run)

    costs = {seat["agent"]: seat["cost_usd"] for match in match_rows(fork) for seat in match["seats"]}
    assert costs == {"mock/legal?price_in=1&price_out=1": 0.0, "bot/kuhn-tight": 0.0}
    assert [row["cost_usd_per_match"] for row in plain.counted(seats(fork))] == [0.0, 0.0]


def test_each_branch_has_its_own_key_hence_its_own_samples(run: Path) -> None:
    fork = Path(fork_run(run, _long_match(run), "1", 6, agents=["bot/random"]).run)

    matches = rows(fork, "SELECT key, branch FROM matches")
    answers = rows(fork, "SELECT answer FROM turns WHERE turn=1")
    assert len({m["key"] for m in matches}) == 6
    assert [m["branch"] for m in matches] == list(range(6))
    assert len({a["answer"] for a in answers}) > 1


def test_common_chance_stays_equal_while_answers_are_equal(run: Path, tmp_path: Path) -> None:
    match = _long_match(run)
    agents = ["bot/always"]

    common = Path(fork_run(run, match, "0", 4, agents=agents, out=tmp_path / "common").run)
    fresh = Path(fork_run(run, match, "0", 4, agents=agents, chance="fresh", out=tmp_path / "fresh").run)

    for folder, header in ((common, False), (fresh, True)):
        with Reader(folder) as reader:
            assert list(verify(reader)) == []
        hashes = rows(folder, "SELECT record_hash FROM matches")
        assert (len({h["record_hash"] for h in hashes}) > 1) or not header


def test_a_fork_can_be_forked(run: Path) -> None:
    first = Path(fork_run(run, _long_match(run), "1", 2, agents=["bot/loose"]).run)

    second = fork_run(first, "1", "1", 2, agents=["bot/tight"])

    assert second.status == "complete"
    with Reader(Path(second.run)) as reader:
        assert list(verify(reader)) == []


def test_only_the_named_turn_of_a_simultaneous_batch_is_asked_anew(tmp_path: Path) -> None:
    play(tmp_path / "run", ["bot/random", "bot/always?answer=rock"], game="matrix/rps", set={"rounds": 3}, matches=1)

    one = Path(fork_run(tmp_path / "run", "1", "2", 1, agents=["bot/random"], out=tmp_path / "one").run)
    both = Path(
        fork_run(tmp_path / "run", "1", "2", 1, agents=["bot/random"], whole_batch=True, out=tmp_path / "both").run
    )

    def origin(folder: Path) -> list[str]:
        return [t["origin"] for t in rows(folder, "SELECT origin FROM turns WHERE turn IN (2, 3) ORDER BY turn")]

    assert origin(one) == ["asked", "copied"]
    assert origin(both) == ["asked", "asked"]


def test_settings_that_change_the_past_are_refused(run: Path) -> None:
    from arena.core.errors import ArenaError

    with pytest.raises(ArenaError):
        fork_run(run, _long_match(run), "2", 1, set_={"deal": "not a deal"})
    with pytest.raises(UsageError, match="is a turn's number or the name of a phase"):
        fork_run(run, _long_match(run), "S1901M", 1)
