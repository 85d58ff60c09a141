"""What `arena new` makes works as it stands, in a folder of its own and in a checkout of this project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import arena
from arena.core import UsageError
from arena.registry import ROOT
from arena.scaffold import is_checkout, new_agent, new_game
from arena.testing.conformance import check_game, check_golden, presets_of

REPOSITORY = ROOT.parent


def run(where: Path, *command: str, path: Path | None = None) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=where,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"} | ({"PYTHONPATH": str(path)} if path else {}),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_new_game_keeps_every_promise_as_it_stands(tmp_path: Path) -> None:
    files = new_game("bluff_die", tmp_path)
    folder = str(tmp_path / "bluff_die")

    assert all(file.is_file() for file in files)
    assert presets_of(folder) == [f"{folder}/default", f"{folder}/silent"]
    check_game(folder)
    for name in presets_of(folder):
        check_golden(name)


def test_a_new_game_has_every_part_of_a_game(tmp_path: Path) -> None:
    files = {file.relative_to(tmp_path / "bluff_die").as_posix() for file in new_game("bluff_die", tmp_path)}

    assert files >= {
        "README.md",
        "game.py",
        "rules.py",
        "bots.py",
        "metrics.py",
        "twins.py",
        "prompts/rules.j2",
        "tests/test_bluff_die_rules.py",
        "tests/test_bluff_die_game.py",
        "tests/test_bluff_die_promises.py",
        "tests/golden/default-7.txt",
        "tests/golden/silent-7.txt",
    }


def test_the_tests_of_a_new_game_pass_wherever_it_lies(tmp_path: Path) -> None:
    new_game("bluff_die", tmp_path)
    out = run(tmp_path, "-m", "pytest", "-p", "no:cacheprovider", "bluff_die/tests")

    assert "13 passed" in out


def test_a_new_game_is_found_by_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    new_game("bluff_die", tmp_path)
    monkeypatch.chdir(tmp_path)

    assert arena.match("./bluff_die/silent", seed=1).game.full_name == "bluff_die-v1"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout with one game in it."""
    root = tmp_path / "checkout"
    shutil.copytree(ROOT, root / "arena", symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for folder, kept in (("games", ("__init__.py", "kuhn")), ("prompts", ("_engine", "kuhn"))):
        (root / folder).mkdir()
        for name in kept:
            source = REPOSITORY / folder / name
            if source.is_dir():
                shutil.copytree(source, root / folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, root / folder / name)
    shutil.copy(REPOSITORY / "pyproject.toml", root)
    return root


@pytest.mark.skipif(
    not (REPOSITORY / "games").is_dir(), reason="the sources lie in one package here, not in a checkout"
)
def test_a_new_game_of_a_checkout_is_a_game_like_the_others(checkout: Path) -> None:
    assert is_checkout(checkout)
    run(
        checkout,
        "-c",
        "from pathlib import Path; import arena.scaffold as s; s.new_game('die2', Path())",
        path=checkout,
    )

    assert (checkout / "games" / "die2" / "game.py").is_file()
    assert (checkout / "prompts" / "die2" / "rules.j2").is_file()
    assert not (checkout / "games" / "die2" / "prompts").exists()
    out = run(checkout, "-m", "pytest", "-p", "no:cacheprovider", "tests/games/die2", path=checkout)
    assert "11 passed" in out
    program = (
        "from arena.testing.conformance import *; check_game('die2'); check_golden('die2'); check_golden('die2/silent')"
    )
    run(checkout, "-c", program, path=checkout)


@pytest.mark.skipif(
    not (REPOSITORY / "games").is_dir(), reason="the sources lie in one package here, not in a checkout"
)
def test_the_code_of_a_new_game_is_in_the_style_of_the_project(checkout: Path) -> None:
    pytest.importorskip("ruff")
    run(
        checkout,
        "-c",
        "from pathlib import Path; import arena.scaffold as s; s.new_game('die2', Path())",
        path=checkout,
    )
    for command in (("check", "--no-cache"), ("format", "--check", "--no-cache")):
        run(checkout, "-m", "ruff", *command, "games/die2", "tests/games/die2")


@pytest.mark.parametrize("name", ["Bluff", "2dice", "bluff-die", "../x", "", "a" * 41, "die/../..", "é"])
def test_a_name_never_chooses_a_path(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be a name"):
        new_game(name, tmp_path)
    with pytest.raises(UsageError, match="cannot be a name"):
        new_agent(name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "bluff_die").mkdir()
    new_agent("careful", tmp_path)

    with pytest.raises(UsageError, match="is there already, and nothing was written"):
        new_game("bluff_die", tmp_path)
    with pytest.raises(UsageError, match="is there already"):
        new_agent("careful", tmp_path)
    assert list((tmp_path / "bluff_die").iterdir()) == []


def test_the_name_of_a_game_that_there_is_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is a game called kuhn already"):
        new_game("kuhn", tmp_path)


def test_a_new_agent_can_be_named_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from arena.models.files import read_agent

    files = new_agent("careful", tmp_path)
    monkeypatch.chdir(tmp_path)
    definition = read_agent("careful")

    assert files == [tmp_path / "agents" / "careful.toml"]
    assert definition.text == "gguf/smollm2-135m"
    assert definition.persona.strip().startswith("You are careful.")
    assert definition.options == (("temperature", "0.7"),)
