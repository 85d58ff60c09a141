"""CPU time of `arena leaderboard` over many stored matches; the target is a second for 100,000.

    python benchmarks/leaderboard.py [--matches 100000] [--run RUN]

Without --run (a folder that keeps the run, or holds it from the last time) ten bots first play a round-robin of
rock-paper-scissors in one round, which takes minutes. Each figure is the CPU time of a whole process, start included.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

BOTS = (
    "bot/random,bot/nash,bot/hedge,bot/exp3,bot/minimax,bot/best-reply,bot/follow-the-leader,bot/fictitious-play,"
    "bot/matrix-follow-the-perturbed-leader,bot/always"
)
COMMANDS = (
    ("counts with intervals (the default)", ()),
    ("Bradley-Terry, sandwich intervals", ("--method", "bt", "--bootstrap", "0")),
    ("Bradley-Terry, 1,000 resamples", ("--method", "bt")),
)


def arena(*words: str) -> float:
    """The CPU seconds of one command."""
    before = os.times()
    subprocess.run([sys.executable, "-m", "arena", *words], check=True, capture_output=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--matches", type=int, default=100_000)
    parser.add_argument("--run", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        run = given.run or Path(scratch) / "run"
        play = ("tournament", "matrix/rps", "--set", "rounds=1", "--agents", BOTS, "--schedule", "round-robin")
        spent = arena(*play, "--matches", str(given.matches), "--seed", "1", "--out", str(run))
        print(f"playing or finding {given.matches:,} matches: {spent:.1f} s of CPU")
        for what, words in COMMANDS:
            print(
                f"{what:<40}{min(arena('leaderboard', str(run), *words) for _ in range(2)):6.2f} s of CPU", flush=True
            )


if __name__ == "__main__":
    main()
