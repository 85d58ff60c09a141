"""kill -9 at random moments of a run against a server, each followed by resume: the leaderboard's bytes stay the same,
and the server's own count shows no committed call made again.

    python benchmarks/crash.py [KILLS]
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from arena.store.reader import Reader


def arena(*words: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "arena", *words, "--display", "quiet"]
    uncached = os.environ | {"ARENA_CACHE": "off"}  # replies from an earlier run would hide repeated calls
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=uncached)


def leaderboard(run: Path) -> bytes:
    return subprocess.run(
        [sys.executable, "-m", "arena", "leaderboard", str(run), "--json"], capture_output=True
    ).stdout


def committed(run: Path) -> set[str]:
    try:
        with Reader(run) as reader:
            return {row[0] for row in reader.db.execute("SELECT call_key FROM calls")}
    except Exception:  # killed before there was a record
        return set()


def server_counts(url: str) -> dict[str, int]:
    with urllib.request.urlopen(url.removesuffix("/v1") + "/count") as reply:
        counts: dict[str, int] = json.load(reply)["keys"]
    return counts


def main(kills: int) -> None:
    rng = random.Random(1)
    command = [
        sys.executable,
        "-m",
        "arena.testing.fake_server",
        "--port",
        "0",
        "--kind",
        "legal",
        "--samples",
        "request",
    ]
    server = subprocess.Popen([*command, "--latency", "20ms"], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    found = re.search(r"http://\S+", server.stdout.readline())
    assert found is not None
    url = found.group().rstrip("/")
    url = url if url.endswith("/v1") else f"{url}/v1"
    game = ("tournament", "leduc", "--agents", f"openai/legal@{url},bot/leduc-loose", "--matches", "60", "--seed", "5")
    with tempfile.TemporaryDirectory() as scratch:
        whole = Path(scratch) / "whole"
        since = time.monotonic()
        assert arena(*game, "--out", str(whole), "--concurrency", "4").wait() == 0
        length = time.monotonic() - since
        expected, repeated, lost = leaderboard(whole), 0, 0
        for number in range(kills):
            run = Path(scratch) / f"run{number}"
            process = arena(*game, "--out", str(run), "--concurrency", "4")
            time.sleep(rng.uniform(0.2, 0.95) * length)
            process.send_signal(signal.SIGKILL)
            process.wait()
            held, before = committed(run), server_counts(url)
            words = ("resume", str(run)) if (run / "run.sqlite").exists() else (*game, "--out", str(run))
            code = arena(*words).wait()
            assert code == 0, code
            after = server_counts(url)
            repeated += sum(after[key] - before.get(key, 0) for key in held if key in after)
            lost += leaderboard(run) != expected
            print(
                f"kill {number + 1:2}: {len(held):4} calls committed, same leaderboard: {leaderboard(run) == expected}"
            )
    server.kill()
    print(f"{kills} kills: {repeated} committed calls made again, {lost} leaderboards that differ")
    sys.exit(1 if repeated or lost else 0)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20)
