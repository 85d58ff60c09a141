"""The published board: every game's scripted players and the embedded model, each against each, paired deals.

    python benchmarks/published.py [OUT [RUNS]]        default leaderboards/published/scripted-and-smollm2

RUNS is a folder that keeps the tournaments; those that it holds already are not played again. Two tournaments a game.
Every game is rated by itself; random play and the model, which are in all of them, over all games that are contests.
It takes about half an hour on two busy cores; a second run, whose replies come from the cache, takes two minutes.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

MODEL = "gguf/smollm2-135m"
SEED = "20261120"
# game, agents beside the model and the random player, matches of scripted players, matches with the model in them
FIELDS = (
    ("kuhn", "bot/nash,bot/loose,bot/tight", 600, 60),
    ("leduc", "bot/nash,bot/loose,bot/tight", 600, 48),
    ("gops/n4", "bot/match-prize,bot/prize-plus-one,bot/top-down", 600, 32),
    (
        "matrix/ipd",
        "bot/tit-for-tat,bot/grim-trigger,bot/always-defect,bot/always-cooperate,bot/win-stay-lose-shift",
        420,
        24,
    ),
    ("guess08/short-lived", "bot/level-k,bot/equilibrium,bot/fixed,bot/last-target,bot/monotone", 300, 12),
    ("survival_auction", "bot/shade,bot/rotator,bot/last-plus-one,bot/all-in", 300, 6),
    ("werewolf/mini5", "bot/sample,bot/bayes,bot/quiet", 300, 12),
    ("avalon/mute5", "bot/naive,bot/bayes", 200, 6),
    ("nyc/tiny", "bot/bayes,bot/always,bot/never,bot/shortest", 300, 12),
)


def main(out: Path, kept: Path | None) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        runs: list[str] = []
        for game, bots, scripted, played in FIELDS:
            fields = ((f"bot/random,{bots}", scripted), (f"{MODEL},bot/random,{bots.split(',')[0]}", played))
            for agents, matches in fields:
                runs.append(str((kept or Path(scratch)) / f"run-{len(runs)}"))
                common = ("--matches", str(matches), "--seed", SEED, "--out", runs[-1])
                arena("tournament", game, "--agents", agents, *common)
        arena("leaderboard", *runs, "--method", "all", "--out", str(out), "--plots")
        arena("leaderboard", "--check", str(out))


def arena(*words: str) -> None:
    print(f"$ arena {' '.join(words)}", flush=True)
    subprocess.run([sys.executable, "-m", "arena", *words], check=True)


if __name__ == "__main__":
    folders = [Path(word) for word in sys.argv[1:3]]
    main(folders[0] if folders else Path("leaderboards/published/scripted-and-smollm2"), (folders[1:] or [None])[0])
