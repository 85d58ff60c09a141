"""What the tests of local models share: tiny models, adapters for them, and requests."""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from arena.models.hf_client import HFClient
from arena.models.hf_engine import Engine
from arena.models.names import ModelName
from arena.models.tiny import tiny_random
from arena.models.types import Message, Request, Response, Sampling
from arena.prompt.shape import Shape

OPTIONS = Shape("options", options=("rock", "paper", "scissors"))


def messages(prompt: str = 'Answer with one of: "rock" | "paper"') -> tuple[Message, ...]:
    return ({"role": "system", "content": "You play."}, {"role": "user", "content": prompt})


def tiny_engine() -> Engine:
    """The engine of the tiny model, weights not yet read."""
    return Engine(tiny_random(0), "hf/tiny-random", dtype="fp32", device="cpu", threads=None)


def passes_of(model: Engine) -> list[tuple[int, int]]:
    """Grows by the rows and tokens of each pass of the model, padding included."""
    seen: list[tuple[int, int]] = []
    model.model.register_forward_pre_hook(
        lambda _module, _args, given: seen.append(tuple(given["input_ids"].shape)), with_kwargs=True
    )
    return seen


def request(prompt: str = "Choose.", shape: Shape | None = None, **changed: Any) -> Request:
    """A request; sampling's fields may be named among the request's."""
    sampling = {key: changed.pop(key) for key in Sampling.__dataclass_fields__ if key in changed}
    return Request(messages(prompt), shape, Sampling(**({"max_tokens": 24} | sampling)), **changed)


def with_client(
    scene: Callable[[HFClient], Coroutine[Any, Any, Any]],
    model: str = "tiny-random",
    adapter: str | None = None,
    **options: Any,
) -> Any:
    """Run a scene with one client that is closed afterwards."""

    async def run() -> Any:
        client = HFClient(ModelName("hf", model, adapter=adapter, options={"dtype": "fp32", **options}))
        try:
            return await scene(client)
        finally:
            await client.aclose()

    return asyncio.run(run())


def ask(wanted: Request, **options: Any) -> Response:
    async def scene(client: HFClient) -> Response:
        return await client.complete(wanted)

    found: Response = with_client(scene, **options)
    return found


def many(wanted: list[Request], **options: Any) -> list[Response]:
    async def scene(client: HFClient) -> list[Response]:
        return list(await asyncio.gather(*(client.complete(one) for one in wanted)))

    found: list[Response] = with_client(scene, **options)
    return found


def make_adapter(folder: Path, base: Path, seed: int, *, strength: float = 0.5, named: str | None = None) -> Path:
    """A random LoRA on all linear layers, strong enough to be seen."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base)
    warnings.filterwarnings("ignore", message="`is_gradient_checkpointing` is deprecated")  # peft 0.21
    tuned = get_peft_model(model, LoraConfig(r=4, target_modules="all-linear", init_lora_weights=False))
    stream = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in tuned.named_parameters():
            if "lora_" in name:
                weight.copy_(torch.randn(weight.shape, generator=stream) * strength)
    tuned.peft_config["default"].base_model_name_or_path = named if named is not None else str(base)
    tuned.save_pretrained(folder)
    return folder
