"""`make demo`: a real small model and scripted players, end to end, without key or GPU.

One match shown as it reads, then a short tournament with its leaderboard. Every step prints the command that does it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

MODEL = "gguf/smollm2-135m"
RUN = Path("runs/demo")


def main() -> None:
    started = time.monotonic()
    step("a match of the embedded model against a scripted player")
    arena("play", "matrix/rps", "--set", "rounds=3", "--agents", f"{MODEL},bot/random", "--seed", "7")
    step("a short tournament")
    agents = f"{MODEL},bot/kuhn-nash,bot/kuhn-loose,bot/kuhn-tight"
    arena("tournament", "kuhn", "--agents", agents, "--matches", "60", "--seed", "7", "--out", str(RUN))
    step("its leaderboard")
    arena("leaderboard", str(RUN))
    place = Path(os.path.relpath(Path(sys.executable).parent))
    print(f"\nThat took {time.monotonic() - started:.0f} s. Next:")
    print(f"  {place}/arena show {RUN} 1 --prompts     what the model read and wrote")
    print(f"  {place}/arena play matrix/ipd --agents human,{MODEL}")


def step(what: str) -> None:
    print(f"\n=== {what}", flush=True)


def arena(*words: str) -> None:
    print(f"$ arena {' '.join(words)}", flush=True)
    done = subprocess.run([sys.executable, "-m", "arena", *words], check=False)
    if done.returncode:
        sys.exit(done.returncode)


if __name__ == "__main__":
    main()
