"""The tiny model of the training tests: `hf/tiny-random` whose last norm is eight times as strong.

A LoRA on the linear layers cannot move a tied, 0.02-initialised output layer by more than about 1.3 nats a token (the
last hidden state has a fixed norm), so no training of the plain one reaches certainty. With the stronger norm it can.
"""

from __future__ import annotations

import json
import shutil
import struct
from pathlib import Path

from arena.models.tiny import tiny_random

GAIN = 8.0


def learnable(folder: Path, seed: int = 0) -> Path:
    """The model in `folder`, made if need be."""
    if (folder / "model.safetensors").is_file():
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    for path in tiny_random(seed).iterdir():
        if path.is_file():
            shutil.copyfile(path, folder / path.name)
    weights = folder / "model.safetensors"
    data = bytearray(weights.read_bytes())
    length = int.from_bytes(data[:8], "little")
    start, end = json.loads(data[8 : 8 + length])["model.norm.weight"]["data_offsets"]
    at = 8 + length + start
    count = (end - start) // 4
    values = struct.unpack_from(f"<{count}f", data, at)
    struct.pack_into(f"<{count}f", data, at, *(value * GAIN for value in values))
    weights.write_bytes(bytes(data))
    return folder
