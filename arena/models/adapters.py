"""LoRA adapters on one base in memory: checked before they are loaded, switched by name, the least used one dropped.

An adapter is two files of a folder, `adapter_config.json` and `adapter_model.safetensors`; sub-folders (`ref/`, `opp/`)
are not looked at. Of its config only the fields that shape a LoRA are read: others can name modules to import
(`megatron_core`, `auto_mapping`), which a file of weights has no business to do.
"""

from __future__ import annotations

import json
import warnings
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256 as sha
from pathlib import Path
from typing import Any

from arena.core.errors import UsageError
from arena.models.weights import check_tensors, sha256

MOST_LOADED = 8
_CONFIG, _TENSORS = "adapter_config.json", "adapter_model.safetensors"
_FIELDS = (
    "r", "lora_alpha", "lora_dropout", "target_modules", "exclude_modules", "fan_in_fan_out", "bias", "use_rslora",
    "use_dora", "modules_to_save", "layers_to_transform", "layers_pattern", "rank_pattern", "alpha_pattern",
    "lora_bias", "target_parameters", "task_type",
)  # fmt: skip


@dataclass(frozen=True)
class Adapter:
    """An adapter's folder that was checked. `key` is its content: two paths to the same bytes are one adapter."""

    folder: Path
    key: str
    sha256: str
    config: str  # the accepted fields, as JSON


def check_adapter(folder: Path, base: Collection[str], *, any_base: bool = False) -> Adapter:
    """The adapter in `folder`, or a UsageError. `base` holds every way in which its base may be named."""
    config_file, tensors = folder / _CONFIG, folder / _TENSORS
    if not config_file.is_file():
        raise UsageError(f"{folder} holds no {_CONFIG}, so it is no adapter")
    if not tensors.is_file():
        others = sorted(p.name for p in folder.iterdir() if p.name.startswith("adapter_model"))
        found = f"holds {others[0]}, which is not loaded: it is a program" if others else f"holds no {_TENSORS}"
        raise UsageError(f"the adapter {folder} {found}", hint="save it with safe_serialization=True")
    check_tensors(tensors)
    try:
        config = json.loads(config_file.read_text("utf-8"))
        kind, named = config.get("peft_type"), config.get("base_model_name_or_path")
    except (ValueError, AttributeError, RecursionError) as error:
        raise UsageError(f"{config_file} is not readable JSON") from error
    if kind != "LORA":
        raise UsageError(f"the adapter {folder} is of the kind {kind!r}; LoRA adapters are supported")
    if named and not any_base and not _is_base(str(named), base):
        raise UsageError(
            f"the adapter {folder} was trained on {named}, not on {min(base)}",
            hint="name its own base before the `+`, or accept the difference with ?any_base=true",
        )
    accepted = json.dumps({field: config[field] for field in _FIELDS if config.get(field) is not None}, sort_keys=True)
    content = sha256(tensors)
    return Adapter(folder, sha(f"{accepted} {content}".encode()).hexdigest()[:16], content, accepted)


def _is_base(named: str, base: Collection[str]) -> bool:
    """Whether an adapter's base is this one. Models that are made here are the same in every folder."""
    if named in base:
        return True
    path = Path(named).expanduser()
    made_here = path.name.startswith(("tiny-random-", "smollm2-135m-"))
    return str(path.resolve()) in base or (made_here and path.name in {Path(one).name for one in base})


class Adapters:
    """The adapters of one base model. Only the thread that owns the model may call this."""

    def __init__(self, model: Any) -> None:
        self._base = model
        self._with: Any = None  # the same weights, wrapped by PEFT once an adapter was loaded
        self._loaded: OrderedDict[str, None] = OrderedDict()

    def use(self, adapter: Adapter | None) -> Any:
        """The model to call: with `adapter` in force, or as it is without any."""
        if adapter is None:
            if self._with is not None:
                self._with.base_model.disable_adapter_layers()
            return self._base
        if adapter.key not in self._loaded:
            self._load(adapter)
        self._loaded.move_to_end(adapter.key)
        self._with.base_model.enable_adapter_layers()
        self._with.set_adapter(adapter.key)
        return self._base

    def _load(self, adapter: Adapter) -> None:
        """By hand and not by `PeftModel.from_pretrained`, which would read the whole config again."""
        from peft import LoraConfig, get_peft_model, set_peft_model_state_dict
        from safetensors.torch import load_file

        # peft 0.21 asks transformers 5.2x for a name that is going away; nothing that a player could do about it
        warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated", category=FutureWarning)
        if len(self._loaded) >= MOST_LOADED:
            oldest, _ = self._loaded.popitem(last=False)
            self._with.delete_adapter(oldest)
        config = LoraConfig(**json.loads(adapter.config), inference_mode=True)
        if self._with is None:
            self._with = get_peft_model(self._base, config, adapter_name=adapter.key)
        else:
            self._with.add_adapter(adapter.key, config)
        try:
            weights = load_file(adapter.folder / _TENSORS)
            found = set_peft_model_state_dict(self._with, weights, adapter_name=adapter.key)
            strange = list(found.unexpected_keys)
            lacking = [key for key in found.missing_keys if "lora_" in key and f".{adapter.key}." in key]
            if strange or lacking:
                raise ValueError(f"it {'has' if strange else 'lacks'} {(strange or lacking)[0]}")
        except Exception as error:  # half an adapter plays like its base, and nobody would notice
            self._with.delete_adapter(adapter.key)
            raise UsageError(f"the adapter {adapter.folder} does not fit its base: {error}") from error
        self._loaded[adapter.key] = None
        self._with.eval()
