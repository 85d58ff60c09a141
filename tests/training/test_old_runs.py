"""Runs of an earlier release: what they froze is read as it was meant then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from arena.core import UsageError
from arena.training.jsonfile import write_json
from arena.training.manifest import Manifest
from arena.training.settings import Params, TrainSettings, differing, filled, from_toml, to_toml
from arena.training.setup import check_new, set_up

pytest.importorskip("trl")
pytestmark = pytest.mark.models


def test_a_report_without_the_word_kept_is_read(tmp_path: Path) -> None:
    from arena.training.loop import _Loop

    settings = TrainSettings("kto", "matrix/rps", "hf/tiny-random", 4, "x", str(tmp_path), "outcome", 1e-3)
    rows = [{"k": 1, "league": "league/x-k1", "promoted": True}]
    write_json(tmp_path / "report.json", {"iterations": rows, "champion": "league/x-k1", "final": {}})
    manifest = Manifest(tmp_path)
    manifest.data["config_sha256"] = ""
    result = _Loop(set_up(tmp_path, settings), manifest)._result()

    assert result.message == "complete already: 1 of 1 policies promoted"


def stored(tmp_path: Path, params: dict[str, Any], **changed: Any) -> TrainSettings:
    """Settings as the previous release wrote them: no word of label_smoothing, init and meta always there."""
    old = {"init": "champion", "meta": "nash", "importance": "token"}
    settings = made(old | params, **changed)
    (tmp_path / "config.toml").write_text(to_toml(settings))
    return from_toml(tmp_path / "config.toml")


def made(params: dict[str, Any], **changed: Any) -> TrainSettings:
    values = {"algorithm": "dpo", "game": "matrix/rps", "model": "hf/tiny-random", "seed": 4, "league": "x"}
    values |= {"league_folder": "league", "recipe": "fork-pairs", "lr": 1e-3}
    return TrainSettings(**values | changed, params=Params.make(params))  # type: ignore[arg-type]  # plain values


def test_a_stored_run_of_roles_in_psro_goes_on_and_a_new_one_is_refused(tmp_path: Path) -> None:
    old = stored(tmp_path, {}, opponents="psro", roles=("player_0",))

    assert set_up(tmp_path / "run", old).settings.params.meta == "nash"
    with pytest.raises(UsageError, match="not with --role"):
        check_new(old)


def test_the_same_line_means_the_same_run(tmp_path: Path) -> None:
    assert differing(stored(tmp_path, {}), made({})) == []
    assert differing(stored(tmp_path, {"meta": "uniform"}, opponents="psro"), made({}, opponents="psro")) == [
        "init",
        "meta",
    ]
    assert differing(stored(tmp_path, {}), made({"lora_r": 4})) == ["lora_r"]


def test_smoothing_that_was_not_stored_was_none(tmp_path: Path) -> None:
    old = stored(tmp_path, {"loss": "robust"})

    assert old.params.label_smoothing == 0
    assert differing(old, made({"loss": "robust"})) == ["label_smoothing"]


@pytest.mark.parametrize(
    ("params", "changed", "frozen"),
    [
        ({"loss": "robust"}, {}, {"label_smoothing": 0.1, "init": "champion", "beta": 0.1}),
        ({"loss": "sigmoid+exo_pair"}, {}, {"label_smoothing": 0.001}),
        ({"nash": "extragradient"}, {"opponents": "psro"}, {"loss": "ipo", "init": "base", "meta": "auto"}),
        ({"importance": "sequence"}, {"algorithm": "grpo", "recipe": "rae"}, {"loss": "grpo", "beta": 0.0}),
        ({"loss": "luspo"}, {"algorithm": "grpo", "recipe": "rae"}, {"importance": "sequence"}),
    ],
)
def test_what_depends_on_others_is_written_out(
    tmp_path: Path, params: dict[str, Any], changed: dict[str, Any], frozen: dict[str, Any]
) -> None:
    (tmp_path / "config.toml").write_text(to_toml(filled(made(params, **changed))))
    read = from_toml(tmp_path / "config.toml")

    assert {key: getattr(read.params, key) for key in frozen} == frozen
    assert differing(read, made(params, **changed)) == []
