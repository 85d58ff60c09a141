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
    assert "r holds another run: seed 1, not 2" in err
    assert "arena resume r" in err


@pytest.fixture
def r(capsys: pytest.CaptureFixture[str]) -> None:
    """A small run in the folder `r`, for commands that need one."""
    words = "tournament kuhn --agents mock/legal,bot/nash,bot/tight --matches 6 --seed 1 --out r --display quiet"
    assert _run(words.split(), capsys)[0] == 0


@pytest.mark.parametrize(
    ("words", "what"),
    [
        ("--frob", "No such option: --frob"),
        ("resume", "Missing argument"),
        ("resume r --concurrency 0", "greater than or equal to 1"),
        ("resume r --budget -1", "greater than or equal to 0"),
        ("resume r --budget lots", "valid number"),
        ("resume r --executor fast", "there is no executor 'fast'; there are async, processes"),
        ("resume r --display loud", "--display is one of auto, rich, plain, quiet, not 'loud'"),
        ("resume r --seed 3", "No such option: --seed"),
        ("resume r/run.sqlite", "holds no run"),
        ("show r 99", "r has no match '99'; it has matches 1 to 6"),
        ("show r 0", "it has matches 1 to 6"),
        ("show r first", "names no match; give its number"),
        ("show r 1 --view player_9", "--view is omniscient, public or a seat (player_0, player_1)"),
        ("show r --view public", "show one match"),
        ("show r 1 --plot x.svg", "kuhn-v1 draws no picture"),
        ("fork r 99 --at 0", "it has matches 1 to 6"),
        ("fork r 1", "--at"),
        ("fork r 1 --at 99", "has turns 0 to"),
        ("fork r 1 --at -1", "--at is a turn's number or the name of a phase"),
        ("fork r 1 --at 0 --matches 0", "greater than or equal to 1"),
        ("fork r 1 --at 0 --chance some", "--chance is common or fresh, not 'some'"),
        ("fork r 1 --at 0 --agents bot/nope", "there is no bot 'nope'"),
        ("fork r 1 --at 0 --agents player_7=bot/tight", "there is no seat 'player_7'; there are player_0, player_1"),
        ("fork r 1 --at 0 --set daal=KQ", "there is no config field 'daal'. Nearest: deal"),
        ("fork r 1 --at 0 --set limits.concurrency=1", "for the game's config only"),
        ("export r", "--out"),
        ("export r --out x --format csv", "--format is one of jsonl, parquet"),
        ("export r --out x.jsonl --recipe outcome", "choose training rows"),
        ("export r --out x.jsonl --format kto --recipe outcomee", "outcomee"),
        ("export r --out r", "holds something else"),
        ("leaderboard r --method eloo", "there is no rating method 'eloo'. Did you mean elo"),
        ("leaderboard none", "there is no such match file or run folder"),
        ("leaderboard r/run.sqlite", "r/run.sqlite"),
        ("compare r", "Missing argument"),
        ("compare r none", "none holds no run"),
        ("compare r r --agents bot/tight", "--agents names two agents"),
        ("compare r r --agents a,b", "it has bot/kuhn-nash, bot/kuhn-tight, mock/legal"),
        ("games nope", "there is no game 'nope'. Did you mean gops"),
        ("games kuhn/nope", "there is no preset of kuhn 'nope'"),
        ("agents extra", "unexpected extra argument"),
        ("ratings extra", "unexpected extra argument"),
        ("doctor --frob", "No such option: --frob"),
        ("doctor extra", "unexpected extra argument"),
        ("new game", "Missing argument"),
        ("new game Kuhn", "lower-case letters, digits and underscores"),
        ("new game ../x", "lower-case letters, digits and underscores"),
        ("new game kuhn", "there is a game called kuhn already"),
        ("new agent a/b", "lower-case letters, digits and underscores"),
        ("new game x --in r/run.lock", "r/run.lock"),
        ("train", "Missing argument"),
        ("train kfo", "there is no algorithm 'kfo'. Did you mean kto"),
        ("train kto", "--"),
        ("play kuhn --agents bot/tight --view player_9", "--view is omniscient, public or a seat"),
        ("play kuhn --agents bot/tight --seed x", "valid integer"),
        ("play kuhn --agents bot/tight --out r", "r holds another run"),
        ("play werewolf --agents bot/random,bot/random,bot/random,bot/random", "werewolf has 9 seats"),
        ("play guess08 --set players=99 --agents bot/random", "players must be at least 2 and at most 20, not 99"),
        ("tournament kuhn", "names no agents"),
        ("tournament kuhn --agents bot/nash,bot/tight --workers 0", "greater than or equal to 1"),
        ("tournament kuhn --agents bot/nash,bot/tight --seed 99999999999999999999", "--seed must be from 0"),
        ("tournament kuhn --agents human,bot/tight", "a human can play in `arena play` only"),
        ("tournament kuhn --agents bot/nash,bot/tight --set illegal.then=cry", "'fallback' or 'forfeit'"),
        ("tournament kuhn --agents bot/nash,bot/tight --set limits.nope=1", "there is no key 'limits.nope'"),
        ("tournament kuhn --agents bot/nash,bot/tight --display loud", "--display is one of"),
        ("tournament kuhn --agents bot/nash,bot/tight --out r/run.lock", "r/run.lock"),
        ("tournament kuhn --agents openai/gpt-5-mini,bot/tight", "OPENAI_API_KEY"),
        ("tournament kuhn --agents bot/nash,bot/tight --set clock.turn_s=0", "clock.turn_s"),
    ],
)
def test_a_wrong_word_for_any_command_is_one_line_and_changes_nothing(
    words: str, what: str, r: None, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    before = _contents(tmp_path)

    code, out, err = _run(words.split(), capsys)

    assert code == 2, err
    assert what in err
    assert out == ""
    said = [line for line in err.splitlines() if not line.startswith(("  ", "run folder: "))]
    assert len(said) == 1 or not words
    assert "this is a bug" not in err
    assert _contents(tmp_path) == before


def _contents(folder: Path) -> dict[str, bytes]:
    """Every file below, but for what SQLite puts beside a file that is only read."""
    files = (p for p in folder.rglob("*") if p.is_file() and not p.name.endswith(("-shm", "-wal")))
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


@pytest.mark.parametrize("command", ["resume r", "show r --verify", "leaderboard r", "export r --out r.jsonl"])
def test_a_run_that_is_not_there_is_said_as_json_too(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = _run([*command.split(), "--json"], capsys)

    fault = json.loads(out)["error"]
    assert code == fault["code"] == 2
    assert "r" in fault["message"]
