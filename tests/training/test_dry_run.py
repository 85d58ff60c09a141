"""The plan: what a training run would take, and that it starts nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from arena.cli.train import settings_of
from arena.training import stages
from arena.training.dry_run import estimate
from arena.training.forks import CANDIDATES
from arena.training.reading import amounts, is_model, read
from arena.training.record import read_played
from arena.training.settings import filled
from arena.training.setup import set_up
from tests.training.commands import train_here as train

pytest.importorskip("trl")
pytestmark = pytest.mark.models

GAME = ["--game", "matrix/rps", "--set", "rounds=1", "--model", "hf/tiny-random"]  # both seats are asked once, alike
GOOD = [*GAME, "--opponents", "bot/random"]
PAID = "mock/legal?price_in=1000&price_out=0"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARENA_LEAGUE", str(tmp_path / "league"))
    return tmp_path


def plan(*words: str) -> dict[str, Any]:
    code, text = train(*words, "--dry-run", "--json")
    assert code == 0, text
    found: dict[str, Any] = json.loads(text[text.index("{") :])
    return found


def test_it_starts_nothing(home: Path) -> None:
    code, text = train("grpo", *GOOD, "--dry-run")

    assert code == 0, text
    assert "longest row" in text
    assert not (home / "runs").exists()


def test_it_asks_for_more_memory_where_a_step_takes_more() -> None:
    def memory(algorithm: str, dtype: str) -> float:
        large = "batch=4096"  # the tiny model's own rows are lost in the rounding
        return float(plan(algorithm, *GOOD, "--param", large, "--param", f"dtype={dtype}")["memory_gb"])

    assert memory("kto", "bf16") < memory("kto", "fp32") < memory("dpo", "fp32")


@pytest.mark.parametrize(
    ("words", "rows", "steps", "collected", "evaluated"),
    [
        (["kto", "--opponents", "bot/random"], 17, 3, 0.5, 0.5),  # a row a match, 15 % of them held out
        (["kto", "--opponents", "mock/legal"], 17, 3, 1, 1),
        (["kto", "--param", "anchors=bot/random"], 34, 5, 1, 0.75),  # self-play; half of the evaluation against itself
        (["kto", "--opponents", "latest", "--param", "anchors=bot/random"], 34, 5, 1, 0.75),
        (["kto", "--opponents", "bot/random", "--role", "player_0,player_1"], 8, 4, 0.5, 0.5),
        (["grpo", "--opponents", "bot/random", "--steps", "6"], None, 6, 0.5, 0.5),
    ],
)
def test_it_counts_what_is_learned_from_and_what_models_read(
    words: list[str], rows: int | None, steps: int, collected: float, evaluated: float
) -> None:
    lines = ["--iterations", "1", "--matches", "20", "--eval-matches", "2", "--param", "batch=8"]
    found = plan(words[0], *GAME, *words[1:], *lines)
    matches = found["matches"]
    read = collected * (matches["collect"] + matches["rollouts"]) + evaluated * (matches["evaluate"] + matches["final"])

    assert (found["rows"], found["steps"]) == (rows, steps)
    assert found["prompt_tokens"] == pytest.approx(found["prompt_tokens_a_match"] * read, rel=0.01)


@pytest.mark.parametrize(
    ("opponents", "roles", "param"),
    [
        ("bot/random", (), "update=both"),
        ("league:pool.toml", (), "update=both"),
        ("bot/random", (), "rollout_agent=mock/legal"),
        ("self", ("player_0", "player_1"), "update=alternate"),
    ],
)
def test_what_is_planned_is_what_is_collected(home: Path, opponents: str, roles: tuple[str, ...], param: str) -> None:
    """Of four rounds of the prisoner's dilemma: candidates, and how many turns models answer. How many candidates are
    distinct, and so played on, nobody knows before."""
    (home / "pool.toml").write_text("[[opponent]]\nname = 'bot/random'\n[[opponent]]\nname = 'mock/legal'\n")
    flags = {"game": "matrix/ipd", "model": "hf/tiny-random?choice=grammar", "iterations": 1, "matches": 16, "seed": 3}
    flags |= {"opponents": opponents, "roles": roles, "league": "x"}
    params = ["fork_k=2", "fork_rollouts=1", "fork_states=2", param]
    settings = settings_of("dpo", flags, ["rounds=4"], params, None)
    planned = estimate(settings)["matches"]
    run = set_up(home / "run", filled(settings))
    run.folder.mkdir()
    for role in run.roles:
        stages.register_stage(run, 0, role, "r", [])
    stages.collect_stage(run, 1, {role: f"league/{settings.policy(role, 0)}" for role in run.roles})

    played = list(read_played(run.folder, tags=["collect/1", "forks/1"]))
    forks = [match for match in played if match.fork is not None]
    candidates = [match for match in forks if match.fork and match.fork["branch"] >= CANDIDATES]
    answered = sum(turn >= (match.fork["turn"] if match.fork else 0) for match in played for turn in match.sent)
    found = read(run)
    counts = dict.fromkeys(planned, 0) | {"collect": 16, "forks": len(forks)}
    reads = amounts(run, found, counts, len(candidates), 0)

    assert 2 * len(candidates) == planned["forks"]
    assert len(forks) <= planned["forks"]
    assert answered == pytest.approx(found.asks * sum(reads[n] for n in reads if is_model(run, n)), rel=0.2)


@pytest.mark.parametrize(("words", "rows"), [(["dpo"], 17), (["kto", "--recipe", "fork-pairs"], 68), (["kto"], 17)])
def test_rows_of_forks_are_decisions_or_their_four_answers(words: list[str], rows: int) -> None:
    found = plan(words[0], *GOOD, *words[1:], "--iterations", "1", "--matches", "20")

    assert found["rows"] == rows


def test_rollouts_in_self_play_fill_a_row_for_each_seat() -> None:
    lines = ["--steps", "6", "--param", "batch=8"]

    assert plan("grpo", *GOOD, *lines)["matches"]["rollouts"] == 48
    assert plan("grpo", *GAME, *lines)["matches"]["rollouts"] == 24
    assert plan("grpo", *GOOD, *lines, "--param", "num_iterations=2")["matches"]["rollouts"] == 24


def test_it_counts_what_opponents_are_billed_for() -> None:
    """The opponent reads half of the prompt tokens, at 1 $ a million."""
    words = ["--iterations", "1", "--matches", "10", "--eval-matches", "1", "--steps", "1"]
    found = plan("kto", *GAME, "--opponents", "mock/legal?price_in=1&price_out=0", *words)
    dollars = found["prompt_tokens"] / 2 / 1e6

    assert found["cost"] == f"about ${dollars:.2f}"
    assert dollars > 0.005


def test_it_bills_no_more_of_forks_than_is_read_of_them() -> None:
    """In the candidates' own matches a bot sits in the opponent's place."""
    words = ["--iterations", "1", "--matches", "10", "--eval-matches", "1"]
    found = plan("dpo", *GAME, "--opponents", "mock/legal?price_in=1&price_out=0", *words)
    matches = found["matches"]
    continued = matches["forks"] * 8 / 9
    theirs = (matches["collect"] + matches["evaluate"] + matches["final"] + continued / 2) / 2

    assert found["cost"] == f"about ${theirs * found['prompt_tokens_a_match'] / 1e6:.2f}"


@pytest.mark.parametrize(
    ("words", "bill"),
    [
        (["kto", *GOOD, "--param", f"anchors={PAID}"], "about"),
        (["dpo", *GOOD, "--param", f"rollout_agent={PAID}"], "about"),
        (["kto", *GAME, "--opponents", "fsp", "--param", f"pool={PAID}"], "about"),
        (["kto", *GAME, "--opponents", "league:rare.toml"], f"not counted: {PAID}"),
        (["kto", *GOOD], "$0"),
    ],
)
def test_it_bills_whoever_may_play(home: Path, words: list[str], bill: str) -> None:
    (home / "rare.toml").write_text(
        f"[[opponent]]\nname = '{PAID}'\nweight = 1e-9\n[[opponent]]\nname = 'bot/random'\n"
    )

    assert plan(*words, "--matches", "4", "--eval-matches", "4")["cost"].startswith(bill)


@pytest.mark.parametrize(
    ("words", "more"),
    [
        (["dpo", *GOOD, "--param", "nash=extragradient"], {"final": 2 * 2 * (3 + 3 * 3)}),
        (["dpo", *GOOD], {"final": 2 * 2 * 3}),
        (["kto", *GOOD, "--role", "player_0,player_1"], {"final": 2 * 6, "evaluate": 2 * (2 + 2 + 3 + 3)}),
        (["kto", *GAME, "--opponents", "psro"], {"meta": 2 * 2 * 2 * 2}),
        (["kto", *GOOD, "--param", "transfer=matrix/pennies"], {"transfer": 2 * 2 * 2 * 2}),
        (["kto", *GOOD, "--param", "transfer=matrix/public_goods"], {"transfer": 2 * 2 * 2 * 4}),
    ],
)
def test_it_counts_every_kind_of_match(words: list[str], more: dict[str, int]) -> None:
    """Two iterations, two deals of evaluation, two seatings of a policy without a role."""
    matches = plan(*words, "--iterations", "2", "--matches", "4", "--eval-matches", "2")["matches"]

    assert {key: matches[key] for key in more} == more
    assert matches["all"] == sum(count for word, count in matches.items() if word != "all")
