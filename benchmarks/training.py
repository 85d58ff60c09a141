"""The acceptance experiments of training: `python benchmarks/training.py NAME… [--out FOLDER] [--seeds 1,2,3]`.

Each one is an `arena train` command; this runs it, measures wall and CPU time, and prints a table of what the report on
the final deals says. `--list` prints the commands. A run folder that is there already is read, not run again.

    a-kto a-dpo a-grpo     one round of rock-paper-scissors against a constant bot, the tiny model
    a-kto-warm a-dpo-warm  again, as dpo collapsed, with a learning rate that rises and more matches
    s-kto s-dpo s-grpo     the same with SmolLM2-135M
    s-grpo-paper           and against paper: its habit is rock, so the best reply (scissors) has to be learned
    b-kto b-dpo b-grpo     SmolLM2-135M on five rounds of the prisoner's dilemma against tit-for-tat
    b2-kto b2-dpo b2-grpo  the same on two rounds, with few steps
    b2-kto-slow            b2-kto again after it failed, with more steps at a fifth of the learning rate
    b-grpo-slow            b-grpo again after it failed, at a quarter of the learning rate
    b-grpo-turn            and again after that failed: single decisions in the place of whole matches
    k60-kto k60-dpo        SmolLM2-135M on Kuhn poker against a bot, at the size of b
    k60-grpo k60-spiral    the same at a quarter of the learning rate, against a bot and against itself
    k60-grpo-fast          k60-grpo again, as nothing changed, at the full rate
    k60-grpo-four          and again, as a second seed came out worse, with four deals a step in the place of one
    k60-grpo-stakes        k60-grpo-fast with advantages that keep the stakes of a deal
    k-grpo k-spiral        few steps on Kuhn poker, against a bot and against itself (then kuhn_exploitability.py)
    c                      SmolLM2-135M on nyc/tiny, both sides, two iterations (then nyc_cross.py)
    c-small                the same with a quarter of the matches and a sixth of the steps
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

RPS = "--game matrix/rps --set rounds=1 --model hf/models/tiny?choice=grammar --opponents bot/always?answer=rock"
PLAIN = RPS.replace("hf/models/tiny", "hf/tiny-random")
REAL = RPS.replace("hf/models/tiny?choice=grammar", "'hf/smollm2-135m?choice=grammar&dtype=fp32'")
MODEL = "--model 'hf/smollm2-135m?choice=grammar&batch=32'"
IPD = f"--game matrix/ipd --set rounds=2 {MODEL} --opponents bot/tit-for-tat"
IPD5 = IPD.replace("rounds=2", "rounds=5")
NYC = "--game nyc/tiny --model 'hf/smollm2-135m?choice=grammar&batch=32&memory=window=0'"
KUHN = f"--game kuhn {MODEL}"
LOOSE = f"{KUHN} --opponents bot/loose"
SMALL = "--eval-matches 60 --reference previous"
FINAL = "--eval-matches 4 --gate none --reference previous --param dtype=bf16 --param final_matches=60"
LARGE = "--eval-matches 200 --reference previous --lr 2e-4 --param dtype=bf16 --param final_matches=400"
SLOW = LARGE.replace("2e-4", "5e-5")
BOTH = (
    "--role blue,red --opponents game --recipe nyc-regret --iterations 2 --gate none --reference previous "
    "--param batch=4 --param dtype=bf16 --param final_matches=0"
)
WARM = (
    "--iterations 3 --matches 256 --eval-matches 64 --lr 0.01 --gate none --reference previous --param warmup_steps=10"
)
COMMANDS = {
    "a-grpo": f"grpo {RPS} --iterations 1 --steps 60 --lr 0.02 --matches 128 --eval-matches 64 --gate none",
    "a-kto": f"kto {RPS} --iterations 3 --matches 128 --eval-matches 64 --lr 0.01 --gate none --reference previous",
    "a-dpo": f"dpo {RPS} --iterations 3 --matches 64 --eval-matches 64 --lr 0.01 --gate none --reference previous "
    "--param fork_k=4 --param fork_rollouts=2",
    "a-kto-warm": f"kto {RPS} {WARM}",
    "a-dpo-warm": f"dpo {RPS} {WARM} --param fork_k=4 --param fork_rollouts=2",
    "a-grpo-plain": f"grpo {PLAIN} --iterations 1 --steps 60 --lr 0.02 --matches 128 --eval-matches 64 --gate none",
    "s-grpo": f"grpo {REAL} {SMALL} --iterations 1 --steps 16 --matches 32 --lr 1e-3 --gate none --param batch=8",
    "s-grpo-paper": f"grpo {REAL} {SMALL} --iterations 1 --steps 12 --matches 32 --lr 2e-4 --gate none "
    "--param batch=8".replace("answer=rock", "answer=paper"),
    "s-kto": f"kto {REAL} {SMALL} --iterations 1 --matches 64 --lr 1e-3 --gate none --param batch=4",
    "s-dpo": f"dpo {REAL} {SMALL} --iterations 1 --matches 16 --lr 1e-3 --gate none --param batch=4 "
    "--param fork_k=6 --param fork_rollouts=1",
    "b-grpo": f"grpo {IPD5} {LARGE} --iterations 1 --steps 60 --matches 128 --param batch=8",
    "b-kto": f"kto {IPD5} {LARGE} --recipe outcome --iterations 3 --steps 60 --matches 128 --param batch=4",
    "b-dpo": f"dpo {IPD5} {LARGE} --recipe fork-pairs --iterations 3 --steps 60 --matches 64 --param batch=4",
    "b-grpo-slow": f"grpo {IPD5} {SLOW} --iterations 1 --steps 60 --matches 128 --param batch=8",
    "b-grpo-turn": f"grpo {IPD5} {SLOW} --iterations 1 --steps 60 --matches 128 --param batch=8 --param rows=turn",
    "k60-grpo": f"grpo {LOOSE} {SLOW} --iterations 1 --steps 60 --matches 128 --param batch=8",
    "k60-grpo-fast": f"grpo {LOOSE} {LARGE} --iterations 1 --steps 60 --matches 128 --param batch=8",
    "k60-grpo-four": f"grpo {LOOSE} {LARGE} --iterations 1 --steps 60 --matches 256 --param batch=8 "
    "--param accumulation=4",
    "k60-grpo-stakes": f"grpo {LOOSE} {LARGE} --iterations 1 --steps 60 --matches 128 --param batch=8 "
    "--param scale_rewards=none",
    "k60-kto": f"kto {LOOSE} {LARGE} --recipe outcome --iterations 1 --steps 60 --matches 128 --param batch=4",
    "k60-dpo": f"dpo {LOOSE} {LARGE} --recipe fork-pairs --iterations 1 --steps 60 --matches 64 --param batch=4",
    "k60-spiral": f"grpo {KUHN} {SLOW} --recipe spiral --iterations 1 --steps 60 --matches 128 --param batch=8",
    "b2-grpo": f"grpo {IPD} {FINAL} --iterations 1 --steps 12 --matches 32 --lr 2e-4 --param batch=8",
    "b2-kto": f"kto {IPD} {FINAL} --iterations 1 --matches 64 --steps 8 --lr 1e-3 --param batch=4",
    "b2-kto-slow": f"kto {IPD} {FINAL} --iterations 1 --matches 64 --steps 24 --lr 2e-4 --param batch=4",
    "b2-dpo": f"dpo {IPD} {FINAL} --iterations 1 --matches 24 --steps 6 --lr 1e-3 --param batch=4 "
    "--param fork_states=2 --param fork_k=4 --param fork_rollouts=2",
    "k-grpo": f"grpo {KUHN} {FINAL} --opponents bot/loose --iterations 1 --steps 8 --matches 32 --lr 2e-4 "
    "--param batch=8",
    "k-spiral": f"grpo {KUHN} {FINAL} --recipe spiral --iterations 1 --steps 8 --matches 32 --lr 2e-4 --param batch=8",
    "c": f"kto {NYC} {BOTH} --matches 64 --eval-matches 8 --steps 24 --lr 2e-4",
    "c-small": f"kto {NYC} {BOTH} --matches 16 --eval-matches 1 --steps 4 --lr 1e-3",
}


def command(name: str, seed: int, folder: Path) -> list[str]:
    words = shlex.split(COMMANDS[name])
    return ["train", *words, "--seed", str(seed), "--league", f"{name}-{seed}", "--out", str(folder / f"{name}-{seed}")]


def run(name: str, seed: int, folder: Path) -> dict[str, Any]:
    """One experiment, unless its report is there; wall and CPU seconds of what was run."""
    out, times = folder / f"{name}-{seed}", folder / f"{name}-{seed}.json"
    if not (out / "report.json").is_file():
        env = {**os.environ, "OMP_NUM_THREADS": "1", "ARENA_LEAGUE": str(folder / "league"), "HF_HUB_OFFLINE": "1"}
        env["PYTHONPATH"] = str(ROOT)
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        start = "from arena.cli import main; main()"
        words = [*command(name, seed, folder), "--display", "quiet"]
        code = subprocess.run([sys.executable, "-c", start, *words], cwd=folder, env=env, check=False).returncode
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        times.write_text(json.dumps({"wall_s": time.monotonic() - started, "cpu_s": cpu, "exit": code}))
    measured: dict[str, Any] = json.loads(times.read_text()) if times.is_file() else {}
    report = out / "report.json"
    return measured | {"report": json.loads(report.read_text()) if report.is_file() else None}


def line(name: str, seed: int, found: dict[str, Any]) -> str:
    """A row of the table: base, last policy, their paired difference, turns lost, time."""
    if found["report"] is None:
        return f"| {name} | {seed} | stopped, exit {found.get('exit')} | | | | | {found.get('wall_s', 0):.0f} |"
    if not found["report"]["final"]:
        return f"| {name} | {seed} | no final deals | | | | | {found['wall_s']:.0f} / {found['cpu_s']:.0f} |"
    rows = next(iter(found["report"]["final"].values()))
    base, last = rows[0], rows[-1]
    d = last["over_base"]
    clean = last["over_base_clean"]
    text = f"{d['diff']:.3f} ({d['ci'][0]:.3f} to {d['ci'][1]:.3f}, N {d['n']})"
    without = (
        "none" if clean["ci"][0] is None else f"{clean['diff']:.3f} ({clean['ci'][0]:.3f} to {clean['ci'][1]:.3f})"
    )
    return (
        f"| {name} | {seed} | {base['payoff']['diff']:.3f} | {last['payoff']['diff']:.3f} | {text} | {without} | "
        f"{base['lost']:.1%} / {last['lost']:.1%} | {found['wall_s']:.0f} / {found['cpu_s']:.0f} |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*COMMANDS, []], help="experiments")
    parser.add_argument("--out", type=Path, default=Path("runs/training"))
    parser.add_argument("--seeds", default="1")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    if options.list:
        for name in COMMANDS:
            print(f"{name}: arena {' '.join(map(shlex.quote, command(name, 1, options.out)))}")
        return
    from tests.training.tiny_models import learnable

    folder = options.out.resolve()
    learnable(folder / "models" / "tiny")
    head = "base | trained | difference (95 %) | without any fallback | turns lost, base / trained | wall / CPU s |"
    print(f"| experiment | seed | {head}\n|---|---|---|---|---|---|---|---|", flush=True)
    for name in options.names:
        for seed in map(int, options.seeds.split(",")):
            print(line(name, seed, run(name, seed, folder)), flush=True)


if __name__ == "__main__":
    main()
