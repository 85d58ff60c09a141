"""The trained policy in memory: a base with a LoRA adapter named `default`, its reference, and how it is saved.

Adapters are read through `check_adapter`, so only the fields that shape a LoRA are used and nothing is unpickled.
Random LoRA B is zero: a saved adapter whose B is still zero never saw a step.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from arena.core.errors import UsageError
from arena.models import on_cpu
from arena.models.adapters import check_adapter
from arena.training.settings import Params

TENSORS, CONFIG = "adapter_model.safetensors", "adapter_config.json"


def load_base(folder: str, device: str, params: Params) -> tuple[Any, Any]:
    """The base model and its tokenizer."""
    import torch
    import transformers

    is_gpu = device == "cuda"
    dtype = {"auto": torch.bfloat16 if is_gpu else torch.float32, "fp32": torch.float32, "bf16": torch.bfloat16}
    model = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=dtype[params.dtype], use_safetensors=True, trust_remote_code=False
    )
    if not is_gpu:
        on_cpu.whole_rows(model.get_output_embeddings())
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    tokenizer.padding_side = "left"
    model.config.name_or_path = folder
    return model, tokenizer


def device_of(wanted: str) -> str:
    import torch

    if wanted == "cuda" and not torch.cuda.is_available():
        raise UsageError("--device cuda: torch sees no CUDA device")
    return ("cuda" if torch.cuda.is_available() else "cpu") if wanted == "auto" else wanted


def lora_config(params: Params) -> Any:
    """A fresh adapter on all linear layers; PEFT leaves `lm_head` out, which the trainers refuse."""
    from peft import LoraConfig

    return LoraConfig(
        r=params.lora_r,
        lora_alpha=params.lora_alpha,
        lora_dropout=0.0,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )


def with_adapter(base: Any, folder: str) -> Any:
    """The base with a trainable copy of a saved adapter as `default`."""
    from peft import LoraConfig, get_peft_model

    checked = check_adapter(Path(folder), {base.config.name_or_path})
    model = get_peft_model(base, LoraConfig(**json.loads(checked.config)), adapter_name="default")
    put_weights(model, folder, "default")
    return model


def put_weights(model: Any, folder: str, name: str) -> None:
    """A saved adapter's weights into the adapter of that name."""
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file

    result = set_peft_model_state_dict(model, load_file(Path(folder) / TENSORS), adapter_name=name)
    lacking = [key for key in result.missing_keys if "lora_" in key and f".{name}." in key]
    if result.unexpected_keys or lacking:
        raise UsageError(f"the adapter {folder} does not fit its base: {[*result.unexpected_keys, *lacking][0]}")


def save_policy(model: Any, folder: Path, base: str) -> None:
    """The adapter `default` alone, whole or not at all. Bytes depend on the weights only."""
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    model.peft_config["default"].base_model_name_or_path = base
    model.save_pretrained(part, selected_adapters=["default"], safe_serialization=True)
    config = json.loads((part / CONFIG).read_text())
    config["target_modules"] = sorted(config["target_modules"])  # a set in PEFT: its order changes by process
    (part / CONFIG).write_text(json.dumps(config, indent=1, sort_keys=True))
    for path in part.iterdir():
        if path.name not in (TENSORS, CONFIG):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.rmtree(folder, ignore_errors=True)
    part.replace(folder)


def greatest_b(model: Any) -> float:
    """max|B| of the trained adapter; 0 = no step happened."""
    return max(
        (float(p.detach().abs().max()) for n, p in model.named_parameters() if "lora_B.default" in n), default=0.0
    )
