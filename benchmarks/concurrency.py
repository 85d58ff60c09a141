"""How close a run comes to the bound that latency and concurrency set: max(depth x L, calls x L / concurrency).

    python benchmarks/concurrency.py          a sleeping model, then the direct client over loopback

The span is from the matches' first request to their last reply, as the record has them. An endpoint that was never
seen is asked six short questions before, all at once: one latency more, once in seven days.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from time import process_time

from arena.run.api import resolve_agents, start
from arena.run.runfile import settings_of
from arena.store.reader import Reader


def measure(agent: str, matches: int, rounds: int, latency_s: float, concurrency: int) -> str:
    """One run of `matches` with `rounds` sequential answers each."""
    values = {
        "game": "matrix/rps",
        "set": {"rounds": rounds},
        "agents": [f"player_0={agent}", "player_1=bot/random"],
        "matches": matches,
        "seed": 1,
        "limits": {"concurrency": concurrency},
    }
    settings = settings_of(values)
    specs = resolve_agents(settings.agents, ["matrix/rps"])
    with tempfile.TemporaryDirectory() as folder:
        since = process_time()
        result = start(settings, specs, Path(folder) / "run")
        cpu = process_time() - since
        with Reader(Path(folder) / "run") as reader:
            row = reader.db.execute(
                "SELECT MIN(started_ms), MAX(started_ms + latency_ms), COUNT(*) FROM calls WHERE match_id IS NOT NULL"
            ).fetchone()
    assert result.status == "complete", result
    span, calls = (row[1] - row[0]) / 1000, row[2]
    bound = max(rounds * latency_s, calls * latency_s / concurrency)
    return (
        f"{matches:5} matches x {rounds} answers x {latency_s * 1000:.0f} ms, {concurrency:5} in flight: "
        f"{span:6.2f} s, bound {bound:5.2f} s, {bound / span:6.1%}; {1e6 * cpu / calls:,.0f} us CPU a call"
    )


def main() -> None:
    print("sleeping model  ", measure("mock/legal?latency=200ms", 100, 9, 0.2, 100))
    print("sleeping model  ", measure("mock/legal?latency=2s", 1000, 5, 2.0, 1000))
    command = [sys.executable, "-m", "arena.testing.fake_server", "--port", "0", "--kind", "legal"]
    for latency, matches, rounds, at_once in (("200ms", 200, 9, 64), ("2s", 1000, 5, 1000)):
        server = subprocess.Popen([*command, "--latency", latency], stdout=subprocess.PIPE, text=True)
        try:
            assert server.stdout is not None
            url = re.search(r"http://\S+", server.stdout.readline())
            assert url is not None
            seconds = 0.2 if latency == "200ms" else 2.0
            base = url.group().rstrip("/").removesuffix("/v1")
            print("loopback, direct", measure(f"openai/legal@{base}/v1", matches, rounds, seconds, at_once))
        finally:
            server.kill()


if __name__ == "__main__":
    main()
