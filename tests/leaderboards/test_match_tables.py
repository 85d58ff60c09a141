"""Match files and match tables: reading, defaults, and every fault named."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from arena.leaderboards import bt, csvfile, matches, matchfile

Tables = Callable[..., Any]


def match(number: int = 0, **changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "match_id": f"r-{number}",
        "deal_id": f"d{number // 2}",
        "order": number,
        "game": "duel-v1",
        "preset": "default",
        "config_sha256": "ab",
        "seats": [
            {"seat": "player_0", "role": "", "team": "", "agent": "x", "model": "openai/x", "revision": "1",
             "turns": {"legal": 3, "repaired": 1, "illegal": 0, "refused": 0, "truncated": 0, "timeout": 0},
             "sampling": {"temperature": 0.7, "reasoning": "low"}, "tokens_in": 10, "tokens_out": 5, "cost_usd": 0.1,
             "seconds": 2.0},
            {"seat": "player_1", "role": "", "team": "", "agent": "y", "turns": {"legal": 4}, "tokens_in": 7,
             "tokens_out": 2, "cost_usd": None, "seconds": 1.0},
        ],
        "outcome": {"ranks": {"player_0": 1, "player_1": 2}, "payoffs": {"player_0": 1.0, "player_1": -1.0}},
        "metrics": {"rounds": 4, "lies_player_0": 2, "lies_player_1": None, "truth": None},
        "status": "done",
        "clean": True,
        "started_at": "2026-05-01T10:00:00Z",
    }  # fmt: skip
    return base | changes


def write(path: Path, objects: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(o) + "\n" for o in objects))
    return path


# --- reading --------------------------------------------------------------------------------------------------------


def test_a_match_becomes_one_row_a_seat(tmp_path: Path) -> None:
    table = matches.read(write(tmp_path / "m.jsonl", [match(0), match(1)]))

    assert len(table) == 4
    row = table.iloc[0]
    assert row[["match_id", "deal_id", "order", "seat", "agent", "model", "revision"]].tolist() == [
        "r-0", "d0", 0, "player_0", "x", "openai/x", "1",
    ]  # fmt: skip
    assert row[["payoff", "rank", "status", "clean"]].tolist() == [1.0, 1, "done", True]
    assert row[["legal", "repaired", "tokens_in", "cost_usd"]].tolist() == [3, 1, 10, 0.1]
    assert row[["temperature", "reasoning_effort"]].tolist() == [0.7, "low"]


def test_metrics_of_a_seat_are_that_seats_and_missing_ones_stay_missing(tmp_path: Path) -> None:
    table = matches.read(write(tmp_path / "m.jsonl", [match(0)]))

    assert table["rounds"].tolist() == [4, 4]
    assert table["lies"].iloc[0] == 2
    assert np.isnan(table["lies"].iloc[1])
    assert "truth" not in table
    assert "lies_player_0" not in table


def test_a_metric_never_takes_the_place_of_a_column(tmp_path: Path) -> None:
    table = matches.read(write(tmp_path / "m.jsonl", [match(0, metrics={"rank": 9, "cost_usd": 5})]))

    assert table["rank"].tolist() == [1, 2]
    assert table["metric_rank"].tolist() == [9, 9]
    assert table["metric_cost_usd"].tolist() == [5, 5]


def test_void_and_failed_matches_are_read_and_not_rated(tmp_path: Path) -> None:
    void = match(2, status="void", outcome=None, clean=False)
    table = matches.read(write(tmp_path / "m.jsonl", [match(0), match(1), void]))

    assert table["status"].value_counts().to_dict() == {"done": 4, "void": 2}
    assert bt.fit(table, prior_sd=1.0).n_matches == 2


def test_superseded_matches_are_left_out(tmp_path: Path) -> None:
    table = matches.read(write(tmp_path / "m.jsonl", [match(0), match(0, superseded=True)]))

    assert len(table) == 2


def test_a_last_line_cut_short_is_ignored_with_a_warning(tmp_path: Path) -> None:
    path = write(tmp_path / "m.jsonl", [match(0), match(1)])
    whole = path.read_bytes()
    for cut in (5, 200, len(json.dumps(match(1))) - 1):
        path.write_bytes(whole[:-cut])
        with pytest.warns(UserWarning, match="line 2 is cut short"):
            table = matches.read(path)

        assert table["match_id"].unique().tolist() == ["r-0"]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("not json", "line 2 is not JSON"),
        ('{"match_id": "x"', "line 2 is not JSON"),
        ("[1, 2]", "line 2: a match must be a JSON object"),
        ('{"seats": []}', "line 2: match_id is missing"),
        ('{"match_id": "x", "seats": []}', "line 2: match x: seats"),
        ('{"match_id": "x", "seats": [{"seat": "player_0"}]}', "line 2: match x: a seat has no agent"),
        ("[" * 100_000, "line 2 is not JSON"),
    ],
)
def test_any_other_bad_line_is_an_error_with_its_number(tmp_path: Path, line: str, problem: str) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text(json.dumps(match(0)) + "\n" + line + "\n" + json.dumps(match(1)) + "\n")
    with pytest.raises(ValueError, match=problem):
        matches.read(path)


def test_a_changed_file_of_the_same_age_is_read_again(tmp_path: Path) -> None:
    path = write(tmp_path / "m.jsonl", [match(0)])
    before, stamp = matches.read(path), path.stat()
    write(path, [match(0, outcome={"ranks": [2, 1], "payoffs": [-1.0, 1.0]})])
    os.utime(path, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))

    after = matches.read(path)

    assert before["rank"].tolist() == [1, 2]
    assert after["rank"].tolist() == [2, 1]


def test_several_files_make_one_table_in_their_order(tmp_path: Path) -> None:
    first = write(tmp_path / "a.jsonl", [match(3), match(5)])
    second = write(tmp_path / "b.jsonl", [match(0), match(1)])

    table = matches.read(first, second)

    assert table.groupby("match_id")["order"].first().to_dict() == {"r-3": 3, "r-5": 5, "r-0": 6, "r-1": 7}
    again = tmp_path / "c.jsonl"
    again.write_bytes(table.attrs["matches_jsonl"])
    pd.testing.assert_frame_equal(matches.read(again), table)


@pytest.mark.parametrize("name", ["none.jsonl", "folder-that-is-not-there"])
def test_a_missing_file_says_so(tmp_path: Path, name: str) -> None:
    with pytest.raises((ValueError, RuntimeError, OSError), match=name):
        matches.read(tmp_path / name)


def test_an_empty_file_has_no_match(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no match in it"):
        matches.read(write(tmp_path / "m.jsonl", []))


def test_an_exported_folder_is_read_by_its_match_file(tmp_path: Path) -> None:
    write(tmp_path / "matches.jsonl", [match(0)])

    assert len(matches.read(tmp_path)) == 2


def test_a_run_folder_is_read_with_the_figures_of_its_game(tmp_path: Path) -> None:
    from arena.cli import main

    run = tmp_path / "run"
    with pytest.raises(SystemExit) as ended:
        main(["tournament", "kuhn", "--agents", "bot/random,bot/kuhn-nash", "--matches", "6", "--out", str(run)])

    assert ended.value.code in (0, None)
    table = matches.read(run)
    assert table["match_id"].nunique() == 6
    assert set(table["agent"]) == {"bot/random", "bot/kuhn-nash"}
    assert table["aggression"].notna().any()
    assert bt.fit(table, prior_sd=1.0).n_matches == 6


def test_a_table_in_csv_is_read_back(tmp_path: Path, villages: Tables) -> None:
    table = villages(3, 6)
    table.loc[table["agent"] == "agent-0", "agent"] = "=HYPERLINK(1)"
    path = tmp_path / "t.csv"
    path.write_text(csvfile.write(list(table.columns), [dict(r) for r in table.to_dict("records")]))

    again = matches.read(path)

    assert again["agent"].tolist() == table["agent"].tolist()
    assert again["rank"].tolist() == table["rank"].tolist()
    assert np.allclose(again["vote_accuracy"], table["vote_accuracy"], rtol=1e-5)
    assert bt.fit(again).agents == bt.fit(table).agents


def test_a_table_written_as_match_file_reads_as_itself(tmp_path: Path, villages: Tables) -> None:
    table = matches.checked(villages(3, 6))
    path = tmp_path / "m.jsonl"
    path.write_bytes(matchfile.to_lines(matchfile.objects(matches.records(table))))

    again = matches.checked(matches.read(path))

    for column in (
        "match_id",
        "deal_id",
        "seat",
        "role",
        "team",
        "agent",
        "rank",
        "payoff",
        "illegal",
        "clean",
        "order",
    ):
        assert again[column].tolist() == table[column].tolist(), column
    assert np.allclose(again["vote_accuracy"], table["vote_accuracy"])


# --- defaults -------------------------------------------------------------------------------------------------------

SMALL = pd.DataFrame({"match_id": ["m", "m", "n", "n"], "agent": ["x", "y", "y", "x"], "rank": [1, 2, 1, 2]})


def test_match_agent_and_rank_are_enough() -> None:
    table = matches.checked(SMALL)

    assert table["deal_id"].tolist() == ["m", "m", "n", "n"]
    assert table["status"].unique().tolist() == ["done"]
    assert table["seat"].tolist() == ["player_0", "player_1"] * 2
    assert table["order"].tolist() == [0, 0, 1, 1]
    assert bt.fit(SMALL).table["theta"].tolist() == pytest.approx([0, 0])


def test_ranks_default_to_the_mean_payoff_of_the_team() -> None:
    table = pd.DataFrame(
        {
            "match_id": "m",
            "seat": [f"player_{i}" for i in range(4)],
            "team": ["red", "red", "", ""],
            "agent": list("abcd"),
            "payoff": [0.0, 3.0, 1.5, 2.0],
        }
    )

    assert matches.checked(table)["rank"].tolist() == [2, 2, 2, 1]


def test_clean_defaults_to_no_fallback_in_the_whole_match() -> None:
    table = matches.checked(SMALL.assign(illegal=[0, 1, 0, 0]))

    assert table["clean"].tolist() == [False, False, True, True]
    assert "clean" not in matches.checked(SMALL)


def test_rows_in_any_order_are_the_same_table(villages: Tables) -> None:
    table = villages(3, 8)

    shuffled = table.sample(frac=1, random_state=1)

    pd.testing.assert_frame_equal(matches.checked(shuffled), matches.checked(table))


def test_pairs_of_a_match_of_three() -> None:
    table = pd.DataFrame({"match_id": "m", "deal_id": "d", "agent": ["x", "y", "z"], "rank": [1, 2, 2]})

    pairs = matches.pairs(table)

    assert pairs[["a", "b", "score", "weight"]].to_numpy().tolist() == [
        ["x", "y", 1, 0.5], ["x", "z", 1, 0.5], ["y", "z", 0.5, 0.5],
    ]  # fmt: skip
    assert pairs["deal_id"].unique().tolist() == ["d"]
    assert pairs[["a_seat", "b_seat"]].iloc[2].tolist() == ["player_1", "player_2"]


def test_pairs_need_single_seats(villages: Tables) -> None:
    with pytest.raises(ValueError, match="single-seat"):
        matches.pairs(villages(3, 4))


def test_a_match_of_an_agent_with_itself_is_no_pair() -> None:
    table = pd.concat([SMALL, pd.DataFrame({"match_id": ["o", "o"], "agent": ["x", "x"], "rank": [1, 2]})])

    assert len(matches.pairs(table)) == 2


def test_a_team_named_like_a_seat_is_not_that_seat() -> None:
    table = pd.DataFrame(
        {
            "match_id": "m",
            "seat": ["player_0", "player_1"],
            "team": ["player_1", ""],
            "agent": ["x", "y"],
            "rank": [1, 2],
        }
    )

    assert len(matches.pairs(table)) == 1


# --- faults ---------------------------------------------------------------------------------------------------------

BAD = [
    (SMALL.drop(columns="match_id"), "match_id"),
    (SMALL.drop(columns="agent"), "agent"),
    (SMALL.drop(columns="rank"), "rank"),
    (SMALL.iloc[:0], "empty"),
    (SMALL.assign(payoff=[1, np.nan, 1, 0]), "payoff: row 1"),
    (SMALL.assign(payoff=[1, 0, np.inf, 0]), "payoff: row 2"),
    (SMALL.assign(payoff=["x", 0, 1, 0]), "payoff: row 0"),
    (SMALL.assign(rank=[1, 2, 0, 2]), "rank: row 2"),
    (SMALL.assign(rank=[1, 2.5, 1, 2]), "rank: row 1"),
    (SMALL.assign(rank=[1, np.nan, 1, 2]), "rank: row 1"),
    (SMALL.assign(agent=["x", "", "y", "x"]), "agent: row 1"),
    (SMALL.assign(agent="x"), "two agents"),
    (SMALL.assign(seat="player_0"), "seat: match m has player_0 twice"),
    (SMALL.assign(preset=["a", "b", "a", "a"]), "preset: match m has two setups"),
    (SMALL.assign(game=["a", "b", "a", "a"]), "game: match m has two setups"),
    (SMALL.assign(config_sha256=["a", "b", "a", "a"]), "config_sha256: match m has two setups"),
    (SMALL.assign(deal_id=["a", "b", "a", "a"]), "deal_id: match m"),
    (SMALL.assign(status=["done", "void", "done", "done"]), "status: match m"),
    (SMALL.assign(status="won"), "status: row 0"),
    (SMALL.assign(team="one"), "rank: match m gives two ranks to one team"),
    (SMALL.assign(order=["first", 1, 2, 3]), "order: row 0"),
    (SMALL.assign(illegal=[-1, 0, 0, 0]), "illegal: row 0"),
    (SMALL.assign(tokens_in=["many", 0, 0, 0]), "tokens_in: row 0"),
]


@pytest.mark.parametrize(("table", "problem"), BAD)
def test_a_bad_table_is_refused_and_its_fault_named(table: pd.DataFrame, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        bt.fit(table)


def test_when_every_match_is_void_there_is_nothing_to_rate() -> None:
    with pytest.raises(ValueError, match=r"nothing to rate: no match is done \(2 void\)"):
        bt.fit(SMALL.assign(status="void"))


def test_void_rows_need_no_rank_nor_payoff() -> None:
    void = pd.DataFrame({"match_id": ["v", "v"], "agent": ["x", "y"], "status": "void"})

    table = pd.concat([SMALL.assign(status="done", payoff=[1.0, 0, 1, 0]), void])

    assert matches.played(table)["match_id"].unique().tolist() == ["m", "n"]
