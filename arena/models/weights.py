"""Files of weights: what may be loaded at all, and the hashes that say which weights played.

Only safetensors and GGUF are loaded, and a file is judged by its content: a pickle under another name is still a
program. Hashes are kept per path, size and time of change, since a large model would be read twice for each start.
"""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from arena.core.errors import UsageError
from arena.models.files import file_sha256
from arena.models.folders import cache_folder

TENSORS = ".safetensors"
_LONGEST_HEADER = 100 << 20
_IDENTITY = (TENSORS, ".json", ".jinja", ".model", ".txt", ".gguf")
_PROGRAMS = {
    b"\x80": "a pickle",
    b"PK\x03\x04": "a PyTorch archive (a pickle in a zip)",
    b"\x93NUMPY": "a numpy file",
    b"GGUF": "a GGUF file",
}


def check_tensors(path: Path) -> None:
    """Stop if a file that calls itself safetensors is anything else. Nothing of it is loaded here."""
    with path.open("rb") as file:
        head = file.read(8)
        size = path.stat().st_size
        for magic, what in _PROGRAMS.items():
            if head.startswith(magic) and not (what == "a pickle" and _is_header(head, size)):
                raise UsageError(f"{path} is {what}, not safetensors; nothing is unpickled", hint=_HINT)
        if not _is_header(head, size):
            raise UsageError(f"{path} is not safetensors: its header does not fit into the file", hint=_HINT)
        length = int.from_bytes(head, "little")
        header = file.read(length)
    try:
        entries: Any = json.loads(header)
        _check_offsets(entries, size - 8 - length)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise UsageError(f"{path} is not safetensors: its header is damaged", hint=_HINT) from error


_HINT = "safetensors or GGUF files are needed"


def check_folder(folder: Path, what: str) -> list[Path]:
    """The weight files of a model's or an adapter's folder, all of them safetensors by content."""
    found = sorted(path for path in folder.iterdir() if path.name.endswith(TENSORS))
    if not found:
        others = sorted(p.name for p in folder.iterdir() if p.suffix in (".bin", ".pt", ".pth", ".pkl", ".ckpt"))
        seen = f"holds {others[0]}, which is not loaded: it is a program" if others else "holds no weights"
        raise UsageError(f"the {what} {folder} {seen}", hint=_HINT)
    for path in found:
        check_tensors(path)
    return found


def identity_files(folder: Path) -> list[Path]:
    """What makes a model the model that it is: weights, config, tokenizer, chat template. Not its sub-folders."""
    return sorted(path for path in folder.iterdir() if path.is_file() and path.suffix in _IDENTITY)


def hashes(files: list[Path]) -> dict[str, str]:
    """SHA-256 of each file, by its name."""
    return {path.name: sha256(path) for path in files}


def sha256(path: Path) -> str:
    """The hash of a file, from the cache if path, size and time of change are those that were hashed."""
    real = path.resolve()
    stat = real.stat()
    return _hashed(str(real), stat.st_size, stat.st_mtime_ns)


@cache
def _hashed(path: str, size: int, changed_ns: int) -> str:
    store = cache_folder() / "file-hashes.json"
    known = _read(store)
    entry = known.get(path)
    if isinstance(entry, list) and entry[:2] == [size, changed_ns] and len(entry) == 3:
        return str(entry[2])
    found = file_sha256(Path(path))
    if size > 1 << 20:  # smaller ones are quicker hashed than looked up
        _write(store, _read(store) | {path: [size, changed_ns, found]})
    return found


def _read(store: Path) -> dict[str, Any]:
    try:
        found = json.loads(store.read_text("utf-8"))
    except (OSError, ValueError):
        return {}  # none yet, or half of one: hashing again is all that is lost
    return found if isinstance(found, dict) else {}


def _write(store: Path, known: dict[str, Any]) -> None:
    try:
        store.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile("w", encoding="utf-8", dir=store.parent, delete=False) as temporary:
            json.dump(known, temporary)
        os.replace(temporary.name, store)  # noqa: PTH105
    except OSError:
        return  # a cache folder that cannot be written to costs time, nothing else


def _is_header(head: bytes, size: int) -> bool:
    length = int.from_bytes(head, "little")
    return len(head) == 8 and 2 <= length <= min(_LONGEST_HEADER, size - 8)


def _check_offsets(entries: dict[str, Any], size: int) -> None:
    """Tensors lie one after the other and fill the file: what the format promises."""
    spans = sorted(entry["data_offsets"] for name, entry in entries.items() if name != "__metadata__")
    at = 0
    for start, end in spans:
        if start != at or end < start:
            raise ValueError("tensors overlap or leave gaps")
        at = end
    if at != size:
        raise ValueError("the tensors do not fill the file")
