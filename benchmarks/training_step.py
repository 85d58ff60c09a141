"""CPU time and memory of a training step of SmolLM2-135M with LoRA, KTO or DPO, on rows of made-up text.

    python benchmarks/training_step.py [--algorithm kto] [--rows 16] [--batch 4] [--prompt 500] [--dtype bf16]

With the output layer given every token, as TRL 1.16 does where it has no Triton, and given completions only, as `arena
train` does; each in a process of its own, one thread. Both must come to the same losses, to four digits.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
for name in ("OMP_NUM_THREADS", "HF_HUB_OFFLINE", "TRL_EXPERIMENTAL_SILENCE"):
    os.environ.setdefault(name, "1")


def rows(algorithm: str, count: int, words: int) -> list[dict[str, object]]:
    draw = random.Random(0)
    made: list[dict[str, object]] = []
    for i in range(count):
        text = " ".join(draw.choice(["north", "south", "bridge", "tip", "street", "red"]) for _ in range(words))
        row: dict[str, object] = {"id": f"{i}:0", "split": "train", "prompt": [{"role": "user", "content": text}]}
        said = [[{"role": "assistant", "content": f'{{"action": "{word}"}}'}] for word in ("north", "south")]
        pair: dict[str, object] = {"chosen": said[0], "rejected": said[1]}
        made.append(row | (pair if algorithm == "dpo" else {"completion": said[i % 2], "label": i % 2 == 0}))
    return made


def measure(options: argparse.Namespace) -> None:
    from arena.training.adapters import trl_1_16 as adapter
    from arena.training.adapters.policies import load_base
    from arena.training.job import StageJob
    from arena.training.rows import write_rows
    from arena.training.settings import Params

    if options.kind == "all tokens":
        adapter.score_completions_only = lambda: None
    from arena.models.smollm2 import converted

    with tempfile.TemporaryDirectory() as folder:
        write_rows(Path(folder) / "dataset.jsonl", rows(options.algorithm, options.rows, options.prompt))
        params = Params.make({"batch": options.batch, "dtype": options.dtype})
        losses = ("kto",) if options.algorithm == "kto" else ("sigmoid",)
        base, steps = str(converted()), options.rows // options.batch
        job = StageJob(
            options.algorithm, folder, base, "hf/smollm2-135m", None, None, "previous", losses, 0.1, 2e-4,
            steps, 1, "cpu", 1, params.as_json(), max_length=4096,
        )  # fmt: skip
        model, tokenizer = load_base(job.base, "cpu", job.options)
        trainer = adapter._trainer(job, model, tokenizer, "cpu", [])
        started = time.process_time()
        trainer.train()
        seconds = (time.process_time() - started) / steps
    found = [round(entry["loss"], 4) for entry in trainer.state.log_history if "loss" in entry]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(json.dumps({"kind": options.kind, "s_a_step": round(seconds, 2), "gib": round(peak, 2), "losses": found}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--algorithm", choices=["kto", "dpo"], default="kto")
    parser.add_argument("--rows", type=int, default=16)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--prompt", type=int, default=500)
    parser.add_argument("--dtype", choices=["fp32", "bf16"], default="bf16")
    parser.add_argument("--kind", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.kind:
        measure(options)
        return
    losses = set()
    for kind in ("all tokens", "completions"):
        words = [sys.executable, "-W", "ignore", __file__, *sys.argv[1:], "--kind", kind]
        told = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()[-1]
        print(told, flush=True)
        losses.add(tuple(json.loads(told)["losses"]))
    if len(losses) > 1:
        raise SystemExit("the losses differ")


if __name__ == "__main__":
    main()
