"""Files that a command writes, and files that it leaves alone."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.test_commands import Cli, cli, run

__all__ = ["cli", "run"]  # fixtures


def test_an_export_does_not_write_over_a_foreign_file(cli: Cli, run: str) -> None:
    Path("notes.jsonl").write_text("my notes\n")

    code, _, err = cli("export", run, "--out", "notes.jsonl")

    assert code == 2
    assert "is no match file" in err
    assert Path("notes.jsonl").read_text() == "my notes\n"


def test_an_export_replaces_an_earlier_one(cli: Cli, run: str) -> None:
    assert cli("export", run, "--out", "k.jsonl")[0] == 0
    before = Path("k.jsonl").read_bytes()

    assert cli("export", run, "--out", "k.jsonl")[0] == 0
    assert Path("k.jsonl").read_bytes() == before


def test_metrics_stand_in_parquet_too(cli: Cli) -> None:
    import pytest

    parquet = pytest.importorskip("pyarrow.parquet")
    assert cli("tournament", "matrix/ipd", "--agents", "bot/random,bot/grim", "--matches", "2", "--out", "m")[0] == 0
    assert cli("export", "m", "--format", "parquet", "--metrics", "--out", "t")[0] == 0

    row = parquet.read_table("t/matches.parquet").to_pylist()[0]
    assert json.loads(row["metrics"])


def test_showing_a_run_takes_no_view_of_a_match(cli: Cli, run: str) -> None:
    code, out, err = cli("show", run, "--view", "player_0")

    assert (code, out) == (2, "")
    assert "arena show RUN MATCH" in err


def test_shards_are_joined_on_the_command_line(cli: Cli) -> None:
    for i in (1, 2):
        words = ("tournament", "kuhn", "--agents", "bot/tight,bot/loose", "--matches", "8", "--seed", "1")
        assert cli(*words, "--shard", f"{i}/2", "--out", f"s{i}")[0] == 0

    facts = cli.json("merge", "s1", "s2", "--out", "whole")

    assert facts["status"] == "complete"
    assert facts["matches"]["done"] == 8
    assert cli("show", "whole", "--verify")[0] == 0


def test_quiet_is_a_letter(cli: Cli) -> None:
    code, _, err = cli("tournament", "kuhn", "--agents", "bot/tight,bot/loose", "--matches", "2", "-q", "-o", "q")

    assert code == 0
    assert err.splitlines()[-1].startswith("complete: 2 of 2 matches")


def test_an_agent_of_a_run_file_may_hold_one_side_only(cli: Cli) -> None:
    Path("t.toml").write_text(
        'game = "nyc/tiny"\nseed = 1\nmatches = 2\n'
        '[[agents]]\nname = "bot/nyc-never"\nsides = ["blue"]\n'
        '[[agents]]\nname = "bot/nyc-walk"\nsides = ["blue"]\n'
        '[[agents]]\nname = "bot/nyc-greedy-red"\nsides = ["red"]\n'
    )
    assert cli("tournament", "t.toml", "--out", "t")[0] == 0

    holders = {(s["side"], s["agent"]) for m in _matches(cli) for s in m}
    assert holders == {("blue", "bot/nyc-never"), ("blue", "bot/nyc-walk"), ("red", "bot/nyc-greedy-red")}


def _matches(cli: Cli) -> list[list[dict[str, str]]]:
    assert cli("export", "t", "--out", "t.jsonl")[0] == 0
    lines = Path("t.jsonl").read_text().splitlines()
    return [[{"side": s["team"], "agent": s["agent"]} for s in json.loads(line)["seats"]] for line in lines]


def test_an_export_makes_no_folder_with_the_name_of_another_kind_of_file(cli: Cli, run: str) -> None:
    for words, wanted in (
        (("--out", "x.csv"), "FILE.jsonl for the match file, or a folder, as --out x"),
        (("--out", "x.parquet"), "writes no .parquet file"),
        (("--format", "parquet", "--out", "x.parquet"), "give a folder, as --out x"),
        (("--format", "parquet", "--out", "x.jsonl"), "give a folder, as --out x"),
    ):
        code, _, err = cli("export", run, *words)

        assert code == 2
        assert wanted in err
    assert list(Path().glob("x*")) == []


def test_a_picture_is_svg_and_called_so(cli: Cli, run: str) -> None:
    code, _, err = cli("show", run, "1", "--plot", "x.png")

    assert code == 2
    assert "--plot draws SVG" in err
    assert not Path("x.png").exists()
