"""The league: policies are self-contained, playable by name, never overwritten."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from arena.core import UsageError
from arena.models.names import parse_name
from arena.registry import load_game
from arena.training import league

pytestmark = pytest.mark.models

FACTS = {"base": "hf/tiny-random?choice=grammar", "base_sha256": "x", "game": "kuhn-v1", "k": 0, "run": "r1"}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARENA_LEAGUE", str(tmp_path / "league"))


def test_a_registered_name_is_played_as_its_base(tmp_path: Path) -> None:
    league.register(tmp_path / "league", "kuhn-k0", FACTS, "# card\n", None)
    agent = parse_name("league/kuhn-k0", load_game("kuhn"))

    assert agent.canonical == "league/kuhn-k0"
    assert agent.model is not None
    assert agent.model.model == "tiny-random"
    assert agent.model.options["choice"] == "grammar"


def test_a_policy_that_was_copied_elsewhere_still_plays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_model.safetensors").write_bytes(b"weights")
    (adapter / "adapter_config.json").write_text("{}")
    league.register(tmp_path / "league", "p", FACTS, "# card\n", adapter)
    shutil.copytree(tmp_path / "league", tmp_path / "moved")
    monkeypatch.setenv("ARENA_LEAGUE", str(tmp_path / "moved"))
    model = parse_name("league/p", load_game("kuhn")).model

    assert model is not None
    assert model.adapter == str(tmp_path / "moved" / "p")


def test_the_same_bytes_are_a_no_op_and_others_an_error(tmp_path: Path) -> None:
    first = league.register(tmp_path / "league", "p", FACTS, "# card\n", None)
    again = league.register(tmp_path / "league", "p", FACTS, "# card\n", None)

    assert first == again
    with pytest.raises(UsageError, match="never overwritten"):
        league.register(tmp_path / "league", "p", FACTS, "# another card\n", None)
    assert (tmp_path / "league" / "p" / "README.md").read_text() == "# card\n"
    assert sorted(path.name for path in (tmp_path / "league").iterdir()) == ["p"]


def test_names_of_another_run_are_refused_before_anything_starts(tmp_path: Path) -> None:
    league.register(tmp_path / "league", "p", FACTS, "# card\n", None)

    league.check_free(tmp_path / "league", ["p", "q"], "r1")
    with pytest.raises(UsageError, match="another run's policy"):
        league.check_free(tmp_path / "league", ["p"], "r2")


@pytest.mark.parametrize("name", ["openai/gpt-5-mini", "bot/random", "mock/legal"])
def test_only_weights_in_this_process_can_be_trained(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="cannot be trained here"):
        league.find_start(name, load_game("kuhn"))


def test_a_local_base_is_named_by_its_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.training.tiny_models import learnable

    learnable(tmp_path / "models" / "tiny")
    monkeypatch.chdir(tmp_path)
    start = league.find_start("hf/models/tiny?choice=grammar", load_game("kuhn"))

    assert start.base == f"hf/{tmp_path}/models/tiny?choice=grammar"
    assert start.context == 8192
