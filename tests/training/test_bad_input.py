"""What cannot be meant is said with exit 2, before any folder exists and before anything is computed."""

from __future__ import annotations

import json
import sqlite3
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.training.commands import here as arena
from tests.training.commands import train_here as train

pytest.importorskip("trl")
pytestmark = pytest.mark.models

GOOD = ["--game", "matrix/rps", "--model", "hf/tiny-random", "--opponents", "bot/random"]
GOODS = ["--game", "matrix/public_goods", *GOOD[2:]]
SHORT = ["--game", "matrix/coordination", "--model", "hf/tiny-random?max_len=2000", *GOOD[4:]]
NYC = ["--game", "nyc/tiny", "--model", "hf/tiny-random", "--recipe", "nyc-regret"]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARENA_LEAGUE", str(tmp_path / "league"))
    return tmp_path


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["kto"], "--game is missing"),
        (["ktoo", *GOOD], "Did you mean kto"),
        (["kto", *GOOD[:2], "--model", "openai/gpt-5-mini"], "cannot be trained here"),
        (["kto", *GOOD[:2], "--model", "hf/./nowhere"], "nowhere"),
        (["kto", "--game", "matrx/rps", *GOOD[2:]], "Did you mean matrix"),
        (["kto", *GOOD, "--recipe", "makto-step"], "no recipe for matrix"),
        (["kto", *GOOD, "--recipe", "rae"], "is for grpo"),
        (["dpo", *GOOD, "--recipe", "outcome"], "gives rows for kto"),
        (["kto", *GOOD, "--recipe", "winner-only"], "kto needs both labels"),
        (["grpo", *GOOD, "--recipe", "outcome"], "no recipe for grpo"),
        (["kto", *GOOD, "--param", "report_to=tensorbord"], "Did you mean tensorboard"),
        (["kto", *GOOD[:4], "--opponents", "pfpp"], "no population of opponents 'pfpp'. Did you mean pfsp"),
        (["kto", *GOOD, "--param", "loss=foo"], "it has kto, apo_zero_unpaired"),
        (["kto", *GOOD[:4], "--opponents", "bot/tit-for-tatt"], "Did you mean"),
        (["kto", *GOOD[:4], "--opponents", "league/nobody"], "nobody"),
        (["kto", *GOOD[:4], "--opponents", "game"], "declares no mix"),
        (["kto", *GOOD, "--role", "wolf"], "has no role"),
        (["kto", *GOOD, "--role", "player_0,player_0"], "twice"),
        (["kto", *GOOD, "--param", "transfer=kuhn"], "names another preset of matrix"),
        (["kto", *GOODS, "--role", "player_3", "--param", "transfer=matrix/rps"], "has deals without 'player_3'"),
        (["kto", *SHORT, "--param", "transfer=matrix/conflict"], "most matches of matrix/conflict need prompts"),
        (["kto", *GOOD, "--param", "anchors=player_9=bot/random"], "has no role, side or seat 'player_9'"),
        (["kto", *GOOD[:4], "--opponents", "player_9=bot/random"], "has no role, side or seat 'player_9'"),
        (["dpo", *GOOD, "--param", "rollout_agent=bot/nobody"], "there is no bot 'nobody'"),
        (["kto", *GOOD, "--lr", "0"], "--lr must be a number above 0"),
        (["kto", *GOOD, "--lr", "inf"], "--lr must be a number above 0"),
        (["kto", *GOOD[:4], "--opponents", "psro", "--role", "player_0", "--param", "meta=nash"], "not with --role"),
        (["kto", *GOOD, "--param", "nash=extragradient"], "is for dpo"),
        (["dpo", *GOOD, "--param", "label_smoothing=0.1"], "losses robust, exo_pair, aot, not by sigmoid"),
        (["dpo", *GOOD, "--param", "loss=robust+aot"], "would share one label_smoothing"),
        (["dpo", *GOOD, "--param", "loss=exo_pair", "--param", "label_smoothing=0"], "above 0 for the loss exo_pair"),
        (["kto", *GOOD, "--param", "rows=turn"], "is for grpo"),
        (["grpo", *GOOD, "--param", "rows=turn", "--recipe", "spiral"], "its recipes are group, spo"),
        (["grpo", *GOOD, "--recipe", "spo"], "rows=turn"),
        (["grpo", *GOOD, "--param", "num_generations=5"], "must divide"),
        (["grpo", *GOOD[:4], "--recipe", "group"], "self-play"),
        (["grpo", *GOOD[:4], "--param", "num_generations=3", "--param", "batch=6"], "multiple of the 2 trained seats"),
        (["grpo", *GOOD[:4], "--role", "player_0,player_1"], "one shared policy"),
        (["kto", *GOOD, "--param", "bacth=4"], "Did you mean batch"),
        (["kto", *GOOD, "--param", "batch=1"], "at least 2"),
        (["kto", *GOOD, "--param", "label=trajectory=true"], "option of the recipe outcome"),
        (["kto", *GOOD, "--param", "label=trajectory"], "write label=key=value"),
        (["kto", *NYC, "--param", "label=trajectry=true"], "Did you mean trajectory"),
        (["kto", *NYC, "--param", "label=basis=nonsense"], "basis must be truth or believed"),
        (["kto", *NYC, "--param", "label=trajectory=maybe"], "trajectory of nyc-regret is true or false"),
        (["kto", *GOOD, "--param", "batch=many"], "must be an integer"),
        (["kto", *GOOD, "--set", "round=1"], "rounds"),
        (["kto", *GOOD, "--reference", "older"], "--reference is one of"),
        (["kto", *GOOD, "--gate", "maybe"], "--gate is ci or none"),
        (["kto", *GOOD, "--param", "loss=sigmoid"], "no loss of kto"),
        (["grpo", *GOOD[:2], "--model", "hf/tiny-random?temperature=0.5"], "temperature 1"),
        (["grpo", *GOOD[:2], "--model", "hf/tiny-random?choice=score"], "choice=score"),
        (["grpo", *GOOD[:2], "--model", "cot:hf/tiny-random"], "without a method"),
        (["grpo", *GOOD[:2], "--model", "hf/tiny-random?memory=window=1"], "leave memory out"),
        (["kto", *GOOD[:2], "--model", "hf/tiny-random?max_len=200"], "need prompts of"),
        (["kto", *GOOD, "--param", "max_length=200"], "--param max_length is 200"),
        (["kto", *GOOD, "--config", "missing.toml"], "cannot be read"),
    ],
)
def test_wrong_words_are_refused_before_any_work(home: Path, words: list[str], says: str) -> None:
    code, text = train(*words)

    assert code == 2, text
    assert says in text
    assert not (home / "runs").exists()
    assert not (home / "league").exists()


def test_an_adapter_of_another_base_is_refused_before_any_work(home: Path) -> None:
    from arena.models.tiny import tiny_random
    from tests.models.local_models import make_adapter

    folder = make_adapter(home / "other", tiny_random(0), seed=1)
    config = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(config | {"base_model_name_or_path": "somebody/else"}))
    code, text = train("kto", *GOOD[:2], "--model", f"hf/tiny-random+{folder}")

    assert code == 2, text
    assert "was trained on somebody/else" in text
    assert not (home / "runs").exists()


@pytest.mark.parametrize(
    ("seed", "says"),
    [("3", "gave no rows; it took out payoff equal to the mean of its role: 2"), ("7", "desirable rows only (1)")],
)
def test_too_little_data_is_said_before_anything_is_trained(home: Path, seed: str, says: str) -> None:
    """Two matches of one round each: paid alike, or one of them in the training split."""
    words = ["--game", "matrix/rps", "--set", "rounds=1", "--model", "hf/tiny-random?choice=grammar", "--seed", seed]
    words += ["--opponents", "bot/always?answer=rock", "--matches", "2", "--param", "batch=2", "--display", "quiet"]
    code, text = train("kto", *words)

    assert code == 2, text
    assert says in text
    assert not list((home / "runs").rglob("train.log"))  # no trainer was started


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('iterations = "two"', "iterations must be a whole number from 1 up"),
        ("matches = 0", "matches must be a whole number from 1 up"),
        ("set = 3", "set must be a table"),
        ("model = 3", "model must be text"),
    ],
)
def test_wrong_values_of_a_file_are_refused(home: Path, line: str, says: str) -> None:
    (home / "t.toml").write_text(f'game = "matrix/rps"\n{line}\n')
    code, text = train("kto", "--config", "t.toml")

    assert code == 2, text
    assert says in text


def test_an_opponents_adapter_must_fit_its_base(home: Path) -> None:
    code, text = train("kto", *GOOD[:4], "--opponents", f"hf/tiny-random+{home}/nowhere")

    assert code == 2, text
    assert "nowhere" in text


def test_what_a_run_does_not_read_is_said(home: Path) -> None:
    code, text = train("grpo", *GOOD, "--reference", "base", "--param", "fork_k=3", "--set", "rounds=1", "--dry-run")

    assert code == 0, text
    assert "note: --reference is not used: grpo has no reference at beta 0" in text
    assert "note: fork_k is for the recipes fork-pairs, lspo-pairs" in text


@pytest.mark.parametrize(
    ("words", "note"),
    [
        (["grpo", "--param", "tompo_alpha=0.3"], "tompo_alpha is for the recipes tompo"),
        (["grpo", "--param", "turn_weight=2"], "turn_weight is for the recipes turn"),
        (["grpo", "--param", "rae_decay=0.5"], "rae_decay is for the recipes rae, spiral, turn"),
        (["grpo", "--recipe", "turn", "--param", "rae_decay=0.5"], "rae_decay is for turn=return"),
        (["grpo", "--param", "overflow=drop"], "overflow is not used"),
        (["kto", "--param", "meta=uniform"], "meta is for --opponents psro"),
        (["kto", "--param", "pfsp=even"], "pfsp is for --opponents pfsp"),
        (["kto", "--param", "update=alternate"], "update is for several roles"),
        (["sft", "--param", "delta=1"], "delta is for the recipes outcome"),
        (["dpo", "--param", "prompts=as_sent"], "prompts is for the recipes outcome, winner-only"),
        (["kto", "--config", "t.toml"], "fork_margin is for the recipes fork-pairs"),
    ],
)
def test_every_field_that_is_not_read_is_said(home: Path, words: list[str], note: str) -> None:
    (home / "t.toml").write_text("[params]\nfork_margin = 0.1\n")
    code, text = train(*words, *GOOD, "--set", "rounds=1", "--dry-run")

    assert code == 0, text
    assert [line for line in text.splitlines() if line.startswith("note:")] == [
        line for line in text.splitlines() if note in line
    ]
    assert f"note: {note}" in text


def test_an_unknown_key_of_a_file_names_the_nearest(home: Path) -> None:
    (home / "t.toml").write_text('game = "matrix/rps"\nmodell = "hf/tiny-random"\n')
    code, text = train("kto", "--config", "t.toml")

    assert code == 2
    assert "Did you mean model" in text


def test_a_missing_package_prints_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from arena.training import setup

    monkeypatch.setattr(setup, "find_spec", lambda name: None if name == "trl" else find_spec(name))
    code, text = train("kto", *GOOD)

    assert code == 2
    assert "pip install 'parley-arena[train]'" in text


def test_a_folder_of_another_run_is_refused(home: Path) -> None:
    from arena.training.manifest import Manifest
    from arena.training.settings import TrainSettings, to_toml

    settings = TrainSettings("kto", "kuhn", "hf/tiny-random", 1, "kuhn", str(home / "league"), "outcome", 1e-3)
    folder = home / "runs" / "x"
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text(to_toml(settings))
    Manifest(folder).start(settings.sha256(), {})
    code, text = train("kto", *GOOD)

    assert code == 2
    assert "holds another run: game" in text


def test_settings_survive_their_file(home: Path) -> None:
    from arena.training.settings import Params, TrainSettings, file_sha256, filled, from_toml, to_toml

    params = Params.make({"pool": ["bot/random"], "loss": "sigmoid", "prune": 0.005})
    settings = filled(TrainSettings(
        "dpo", "werewolf/makto9g", 'hf/x"y', 2**62, "n", str(home), "fork-pairs", 1e-3, {"k": [1, {"a": True}]},
        ("wolf", "seer"), steps=7, params=params,
    ))  # fmt: skip
    (home / "config.toml").write_text(to_toml(settings))

    assert from_toml(home / "config.toml") == settings
    assert file_sha256(home / "config.toml") == settings.sha256()


def test_rows_of_a_role_that_nobody_held_are_refused() -> None:
    arena("tournament", "matrix/rps", "--agents", "mock/legal,bot/random", "--matches", "2", "--out", "t", "-q")
    code, text = arena("export", "t", "--format", "kto", "--role", "wolf", "--out", "x.jsonl")

    assert code == 2, text
    assert "no seat of t is of wolf" in text


def test_rows_of_an_edited_record_are_refused_and_listed(home: Path) -> None:
    from arena.registry import find_game
    from arena.run.api import resolve_agents, start
    from arena.run.settings import GamePlan, Settings
    from arena.training.record import Refused, read_played

    names = ("mock/legal", "bot/random")
    settings = Settings((GamePlan("matrix/rps", {"rounds": 1}, 4),), names, 1)
    start(settings, resolve_agents(names, [find_game("matrix/rps").where]), home / "run")
    db = sqlite3.connect(home / "run" / "run.sqlite")
    db.execute("UPDATE calls SET reply='rock' WHERE match_id=1 AND reply<>'rock'")
    db.execute("UPDATE calls SET reply='paper' WHERE match_id=2 AND reply<>'paper'")
    changed = {row[0] for row in db.execute("SELECT match_id FROM calls WHERE reply <> json_extract(parsed, '$')")}
    db.commit()
    db.close()
    refused = Refused()
    played = list(read_played(home / "run", refused=refused))

    assert len(played) + len(refused.altered) == 4
    assert len(refused.altered) >= 1, changed
    assert all("was changed" in text for text in refused.altered)


def test_a_writer_of_curves_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("arena.training.setup.find_spec", lambda name: None if name == "trackio" else find_spec(name))

    code, said = train("kto", *GOOD, "--param", "report_to=trackio")

    assert code == 2
    assert "--param report_to needs trackio" in said
    assert "pip install trackio" in said
