"""Run folders that are damaged, or come from another version: each command says so in one line, exits 2, and writes
nothing. A run that can be read without its game is read."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from arena.cli import main
from arena.store.schema import FILE
from tests.run.playing import play

COMMANDS = (
    "resume RUN",
    "show RUN",
    "show RUN 1",
    "show RUN --verify",
    "fork RUN 1 --at 0 --out forked",
    "export RUN --out x.jsonl",
    "export RUN --out tables",
    "export RUN --out x.jsonl --metrics",
    "export RUN --format parquet --out parquet",
    "export RUN --format kto --recipe outcome --out kto.jsonl",
    "leaderboard RUN",
    "leaderboard RUN --method bt",
    "leaderboard RUN --out board",
    "compare RUN good --agents bot/kuhn-nash,bot/kuhn-nash",
    "compare good RUN --agents bot/kuhn-nash,bot/kuhn-nash",
    "tournament kuhn --agents mock/legal,bot/nash --matches 2 --seed 1 --out RUN",
    "play kuhn --agents mock/legal --agents mock/replay?run=RUN --out played",
)

# What is wrong, the words that say so, and the commands that need none of what is missing.
NOT_RUNS = {
    "a newer schema": ("PRAGMA user_version=99", "was written by a newer release"),
    "another program's database": ("PRAGMA application_id=7", "is not a run of Parley Arena"),
    "a trigger": ("CREATE TRIGGER t AFTER INSERT ON notes BEGIN SELECT 1; END", "holds a view or trigger"),
    "a view": ("CREATE VIEW v AS SELECT 1", "holds a view or trigger"),
}


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("good") / "good"
    play(folder, ["mock/legal", "bot/nash"], matches=4)
    return folder


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, good: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("good", "bad"):
        shutil.copytree(good, tmp_path / name)


def _contents(folder: Path) -> dict[str, bytes]:
    """Every file below, but for what SQLite puts beside a file that is only read."""
    files = (p for p in folder.rglob("*") if p.is_file() and not p.name.endswith(("-shm", "-wal")))
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


def _told(command: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(command.replace("RUN", "bad").split())
    out, err = capsys.readouterr()
    return int(str(ended.value.code or 0)), out, err


def _edit(statement: str) -> None:
    db = sqlite3.connect(Path("bad") / FILE)
    db.executescript(statement)
    db.commit()
    db.close()


def _refusal(command: str, capsys: pytest.CaptureFixture[str]) -> str:
    """The one sentence that a command is refused with; it must change nothing, and be no crash."""
    before = _contents(Path())

    code, out, err = _told(command, capsys)

    said = [line for line in err.splitlines() if not line.startswith(("run folder: ", "  "))]
    assert (code, out) == (2, ""), err
    assert len(said) == 1
    assert "Traceback" not in err
    assert "this is a bug" not in err
    assert _contents(Path()) == before
    return said[0]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", NOT_RUNS)
def test_what_is_no_run_of_ours_is_refused_by_every_command(
    name: str, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    edit, what = NOT_RUNS[name]
    _edit(edit)

    assert what in _refusal(command, capsys)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("content", [b"", b"no database at all " * 500, None], ids=["empty", "text", "cut in half"])
def test_a_file_that_is_no_database_is_refused_by_every_command(
    content: bytes | None, command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = Path("bad") / FILE
    file.write_bytes(file.read_bytes()[:5000] if content is None else content)

    assert _refusal(command, capsys).startswith("error: ")


# Damage inside, and what every command that needs the damaged part says of it. Others may read around it.
INSIDE = {
    "no manifest": ("DELETE FROM manifest", "was never started"),
    "a manifest that is no JSON": ("UPDATE manifest SET value='{'", "manifest cannot be read"),
    "no settings": ("DELETE FROM manifest WHERE key='config'", "was never started"),
    "settings with a new key": (
        "UPDATE manifest SET value=json_set(value, '$.limits.new', 1) WHERE key='config';"
        "UPDATE matches SET status='running'",
        "another release",
    ),
    "no table of turns": ("DROP TABLE turns", "cannot be read"),
    "no table of matches": ("PRAGMA foreign_keys=OFF; DROP TABLE matches", "cannot be read"),
    "a config that is no JSON": ("UPDATE matches SET config='{', status='running'", "cannot be read"),
    "answers that are no JSON": ("UPDATE turns SET answer='{{'", "cannot be read"),
    "agents that are no JSON": ("UPDATE agents SET spec='{'; UPDATE matches SET status='running'", "cannot be read"),
    "payoffs that are no JSON": ("UPDATE matches SET payoffs='[[', outcome='{{'", "cannot be read"),
    "a game version that is not here": ("UPDATE matches SET game='kuhn-v9', status='running'", "kuhn-v9"),
    "a game that is not here": (
        "UPDATE matches SET game='kuhnn-v1', status='running';"
        "UPDATE manifest SET value=replace(value, '\"kuhn\"', '\"kuhnn\"') WHERE key='config'",
        "there is no game 'kuhnn'. Did you mean kuhn",
    ),
}
NEEDED = {  # which commands must refuse it; every other one must not crash on it
    "settings with a new key": ("resume", "verify"),
    "no table of turns": ("show 1", "fork"),
    "a config that is no JSON": ("resume", "show 1", "verify", "fork"),
    "answers that are no JSON": ("show 1", "verify", "fork", "tables", "metrics", "kto"),
    "agents that are no JSON": ("resume", "tables", "kto"),
    "payoffs that are no JSON": ("show", "show 1", "verify", "matches", "tables", "metrics", "kto"),
    "a game version that is not here": ("resume", "show 1", "fork"),
    "a game that is not here": ("resume", "show 1", "verify", "fork", "matches", "tables", "metrics", "kto"),
}
SHORT = {
    "resume": "resume RUN",
    "show": "show RUN",
    "show 1": "show RUN 1",
    "verify": "show RUN --verify",
    "fork": "fork RUN 1 --at 0 --out forked",
    "matches": "export RUN --out x.jsonl",
    "tables": "export RUN --out tables",
    "metrics": "export RUN --out x.jsonl --metrics",
    "kto": "export RUN --format kto --recipe outcome --out kto.jsonl",
    "leaderboard": "leaderboard RUN",
}


@pytest.mark.parametrize("name", INSIDE)
def test_damage_inside_a_record_is_said_where_it_matters_and_never_a_crash(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    edit, what = INSIDE[name]
    _edit(edit)
    before = _contents(Path("bad"))

    for word, command in SHORT.items():
        code, out, err = _told(command, capsys)
        assert "this is a bug" not in err, command
        assert "Traceback" not in err, command
        if word in NEEDED.get(name, SHORT):
            assert (code, out) == (2, ""), command
            assert what in err, command
        assert _contents(Path("bad")) == before, command


@pytest.mark.parametrize(
    ("edit", "command", "what"),
    [
        ("UPDATE matches SET payoffs='3', outcome='[]'", "show RUN", "matches 1: payoffs is no JSON object"),
        ("UPDATE matches SET config=x'ff00ff'", "show RUN 1", "matches 1: config is no JSON object"),
        (
            "UPDATE agents SET spec='[1]'",
            "leaderboard RUN --method bt --out b",
            "spec is no JSON object",
        ),
        ("DELETE FROM seats; UPDATE matches SET status='running'", "resume RUN", "match 1 has no seats"),
    ],
)
def test_values_of_another_shape_are_said_too(
    edit: str, command: str, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _edit(edit)

    assert what in _refusal(command, capsys)


def test_an_error_of_the_program_stays_one_beside_a_sound_record(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("arena.store.reader.Reader.matches", lambda _: 1 / 0)

    code, _, err = _told("leaderboard RUN --method bt --json", capsys)

    assert code == 1
    assert "this is a bug" in err
