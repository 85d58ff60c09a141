"""kill -9 in every stage, then resume from the folder alone: the same adapter, byte for byte."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from tests.training.commands import ARENA, arena, begin, end, resume
from tests.training.tiny_models import learnable

pytest.importorskip("trl")
pytestmark = [pytest.mark.models, pytest.mark.long]

STAGES = ("collect", "label", "train", "evaluate", "gate", "register", "final")
COMMON = [
    *("--game", "matrix/rps", "--set", "rounds=2", "--model", "hf/models/tiny?choice=grammar"),
    *("--iterations", "1", "--matches", "16", "--eval-matches", "2", "--lr", "0.01", "--seed", "5"),
    *("--gate", "none", "--out", "run", "--display", "quiet", "--param", "save_steps=1"),
]
RUNS = {
    "kto": ["kto", *COMMON, "--opponents", "bot/random", "--steps", "4", "--param", "batch=4"],
    "grpo": ["grpo", *COMMON, "--recipe", "rae", "--steps", "4", "--param", "batch=4", "--param", "num_generations=4"],
}
# Kills this process as soon as a stage has begun; in the train stage, once a checkpoint is whole.
KILL = """
import os, sys, threading, time
from pathlib import Path
from arena.training.manifest import Manifest
wanted, folder, running = sys.argv.pop(1), Path("run"), Manifest.running
def watch(delay):
    while wanted == "train" and not list(folder.glob("iter_0001/train/checkpoint-*/trainer_state.json")):
        time.sleep(0.05)
    time.sleep(delay)
    os.kill(os.getpid(), 9)
def begun(self, k, stage, inputs):
    running(self, k, stage, inputs)
    if stage == wanted and k == 1:
        threading.Thread(target=watch, args=(0.2,), daemon=True).start()
        if stage in ("gate", "register", "label"):  # over in a moment: do not let them end first
            time.sleep(5)
Manifest.running = begun
"""
START = KILL + ARENA
AGAIN = KILL + "from arena.training.loop import resume; resume(Path(sys.argv[1]))"


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("resume")
    learnable(folder / "model")
    return folder


def home(homes: Path, name: str) -> Path:
    """A working folder with the one model in it: the same bytes at the same place for every run."""
    folder = homes / name
    (folder / "models").mkdir(parents=True)
    (folder / "models" / "tiny").symlink_to(homes / "model")
    return folder


def weights(folder: Path) -> bytes:
    return (folder / "run" / "iter_0001" / "adapter" / "adapter_model.safetensors").read_bytes()


@pytest.mark.parametrize("algorithm", list(RUNS))
def test_a_run_killed_in_every_stage_ends_with_the_same_adapter(homes: Path, algorithm: str) -> None:
    straight, killed = home(homes, f"{algorithm}-straight"), home(homes, f"{algorithm}-killed")
    done = arena(straight, "train", *RUNS[algorithm])
    assert done.code == 0, done.err

    first = end(begin(killed, STAGES[0], "train", *RUNS[algorithm], program=START))
    assert first.code == -signal.SIGKILL, first.err
    for stage in STAGES[1:]:
        ended = end(begin(killed, stage, "run", program=AGAIN))
        assert ended.code in (-signal.SIGKILL, 0), f"{stage}: {ended.err}"
    last = resume(killed, "run")
    manifest = json.loads((killed / "run" / "manifest.json").read_text())

    assert last.code == 0, last.err
    assert weights(killed) == weights(straight)
    assert {entry["state"] for entry in manifest["stages"]} == {"done"}
    ours, theirs = ((folder / "run" / "iter_0001" / "metrics.jsonl").read_text() for folder in (killed, straight))
    steps = [[json.loads(line)["step"] for line in text.splitlines()] for text in (ours, theirs)]
    assert steps[0] == steps[1] == [1, 2, 3, 4]


def test_changed_weights_and_changed_settings_are_refused(homes: Path) -> None:
    folder = home(homes, "changed")
    done = arena(folder, "train", *RUNS["kto"])
    assert done.code == 0, done.err
    config = folder / "run" / "config.toml"
    kept = config.read_text()
    config.write_text(kept.replace("seed = 5", "seed = 6"))
    edited = resume(folder, "run")
    config.write_text(kept)
    (folder / "models" / "tiny").unlink()
    learnable(folder / "models" / "tiny", seed=1)
    swapped = resume(folder, "run")

    assert "was changed since the run began" in edited.err
    assert "the weights behind hf/models/tiny" in swapped.err
