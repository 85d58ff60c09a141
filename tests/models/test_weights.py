"""Files of weights: judged by content, hashed once."""

from __future__ import annotations

import json
import os
import pickle
from collections.abc import Mapping
from pathlib import Path

import pytest

from arena.core.errors import UsageError
from arena.models import weights
from arena.models.weights import check_folder, check_tensors, hashes, identity_files, sha256


def tensors(header: Mapping[str, object], data: bytes = b"") -> bytes:
    raw = json.dumps(header).encode()
    return len(raw).to_bytes(8, "little") + raw + data


ONE = {"w": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}
GOOD = tensors(ONE, b"\0" * 8)

BAD = {
    "a pickle": pickle.dumps({"w": [1, 2, 3] * 50}),
    "a zip": b"PK\x03\x04" + b"\0" * 100,
    "numpy": b"\x93NUMPY" + b"\0" * 100,
    "gguf": b"GGUF" + b"\0" * 100,
    "nothing": b"",
    "text": b"these are no weights at all, only words",
    "a header of 2^63": (1 << 63).to_bytes(8, "little") + b"{}",
    "a header longer than the file": (500).to_bytes(8, "little") + b"{}",
    "a header that is no JSON": (4).to_bytes(8, "little") + b"{{{{" + b"\0" * 9,
    "a header that is a list": (2).to_bytes(8, "little") + b"[]",
    "overlapping tensors": tensors({"a": {"data_offsets": [0, 8]}, "b": {"data_offsets": [4, 8]}}, b"\0" * 8),
    "a gap": tensors({"a": {"data_offsets": [0, 4]}, "b": {"data_offsets": [6, 8]}}, b"\0" * 8),
    "more than its tensors": tensors(ONE, b"\0" * 9),
    "less than its tensors": tensors(ONE, b"\0" * 7),
    "no offsets": tensors({"a": {"dtype": "F32"}}),
    "offsets that are words": tensors({"a": {"data_offsets": ["x", "y"]}}, b"\0" * 8),
}


@pytest.mark.parametrize("content", BAD.values(), ids=BAD)
def test_whatever_is_no_safetensors_is_refused_under_that_name(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(content)

    with pytest.raises(UsageError, match="not safetensors") as caught:
        check_tensors(file)

    assert "safetensors or GGUF" in str(caught.value.hint)


def test_a_good_file_passes(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    file.write_bytes(GOOD)

    check_tensors(file)

    assert check_folder(tmp_path, "model") == [file]


def test_a_header_as_long_as_a_pickles_first_byte_is_no_pickle(tmp_path: Path) -> None:
    """A header of 128 bytes begins with 0x80, as pickles do."""
    header = json.dumps(ONE).encode().ljust(128)
    file = tmp_path / "model.safetensors"
    file.write_bytes((128).to_bytes(8, "little") + header + b"\0" * 8)

    check_tensors(file)


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.pth", "model.pkl", "model.ckpt"])
def test_a_bomb_is_refused_and_not_run(name: str, tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[object, tuple[str, int]]:
            return os.open, (str(tmp_path / "exploded"), os.O_CREAT)

    (tmp_path / name).write_bytes(pickle.dumps(Bomb()))

    with pytest.raises(UsageError, match=f"{name}, which is not loaded"):
        check_folder(tmp_path, "model")
    (tmp_path / "model.safetensors").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(UsageError, match="a pickle"):
        check_folder(tmp_path, "model")

    assert not (tmp_path / "exploded").exists()


def test_an_identity_is_weights_config_and_tokenizer_and_no_sub_folder(tmp_path: Path) -> None:
    for name in ("model.safetensors", "config.json", "tokenizer.json", "README.md", "train.py"):
        (tmp_path / name).write_text(name, "utf-8")
    (tmp_path / "ref").mkdir()
    (tmp_path / "ref" / "adapter_model.safetensors").write_text("x", "utf-8")

    found = hashes(identity_files(tmp_path))

    assert sorted(found) == ["config.json", "model.safetensors", "tokenizer.json"]
    assert found["config.json"] == "587cb980af76fdc7e52369fd0b9d926dff266976b6f8ac631e358fecc49ff8cf"


def test_a_large_file_is_hashed_once_until_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = tmp_path / "model.safetensors"
    file.write_bytes(b"\0" * (2 << 20))
    read: list[Path] = []

    def counted(path: Path) -> str:
        read.append(path)
        return "hash"

    monkeypatch.setattr(weights, "file_sha256", counted)
    for _ in range(3):
        weights._hashed.cache_clear()  # as another process would
        sha256(file)
    once = len(read)
    os.utime(file, (1, 1))
    sha256(file)

    assert (once, len(read)) == (1, 2)


def test_a_damaged_store_of_hashes_is_no_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    store = tmp_path / "cache" / "parley-arena" / "file-hashes.json"
    store.parent.mkdir(parents=True)
    store.write_text('{"half', "utf-8")
    file = tmp_path / "model.safetensors"
    file.write_bytes(GOOD)

    assert len(sha256(file)) == 64
