"""A name never chooses a path, and what somebody else sent is neither run nor followed."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from pathlib import Path

import pytest

from arena import registry
from arena.cli import main
from arena.cli.options import default_folder
from arena.core.errors import ArenaError, StoreError
from arena.run.api import resolve_agents
from arena.store import schema
from arena.store.reader import Reader
from arena.store.writer import create_run
from tests.run.playing import play
from tests.security.hostile import CHATTER

NAMES = [
    "/etc/passwd",
    "../../../etc/passwd",
    "..",
    ".",
    "a/../../b",
    "..\\..\\windows",
    "C:\\Windows",
    "CON",
    "nul\x00l",
    "~/x",
    "x" * 400,
    "-rf",
    "a\nb",
    "\x1b[2J",
    "$(touch hit)",
    "`touch hit`",
    "%2e%2e%2f",
    "\u2024\u2024/x",
]


def _told(words: list[str]) -> int:
    with pytest.raises(SystemExit) as ended:
        main(words)
    return int(str(ended.value.code or 0))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder inside a folder that nothing may be written to."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("ARENA_HOME", str(tmp_path / "home"))
    return tmp_path


def _outside(here: Path) -> set[str]:
    return {str(p) for p in here.rglob("*") if not p.is_relative_to(here / "work") and p.name != "games.txt"}


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_the_folder_of_a_run_lies_in_runs_whatever_its_game_is_called(name: str) -> None:
    folder = default_folder(name)

    assert folder.parent == Path("runs")
    assert len(folder.name) < 60
    assert set(folder.name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_names_of_agents_games_and_forks_write_nothing_outside(
    name: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    play(here / "work" / "r", ["bot/tight"], matches=1)
    before = _outside(here)

    for words in (
        ["play", name, "--agents", "bot/random"],
        ["play", "kuhn", "--agents", f"@{name}"],
        ["play", "kuhn", "--agents", f"league/{name}"],
        ["play", "kuhn", "--agents", f"gguf/{name}"],
        ["play", "kuhn", "--agents", f"mock/script?file={name}"],
        ["new", "game", name],
        ["new", "agent", name],
        ["fork", "r", name, "--at", "0"],
        ["show", "r", name],
        ["leaderboard", "r", "--method", name],
    ):
        assert _told(words) == 2, words

    assert _outside(here) == before
    assert not (here / "work" / "hit").exists()
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "..", "a/../../secret"])
def test_a_file_of_an_agent_lies_in_agents_and_nowhere_else(name: str, here: Path) -> None:
    (here / "secret.toml").write_text('name = "bot/random"\n')
    (here / "work" / "agents").mkdir()

    with pytest.raises(ArenaError):
        resolve_agents([f"@{name}"], ["kuhn"])


def test_a_folder_with_something_else_in_it_is_not_written_to(here: Path) -> None:
    for folder in ("thesis", "tables"):
        (here / "work" / folder).mkdir()
        (here / "work" / folder / "chapter.txt").write_text("years of work")
    play(here / "work" / "r", ["bot/tight", "bot/loose"], matches=2)

    for words in (
        "tournament kuhn --agents bot/tight --matches 1 --out thesis",
        "play kuhn --agents bot/tight --out thesis",
        "fork r 1 --at 0 --out thesis",
        "export r --out tables",
        "export r --format parquet --out tables",
        "merge r r --out thesis",
    ):
        assert _told(words.split()) == 2, words

    files = {str(p.relative_to(here / "work")) for p in (here / "work").rglob("*") if p.is_file()}
    assert {f for f in files if not f.startswith("r/")} == {f"{d}/chapter.txt" for d in ("thesis", "tables")}


def test_an_export_does_not_write_through_a_link(here: Path) -> None:
    play(here / "work" / "r", ["bot/tight"], matches=1)
    (here / "precious").write_text("years of work")
    (here / "work" / "x.jsonl").symlink_to(here / "precious")

    _told(["export", "r", "--out", "x.jsonl"])

    assert (here / "precious").read_text() == "years of work"


def test_code_beside_a_run_from_others_is_not_run_because_somebody_looks(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A run may name a game folder, for instance the one that came with it."""
    game = here / "work" / "chatter"
    shutil.copytree(CHATTER, game)
    play(here / "work" / "r", ["bot/random"], game=str(game), matches=1)
    (here / "home" / "games.txt").unlink()  # this machine never played it
    code = (game / "game.py").read_text("utf-8")
    (game / "game.py").write_text(f"{code}\nopen({str(here / 'hit')!r}, 'w').close()\n", "utf-8")

    for words in (
        "show r",
        "show r 1",
        "show r --verify",
        "resume r",
        "fork r 1 --at 0 --out f",
        "export r --out x.jsonl --metrics",
        "export r --format kto --recipe outcome --out k.jsonl",
        "leaderboard r",
        "runs .",
    ):
        _forget_imports()
        _told(words.split())
        assert not (here / "hit").exists(), words
    capsys.readouterr()
    assert _told(["show", "r", "1"]) == 2
    assert "never played here" in capsys.readouterr().err
    _forget_imports()
    assert _told(["play", str(game), "--agents", "bot/random"]) == 0
    assert (here / "hit").exists(), "the code would have been noticed"


def _forget_imports() -> None:
    """As in a process that just started."""
    registry._load_folder.cache_clear()
    for name in [name for name in sys.modules if name.startswith("arena_game_")]:
        del sys.modules[name]


def test_a_value_that_is_too_long_to_be_ours_is_not_read(here: Path) -> None:
    create_run(here / "work" / "r").close()
    db = sqlite3.connect(here / "work" / "r" / schema.FILE)
    db.execute("INSERT INTO notes (at_ms, kind, body) VALUES (0, 'x', zeroblob(?))", (65 << 20,))
    db.commit()
    db.close()

    with Reader(here / "work" / "r") as reader, pytest.raises(sqlite3.DataError, match="too big"):
        reader.db.execute("SELECT body FROM notes").fetchall()


def test_a_record_cannot_load_an_extension_nor_reach_another_file(here: Path) -> None:
    create_run(here / "work" / "r").close()

    with Reader(here / "work" / "r") as reader:
        with pytest.raises(sqlite3.OperationalError, match="not authorized"):
            reader.db.execute("SELECT load_extension('x')")
        with pytest.raises(sqlite3.OperationalError, match=r"readonly|read-only"):
            reader.db.execute("INSERT INTO notes (at_ms, kind, body) VALUES (0, 'x', 'y')")


def test_the_store_is_refused_where_a_folder_or_pipe_stands_in_its_place(here: Path) -> None:
    (here / "work" / "r" / schema.FILE).mkdir(parents=True)
    with pytest.raises((StoreError, OSError)):
        Reader(here / "work" / "r")

    (here / "work" / "p").mkdir()
    os.mkfifo(here / "work" / "p" / schema.FILE)
    with pytest.raises((StoreError, OSError)):  # and it does not wait for a writer of the pipe
        Reader(here / "work" / "p")
