"""litellm's traps: what it prints, what it fetches, what it makes up."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from arena.core.errors import UnknownName, UsageError
from arena.models.litellm_client import LiteLLMClient
from arena.models.names import ModelName


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_a_missing_key_is_named_before_anything_starts() -> None:
    with pytest.raises(UsageError, match="ANTHROPIC_API_KEY"):
        LiteLLMClient(ModelName("anthropic", "claude-sonnet-4-5"))


def test_an_unknown_provider_gives_the_nearest() -> None:
    with pytest.raises(UnknownName, match="anthropic"):
        LiteLLMClient(ModelName("antropic", "claude"))


def test_a_budget_of_thought_goes_where_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a-key-0123456789")
    client = LiteLLMClient(ModelName("anthropic", "claude-sonnet-4-5"))

    assert client._reasoning_body("512") == {"thinking": {"type": "enabled", "budget_tokens": 512}}
    assert client._reasoning_body("low") == {"reasoning_effort": "low"}
    with pytest.raises(UsageError, match="number of tokens"):
        LiteLLMClient(ModelName("openai", "gpt-4o", url="http://127.0.0.1:1/v1", options={"reasoning": "512"}))


def test_declared_capabilities_come_from_its_table_and_unknown_models_want_a_probe(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "a-key-0123456789")
    known = LiteLLMClient(ModelName("anthropic", "claude-sonnet-4-5"))
    unknown = LiteLLMClient(ModelName("openai", "whatever", url="http://127.0.0.1:1/v1"))

    assert known.capabilities().schema == "strict"
    assert not known.wants_probe
    assert unknown.capabilities().schema == "none"
    assert unknown.wants_probe


PROGRAM = """
import asyncio, json, os, sys
from arena.models.names import ModelName
from arena.models.litellm_client import LiteLLMClient
from arena.models.types import ProviderError, Request, Sampling
os.environ["ANTHROPIC_API_KEY"] = KEY = "canary-0123456789-abcdef"
KINDS = []

async def main():
    request = Request(({"role": "user", "content": "x"},), sampling=Sampling(seed=1, temperature=0.1), timeout_s=20)
    for name in NAMES:
        client = LiteLLMClient(name)
        try:
            await client.complete(request)
        except ProviderError as error:
            KINDS.append((error.kind, error.parameter))
            assert KEY not in str(error) + repr(vars(error)), error
        await client.aclose()

NAMES = [
    ModelName("anthropic", "no-such-model-at-all", url="http://127.0.0.1:9"),
    ModelName("openai", "no-such-model-at-all", url="http://127.0.0.1:9/v1"),
    ModelName("anthropic", "claude-sonnet-4-5", url="http://127.0.0.1:9"),
]
asyncio.run(main())
print(json.dumps(KINDS), file=sys.stderr)
"""


def run(program: str, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "error::ResourceWarning", "-c", program]
    environ = {**os.environ, "PYTHONWARNINGS": "ignore::DeprecationWarning", **env}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environ, timeout=120)


def test_errors_of_unknown_models_print_nothing_to_stdout() -> None:
    done = run(PROGRAM)

    assert done.stdout == ""
    assert done.returncode == 0, done.stderr
    assert "canary" not in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr  # our own line: no warning, no banner, no unclosed connection
    kinds = json.loads(done.stderr)
    assert kinds == [["bad_request", "seed"], ["connection", None], ["bad_request", "seed"]]


NO_NETWORK = """
import socket
def refuse(*args, **kwargs): raise AssertionError(f"a socket: {args}")
socket.socket.connect = refuse
socket.getaddrinfo = refuse
from arena.models.litellm_client import quiet_litellm
import os
os.environ.pop("LITELLM_LOCAL_MODEL_COST_MAP", None)
litellm = quiet_litellm()
print(len(litellm.model_cost) > 1000, litellm.cache, litellm.callbacks, litellm.drop_params)
"""


def test_its_import_calls_nobody() -> None:
    done = run(NO_NETWORK)

    assert done.stdout.strip() == "True None [] False", done.stderr
    assert done.stderr == ""
