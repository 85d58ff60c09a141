"""Results are honest: no error becomes a move, no rubbish counts as legal, and no model learns whom it plays."""

from __future__ import annotations

from pathlib import Path

import pytest

from arena.registry import game_names
from arena.store.reader import Reader
from tests.run.playing import play, rows

RUBBISH = {
    "mock/legal?empty=1": "illegal",
    "mock/legal?illegal=1": "illegal",
    "mock/legal?refuse=1": "refused",
    "mock/fixed?text=%7B%7D%20%7B%7D": "illegal",
}


@pytest.mark.parametrize("game", game_names())
def test_rubbish_is_never_a_legal_turn_in_any_game(game: str, tmp_path: Path) -> None:
    asked = 0
    for number, (agent, status) in enumerate(RUBBISH.items()):
        folder = tmp_path / str(number)
        result = play(folder, [f"player_0={agent}", *_others(game)], game=game, matches=1, illegal={"reasks": 0})

        turns = rows(folder, "SELECT * FROM turns WHERE last_call NOT NULL")
        assert result.status == "complete", agent
        assert {t["status"] for t in turns} <= {status}, agent
        assert all(t["fallback"] == 1 and t["reason"] for t in turns), agent
        (seat,) = rows(folder, "SELECT * FROM seats WHERE seat='player_0'")
        assert (seat["n_legal"], seat[f"n_{status}"]) == (0, len(turns)), agent
        asked += len(turns)  # a seat may be dead before it is asked
    assert asked > 0


def _others(game: str) -> list[str]:
    from arena.play import match

    return [f"{seat}=bot/random" for seat in match(game, seed=1).seats if seat != "player_0"]


@pytest.mark.parametrize("game", game_names())
def test_no_prompt_names_an_agent_or_holds_a_seed_or_a_key(game: str, tmp_path: Path) -> None:
    agents = ["player_0=mock/legal?text=zanzibar&seed=7070707", *_others(game)]

    play(tmp_path / "r", agents, game=game, matches=1, seed=8_123_456_789_012_345)

    with Reader(tmp_path / "r") as reader:
        (match,) = reader.matches()
        prompts = [row["body"] for row in reader.db.execute("SELECT body FROM messages")]
        manifest = reader.manifest()
        call_keys = [row["call_key"] for row in reader.db.execute("SELECT call_key FROM calls")]
    assert prompts
    secret = ("mock/", "zanzibar", "7070707", "bot/random", match["key"], match["seed"], match["deal_seed"])
    for word in (*secret, manifest["run_id"], str(manifest["seed"]), *call_keys):
        assert not any(word in body for body in prompts), word


def test_two_seats_of_one_model_share_no_notes(tmp_path: Path) -> None:
    script = tmp_path / "s.jsonl"
    script.write_text(
        '{"when": {"seat": "player_0"}, "reply": {"throw": "rock", "notes": "canary of the first seat"}}\n'
        '{"when": {"seat": "player_1"}, "reply": {"throw": "paper", "notes": "nothing"}}\n'
    )

    play(tmp_path / "r", [f"mock/script?file={script}&memory=notes"], game="matrix/rps", matches=1, set={"rounds": 3})

    with Reader(tmp_path / "r") as reader:
        read = {0: "", 1: ""}
        for call in reader.rows("calls", 1):
            read[call["seat_no"]] += str(reader.prompt(call["prompt"]))
    assert "canary of the first seat" in read[0]
    assert "canary" not in read[1]


def test_a_quoted_answer_beside_ones_own_is_ambiguous(tmp_path: Path) -> None:
    script = tmp_path / "s.jsonl"
    script.write_text('{"when": {}, "reply": "He said {\\"move\\": \\"bet\\"}. I say {\\"move\\": \\"check\\"}"}\n')

    play(tmp_path / "r", [f"player_0=mock/script?file={script}", "player_1=bot/tight"], matches=2)

    assert {t["status"] for t in rows(tmp_path / "r", "SELECT status FROM turns WHERE last_call NOT NULL")} == {
        "illegal"
    }
