"""The tiny model: the same bytes everywhere, made once."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

pytest.importorskip("safetensors")
pytest.importorskip("numpy")

from arena.models.files import file_sha256
from arena.models.tiny import made_once, tiny_random
from arena.models.weights import check_folder

pytestmark = pytest.mark.models


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ARENA_HOME", str(tmp_path))
    return tmp_path


def test_its_bytes_are_the_same_on_every_machine(home: Path) -> None:
    """A changed hash is another model: raise the version in tiny.py, or put back what changed it."""
    folder = tiny_random(0)

    assert file_sha256(folder / "model.safetensors") == (
        "ece89df51175b4a6b452168a30c7a4d6c0562e29d1d599950a201efd0571fa65"
    )
    assert file_sha256(folder / "tokenizer.json") == (
        "fb84a49d98dbb646398f705825910e80798cf8996751831d8c246f19cb8965bc"
    )
    assert (folder / "model.safetensors").stat().st_size == 380_688


def test_another_seed_is_another_model_with_the_same_tokenizer(home: Path) -> None:
    first, second = tiny_random(0), tiny_random(1)

    assert first != second
    assert file_sha256(first / "model.safetensors") != file_sha256(second / "model.safetensors")
    assert file_sha256(first / "tokenizer.json") == file_sha256(second / "tokenizer.json")


def test_it_holds_safetensors_and_json_only(home: Path) -> None:
    folder = tiny_random(0)

    assert [path.name for path in check_folder(folder, "model")] == ["model.safetensors"]
    assert {path.suffix for path in folder.iterdir()} == {".safetensors", ".json"}
    assert len(json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]) == 322


def test_it_is_made_once_even_by_many_at_once(home: Path) -> None:
    built: list[Path] = []
    barrier = threading.Barrier(4)

    def build(folder: Path) -> None:
        built.append(folder)
        barrier.wait(10)  # all are at it together
        (folder / "whole").write_text("yes", "utf-8")

    threads = [threading.Thread(target=made_once, args=(home / "m", build)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(built) == 4
    assert (home / "m" / "whole").read_text("utf-8") == "yes"
    assert [path.name for path in home.iterdir()] == ["m"]  # nothing half made is left


def test_a_failed_build_leaves_nothing(home: Path) -> None:
    def build(folder: Path) -> None:
        (folder / "half").write_text("x", "utf-8")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        made_once(home / "m", build)

    assert list(home.iterdir()) == []
