"""Speed of ratings against other implementations: CPU time, one thread, both sides in one run.

    python benchmarks/ratings.py            every row whose peer is installed (open_spiel, choix, evalica, openskill)
    python benchmarks/ratings.py --quick    without the rows that take a peer more than about ten seconds

Each figure is the best of a few repetitions after one warm-up, which is the fairest to both sides. Conversion from the
same pair table is inside the time of either side. Peers that are missing are named and skipped.
"""

from __future__ import annotations

import os

os.environ |= dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")

import argparse
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from importlib.metadata import version
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from arena.leaderboards import alpharank, bt, pl

BIG_PROGRAM = """
import resource, time, numpy as np
from arena.leaderboards import alpharank
rng = np.random.default_rng({seed})
tables = [rng.random({shape}) for _ in {shape}]
start = time.process_time()
alpharank.stationary(tables)
print(time.process_time() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)
"""


def cpu(job: Callable[[], Any], repeat: int = 3, warm: bool = True) -> float:
    """The least CPU time of `repeat` calls."""
    if warm:
        job()
    times = []
    for _ in range(repeat):
        start = time.process_time()
        job()
        times.append(time.process_time() - start)
    return min(times)


def timed(job: Callable[[], Any]) -> tuple[float, str]:
    """The CPU time of one call, and a word where it ended in an error (which comes after the work is done)."""
    start, failure = time.process_time(), ""
    try:
        job()
    except ValueError:
        failure = " (peer: error)"
    return time.process_time() - start, failure


def peer(name: str) -> ModuleType | None:
    try:
        return import_module(name)
    except ImportError:
        print(f"  ({name.partition('.')[0]} is not installed: its rows are skipped)")
        return None


def show(cell: str, ours: float, other: float | None, target: str, met: bool | None) -> None:
    ratio = f"{other / ours:8.1f}x" if other else " " * 9
    verdict = "" if met is None else "met" if met else "MISSED"
    theirs = f"{other:10.4f} s" if other else " " * 12
    print(f"{cell:<58}{ours:10.4f} s {theirs} {ratio}   {target:<9}{verdict}")


# --- alpha-Rank ------------------------------------------------------------------------------------------------------


def alpha_rank(quick: bool) -> None:
    spiel = peer("open_spiel.python.egt.alpharank")
    rng = np.random.default_rng(0)
    cells: list[tuple[str, list[Any], float, float]] = [
        (f"alpha-Rank single n = {n}, alpha 100", [rng.random((n, n))], 100.0, 50) for n in (100, 200, 300, 500)
    ]
    for shape in ((20, 20), (10, 10, 10), (30, 30)):
        tables = [rng.random(shape) for _ in shape]
        cells += [(f"alpha-Rank {len(shape)}x{shape[0]}, alpha {a:g}", tables, a, 15) for a in (1.0, 100.0)]
    for label, tables, alpha, factor in cells:
        ours = cpu(partial(alpharank.stationary, tables, alpha), 5)
        other = None
        if spiel and not (quick and len(tables) > 1):
            other, failure = timed(partial(spiel.compute, tables, m=50, alpha=alpha))
            label += failure
        show(label, ours, other, f">= {factor:g}x", other / ours >= factor if other else None)
    thousand = rng.random((1000, 1000))
    ours = cpu(lambda: alpharank.stationary(thousand, 100.0))
    show("alpha-Rank single n = 1000, alpha 100", ours, None, "< .5 s", ours < 0.5)
    for shape in ((200, 200), (30, 30, 30)):
        for seed in range(3):
            program = BIG_PROGRAM.format(shape=shape, seed=seed)
            done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
            seconds, gigabytes = map(float, done.stdout.split())
            label = f"infinite alpha {len(shape)}x{shape[0]}, seed {seed} ({gigabytes:.2f} GB)"
            show(label, seconds, None, "< 5 s 2 GB", seconds < 5 and gigabytes < 2)


# --- Bradley-Terry ---------------------------------------------------------------------------------------------------


def pair_table(n: int, rows: int, *, names: bool = False) -> pd.DataFrame:
    rng = np.random.default_rng(1)
    theta = rng.normal(size=n)
    a = rng.integers(0, n, rows)
    b = (a + rng.integers(1, n, rows)) % n
    score = (rng.random(rows) < 1 / (1 + np.exp(theta[b] - theta[a]))).astype(float)
    table = pd.DataFrame({"a": a, "b": b, "score": score})
    if names:
        table[["a", "b"]] = table[["a", "b"]].map(lambda i: f"provider/model-{i}")
    return table


def with_evalica(evalica: Any, table: pd.DataFrame) -> Any:
    winners = [evalica.Winner.X if s == 1 else evalica.Winner.Y for s in table["score"].tolist()]
    return evalica.bradley_terry(table["a"].tolist(), table["b"].tolist(), winners, tolerance=1e-8, limit=1000)


def with_choix(choix: Any, table: pd.DataFrame) -> Any:
    codes, labels = pd.factorize(pd.concat([table["a"], table["b"]]))
    a, b = codes[: len(table)].tolist(), codes[len(table) :].tolist()
    wins = [(i, j) if s == 1 else (j, i) for i, j, s in zip(a, b, table["score"].tolist(), strict=True)]
    return choix.ilsr_pairwise(len(labels), wins)


def bradley_terry() -> None:
    choix, evalica = peer("choix"), peer("evalica")
    million = pair_table(100, 1_000_000)
    ours = cpu(lambda: bt.fit(million), 5)
    show("bt.fit 100 agents, 1,000,000 rows, standard errors included", ours, None, "< .1 s", ours < 0.1)
    named = pair_table(10, 100_000, names=True)
    ours = cpu(lambda: bt.fit(named), 7)
    if choix:
        other = cpu(lambda: with_choix(choix, named), 2)
        show("bt.fit v choix ilsr, 10 agents, 100,000 named rows", ours, other, ">= 20x", other / ours >= 20)
    if evalica:
        other = cpu(lambda: with_evalica(evalica, named), 7)
        show("bt.fit v evalica, 10 agents, 100,000 named rows", ours, other, ">= 2x", other / ours >= 2)
    large = pair_table(100, 100_000)
    ours = cpu(lambda: bt.rate(large, bootstrap=1000), 1, warm=False)
    show("bootstrap B = 1000, 100 agents, 100,000 rows", ours, None, "< 4 s", ours < 4)
    small = pair_table(10, 10_000)
    ours = cpu(lambda: bt.rate(small, bootstrap=100), 5)
    if evalica:
        other = cpu(lambda: evalica_bootstrap(evalica, small), 1, warm=False)
        show("bootstrap B = 100, 10 agents, 10,000 rows v evalica", ours, other, ">= 10x", other / ours >= 10)


def evalica_bootstrap(evalica: Any, table: pd.DataFrame) -> Any:
    winners = [evalica.Winner.X if s == 1 else evalica.Winner.Y for s in table["score"].tolist()]
    a, b = table["a"].astype(str).tolist(), table["b"].astype(str).tolist()
    return evalica.bootstrap(
        evalica.bradley_terry, a, b, winners, n_resamples=100, bootstrap_method="percentile", random_state=0
    )


# --- ladder and imports ----------------------------------------------------------------------------------------------


def ladder() -> None:
    models = peer("openskill.models")
    rng = np.random.default_rng(2)
    rounds = [(rng.permutation(20)[:7].tolist(), rng.permutation(7).tolist()) for _ in range(1000)]

    def ours() -> None:
        board = pl.Ladder()
        for keys, ranks in rounds:
            board.update([[key] for key in keys], ranks)

    def theirs() -> None:
        assert models is not None
        model = models.PlackettLuce()
        players = {key: model.rating() for key in range(20)}
        for keys, ranks in rounds:
            for key, (player,) in zip(keys, model.rate([[players[k]] for k in keys], ranks=ranks), strict=True):
                players[key] = player

    own = cpu(ours)
    other = cpu(theirs) if models else None
    show("pl.Ladder v openskill, 1,000 matches of 7 players", own, other, ">= 2x", other / own >= 2 if other else None)


def imports() -> None:
    program = "import sys, arena.leaderboards; print(*{'numpy', 'scipy', 'pandas'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    print(f"import arena.leaderboards loads {', '.join(loaded) or 'none'} of numpy, scipy, pandas"
          f"{'':<24}none      {'met' if not loaded else 'MISSED'}")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    quick = parser.parse_args().quick
    packages = ", ".join(f"{name} {version(name)}" for name in ("numpy", "scipy", "pandas"))
    print(f"Python {platform.python_version()}, {packages}; CPU seconds, one thread")
    print(f"{'cell':<58}{'ours':>12} {'peer':>12} {'ratio':>9}   target")
    alpha_rank(quick)
    bradley_terry()
    ladder()
    imports()
    print(f"peak memory of this process {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
