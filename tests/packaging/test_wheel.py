"""The built wheel: one top-level name, everything in it, and a command that runs from any folder."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    words = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = out.glob("*.whl")
    return built


def test_only_arena_stands_at_the_top_level(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"arena"}


def test_every_game_prompt_and_migration_is_in_it(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())

    for part in ("games/kuhn/game.py", "games/leduc/policy.json", "agents/cot.py", "leaderboards/bt.py", "py.typed"):
        assert f"arena/{part}" in names
    for folder, pattern in (("prompts", "*.j2"), ("store/migrations", "*.sql"), ("scaffold", "*")):
        place = ROOT / "arena" / folder
        wanted = {
            f"arena/{folder}/{file.relative_to(place).as_posix()}"
            for file in place.rglob(pattern)
            if file.is_file() and "__pycache__" not in file.parts
        }
        assert wanted
        assert wanted <= names


def test_the_wheel_alone_runs_from_any_folder(wheel: Path, tmp_path: Path) -> None:
    site, elsewhere = tmp_path / "site-packages", tmp_path / "elsewhere"
    elsewhere.mkdir()
    zipfile.ZipFile(wheel).extractall(site)
    environment = {**os.environ, "PYTHONPATH": str(site)}

    def python(*words: str) -> str:
        return subprocess.run(
            [sys.executable, *words], cwd=elsewhere, env=environment, capture_output=True, text=True, check=True
        ).stdout

    assert str(site) in python("-c", "import arena; print(arena.__file__)")
    assert "payoffs: player_0" in python("-m", "arena", "play", "kuhn", "--agents", "bot/nash,bot/tight", "--seed", "1")
    assert "Your card is" in python("-m", "arena", "play", "kuhn", "--agents", "bot/tight", "--seed", "1")


@pytest.mark.long
def test_the_wheel_installs_alone_into_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "env")], check=True)
    python = tmp_path / "env" / "bin" / "python"
    install = [str(python), "-m", "pip", "install", "-q", "-c", str(ROOT / "constraints.txt"), str(wheel)]
    subprocess.run(install, check=True)

    command = [str(tmp_path / "env" / "bin" / "arena"), "play", "kuhn", "--agents", "bot/nash", "--seed", "1", "--json"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert '"status": "done"' in done.stdout
