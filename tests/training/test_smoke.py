"""Everything through the command line: play, export, train with each algorithm, play the trained policy, resume."""

from __future__ import annotations

import json
import math
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.training.commands import Ended, arena, begin, end, resume

pytest.importorskip("trl")
pytestmark = pytest.mark.models

MODEL = "hf/models/tiny?choice=grammar"
COMMON = [
    *("--game", "matrix/ipd", "--set", "rounds=2", "--model", MODEL, "--opponents", "bot/random"),
    *("--iterations", "1", "--matches", "12", "--eval-matches", "3", "--steps", "2", "--lr", "0.005"),
    *("--seed", "11", "--reference", "previous", "--gate", "none", "--json", "--display", "quiet"),
]
PARAMS = {
    "kto": ("--param", "batch=4"),
    "dpo": ("--param", "fork_k=3", "--param", "fork_rollouts=2", "--param", "fork_states=1", "--param", "batch=4"),
    "grpo": ("--param", "num_generations=4", "--param", "batch=8"),
}


@pytest.fixture(scope="module")
def trained(home: Path) -> dict[str, Ended]:
    """One run of each algorithm, at the same time."""
    started = {
        name: begin(home, "train", name, *COMMON, *params, "--league", f"smoke-{name}", "--out", f"runs/{name}")
        for name, params in PARAMS.items()
    }
    return {name: end(process) for name, process in started.items()}


def test_exported_kto_rows_have_both_labels_and_one_own_message(home: Path) -> None:
    played = arena(
        home, "tournament", "matrix/ipd", "--set", "rounds=2", "--agents", f"{MODEL},bot/random", "--matches", "12",
        "--seed", "1", "--out", "runs/t", "--display", "quiet",
    )  # fmt: skip
    exported = arena(home, "export", "runs/t", "--format", "kto", "--recipe", "outcome", "--out", "kto.jsonl", "--json")
    rows = [json.loads(line) for line in (home / "kto.jsonl").read_text().splitlines()]

    assert (played.code, exported.code) == (0, 0), played.err + exported.err
    assert {row["label"] for row in rows} == {True, False}
    for row in rows:
        assert row["prompt"][0]["role"] == "system"
        assert row["prompt"][-1]["role"] == "user"
        assert [m["role"] for m in row["completion"]] == ["assistant"]
        assert len(row["source"]["weights"]) == 16
    assert exported.json["rows"] == len(rows)


@pytest.mark.parametrize("algorithm", list(PARAMS))
def test_a_policy_is_trained(home: Path, trained: dict[str, Ended], algorithm: str) -> None:
    from safetensors.numpy import load_file

    done = trained[algorithm]
    assert done.code == 0, done.err
    (iteration,) = done.json["iterations"]
    folder = home / "runs" / algorithm / "iter_0001"
    weights = load_file(folder / "adapter" / "adapter_model.safetensors")
    metrics = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]

    assert iteration["league"] == f"league/smoke-{algorithm}-k1"
    assert iteration["promoted"] is True
    assert f"league/smoke-{algorithm}-k1: " in done.err  # what the final deals say of it
    assert done.err.rstrip().endswith(f"complete: 1 of 1 policies promoted; runs/{algorithm}/report.md")
    assert iteration["adapter"] == "iter_0001/adapter"
    b = [w for name, w in weights.items() if "lora_B" in name]
    assert any(abs(w).max() > 0 for w in b)
    assert all(math.isfinite(float(w.sum())) for w in weights.values())
    assert all(math.isfinite(m["loss"]) for m in metrics)
    assert any(m["grad_norm"] > 0 for m in metrics)
    assert all({"k", "step", "learning_rate", "tokens", "seconds"} <= m.keys() for m in metrics)
    if algorithm == "grpo":
        assert any(m["reward_std"] > 0 for m in metrics)
    else:
        assert all(m["loss"] != 0 for m in metrics)


def test_nothing_is_pickled_in_a_finished_run(home: Path, trained: dict[str, Ended]) -> None:
    pickled = [p for p in (home / "runs").rglob("*") if p.suffix in (".bin", ".pt", ".pth", ".pkl")]

    assert trained
    assert pickled == []


def test_trained_policies_play_by_name_two_adapters_of_one_base_in_one_match(
    home: Path, trained: dict[str, Ended]
) -> None:
    names = "league/smoke-kto-k1,league/smoke-grpo-k1"
    played = arena(home, "play", "matrix/ipd", "--set", "rounds=2", "--agents", names, "--seed", "3", "--json")

    assert trained
    assert played.code == 0, played.err
    assert [seat["agent"] for seat in played.json["seats"]] == names.split(",")


def test_a_finished_run_is_left_as_it_is(home: Path, trained: dict[str, Ended]) -> None:
    def state() -> dict[str, Any]:
        folder = home / "runs" / "kto"
        return {str(p): p.read_bytes() for p in folder.rglob("*") if p.is_file() and "sqlite" not in p.name}

    before = state()
    again = resume(home, "runs/kto")
    (home / "elsewhere").mkdir()
    from_elsewhere = resume(home / "elsewhere", "../runs/kto")  # needs the folder alone

    assert again.code == 0, again.err
    assert from_elsewhere.code == 0, from_elsewhere.err
    assert again.json == trained["kto"].json
    assert {k: v for k, v in state().items() if "run.lock" not in k} == {
        k: v for k, v in before.items() if "run.lock" not in k
    }


def test_the_evaluation_says_how_the_policies_played(home: Path, trained: dict[str, Ended]) -> None:
    found = json.loads((home / "runs" / "grpo" / "iter_0001" / "eval.json").read_text())

    assert trained
    assert found["behaviour"]["candidate"]["replies"]["count"] == 12  # 3 deals, 2 seats, 2 rounds
    assert 0 < found["behaviour"]["base"]["replies"]["distinct_1"] <= 1
    assert found["behaviour"]["candidate"]["metrics"]


def test_a_policy_is_measured_on_matches_that_it_was_not_trained_on(home: Path, trained: dict[str, Ended]) -> None:
    folder = home / "runs" / "kto" / "iter_0001"
    rows = [json.loads(line) for line in (folder / "dataset.jsonl").read_text().splitlines()]
    held_out = [row for row in rows if row["split"] == "valid"]
    found = json.loads((folder / "eval.json").read_text())["validation"]

    assert trained
    facts = json.loads((folder / "dataset.json").read_text())
    assert found["rows"] == len(held_out) == facts["valid_rows"] > 1
    assert math.isfinite(found["loss"])
    assert found["entropy"] > 0
    assert {row["match"] for row in held_out}.isdisjoint(row["match"] for row in rows if row["split"] == "train")


def test_a_board_of_a_training_run_says_what_its_matches_were_played_for(home: Path, trained: dict[str, Ended]) -> None:
    ended = arena(home, "leaderboard", "runs/kto")

    assert trained
    assert ended.code == 0, ended.err
    assert "runs/kto counts 12 of collect/1, " in ended.err
    assert "12 of final; runs/kto/report.md tells final alone" in ended.err


def test_the_card_says_what_it_is(home: Path, trained: dict[str, Ended]) -> None:
    card = (home / "league" / "smoke-kto-k1" / "README.md").read_text()

    assert trained
    for words in ("## Base", "Licence", "## Training", "## Data", "## Evaluation", "## Limits", "learned to deceive"):
        assert words in card
    assert "A policy for matrix-v1, preset ipd, rounds=2, after iteration 1" in card
    for name in ("smoke-kto-k0", "smoke-kto-k1"):
        policy = tomllib.loads((home / "league" / name / "policy.toml").read_text())
        assert (policy["preset"], policy["set"]) == ("ipd", {"rounds": 2})


def test_a_plan_names_what_it_plans_and_refuses_a_name_that_is_taken(home: Path, trained: dict[str, Ended]) -> None:
    fresh = arena(home, "train", "kto", *COMMON[:-3], "--dry-run", "--out", "runs/new", "--league", "fresh")
    taken = arena(home, "train", "kto", *COMMON[:-3], "--dry-run", "--out", "runs/new", "--league", "smoke-kto")

    assert trained
    assert fresh.code == 0, fresh.err
    assert "kto with outcome on matrix/ipd, every seat; lr 0.005, reference previous" in fresh.out + fresh.err
    assert taken.code == 2
    assert "league/smoke-kto-k0 is another run's policy" in taken.err


def test_slots_are_counted_as_the_steps_take_them(home: Path, trained: dict[str, Ended]) -> None:
    facts = json.loads((home / "runs" / "grpo" / "iter_0001" / "dataset.json").read_text())

    assert trained
    assert (facts["rows"], facts["train_rows"]) == (12, 4)  # 2 steps of 8 rollouts, 4 rollouts a slot


def test_rollouts_are_in_the_record_and_replay(home: Path, trained: dict[str, Ended]) -> None:
    from arena.training.record import Refused, read_played

    refused = Refused()
    played = list(read_played(home / "runs" / "grpo", tags=["rollout/1"], refused=refused))

    assert trained
    assert len(played) == 16
    assert refused == Refused()


def test_two_runs_are_compared_by_deal(home: Path, trained: dict[str, Ended]) -> None:
    compared = arena(home, "compare", "runs/kto", "runs/dpo", "--json")

    assert trained
    assert compared.code == 0, compared.err
    assert compared.json["n"] == 3
    assert compared.json["agents"] == ["league/smoke-kto-k1", "league/smoke-dpo-k1"]


def test_continuations_of_all_candidates_share_their_chance(home: Path, trained: dict[str, Ended]) -> None:
    from arena.training.forks import CANDIDATES
    from arena.training.record import read_played

    trunks = {m.key: m for m in read_played(home / "runs" / "dpo", tags=["collect/1"])}
    answers: dict[tuple[str, int, int], set[str]] = {}
    candidates: dict[tuple[str, int], set[str]] = {}
    for m in read_played(home / "runs" / "dpo", tags=["forks/1"]):
        assert m.fork is not None
        if m.fork["branch"] >= CANDIDATES:
            continue
        at, trunk = m.fork["turn"], trunks[m.fork["parent"]]
        bot = next(seat for seat, name in m.agents.items() if name == "bot/random")
        later = [t.answer for t in m.match.turns if t.seat == bot and t.batch > trunk.match.turns[at].batch]
        answers.setdefault((trunk.key, at, m.fork["branch"]), set()).add(json.dumps(later))
        candidates.setdefault((trunk.key, at), set()).add(m.match.turns[at].answer)

    assert trained
    assert all(len(found) == 1 for found in answers.values())  # the bot plays on alike, whatever the candidate
    assert all(len(found) >= 2 for found in candidates.values())
    assert len({word for found in answers.values() for word in found}) > 1


def test_every_match_of_a_training_run_replays(home: Path, trained: dict[str, Ended]) -> None:
    assert trained
    for algorithm in ("dpo", "grpo"):  # with forks, with rollouts
        verified = arena(home, "show", f"runs/{algorithm}", "--verify")

        assert verified.code == 0, verified.out + verified.err
        assert "finished matches hold" in verified.err
