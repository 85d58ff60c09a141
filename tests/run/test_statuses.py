"""Every way in which a turn can end, by a mock model with that fault: what is stored, and what is played."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.run.playing import play, rows


def _statuses(folder: Path) -> set[str]:
    return {r["status"] for r in rows(folder, "SELECT DISTINCT status FROM turns WHERE last_call IS NOT NULL")}


def test_a_legal_reply_is_legal(tmp_path: Path) -> None:
    result = play(tmp_path / "r", ["mock/legal", "bot/tight"])

    assert result.status == "complete"
    assert _statuses(tmp_path / "r") == {"legal"}


@pytest.mark.parametrize(
    ("model", "status"),
    [
        ("mock/fixed?text=I%20would%20rather%20dance", "illegal"),
        ("mock/fixed?text=check%20and%20bet", "illegal"),
        ("mock/legal?empty=1", "illegal"),
        ("mock/legal?refuse=1", "refused"),
        ("mock/fixed?text=I'm%20sorry%2C%20but%20I%20can't%20help%20with%20that.", "refused"),
        ("mock/legal?truncate=1", "truncated"),
    ],
)
def test_a_turn_without_a_legal_answer_plays_the_fallback(tmp_path: Path, model: str, status: str) -> None:
    result = play(tmp_path / "r", [model, "bot/tight"])

    turns = rows(tmp_path / "r", "SELECT * FROM turns WHERE last_call IS NOT NULL")
    assert result.status == "complete"
    assert {t["status"] for t in turns} == {status}
    assert all(t["fallback"] == 1 and t["answer"] in ('"check"', '"fold"') and t["reason"] for t in turns)
    assert all(t["reasks"] == 1 for t in turns)


def test_a_legal_answer_after_the_reason_is_repaired(tmp_path: Path) -> None:
    script = tmp_path / "s.jsonl"
    script.write_text(
        '{"when": {"contains": "could not be used"}, "reply": "fold"}\n'
        '{"when": {"contains": "fold or call"}, "reply": "what?"}\n'
        '{"when": {}, "reply": "check"}\n'
    )

    play(tmp_path / "r", [f"mock/script?file={script}", "bot/loose"], matches=8)

    turns = rows(tmp_path / "r", "SELECT status, answer, reasks FROM turns WHERE last_call IS NOT NULL")
    repaired = [t for t in turns if t["status"] == "repaired"]
    assert repaired
    assert all(t["answer"] == '"fold"' and t["reasks"] == 1 for t in repaired)
    assert {t["status"] for t in turns} == {"legal", "repaired"}


def test_a_reask_never_enters_a_later_prompt(tmp_path: Path) -> None:
    play(tmp_path / "r", ["mock/fixed?text=nonsense", "bot/random"], game="matrix/rps", set={"rounds": 3}, matches=1)

    bodies = rows(
        tmp_path / "r",
        "SELECT body FROM messages WHERE hash IN (SELECT prompt FROM calls WHERE path LIKE 'r0/%')",
    )
    assert bodies
    assert not any("nonsense" in b["body"] for b in bodies)


def test_forfeit_policy_ends_the_match_by_the_games_rule(tmp_path: Path) -> None:
    illegal = {"reasks": 0, "then": "forfeit"}

    play(tmp_path / "r", ["player_0=mock/fixed?text=no", "player_1=bot/tight"], matches=2, illegal=illegal)

    matches = rows(tmp_path / "r", "SELECT status, payoffs, outcome FROM matches")
    assert [m["payoffs"] for m in matches] == ['{"player_0":-2.0,"player_1":2.0}'] * 2
    assert all('"forfeit":"player_0"' in m["outcome"] for m in matches)


@pytest.mark.parametrize(
    "fault", ["connection=1", "server=1", "overloaded=1", "protocol=1", "rate_limit=1&retry_after=10ms", "fail_after=1"]
)
def test_a_provider_error_is_never_a_move(tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _hurry(monkeypatch)

    result = play(tmp_path / "r", [f"mock/legal?{fault}", "bot/tight"])

    assert result.status == "void"
    assert result.exit_code == 3
    assert result.resume == f"arena resume {tmp_path / 'r'}"
    assert not rows(tmp_path / "r", "SELECT * FROM turns WHERE fallback=1")
    void = rows(tmp_path / "r", "SELECT * FROM matches WHERE status='void'")
    assert void
    assert all(m["payoffs"] is None and m["reason"] for m in void)


def test_a_match_too_long_for_the_context_is_void_and_not_tried_again(tmp_path: Path) -> None:
    result = play(tmp_path / "r", ["mock/legal?context=1", "bot/tight"], void={"passes": 3, "wait_s": 0.01})

    assert (result.status, result.exit_code, result.resume) == ("void", 3, None)
    assert all(m["reason"].startswith("context_length") for m in rows(tmp_path / "r", "SELECT reason FROM matches"))
    assert len(rows(tmp_path / "r", "SELECT * FROM sessions")) == 1


def test_an_exception_of_an_agent_fails_its_match_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from arena.games.kuhn import bots

    def broken(*_: object) -> str:
        raise RuntimeError("a bug")

    monkeypatch.setitem(bots.BOTS, "broken", broken)
    result = play(tmp_path / "r", ["bot/broken", "bot/tight", "bot/loose"], matches=6, limits={"max_failed": 100})

    assert result.status == "failed"
    assert result.exit_code == 1
    assert result.matches == {"planned": 6, "done": 2, "void": 0, "failed": 4}
    assert "RuntimeError: a bug" in (tmp_path / "r" / "errors.log").read_text()


def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back-off without waiting: the session's own clock is tested elsewhere."""
    from arena.models import limiter

    async def no_sleep(self: object, seconds: float) -> None:
        import asyncio

        await asyncio.sleep(0)

    monkeypatch.setattr(limiter.Clock, "sleep", no_sleep)
