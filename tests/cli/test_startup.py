"""What starting costs: no heavy import and no socket for help, lists and scripted matches. CPU is in benchmarks/."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

HEAVY = (
    "litellm",
    "openai",
    "httpx",
    "aiohttp",
    "torch",
    "transformers",
    "trl",
    "peft",
    "pandas",
    "scipy",
    "ray",
    "numpy",
)


def _modules_after(words: list[str]) -> set[str]:
    code = f"""
        import socket, sys
        def refuse(*a, **k): raise AssertionError("a socket was opened")
        socket.socket.connect = refuse
        from arena.cli import main
        try:
            main({words!r})
        except SystemExit as end:
            assert not end.code, end.code
        print("MODULES", *sys.modules)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.rpartition("MODULES ")[2].split())


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["games"],
        ["agents"],
        ["ratings"],
        ["runs"],
        ["play", "kuhn", "--agents", "bot/nash,bot/random", "--seed", "1"],
        ["play", "matrix/rps", "--agents", "bot/random", "--seed", "1"],
    ],
)
def test_starting_loads_nothing_heavy_and_opens_no_socket(words: list[str]) -> None:
    loaded = _modules_after(words)

    assert not loaded.intersection(HEAVY)


def test_importing_arena_loads_next_to_nothing() -> None:
    code = "import sys; before = set(sys.modules); import arena; print(len(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert int(done.stdout) < 40
