"""CPU seconds of starting: help, lists, a scripted match.

python benchmarks/startup.py
"""

from __future__ import annotations

import resource
import subprocess
import sys


def cpu(*words: str) -> float:
    """The least CPU time of five runs: a shared machine only ever adds."""
    found = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "arena", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(found)


def main() -> None:
    for words in (
        ("--help",),
        ("games",),
        ("agents",),
        ("play", "matrix/rps", "--agents", "bot/random,bot/random"),
        ("play", "kuhn", "--agents", "bot/nash,bot/loose"),
    ):
        print(f"arena {' '.join(words):50} {cpu(*words):.2f} s of CPU")


if __name__ == "__main__":
    main()
