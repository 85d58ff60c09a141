"""The output layer of a model beside an adapter, on a CPU: given the last token of every row as a slice, or as a copy.

    python benchmarks/output_layer.py [--rows 1 4 28] [--hidden 576] [--vocabulary 49152]

The sizes are those of SmolLM2-135M; one thread, CPU time. Weights that a gradient may reach take another path in torch
and are fast either way; beside an adapter none may.
"""

from __future__ import annotations

import argparse
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch


def milliseconds(layer: torch.nn.Module, given: torch.Tensor) -> float:
    layer(given)
    started = time.process_time()
    layer(given)
    return (time.process_time() - started) * 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1, 4, 28])
    parser.add_argument("--hidden", type=int, default=576)
    parser.add_argument("--vocabulary", type=int, default=49152)
    options = parser.parse_args()
    torch.set_num_threads(1)
    for dtype in (torch.bfloat16, torch.float32):
        layer = torch.nn.Linear(options.hidden, options.vocabulary, bias=False, dtype=dtype).requires_grad_(False)
        for rows in options.rows:
            last = torch.randn(rows, 3, options.hidden, dtype=dtype)[:, -1:]
            with torch.inference_mode():
                copy = milliseconds(layer, last.clone(memory_format=torch.contiguous_format))
                print(f"{dtype}, {rows} rows: slice {milliseconds(layer, last):.1f} ms, copy {copy:.1f} ms", flush=True)


if __name__ == "__main__":
    main()
