"""CPU per request, throughput and memory of the HTTP clients, against the fake server in a process of its own.

    python benchmarks/clients.py                       every client at 64 and 1,000 in flight (about two minutes)
    python benchmarks/clients.py --only direct,litellm --in-flight 1000 --latency 2s --calls 5000

`aiohttp` is the floor (no parsing beyond JSON), `sdk` the openai package over aiohttp, `direct` and `litellm` our two
clients. CPU is of the client's process alone; compare the ratios of one run, since wall time moves with the machine's
load. The ideal rate is in-flight / latency.

Measured on two shared AMD EPYC cores, Python 3.11.7, aiohttp 3.14.5, openai 2.54.0, litellm 1.106.2, November 2026, by
the first command. These figures are why the direct client is written on aiohttp and not on the SDK:

    client   in flight  latency  CPU µs  x floor  req/s  RSS MB
    aiohttp         64     50ms     135      1.0    938      36
    direct          64     50ms     172      1.3    971      39
    sdk             64     50ms     835      6.2    766      87
    litellm         64     50ms    2790     20.7    306     196
    aiohttp       1000    200ms     114      1.0   3998      56
    direct        1000    200ms     151      1.3   3942      58
    sdk           1000    200ms     917      8.1    920     126
    litellm       1000    200ms    2758     24.3    347     327
    aiohttp       1000       2s     128      1.0    469      56
    direct        1000       2s     175      1.4    472      58
    sdk           1000       2s     916      7.2    380     126
    litellm       1000       2s    2845     22.3    251     272
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

MESSAGES = [
    {"role": "system", "content": "These are the rules of the game. " * 60},
    {"role": "user", "content": 'Choose.\nAnswer with one of: "rock" | "paper" | "scissors"'},
]
Call = Callable[[int], Awaitable[str]]
Close = Callable[[], Awaitable[object]]


class Setting(NamedTuple):
    in_flight: int
    latency: str
    calls: int


SETTINGS = [Setting(64, "50ms", 3000), Setting(1000, "200ms", 6000), Setting(1000, "2s", 5000)]


async def aiohttp_alone(url: str) -> tuple[Call, Close]:
    import aiohttp

    http = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def call(n: int) -> str:
        body = json.dumps({"model": "fake-1", "messages": MESSAGES, "max_tokens": 16})
        headers = {"Content-Type": "application/json", "Idempotency-Key": f"key-{n}"}
        async with http.post(f"{url}/chat/completions", data=body, headers=headers) as reply:
            return str(json.loads(await reply.read())["choices"][0]["message"]["content"])

    return call, http.close


async def sdk(url: str) -> tuple[Call, Close]:
    import openai

    client = openai.AsyncOpenAI(
        base_url=url, api_key="none", max_retries=0, http_client=openai.DefaultAioHttpClient(timeout=60)
    )

    async def call(n: int) -> str:
        raw = await client.chat.completions.with_raw_response.create(
            model="fake-1",
            messages=MESSAGES,  # type: ignore[arg-type]
            max_tokens=16,
            extra_headers={"Idempotency-Key": f"key-{n}"},
        )
        return str(raw.parse().choices[0].message.content)

    return call, client.close


def ours(module: str, cls: str) -> Callable[[str], Awaitable[tuple[Call, Close]]]:
    async def made(url: str) -> tuple[Call, Close]:
        from importlib import import_module

        from arena.models.names import ModelName
        from arena.models.types import Request, Sampling

        client: Any = getattr(import_module(f"arena.models.{module}"), cls)(ModelName("openai", "fake-1", url=url))

        async def call(n: int) -> str:
            request = Request(tuple(MESSAGES), sampling=Sampling(max_tokens=16), call_key=f"key-{n}", timeout_s=60)
            return str((await client.complete(request)).text)

        return call, client.aclose

    return made


CLIENTS = {
    "aiohttp": aiohttp_alone,
    "direct": ours("openai_client", "OpenAIClient"),
    "sdk": sdk,
    "litellm": ours("litellm_client", "LiteLLMClient"),
}


async def measure(client: str, url: str, setting: Setting) -> dict[str, float]:
    """One client under one load, after a round that opens its connections."""
    call, close = await CLIENTS[client](url)

    async def load(calls: int, first: int) -> None:
        numbers = iter(range(first, first + calls))

        async def worker() -> None:
            for n in numbers:
                assert await call(n) in ("rock", "paper", "scissors")

        await asyncio.gather(*(worker() for _ in range(setting.in_flight)))

    await load(setting.in_flight, 0)
    cpu, wall = time.process_time(), time.perf_counter()
    await load(setting.calls, setting.in_flight)
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    await close()
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"cpu_us": cpu / setting.calls * 1e6, "per_s": setting.calls / wall, "rss_mb": rss}


def in_a_process(client: str, setting: Setting) -> dict[str, float]:
    """Measure in a fresh process, against a fresh server in another."""
    server = subprocess.Popen(
        [sys.executable, "-m", "arena.testing.fake_server", "--latency", setting.latency],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert server.stdout is not None
        url = server.stdout.readline().strip()
        command = [sys.executable, __file__, "--child", client, url, *map(str, setting)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return found
    finally:
        server.kill()
        server.wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="CPU per request of the HTTP clients")
    parser.add_argument("--only", default=",".join(CLIENTS))
    parser.add_argument("--in-flight", type=int)
    parser.add_argument("--latency", default="200ms")
    parser.add_argument("--calls", type=int, default=5000)
    parser.add_argument("--child", nargs=5, metavar=("CLIENT", "URL", "IN_FLIGHT", "LATENCY", "CALLS"))
    args = parser.parse_args()
    if args.child:
        client, url, in_flight, latency, calls = args.child
        print(json.dumps(asyncio.run(measure(client, url, Setting(int(in_flight), latency, int(calls))))))
        return
    settings = [Setting(args.in_flight, args.latency, args.calls)] if args.in_flight else SETTINGS
    print(f"{'client':8} {'in flight':>9} {'latency':>8} {'CPU µs':>7} {'x floor':>8} {'req/s':>6} {'RSS MB':>7}")
    for setting in settings:
        floor = 0.0
        for client in args.only.split(","):
            found = in_a_process(client, setting)
            floor = floor or found["cpu_us"]
            print(
                f"{client:8} {setting.in_flight:9} {setting.latency:>8} {found['cpu_us']:7.0f} "
                f"{found['cpu_us'] / floor:8.1f} {found['per_s']:6.0f} {found['rss_mb']:7.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
