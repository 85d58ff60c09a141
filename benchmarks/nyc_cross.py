"""The evaluation of a training run on nyc: the Blue x Red cross table of its policies, controls, and their figures.

    python benchmarks/training.py c --out runs/training
    python benchmarks/nyc_cross.py runs/training --deals 150 --controls 40 --transfer 20 --workers 2

Plays what is missing into OUT/EXPERIMENT-cross-SEED, a tournament for each group below; all cells of a group are on the
same deals, and groups of one preset begin with the same ones:

    cross      every Blue policy against every Red policy                                     --deals
    scripted   the Blue policies and the scripted Blues against the scripted Reds             --controls
    reds       the scripted Blues against the Red policies                                    --controls
    no-red     the Blue policies and the floors and the ceiling, no Red met                   --controls
    mute       the same against the Red policies, greedy-red and bait-red, no tip heard        --controls
    midtown    the Blue policies against greedy-red on the fixed map                          --transfer
    small      the same on grown maps of 16 places                                            --transfer

and writes there, of all groups that were played, cells.csv (every figure of every cell), differences.csv (every policy
less k0 and less the one before, with Holm's correction over the k, a verdict, and the same where the side lost no
turn), meta.json (policies, rows, runs), plane.svg, matrix.svg and revenue.svg; prints the tables. Of a group that was
stopped the deals count that every pair has played. How figures, intervals and p are made: arena/leaderboards/paired.py.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

SCRIPTED_REDS = ["greedy-red", "bait-red", "honest-red"]
SCRIPTED_BLUES = ["always", "never", "bayes", "bayes-open"]
BOUNDS = ["walk", "shortest", "oracle"]


class Group(NamedTuple):
    name: str
    preset: str
    blues: list[str]
    reds: list[str]
    deals: int
    settings: tuple[str, ...] = ()


def policies(folder: Path, experiment: str, seed: int) -> tuple[list[str], list[str]]:
    """The Blues and the Reds that the run registered, k0 first."""
    blues, reds = (
        sorted((f"league/{path.name}" for path in folder.glob(f"league/{experiment}-{seed}-{side}-k*")), key=_iteration)
        for side in ("blue", "red")
    )
    if not blues or not reds:
        raise SystemExit(f"no policies of {experiment}-{seed} in {folder / 'league'}: run benchmarks/training.py first")
    return blues, reds


def _iteration(name: str) -> int:
    return int(name.rpartition("-k")[2])


def groups(blues: list[str], reds: list[str], deals: int, controls: int, transfer: int) -> Iterator[Group]:
    def bots(names: list[str]) -> list[str]:
        return [f"bot/nyc-{name}" for name in names]

    greedy = bots(["greedy-red"])
    if deals:
        yield Group("cross", "nyc/tiny", blues, reds, deals)
    if controls:
        yield Group("scripted", "nyc/tiny", blues + bots(SCRIPTED_BLUES + BOUNDS), bots(SCRIPTED_REDS), controls)
        yield Group("reds", "nyc/tiny", bots(SCRIPTED_BLUES), reds, controls)
        yield Group("no-red", "nyc/tiny", blues + bots(BOUNDS), greedy, controls, ("no_red=true",))
        heard = reds + bots(["greedy-red", "bait-red"])
        yield Group("mute", "nyc/tiny", blues + bots(BOUNDS), heard, controls, ("mute=true",))
    if transfer:
        yield Group("midtown", "nyc/midtown", blues, greedy, transfer)
        yield Group("small", "nyc/small", blues, greedy, transfer)


def play(group: Group, out: Path, league: Path, seed: int, workers: int) -> None:
    """The tournament of a group, gone on with if it is there; one of other deals or policies is refused."""
    agents = [f"blue={name}" for name in group.blues] + [f"red={name}" for name in group.reds]
    words = ["tournament", group.preset, "--agents", ",".join(agents), "--schedule", "round-robin", "--seed", str(seed)]
    words += ["--matches", str(group.deals * len(group.blues) * len(group.reds)), "--out", str(out)]
    words += [word for setting in group.settings for word in ("--set", setting)]
    words += ["--executor", "processes", "--workers", str(workers)] if workers > 1 else []
    env = {**os.environ, "ARENA_LEAGUE": str(league), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    start = "from arena.cli import main; main()"
    subprocess.run([sys.executable, "-c", start, *words, "--display", "quiet"], env=env, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where benchmarks/training.py left the experiment")
    parser.add_argument("--experiment", default="c")
    parser.add_argument("--deals", type=int, default=150, help="deals of the cross table; 0: leave it")
    parser.add_argument("--controls", type=int, default=0, help="deals of the control groups; 0: leave them")
    parser.add_argument("--transfer", type=int, default=0, help="deals of the transfer groups; 0: leave them")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1, help="processes")
    options = parser.parse_args()
    folder, seed = options.folder.resolve(), options.seed
    out = folder / f"{options.experiment}-cross-{seed}"
    blues, reds = policies(folder, options.experiment, seed)
    for group in groups(blues, reds, options.deals, options.controls, options.transfer):
        play(group, out / group.name, folder / "league", seed, options.workers)

    from nyc_figures import publish

    publish(out, folder / f"{options.experiment}-{seed}", folder / "league")


if __name__ == "__main__":
    main()
