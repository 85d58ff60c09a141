"""`hf/tiny-random?seed=0`: a random two-layer chat model of 381 KB, for tests, made on this machine in a second.

A Llama of 94,656 parameters (hidden 64, 4 heads, 2 of them for keys) over a byte BPE of 322 tokens, with a chat
template that names its roles. Its bytes are a function of the seed on every machine and with every version of torch:
the weights come from numpy's frozen Mersenne stream and the merges are written out here. It answers noise; what is
random is its words, not its shape, so batching, masks, adapters and training can be tested on it in milliseconds.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from arena.core.seeds import derive
from arena.models.folders import data_folder

if TYPE_CHECKING:
    import numpy as np

HIDDEN, LAYERS, HEADS, KV_HEADS, INNER, CONTEXT = 64, 2, 4, 2, 128, 8192
SPECIAL = ("<|pad|>", "<|start|>", "<|end|>", "<|unk|>")
_VERSION = 1  # of the recipe: another recipe is another model
_INIT = 0.02

_MERGES = """
t h|e r|Ġ o|Ġ th|Ġth e|a y|Ġ a|o u|Ġ "|e s|l ay|n d|p lay|Ġ s|Ġ w|Ġ play|Ġplay er|i s|r e|r o|Ġ n|Ġo f|" :|" }|A n|i th
o t|s w|{ "|Ġ 1|Ġ t|Ġ v|Ġ is|Ġ {"|Ġo n|Ġw ith|An sw|Answ er|T h|Y ou|a t|c k|c o|c t|e ct|i n|m o|p er|v e|y ou|Ġ I|Ġ r
Ġ ||Ġ Th|Ġ you|th er|Ġo ther|ay s|Ġa nd|Ġa re|ou nd|_ 1
"""

TEMPLATE = (
    "{% for message in messages %}<|start|>{{ message['role'] }}\n{{ message['content'] }}<|end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|start|>assistant\n{% endif %}"
)


def tiny_random(seed: int = 0) -> Path:
    """The folder of the tiny model of that seed; made on first use."""
    return made_once(data_folder() / "models" / f"tiny-random-{seed}-v{_VERSION}", lambda folder: _build(folder, seed))


def made_once(folder: Path, build: object) -> Path:
    """`folder`, after `build(path)` filled it. A folder of that name is whole: it is renamed when it is."""
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        build(unfinished)  # type: ignore[operator]
        os.replace(unfinished, folder)  # noqa: PTH105
    except OSError:
        if not folder.is_dir():  # else another process was quicker, with the same bytes
            raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    return folder


def _build(folder: Path, seed: int) -> None:
    from safetensors.numpy import save_file

    vocab = _vocabulary()
    save_file(_tensors(seed, len(vocab)), folder / "model.safetensors", metadata={"format": "pt"})
    _write(folder / "config.json", _config(len(vocab)))
    _write(folder / "generation_config.json", {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0})
    _write(folder / "tokenizer.json", _tokenizer(vocab))
    _write(
        folder / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "chat_template": TEMPLATE,
            "pad_token": SPECIAL[0],
            "eos_token": SPECIAL[2],
            "unk_token": SPECIAL[3],
            "model_max_length": CONTEXT,
            "padding_side": "left",
            "clean_up_tokenization_spaces": False,
        },
    )


def _config(vocab: int) -> dict[str, object]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": HIDDEN,
        "intermediate_size": INNER,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": KV_HEADS,
        "vocab_size": vocab,
        "max_position_embeddings": CONTEXT,
        "tie_word_embeddings": True,
        "rms_norm_eps": 1e-5,
        "hidden_act": "silu",
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
        "dtype": "float32",
    }


def _tensors(seed: int, vocab: int) -> dict[str, np.ndarray]:
    import numpy as np

    kv = HIDDEN // HEADS * KV_HEADS
    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (vocab, HIDDEN), "model.norm.weight": (HIDDEN,)}
    for layer in range(LAYERS):
        inside = {
            "input_layernorm": (HIDDEN,),
            "post_attention_layernorm": (HIDDEN,),
            "self_attn.q_proj": (HIDDEN, HIDDEN),
            "self_attn.k_proj": (kv, HIDDEN),
            "self_attn.v_proj": (kv, HIDDEN),
            "self_attn.o_proj": (HIDDEN, HIDDEN),
            "mlp.gate_proj": (INNER, HIDDEN),
            "mlp.up_proj": (INNER, HIDDEN),
            "mlp.down_proj": (HIDDEN, INNER),
        }
        shapes |= {f"model.layers.{layer}.{name}.weight": shape for name, shape in inside.items()}
    found: dict[str, np.ndarray] = {}
    for name, shape in shapes.items():
        # RandomState and not default_rng: its streams are frozen for good (NEP 19)
        stream = np.random.RandomState(derive("tiny-random", seed, name) % 2**32)
        draw = stream.standard_normal(shape) * _INIT if len(shape) == 2 else np.ones(shape)
        found[name] = draw.astype(np.float32)
    return found


def _vocabulary() -> dict[str, int]:
    merged = ["".join(merge) for merge in _merges()]
    return {token: number for number, token in enumerate([*SPECIAL, *_byte_letters(), *merged])}


def _merges() -> list[list[str]]:
    """Pairs as `a b`, between bars; the token `|` itself is merged once."""
    pairs = _MERGES.strip().replace("\n", "|").replace("Ġ ||", "Ġ BAR|").split("|")
    return [["|" if part == "BAR" else part for part in pair.split(" ")] for pair in pairs]


def _byte_letters() -> list[str]:
    """The 256 letters that GPT-2's byte-level tokenizers write bytes with, by byte."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in plain]
    letters = {byte: chr(byte) for byte in plain} | {byte: chr(256 + at) for at, byte in enumerate(others)}
    return [letters[byte] for byte in range(256)]


def _tokenizer(vocab: dict[str, int]) -> dict[str, object]:
    level = {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True}
    return {
        "version": "1.0",
        "added_tokens": [
            {
                "id": number,
                "content": token,
                "special": True,
                "single_word": False,
                "lstrip": False,
                "rstrip": False,
                "normalized": False,
            }
            for number, token in enumerate(SPECIAL)
        ],
        "normalizer": None,
        "pre_tokenizer": level,
        "post_processor": None,
        "decoder": level,
        "model": {"type": "BPE", "vocab": vocab, "merges": _merges(), "byte_fallback": False},
    }


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1), "utf-8")
