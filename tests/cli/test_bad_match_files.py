"""`arena leaderboard` on match files that are wrong: exit 2 and a line that names the place, or a flagged result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from arena.cli import main

METHODS: tuple[list[str | Path], ...] = ([], ["--method", "bt", "--bootstrap", "5"])


def leaderboard(words: list[str | Path], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["leaderboard", *map(str, words)])
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    return int(str(ended.value.code or 0)), out, err


def match(number: int, agents: str = "xy", **changes: Any) -> dict[str, Any]:
    seats = [{"seat": f"player_{i}", "agent": agent} for i, agent in enumerate(agents)]
    outcome = {"payoffs": {"player_0": number % 3, "player_1": 1}}
    return {"match_id": f"m{number}", "deal_id": f"d{number // 2}", "seats": seats, "outcome": outcome} | changes


def seats(**changes: Any) -> list[dict[str, Any]]:
    return [{"seat": "player_0", "agent": "x"} | changes, {"seat": "player_1", "agent": "y"}]


def payoffs(first: Any) -> dict[str, Any]:
    return {"payoffs": {"player_0": first, "player_1": 0}}


GOOD = [match(i) for i in range(6)]
BAD: list[tuple[Any, str]] = [
    ("{not json}", "line 7 is not JSON"),
    ([1, 2], "line 7: a match must be a JSON object"),
    (match(0), "line 7: match m0 is on line 1 already"),
    (match(9, match_id=None), "line 7: match_id is missing"),
    (match(9, match_id={"a": 1}), "line 7: match_id is missing, or no text"),
    (match(9, outcome=payoffs(float("nan"))), "line 7: match m9: player_0 has nan among the payoffs"),
    (match(9, outcome=payoffs(float("inf"))), "player_0 has inf among the payoffs"),
    (match(9, outcome=payoffs(None)), "player_0 has None among the payoffs"),
    (match(9, outcome=payoffs("1")), "player_0 has '1' among the payoffs"),
    (match(9, outcome={"payoffs": [1]}), "payoffs do not name every seat"),
    (
        match(9, outcome={"payoffs": {"player_0": 1, "player_1": 0, "player_9": 1}}),
        "payoffs name player_9, which is none",
    ),
    (match(9, outcome={"ranks": {"player_0": 1, "player_1": 2, "player_9": 1}}), "ranks name player_9, which is none"),
    (match(9, outcome=payoffs(1e308)), "player_0 has 1e+308 among the payoffs, which is beyond 1e+100"),
    (match(9, outcome="won"), "outcome is 'won', which is not an object"),
    (match(9, metrics=[]), "metrics is [], which is not an object"),
    (match(9, order="first"), "order is 'first', which is not a whole number"),
    (match(9, status="lost"), "status is 'lost', not done, void or failed"),
    (match(9, game=["kuhn"]), "game is ['kuhn'], which is not text"),
    (match(9, seats=[]), "seats must be a list of objects"),
    (match(9, seats=[{"seat": "player_0"}]), "a seat has no agent"),
    (match(9, seats=seats(seat="player_1")), "match m9 has player_1 twice"),
    (match(9, seats=seats(turns="many")), "turns is 'many', which is not an object"),
    (match(9, seats=seats(turns={"legal": -1})), "legal is -1, which is no amount"),
    (match(9, seats=seats(cost_usd="free")), "cost_usd is 'free', which is no amount"),
    (match(9, seats=seats(sampling=3)), "sampling is 3, which is not an object"),
]


def written(path: Path, matches: list[Any]) -> Path:
    path.write_text("".join((m if isinstance(m, str) else json.dumps(m)) + "\n" for m in matches))
    return path


@pytest.mark.parametrize(("line", "what"), BAD, ids=[what for _, what in BAD])
def test_a_bad_line_is_named_by_every_method(
    line: Any, what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path / "m.jsonl", [*GOOD, line])

    for method in METHODS:
        code, out, err = leaderboard([file, *method], capsys)
        assert (code, out) == (2, "")
        assert what in err
        assert err.count("\n") == 1


@pytest.mark.parametrize("method", METHODS, ids=["plain", "bt"])
@pytest.mark.parametrize(
    ("matches", "what"),
    [([], "no match"), ([match(i, status="void", outcome=None) for i in range(3)], "no match is done (3 void")],
    ids=["empty", "all void"],
)
def test_a_file_without_a_finished_match_is_no_leaderboard(
    method: list[str | Path], matches: list[Any], what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = leaderboard([written(tmp_path / "m.jsonl", matches), *method], capsys)

    assert (code, out) == (2, "")
    assert what in err


def test_a_single_agent_is_not_rated_and_counted_with_a_word(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path / "m.jsonl", [match(i, "xx") for i in range(4)])

    rated, counted = (leaderboard([file, *method], capsys) for method in METHODS[::-1])

    assert rated[0] == 2
    assert "at least two agents" in rated[2]
    assert counted[0] == 0
    assert "one agent alone" in counted[2]


def test_strangers_that_met_nobody_else_are_rated_with_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path / "m.jsonl", [*GOOD, match(9, "uv")])

    code, out, err = leaderboard([file, *METHODS[1]], capsys)

    assert code == 0
    assert all(name in out for name in "xyuv")
    assert "2 groups that never met" in err
    assert "provisional" in err


def test_a_line_cut_short_is_left_out_with_one_line_of_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = written(tmp_path / "m.jsonl", GOOD)
    file.write_text(file.read_text()[:-20])

    for method in METHODS:
        code, _, err = leaderboard([file, *method], capsys)
        assert code == 0
        assert err.startswith(f"warning: {file}: line 6 is cut short (a crash while writing?); it is ignored\n")


@pytest.mark.parametrize("method", METHODS, ids=["plain", "bt"])
@pytest.mark.parametrize(
    ("text", "what"), [("", "no column 'match_id'"), ("match_id,agent,rank\nm,x\n", "line 2 has 2 cells, the header 3")]
)
def test_a_bad_csv_table_is_named(
    method: list[str | Path], text: str, what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "m.csv").write_text(text)

    code, out, err = leaderboard([tmp_path / "m.csv", *method], capsys)

    assert (code, out) == (2, "")
    assert what in err


def test_a_board_is_checked_by_its_folder_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = written(tmp_path / "m.jsonl", GOOD)
    out = tmp_path / "board"

    assert leaderboard([file, "--method", "bt,elo", "--bootstrap", "5", "--out", out, "--plots"], capsys)[0] == 0
    held = leaderboard(["--check", out], capsys)
    (out / "board.csv").write_text((out / "board.csv").read_text().replace("1,1,2,", "1,2,2,", 1))
    changed = leaderboard(["--check", out], capsys)
    nothing = leaderboard(["--check", tmp_path], capsys)

    assert held[0] == 0
    assert (out / "ratings.svg").is_file()
    assert changed[0] == 1
    assert "differences: 1" in changed[2]
    assert nothing[0] == 2
    assert "holds no board" in nothing[2]
