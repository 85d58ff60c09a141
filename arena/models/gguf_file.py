"""The facts in a GGUF file's header: context length, chat template, and which tokens are control tokens.

A reader of a page, so that the embedded client needs no further package. Only the header is read; whatever does not
fit into the file is an error before memory is taken for it.
https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path
from typing import Any

from arena.core.errors import UsageError

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_CONTROL = 3
_DEEPEST = 4


def read_header(path: Path) -> dict[str, Any]:
    """Every key of the header; arrays as lists."""
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise UsageError(f"{path} is no GGUF file", hint="safetensors (hf/…) or GGUF files are needed")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as raw:
            try:
                return _Reader(raw).header()
            except (struct.error, ValueError, KeyError, IndexError) as error:
                raise UsageError(f"{path} is a damaged GGUF file: {error}") from error


def control_tokens(header: dict[str, Any]) -> list[str]:
    """The texts that end turns and open roles when a tokenizer reads them as tokens."""
    tokens, kinds = header.get("tokenizer.ggml.tokens", []), header.get("tokenizer.ggml.token_type", [])
    return [token for token, kind in zip(tokens, kinds, strict=False) if kind == _CONTROL and token]


class _Reader:
    def __init__(self, raw: mmap.mmap) -> None:
        self._raw, self._at = raw, 4

    def header(self) -> dict[str, Any]:
        version = self._scalar("I")
        if version not in (2, 3):
            raise ValueError(f"version {version} is unknown")
        self._scalar("Q")  # tensors
        found: dict[str, Any] = {}
        for _ in range(self._length(12)):
            key = self._string()
            found[key] = self._value(self._scalar("I"), 0)
        return found

    def _value(self, kind: int, depth: int) -> Any:
        if kind == _STRING:
            return self._string()
        if kind != _ARRAY:
            return self._scalar(_SCALARS[kind])
        if depth >= _DEEPEST:
            raise ValueError("arrays nest too deeply")
        inner = self._scalar("I")
        if inner in (_STRING, _ARRAY):
            return [self._value(inner, depth + 1) for _ in range(self._length(8))]
        layout = _SCALARS[inner]
        count = self._length(struct.calcsize(layout))
        values = struct.unpack_from(f"<{count}{layout}", self._raw, self._at)
        self._at += count * struct.calcsize(layout)
        return list(values)

    def _string(self) -> str:
        size = self._length(1)
        text = self._raw[self._at : self._at + size].decode("utf-8", "replace")
        self._at += size
        return text

    def _length(self, least: int) -> int:
        """A count of things that take at least `least` bytes each; more than the file holds is damage."""
        count = self._scalar("Q")
        if count * least > len(self._raw) - self._at:
            raise ValueError("a length reaches behind the end of the file")
        return int(count)

    def _scalar(self, layout: str) -> Any:
        (value,) = struct.unpack_from(f"<{layout}", self._raw, self._at)
        self._at += struct.calcsize(layout)
        return value
