"""Wrong usage: one clear line that says what is wrong and what would be right, exit 2, and nothing written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from arena.cli import main


def _run(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(words)
    out, err = capsys.readouterr()
    return int(str(ended.value.code or 0)), out, err


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("play kuhnn --agents bot/random", "there is no game 'kuhnn'. Did you mean kuhn"),
        ("play matrix/ipdd --agents bot/random", "there is no preset of matrix 'ipdd'. Did you mean ipd"),
        ("play kuhn-v9 --agents bot/random", "kuhn-v9 is not installed; this is kuhn-v1"),
        ("play kuhn --agents bot/randomm", "Did you mean random"),
        ("play kuhn --agents bot/random,bot/random,bot/random", "kuhn has 2 seats (player_0, player_1)"),
        ("play kuhn --agents bot/random --set deal=QQ", "deal must be one of"),
        ("play kuhn --agents bot/random --set dael=KQ", "there is no config field 'dael'. Nearest: deal"),
        ("play kuhn --agents bot/random --set deal", "write key=value"),
        ("play kuhn --agents bot/random --set illegal.reask=1", "Did you mean reasks"),
        ("play kuhn --agents bot/random --seed -1", "--seed must be from 0"),
        ("play kuhn --agents bot/nash?alhpa=1", "alpha"),
        ("play kuhn --agents gguf/none.gguf", "none.gguf"),
        ("play kuhn --agents cot:bot/random", "needs a model"),
        ("play kuhn --agents openai/x@http://u:p@h/v1", "key_env"),
        ("play kuhn --agents blue=bot/random", "no seat, role or side 'blue'"),
        ("play kuhn", "--agents"),
        ("play ./nowhere --agents bot/random", "is no game folder"),
        ("tournament kuhn --agents bot/nash,bot/tight --schedule swis", "there is no schedule 'swis'"),
        ("tournament kuhn --agents bot/nash,bot/tight --executor fast", "executor.kind"),
        ("tournament kuhn --agents bot/nash,bot/tight --matches 0", "--matches"),
        ("tournament kuhn --agents mock/legal,bot/tight --budget 1", "price"),
        ("tournament nothere.toml", "nothere.toml cannot be read"),
        ("resume runs/none", "holds no run"),
        ("show runs/none", "holds no run"),
        ("leaderboard", "at least one run"),
        ("export runs/none --out x.jsonl", "holds no run"),
        ("new robot x", "makes a game or an agent"),
        ("frobnicate", "frobnicate"),
    ],
)
def test_wrong_usage_says_what_would_be_right(
    words: str, what: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code, out, err = _run(words.split(), capsys)

    assert code == 2
    assert what in err
    assert "Traceback" not in err
    assert out == ""
    assert list(tmp_path.iterdir()) == []


def test_an_error_is_one_json_document_where_json_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = _run(["play", "kuhnn", "--agents", "bot/random", "--json"], capsys)

    fault = json.loads(out)["error"]
    assert code == fault["code"] == 2
    assert fault["kind"] == "unknown_game"
    assert set(fault) == {"code", "kind", "message", "match", "turn", "hint", "resume"}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (
            'game = "kuhn"\nagents = ["bot/nash", "bot/tight"]\nmatchs = 3',
            "there is no key 'matchs'. Did you mean matches",
        ),
        (
            'game = "kuhn"\nagents = ["bot/nash"]\n[limits]\nconcurency = 3',
            "'limits.concurency'. Did you mean concurrency",
        ),
        ('game = "kuhn"\nagents = ["bot/nash"]\nmatches = "many"', "matches"),
        ('game = "kuhn"\nagents = ["bot/nash"]\nseed = 99999999999999999999', "64 bits"),
        ('game = "kuhn"', "names no agents"),
        ('agents = ["bot/nash"]', "give either game or [[games]]"),
        ("game = [[[[[[[[[[[[1]]]]]]]]]]]]", "nested"),
        ("game = ", "run.toml"),
        ("x." * 3000 + "y = 1", "nested too deeply"),
    ],
)
def test_a_run_file_is_read_strictly(text: str, what: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text(text)

    code, _, err = _run(["tournament", "run.toml"], capsys)

    assert code == 2
    assert what in err
    assert [p.name for p in tmp_path.iterdir()] == ["run.toml"]


def test_another_runs_folder_is_refused_and_the_difference_named(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = [
        "tournament",
        "kuhn",
        "--agents",
        "bot/nash,bot/tight",
        "--matches",
        "2",
        "--out",
        "r",
        "--display",
        "quiet",
    ]
    assert _run([*words, "--seed", "1"], capsys)[0] == 0

    code, _, err = _run([*words, "--seed", "2"], capsys)

    assert code == 2
    assert "r holds another run: seed differ" in err
    assert "arena resume r" in err
