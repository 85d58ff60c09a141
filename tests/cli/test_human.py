"""Somebody at the terminal: notes, several people at one screen, and how a match that was left ends."""

from __future__ import annotations

import asyncio
import io
import subprocess
import sys
from pathlib import Path

import arena
from arena.agents.human import Terminal
from tests.run.playing import rows


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def _answers(typed: str, *seats: str) -> str:
    """What the screen showed while these seats of a coordination game answered one after the other."""
    screen = Screen()
    terminal = Terminal(io.StringIO(typed), screen)
    match = arena.match("matrix/rps", seed=1)

    async def ask() -> None:
        for seat in seats:
            view = match.view(seat)
            assert view.ask is not None
            await terminal.answer(view, view.ask, None)

    asyncio.run(ask())
    return screen.getvalue()


def test_the_screen_is_cleared_before_another_person_reads_it() -> None:
    shown = _answers("rock\n\npaper\n", "player_0", "player_1")

    first, cleared, second = shown.partition("\033[2J")
    assert cleared
    assert "player_1: press Enter" in second
    assert "player_1: press Enter" not in first


def test_one_person_alone_is_never_asked_to_look_away() -> None:
    assert "press Enter" not in _answers("rock\n", "player_0")


def test_notes_are_written_and_shown() -> None:
    shown = _answers(":notes it bluffs\n:notes\nrock\n", "player_0")

    assert shown.count("it bluffs") == 2


def _arena(folder: Path, typed: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "arena", *words]
    return subprocess.run(command, input=typed, capture_output=True, text=True, cwd=folder, check=False)


def test_notes_outlive_the_process_and_stand_in_no_event(tmp_path: Path) -> None:
    agents = ("--agents", "human,bot/random", "--set", "rounds=2", "--seed", "3", "--out", "h")
    left = _arena(tmp_path, ":notes secret thought\nrock\n", "play", "matrix/rps", *agents)
    resumed = _arena(tmp_path, ":notes\npaper\n", "resume", "h")

    assert left.returncode == 130, left.stderr
    assert "secret thought" in resumed.stderr
    assert "payoffs: " in resumed.stdout
    assert rows(tmp_path / "h", "SELECT facts FROM events WHERE facts LIKE '%secret%'") == []
