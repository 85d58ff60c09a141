"""From names to clients: what is imported when, and what a missing part says."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from arena.core.errors import UsageError
from arena.models import clients
from arena.models.clients import CLIENTS, client_options, known_providers, make_client
from arena.models.mock import MockClient
from arena.models.names import ModelName, parse_name
from arena.models.options import COMMON
from arena.models.redact import Redactor


def model(text: str) -> ModelName:
    found = parse_name(text).model
    assert found is not None
    return found


@pytest.mark.parametrize("client", sorted(CLIENTS))
def test_every_client_declares_its_options_and_its_class(client: str) -> None:
    module = import_module(f"arena.models.{CLIENTS[client].module}")

    assert hasattr(module, CLIENTS[client].cls)
    assert client_options(client).keys() == COMMON.keys() | module.OPTIONS.keys()
    for kind, default in module.OPTIONS.values():
        assert default is None or isinstance(default, kind)


def test_no_client_loads_its_library_when_its_options_are_read() -> None:
    code = """
import sys, arena.models.session
from arena.models.clients import CLIENTS, client_options, known_providers
from arena.models.names import parse_name
for client in CLIENTS:
    client_options(client)
known_providers()
parse_name("openai/x?temperature=0").canonical
heavy = {"openai", "litellm", "httpx", "aiohttp", "torch", "transformers", "peft", "xllamacpp", "llguidance", "numpy",
         "pydantic", "jinja2", "safetensors", "huggingface_hub", "pandas"}
print(sorted(heavy & {name.partition(".")[0] for name in sys.modules}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


def test_a_mock_is_made() -> None:
    assert isinstance(make_client(model("mock/legal"), Redactor({})), MockClient)


def test_a_models_key_is_known_before_its_client_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    redactor = Redactor({})
    monkeypatch.setenv("BEARER", "canary-0123456789")  # a name that does not sound secret
    monkeypatch.setattr(clients, "find_spec", lambda name: None)

    with pytest.raises(UsageError):
        make_client(model("openai/x@http://h/v1?key_env=BEARER"), redactor)

    assert redactor.clean("canary-0123456789") == "[redacted:BEARER]"


def test_a_client_that_cannot_be_made_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)

    with pytest.raises(UsageError, match="openai/x: no key: the environment variable OPENAI_API_KEY is not set"):
        make_client(model("openai/x"), Redactor({}))


def test_a_server_at_another_place_may_need_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:1/v1")

    assert clients.missing(model("openai/x")) == []


def test_any_of_a_providers_variables_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    monkeypatch.delenv("GOOGLE_API_KEY", raising=False)

    assert clients.missing(model("gemini/x")) == [
        "no key: the environment variable GEMINI_API_KEY or GOOGLE_API_KEY is not set"
    ]
    monkeypatch.setenv("GOOGLE_API_KEY", "x" * 20)
    assert clients.missing(model("gemini/x")) == []


def test_litellms_providers_are_known_without_importing_it() -> None:
    before = "litellm" in sys.modules
    known_providers.cache_clear()

    assert {"anthropic", "bedrock", "gemini", "groq", "mistral", "vertex_ai", "azure"} <= known_providers()
    assert ("litellm" in sys.modules) == before
