"""Tokens per CPU-second of the hf batcher: 32 calls one after another, and the same calls at once.

    python benchmarks/hf_batcher.py                                    the tiny model, batches of 1, 8, 16 and 32
    python benchmarks/hf_batcher.py --model smollm2-135m --dtype bf16 --batches 1,8
    python benchmarks/hf_batcher.py --model smollm2-135m --dtype bf16 --transcripts     prefixes that were read before

One thread; CPU of the whole process, loading left out. "same" = texts equal to those of the calls alone (in fp32 all).
Target: at least 3 x sequential at batch 8 for the tiny model.

Measured on two shared AMD EPYC cores (AVX-512), Python 3.11.7, torch 2.13.0, transformers 5.23.0, November 2026:

    tiny, fp32            batch  tok/s  x alone   same        SmolLM2, bf16, 24 tokens  tok/s  x alone   same
    text                      1   1746      1.0  32/32                                     30      1.0  32/32
    text                      8   7099      4.1  32/32                                    140      4.7  20/32
    text                     32  11420      6.5  32/32                                    248      8.4  19/32
    options (3 tokens)        1   1645      1.0  32/32                                     72      1.0  32/32
    options                   8   2317      1.4  32/32                                    164      2.3  32/32
    options                  32   2527      1.5  32/32                                    176      2.4  32/32

    --transcripts: 48 asks of 8 seats that grow       whole, CPU s   known prefixes, CPU s      x   same
    SmolLM2, bf16, 12,700 prompt tokens                      10.64                    1.82    5.8  41/48
    SmolLM2, fp32                                            32.47                    5.24    6.2  48/48
    tiny, fp32, 28,600 prompt tokens                          0.50                    0.17    3.0  48/48
"""

from __future__ import annotations

import argparse
import asyncio
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported; never all shared cores

from arena.models.hf_client import HFClient
from arena.models.names import ModelName
from arena.models.types import Request, Response, Sampling
from arena.prompt.shape import Shape

CALLS = 32
OPTIONS = Shape("options", options=("rock", "paper", "scissors"))


def calls(tokens: int, shape: Shape | None) -> list[Request]:
    rules = {"role": "system", "content": "You play a game of many rounds. " * 4}
    return [
        Request(
            (rules, {"role": "user", "content": f"This is round {n}. " + "Say something. " * (n % 5)}),
            shape,
            Sampling(max_tokens=tokens),
            sample_key=str(n),
            order=n,
        )
        for n in range(CALLS)
    ]


async def measure(model: str, dtype: str, batch: int, wanted: list[Request]) -> tuple[list[Response], float]:
    """The replies, and the CPU seconds that they took."""
    client = HFClient(ModelName("hf", model, options={"dtype": dtype, "batch": batch, "wait_ms": 50}))
    try:
        await client.complete(wanted[0])  # loads the weights, makes the grammar engine
        start = time.process_time()
        if batch == 1:
            replies = [await client.complete(one) for one in wanted]
        else:
            replies = list(await asyncio.gather(*map(client.complete, wanted)))
        return replies, time.process_time() - start
    finally:
        await client.aclose()


async def transcripts(model: str, dtype: str) -> tuple[list[str], float, int]:
    """Eight seats that are each asked six times, with all that was said before: texts, CPU seconds, prompt tokens."""
    rules = {"role": "system", "content": "You play a game of many rounds. " * 20}
    client = HFClient(ModelName("hf", model, options={"dtype": dtype, "batch": 8, "wait_ms": 50}))
    try:
        await client.complete(Request((rules, {"role": "user", "content": "Begin."}), OPTIONS, Sampling(), "warm"))
        client._shared.engine.prefixes.clear()
        talks = [[rules] for _ in range(8)]
        texts, tokens, start = [], 0, time.process_time()
        for n in range(6):
            for seat, talk in enumerate(talks):
                talk.append(
                    {"role": "user", "content": f"Round {n}, seat {seat}. You were paid {seat} points. Choose."}
                )
            asked = [Request(tuple(t), OPTIONS, Sampling(), f"{n}/{i}", order=i) for i, t in enumerate(talks)]
            replies = await asyncio.gather(*map(client.complete, asked))
            tokens += sum(reply.usage.prompt or 0 for reply in replies)
            texts += [reply.text for reply in replies]
            for talk, reply in zip(talks, replies, strict=True):
                talk.append({"role": "assistant", "content": reply.text})
        return texts, time.process_time() - start, tokens
    finally:
        await client.aclose()


def compare_transcripts(model: str, dtype: str) -> None:
    """With what was read before, and reading every prompt whole."""
    from unittest import mock

    known, fast, tokens = asyncio.run(transcripts(model, dtype))
    with mock.patch("arena.models.prefixes.plain_cache", return_value=None):
        fresh, slow, _ = asyncio.run(transcripts(model, dtype))
    same = sum(a == b for a, b in zip(known, fresh, strict=True))
    print(f"{len(known)} asks, {tokens} prompt tokens: {slow:.2f} CPU s whole, {fast:.2f} with known prefixes, "
          f"{slow / fast:.1f} x; same {same}/{len(known)}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description="tokens per CPU-second of the hf batcher")
    parser.add_argument("--model", default="tiny-random")
    parser.add_argument("--dtype", default="fp32")
    parser.add_argument("--batches", default="1,8,16,32")
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument(
        "--transcripts", action="store_true", help="growing transcripts, with and without known prefixes"
    )
    args = parser.parse_args()
    if args.transcripts:
        compare_transcripts(args.model, args.dtype)
        return
    print(f"{'answers':8} {'batch':>5} {'tokens':>6} {'CPU s':>7} {'tok/s':>7} {'x alone':>8} {'same':>6}")
    for name, shape in (("text", None), ("options", OPTIONS)):
        wanted = calls(args.tokens, shape)
        alone: tuple[list[str], float] | None = None
        for batch in map(int, args.batches.split(",")):
            replies, cpu = asyncio.run(measure(args.model, args.dtype, batch, wanted))
            tokens = sum(reply.usage.completion or 0 for reply in replies)
            texts = [reply.text for reply in replies]
            alone = alone or (texts, tokens / cpu)
            same = sum(a == b for a, b in zip(alone[0], texts, strict=True))
            rate = tokens / cpu
            print(
                f"{name:8} {batch:5} {tokens:6} {cpu:7.2f} {rate:7.0f} {rate / alone[1]:8.1f} {same:3}/{CALLS}",
                flush=True,
            )


if __name__ == "__main__":
    main()
