"""Boards as files: what is written, what is never overwritten, what a check finds; and methods by name."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from arena.core.errors import UsageError
from arena.leaderboards import Rated, board, elo, leaderboard, matches, methods
from tests.leaderboards.boards import meta_of, rows

Tables = Callable[..., Any]


# --- writing and checking -------------------------------------------------------------------------------------------


def test_write_makes_four_files_and_check_finds_that_they_hold(villages: Tables, tmp_path: Path) -> None:
    written = leaderboard(villages(4, 40), "all", bootstrap=20, anchor="agent-0").write(tmp_path / "b", "my-board")

    assert [path.name for path in written] == ["my-board.csv", "meta.json", "matches.jsonl", "my-board.html"]
    assert b"\r" not in written[0].read_bytes()
    assert sorted(path.name for path in (tmp_path / "b").iterdir()) == sorted(path.name for path in written)
    assert board.check(tmp_path / "b") == []


def edit(path: Path, old: str, new: str) -> None:
    content = path.read_text()
    assert old in content
    path.write_text(content.replace(old, new, 1))


def test_check_names_what_was_changed(duels: Tables, tmp_path: Path) -> None:
    found = leaderboard(duels(4, 40), bootstrap=20)
    rating = rows(found.csv())[0]["rating"]

    def published() -> Path:
        found.write(tmp_path / "b", "b")
        return tmp_path / "b"

    edit(published() / "b.csv", rating, "1999.99")
    assert board.check(tmp_path / "b") == [f"b.csv, row 1 (agent-3): rating is '1999.99', computed '{rating}'"]
    edit(published() / "meta.json", '"void": 0', '"void": 3')
    assert board.check(tmp_path / "b") == ["meta.json: excluded.void is 3, computed 0"]
    edit(published() / "matches.jsonl", '"player_0":1', '"player_0":2')
    assert "has the hash" in board.check(tmp_path / "b")[0]
    edit(published() / "b.csv", "agent-3", "agent-9")
    assert "agent is 'agent-9'" in board.check(tmp_path / "b")[0]
    (published() / "b.csv").write_text("rank\n1\n")
    assert "other rows or columns" in board.check(tmp_path / "b")[0]
    edit(published() / "meta.json", '"bootstrap": 20', '"bootstrap": "x"')
    assert board.check(tmp_path / "b") == ["the board cannot be recomputed: meta.json: settings.bootstrap is 'x'"]


def hashed_again(root: Path) -> None:
    """The hashes of the files as they are now: what an honest board of another processor has."""
    meta = json.loads((root / "meta.json").read_text())
    meta["files"] = {file: sha256((root / file).read_bytes()).hexdigest() for file in meta["files"]}
    (root / "meta.json").write_text(board._json(meta))


def test_check_recomputes_the_page_and_the_charts(duels: Tables, tmp_path: Path) -> None:
    root = tmp_path / "b"
    found = leaderboard(duels(4, 40), bootstrap=20)

    def published() -> Path:
        found.write(root, "b", plots=True)
        return root

    assert board.check(published()) == []
    edit(root / "b.html", "agent-3</bdi>", "agent-9</bdi>")
    assert [line.split(", from line")[0] for line in board.check(root)] == ["b.html is not what the matches give"]
    edit(published() / "ratings.svg", "agent-3", "agent-0")
    assert [line.split(", from line")[0] for line in board.check(root)] == ["ratings.svg is not what the matches give"]
    (published() / "wins.svg").unlink()
    assert board.check(root) == ["wins.svg is missing"]
    (published() / "response.svg").write_text("<svg/>")
    assert board.check(root) == ["response.svg is none of this board's"]
    (root / "response.svg").unlink()
    (root / "logo.svg").write_text("<svg/>")
    assert board.check(root) == []
    (root / "b.html").rename(root / "other.html")
    assert board.check(root) == ["b.html is missing", "other.html is none of this board's"]


def test_another_processor_may_round_the_last_digit_and_nothing_else(duels: Tables, tmp_path: Path) -> None:
    root = tmp_path / "b"
    found = leaderboard(duels(4, 40), bootstrap=20)
    rating = rows(found.csv())[0]["rating"]
    found.write(root, "b")

    edit(root / "b.html", f">{rating}<", f">{float(rating) + 0.01:.2f}<")
    hashed_again(root)
    nearly = board.check(root)
    edit(root / "b.html", f">{float(rating) + 0.01:.2f}<", f">{float(rating) + 1:.2f}<")
    off = board.check(root)

    assert nearly == []
    assert f"'{float(rating) + 1:.2f}', computed '{rating}'" in off[0]


def rewritten(path: Path, change: Callable[[str], str]) -> None:
    before = path.read_bytes().decode()
    path.write_bytes(change(before).encode())
    assert path.read_bytes().decode() != before


@pytest.mark.parametrize(
    ("file", "change", "line"),
    [
        ("b.csv", lambda s: s.replace("'=1+1", "=1+1"), "b.csv, row 1 (agent-3): model is '=1+1', computed \"'=1+1\""),
        ("b.csv", lambda s: re.sub(r",\d[^,\n]*(?=\n)", ",=1+1", s), "code_version is '=1+1'"),
        ("b.csv", lambda s: s.replace("\n", "\r\n"), "b.csv is not written as a board writes it"),
        ("b.csv", lambda s: s.replace("agent-3", '"agent-3"'), "b.csv is not written as a board writes it"),
        ("b.csv", lambda s: s.replace("20250514", "20250515"), "model_revision is '20250515', computed '20250514'"),
        ("b.html", lambda s: re.sub(r"(?<=[0-9a-f]{16})[0-8](?=[0-9a-f]{16})", "9", s, count=1), "b.html is not what"),
        ("b.html", lambda s: s.replace("20250514", "20250515", 1), "b.html is not what the matches give"),
        ("meta.json", lambda s: re.sub(r'("b.html": ")[0-9a-f]{4}', r"\1beef", s), "files: b.html has the hash"),
        ("meta.json", lambda s: re.sub(r'"files": \{.*?\}', '"files": {}', s, flags=re.S), "whose hash is missing"),
        ("meta.json", lambda s: s.replace("{", '{\n "x": null,', 1), "meta.json: x is None, which the matches do not"),
        ("meta.json", lambda s: s.replace("\n", "\r\n"), "meta.json is not written as a board writes it"),
        ("meta.json", lambda s: s.replace('"seed": 0', '"seed": 0.0', 1), "settings.seed is 0.0"),
        ("meta.json", lambda s: re.sub(r'"files": \{.*?\}', '"files": [1]', s, flags=re.S), "files is [1]"),
        ("meta.json", lambda s: re.sub(r'"files": \{.*?\}', '"files": null', s, flags=re.S), "files is None"),
        ("meta.json", lambda s: re.sub(r'"software": \{.*?\}', '"software": [1]', s, flags=re.S), "software is [1]"),
        ("meta.json", lambda s: re.sub(r'"git": \{.*?\}', '"git": {"a": [1]}', s, flags=re.S), "git is {'a': [1]}"),
        ("meta.json", lambda s: s.replace('"min_matches"', '"minimum"'), "settings is no object of methods"),
        ("meta.json", lambda s: s.replace('"facts": {}', '"facts": {"runs": "x"}'), "facts.runs is 'x'"),
    ],
)  # fmt: skip
def test_the_same_bytes_are_the_same_bytes(
    duels: Tables, tmp_path: Path, file: str, change: Callable[[str], str], line: str
) -> None:
    table = duels(4, 40).assign(model="=1+1", revision="20250514")
    leaderboard(table, bootstrap=5).write(tmp_path, "b")
    held = board.check(tmp_path)
    rewritten(tmp_path / file, change)

    assert held == []
    assert any(line in one for one in board.check(tmp_path)), board.check(tmp_path)


def test_a_csv_that_is_no_text_is_a_difference(duels: Tables, tmp_path: Path) -> None:
    leaderboard(duels(4, 40), bootstrap=5).write(tmp_path, "b")
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe" + (tmp_path / "b.csv").read_bytes())

    assert board.check(tmp_path)[0].startswith("b.csv cannot be read")


@pytest.mark.parametrize("facts", [[1], {"planned_matches": "x"}, {"runs": 3}, {"schedule": 1}])
def test_facts_beside_a_match_file_that_are_none_are_named(duels: Tables, tmp_path: Path, facts: Any) -> None:
    leaderboard(duels(4, 40), bootstrap=5).write(tmp_path, "b")
    meta = json.loads((tmp_path / "meta.json").read_text())
    (tmp_path / "meta.json").write_text(json.dumps(meta | {"facts": facts}))

    with pytest.raises(UsageError, match=r"meta\.json: facts"):
        matches.read(tmp_path / "matches.jsonl")


def test_charts_of_the_board_before_go_and_foreign_files_stay(duels: Tables, tmp_path: Path) -> None:
    root = tmp_path / "b"
    leaderboard(duels(4, 40), "all", bootstrap=20).write(root, "b", plots=True)
    (root / "logo.svg").write_text("<svg/>")
    before = {path.name for path in root.glob("*.svg")}

    leaderboard(duels(4, 40), "bt", bootstrap=20).write(root, "b", plots=True)

    assert before - {path.name for path in root.glob("*.svg")} == {"response.svg"}
    assert (root / "logo.svg").is_file()
    leaderboard(duels(4, 40), "bt", bootstrap=20).write(root, "c")
    assert sorted(path.name for path in root.iterdir()) == ["c.csv", "c.html", "logo.svg", "matches.jsonl", "meta.json"]
    assert board.check(root) == []


def test_a_chart_that_was_changed_is_no_chart_of_ours(duels: Tables, tmp_path: Path) -> None:
    root = tmp_path / "b"
    found = leaderboard(duels(4, 40), bootstrap=20)
    found.write(root, "b", plots=True)
    (root / "ratings.svg").write_text("mine")

    with pytest.raises(ValueError, match=r"ratings\.svg is not as the board before wrote it"):
        found.write(root, "b")

    assert (root / "ratings.svg").read_text() == "mine"
    assert board.check(root) != []


def test_the_match_file_of_a_board_gives_the_same_board_again(duels: Tables, tmp_path: Path) -> None:
    table = duels(4, 40)
    table.attrs["facts"] = {
        "schedule": {"stop": "p_top1", "kind": "adaptive"},
        "stop": [{"rule": "p_top1", "at": 1 / 3}, {"rule": "p_top1", "at": 0.1}],
        "runs": [{"run_id": "r"}],
        "planned_matches": 100,
    }
    first = leaderboard(table, bootstrap=20).write(tmp_path / "one", "b")

    again = leaderboard(matches.read(tmp_path / "one" / "matches.jsonl"), bootstrap=20).write(tmp_path / "two", "b")

    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in first]
    assert board.check(tmp_path / "one") == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "holds no board"),
        ("{", "is not JSON"),
        ("[]", "is of the format None"),
        ('{"format": "parley-arena board 1"}', "'parley-arena board 1'; this release checks 'parley-arena board 2'"),
    ],
)
def test_what_is_no_board_is_not_checked(duels: Tables, tmp_path: Path, text: str | None, message: str) -> None:
    leaderboard(duels(3, 10), bootstrap=0).write(tmp_path / "b", "b")
    (tmp_path / "b" / "meta.json").unlink()
    if text is not None:
        (tmp_path / "b" / "meta.json").write_text(text)

    with pytest.raises(ValueError, match=message):
        board.check(tmp_path / "b")


def test_a_foreign_chart_is_not_overwritten(duels: Tables, tmp_path: Path) -> None:
    found = leaderboard(duels(4, 20), bootstrap=5)
    (tmp_path / "wins.svg").write_text("mine")

    with pytest.raises(ValueError, match="belongs to no board"):
        found.write(tmp_path, "b", plots=True)

    assert [p.name for p in tmp_path.iterdir()] == ["wins.svg"]
    assert (tmp_path / "wins.svg").read_text() == "mine"
    assert {"ratings.svg", "wins.svg"} <= {p.name for p in found.write(tmp_path / "b", "b", plots=True)}


def test_check_knows_what_the_run_said(duels: Tables, tmp_path: Path) -> None:
    table = duels(4, 40)
    table.attrs["facts"] = {"schedule": "adaptive", "stop": "budget 5", "runs": ["abc"], "illegal_policy": "forfeit"}

    leaderboard(table, bootstrap=20).write(tmp_path / "b", "b")

    assert board.check(tmp_path / "b") == []


def test_a_file_that_is_no_boards_is_not_overwritten(duels: Tables, tmp_path: Path) -> None:
    found = leaderboard(duels(4, 20), bootstrap=5)
    (tmp_path / "meta.json").write_text('{"mine": true}')

    with pytest.raises(ValueError, match="belongs to no board"):
        found.write(tmp_path, "b")

    assert (tmp_path / "meta.json").read_text() == '{"mine": true}'
    assert sorted(p.name for p in tmp_path.iterdir()) == ["meta.json"]


@pytest.mark.parametrize("name", ["", "Board", ".hidden", "../up", "a/b", "x" * 65, "a b", "-flag", "board\n"])
def test_a_name_never_chooses_a_path(duels: Tables, tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no name for a board"):
        leaderboard(duels(3, 10), bootstrap=0).write(tmp_path, name)
    assert list(tmp_path.iterdir()) == []


HOSTILE = '=HYPERLINK("http://x","y")'


def test_hostile_names_stay_text_in_the_csv(duels: Tables, tmp_path: Path) -> None:
    table = duels(3, 40).replace({"agent-0": HOSTILE, "agent-1": "@x\u202e\u200b", "agent-2": "</script><b>"})
    table["=cmd()"] = 1.0
    table["rating"] = 2.0
    found = leaderboard(table, "all", bootstrap=10)

    path = found.write(tmp_path / "b", "b")[0]

    for line in csv.reader(io.StringIO(path.read_text())):
        for cell in line:
            assert not cell.lstrip().startswith(("=", "+", "@")), cell
            assert cell.startswith("'") or not cell.startswith("-") or float(cell) < 0
    assert "\u202e" not in path.read_text()
    assert found.table["metric_rating"].tolist() == [2.0] * 3
    assert board.check(tmp_path / "b") == []


def test_roles_and_metrics_named_like_columns_do_not_take_their_place(villages: Tables) -> None:
    table = villages(3, 40).replace({"seer": "clean", "villager": "lo"}).assign(elo=7.0, win_rate=3.0, payoff_lo=1.0)

    found = leaderboard(table, ("bt", "elo"), bootstrap=10).table

    assert (found["rating_lo"] < found["rating"]).all()
    assert found[["rating_role_clean", "rating_role_lo", "rating_role_lo_hi", "rating_wolf"]].notna().all().all()
    assert (found["elo"] > 1000).all()
    assert (found["metric_elo"] == 7).all()
    assert found["win_rate"].between(0, 1).all()
    assert (found["metric_win_rate"] == 3).all()


# --- methods --------------------------------------------------------------------------------------------------------


def test_an_unknown_method_names_the_nearest(duels: Tables) -> None:
    with pytest.raises(ValueError, match=r"there is no rating method 'alpharnk'\. Did you mean alpharank"):
        leaderboard(duels(3, 10), ("alpharnk",))


def test_a_method_that_does_not_apply_is_an_error_when_asked_for_and_skipped_under_all(duels: Tables) -> None:
    table = duels(3, 20)
    with pytest.raises(ValueError, match="1 game"):
        leaderboard(table, ("composite",))

    skipped = meta_of(leaderboard(table, "all", bootstrap=10))["skipped"]

    assert list(skipped) == ["composite"]


def test_third_party_methods_come_through_entry_points(
    duels: Tables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = tmp_path / "plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[arena.ratings]\nluck = luckplugin:METHOD\n")
    (tmp_path / "luckplugin.py").write_text(
        "from pandas import DataFrame\nfrom arena.leaderboards import Rated\n\n\nclass Luck:\n    name = 'luck'\n\n"
        "    def rate(self, table, *, seed, bootstrap, **options):\n"
        "        agents = sorted(set(table['agent']))\n"
        "        return Rated(DataFrame({'agent': agents, 'luck': 1.0, 'elo': 0.0, '=x': 2}), {'seed': seed})\n\n\n"
        "METHOD = Luck()\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    methods.third_party.cache_clear()
    try:
        found = leaderboard(duels(3, 20), ("bt", "elo", "luck"), bootstrap=5, seed=4)
        names = methods.names()
    finally:
        methods.third_party.cache_clear()

    assert names == ["bt", "elo", "pl", "alpharank", "nash", "composite", "plain", "luck"]
    assert found.table["luck"].tolist() == [1.0] * 3
    assert (found.table["elo"] > 1000).all()
    assert found.table["luck_elo"].tolist() == [0.0] * 3
    assert meta_of(found)["methods"]["luck"] == {"seed": 4}
    assert list(found.table.columns).index("luck") < list(found.table.columns).index("illegal_rate")


def test_a_third_party_rating_with_intervals_may_head_a_board_and_take_nothing_else(
    duels: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Strange:
        name = "strange"

        def rate(self, table: Any, *, seed: int, bootstrap: int, **options: Any) -> Rated:
            agents = sorted(set(table["agent"]))
            columns = {"rating": 3.0, "rating_lo": 2.0, "rating_hi": 4.0, "model": "mine", "n_matches": 0, "luck": 7}
            return Rated(pd.DataFrame({"agent": agents, **columns}), {})

    monkeypatch.setattr(methods, "find", lambda name: Strange() if name == "strange" else elo)

    found = leaderboard(duels(3, 20), ("elo", "strange")).table

    assert found["method"].unique().tolist() == ["strange"]
    assert found["rating_hi"].tolist() == [4.0] * 3
    assert found["rank"].tolist() == [1, 2, 3]
    assert found["model"].str.startswith("openai/").all()
    assert found["n_matches"].sum() == 80
    assert found[["luck", "strange_model"]].iloc[0].tolist() == [7, "mine"]


def test_every_built_in_method_keeps_the_contract(villages: Tables, duels: Tables) -> None:
    both: Any = pd.concat([villages(4, 40), duels(4, 40)])
    for name in methods.BUILT_IN:
        method = methods.find(name)
        rated = method.rate(both if name == "composite" else villages(4, 40), seed=0, bootstrap=10)

        assert method.name == name
        assert sorted(rated.table["agent"]) == [f"agent-{i}" for i in range(4)]
        assert isinstance(rated.meta, dict)


def test_bad_arguments_are_named(duels: Tables) -> None:
    for options in ({"bootstrap": -1}, {"min_matches": -1}):
        with pytest.raises(ValueError, match="at least 0"):
            leaderboard(duels(3, 10), **options)  # type: ignore[arg-type]  # a mapping of whole numbers
