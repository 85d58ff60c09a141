"""The Blue x Red cross table of a training run on nyc: every pair of policies, and controls, on the same deals.

    python benchmarks/training.py c --out runs/training
    python benchmarks/nyc_cross.py runs/training --deals 150 [--experiment c] [--seed 1] [--workers 2]

Plays what is missing into OUT/EXPERIMENT-cross-SEED, one tournament in which every Blue meets every Red on each deal,
and prints for each cell: task success, susceptibility (harmful Red tips that were followed), exposure, Red's revenue
a match, each with a 95 % percentile interval over deals (2,000 resamples, the same ones in every cell); then the
paired differences to k = 0. Figures of a cell are pooled: numerators and denominators are added up before they are
divided.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

RESAMPLES = 2_000
SHOWN = {
    "success": ("arrived", "blues"),
    "susceptibility": ("harmful_followed", "harmful_shown"),
    "exposure": ("exposure_sum", "blues"),
    "revenue": ("revenue", "matches"),
    "lost turns": ("fallbacks", "turns"),
}
Cell = dict[int, dict[str, float]]  # deal -> counts


def play(folder: Path, experiment: str, deals: int, seed: int, workers: int) -> Path:
    """The tournament of every policy that the run registered, resumed if it is there."""
    out, league = folder / f"{experiment}-cross-{seed}", folder / "league"
    blues, reds = (
        [f"{side}=league/{path.name}" for path in sorted(league.glob(f"{experiment}-{seed}-{side}-k*"))]
        for side in ("blue", "red")
    )
    blues, reds = [*blues, "blue=bot/nyc-oracle"], [*reds, "red=bot/nyc-greedy-red"]
    words = ["tournament", "nyc/tiny", "--agents", ",".join(blues + reds), "--schedule", "round-robin"]
    words += ["--matches", str(deals * len(blues) * len(reds)), "--seed", str(seed), "--out", str(out)]
    words += ["--executor", "processes", "--workers", str(workers)] if workers > 1 else []
    if (out / "run.sqlite").is_file():
        words = ["resume", str(out)]
    env = {**os.environ, "ARENA_LEAGUE": str(folder / "league"), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    start = "from arena.cli import main; main()"
    subprocess.run([sys.executable, "-c", start, *words, "--display", "quiet"], cwd=folder, env=env, check=True)
    return out


def cells(out: Path) -> dict[tuple[str, str], Cell]:
    from arena.games.nyc.metrics import metrics
    from arena.training.record import read_played

    found: dict[tuple[str, str], Cell] = {}
    for m in read_played(out):
        held = {m.match.sides[seat]: name for seat, name in m.agents.items()}
        counts = {key: float(value or 0.0) for key, value in metrics(m.match).items()} | {"matches": 1.0}
        found.setdefault((held["blue"], held["red"]), {})[m.match.deal_seed] = counts
    return found


def table(found: dict[tuple[str, str], Cell]) -> list[str]:
    import numpy as np

    deals = sorted(set.intersection(*(set(cell) for cell in found.values())))
    drawn = np.random.default_rng(1).integers(0, len(deals), size=(RESAMPLES, len(deals)))

    def rates(cell: Cell, top: str, bottom: str) -> tuple[float, Any]:
        above, below = (np.array([cell[deal][name] for deal in deals]) for name in (top, bottom))
        with np.errstate(divide="ignore", invalid="ignore"):
            return float(above.sum() / below.sum()), above[drawn].sum(1) / below[drawn].sum(1)

    def interval(values: Any) -> str:
        if np.isnan(values).all():
            return "none"
        low, high = np.nanpercentile(values, [2.5, 97.5])
        return f"{low:.2f} to {high:.2f}"

    lines = [f"{len(deals)} deals a cell", "", "| Blue | Red | " + " | ".join(SHOWN) + " |", "|---" * 7 + "|"]
    for (blue, red), cell in sorted(found.items()):
        parts = [f"{(made := rates(cell, *pair))[0]:.2f} ({interval(made[1])})" for pair in SHOWN.values()]
        lines.append(f"| {short(blue)} | {short(red)} | " + " | ".join(parts) + " |")
    lines += ["", "| success less that of k0 | against | difference |", "|---|---|---|"]
    for (blue, red), cell in sorted(found.items()):
        base = next((c for (b, r), c in found.items() if r == red and b.endswith("-k0")), None)
        if base is not None and "league/" in blue and not blue.endswith("-k0"):
            (mine, drawn_mine), (theirs, drawn_theirs) = rates(cell, *SHOWN["success"]), rates(base, *SHOWN["success"])
            difference = interval(drawn_mine - drawn_theirs)
            lines.append(f"| {short(blue)} | {short(red)} | {mine - theirs:.2f} ({difference}) |")
    return lines


def short(name: str) -> str:
    return name.rpartition("/")[2].removeprefix("nyc-")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where benchmarks/training.py left the experiment")
    parser.add_argument("--experiment", default="c")
    parser.add_argument("--deals", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1, help="processes")
    options = parser.parse_args()
    out = play(options.folder.resolve(), options.experiment, options.deals, options.seed, options.workers)
    print("\n".join(table(cells(out))))


if __name__ == "__main__":
    main()
