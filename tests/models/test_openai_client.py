"""The direct client: whose key goes where, how each server is spelled, what is refused before anything is sent."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from typing import Any

import pytest

from arena.core.errors import UsageError
from arena.models.names import ModelName
from arena.models.openai_client import OpenAIClient
from arena.models.types import Capabilities, Request, Response, Sampling
from arena.prompt.shape import Shape
from arena.testing.fake_server import serving

KEYS = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID", "OPENROUTER_API_KEY", "OLLAMA_HOST")


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*KEYS, "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


def send(name: ModelName, wanted: Request | None = None) -> Response:
    async def once() -> Response:
        client = OpenAIClient(name)
        try:
            return await client.complete(wanted or Request(({"role": "user", "content": "hello"},)))
        finally:
            await client.aclose()

    return asyncio.run(once())


def test_openai_itself_gets_the_key_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a-key-of-openai")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "proj")
    with serving() as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        send(ModelName("openai", "gpt-x"))
        headers = server.seen[0][0]

    assert headers["authorization"] == "Bearer a-key-of-openai"
    assert "openai-project" not in headers  # only openai.com's business


def test_the_known_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a-key-of-openai")
    monkeypatch.setenv("OPENROUTER_API_KEY", "a-key-of-openrouter")

    def url(name: ModelName) -> str:
        return OpenAIClient(name).url

    assert url(ModelName("openai", "m")) == "https://api.openai.com/v1"
    assert url(ModelName("openrouter", "a/m")) == "https://openrouter.ai/api/v1"
    assert url(ModelName("ollama", "llama3:8b")) == "http://127.0.0.1:11434/v1"
    for host, expected in (
        ("0.0.0.0", "http://127.0.0.1:11434/v1"),
        ("box:9000", "http://box:9000/v1"),
        ("https://box/", "https://box:11434/v1"),
    ):
        monkeypatch.setenv("OLLAMA_HOST", host)
        assert url(ModelName("ollama", "m")) == expected


@pytest.mark.parametrize(
    ("name", "words"),
    [
        (ModelName("openai", "m"), "OPENAI_API_KEY"),
        (ModelName("openrouter", "m"), "OPENROUTER_API_KEY"),
        (ModelName("openai", "m", url="https://h/v1", options={"key_env": "NO_SUCH"}), "NO_SUCH"),
        (ModelName("vllm", "m"), "URL"),
        (ModelName("openai", "m", url="http://127.0.0.1:1/v1", options={"choice": "score"}), "choice=score"),
        (ModelName("openai", "m", url="http://127.0.0.1:1/v1", options={"reasoning": "512"}), "number of tokens"),
    ],
)
def test_what_cannot_work_is_said_before_anything_starts(name: ModelName, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        OpenAIClient(name)


def test_a_key_goes_over_plain_http_only_to_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "a-key-0123456789")

    def name(url: str, **options: Any) -> ModelName:
        return ModelName("openai", "m", url=url, options={"key_env": "MY_KEY", **options})

    for url in ("http://127.0.0.1:1/v1", "http://localhost:1/v1", "http://[::1]:1/v1", "https://h/v1"):
        OpenAIClient(name(url))
    OpenAIClient(name("http://h/v1", insecure=True))
    for url in ("http://h/v1", "http://192.168.0.7/v1", "http://127.0.0.1.example.org/v1"):
        with pytest.raises(UsageError, match="unencrypted") as caught:
            OpenAIClient(name(url))
        assert "a-key-0123456789" not in str(caught.value)


def test_a_key_that_no_header_can_hold_is_refused_unseen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "a-key\n0123456789")

    with pytest.raises(UsageError, match="MY_KEY") as caught:
        OpenAIClient(ModelName("openai", "m", url="https://h/v1", options={"key_env": "MY_KEY"}))

    assert "0123456789" not in str(caught.value)


@pytest.mark.parametrize(
    ("provider", "wanted", "sent"),
    [
        ("openai", "low", {"reasoning_effort": "low"}),
        ("openai", "none", {"reasoning_effort": "none"}),
        ("vllm", "none", {"chat_template_kwargs": {"enable_thinking": False}}),
        ("llamacpp", "high", {"reasoning_effort": "high"}),
        ("openrouter", "high", {"reasoning": {"effort": "high"}}),
        ("openrouter", "512", {"reasoning": {"max_tokens": 512}}),
        ("openrouter", "none", {"reasoning": {"enabled": False}}),
    ],
)
def test_reasoning_is_spelled_as_the_server_takes_it(provider: str, wanted: str, sent: dict[str, Any]) -> None:
    with serving() as server:
        name = ModelName(provider, "m", url=server.url, options={"reasoning": wanted})
        response = send(name, Request(({"role": "user", "content": "x"},), sampling=Sampling(reasoning=wanted)))

    assert {key: response.params[key] for key in sent} == sent


def test_every_sampling_parameter_is_sent_by_its_name() -> None:
    sampling = Sampling(temperature=0.3, top_p=0.9, top_k=5, min_p=0.1, max_tokens=7, stop=("a", "b"), seed=11)
    with serving() as server:
        send(ModelName("openai", "m", url=server.url), Request(({"role": "user", "content": "x"},), sampling=sampling))
        body = server.seen[0][1]

    assert {key: body[key] for key in ("temperature", "top_p", "top_k", "min_p", "max_tokens", "stop", "seed")} == {
        "temperature": 0.3,
        "top_p": 0.9,
        "top_k": 5,
        "min_p": 0.1,
        "max_tokens": 7,
        "stop": ["a", "b"],
        "seed": 11,
    }


def test_a_server_that_wants_max_completion_tokens_is_asked_again_that_way(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(supports="-max_tokens") as server:
        refusal = server.model.refusal

        def named(fault: str, call: Any) -> Any:
            reply = refusal(fault, call)
            reply.body["error"]["message"] = "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."
            return reply

        monkeypatch.setattr(server.model, "refusal", named)
        response = send(ModelName("openai", "m", url=server.url))
        sent = [sorted(body.keys() & {"max_tokens", "max_completion_tokens"}) for _, body in server.seen]

    assert response.finish == "stop"
    assert sent == [["max_tokens"], ["max_completion_tokens"]]
    assert "max_completion_tokens" in response.params


def test_openais_own_schema_dialect_is_for_openai_only(monkeypatch: pytest.MonkeyPatch) -> None:
    schema = {"type": "object", "properties": {"say": {"type": "string", "maxLength": 9}}, "required": []}
    shape = Shape("schema", schema=schema)
    monkeypatch.setenv("OPENAI_API_KEY", "a-key-of-openai")

    def sent(client: OpenAIClient) -> dict[str, Any]:
        client.adopt(Capabilities(schema="strict"))
        request = Request(({"role": "user", "content": "x"},), shape)
        found: dict[str, Any] = client._body(request, client._enforced(request))
        return found["response_format"]["json_schema"]["schema"]  # type: ignore[no-any-return]

    assert sent(OpenAIClient(ModelName("openai", "m")))["required"] == ["say"]
    assert sent(OpenAIClient(ModelName("openai", "m", url="http://127.0.0.1:1/v1"))) == schema


def test_the_identity_names_place_and_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_KEY", "a-key-0123456789")
    client = OpenAIClient(ModelName("openai", "m", url="http://127.0.0.1:1/v1", options={"key_env": "MY_KEY"}))

    identity = asyncio.run(client.identity())

    assert (identity["provider"], identity["model"], identity["url"]) == ("openai", "m", "http://127.0.0.1:1/v1")
    assert "a-key" not in str(identity)


def test_one_client_lives_through_two_event_loops() -> None:
    async def twice(client: OpenAIClient) -> str:
        response = await client.complete(Request(({"role": "user", "content": "x"},)))
        await client.aclose()
        return response.text

    with serving(kind="fixed", text="rock") as server:
        client = OpenAIClient(ModelName("openai", "m", url=server.url))
        texts = [asyncio.run(twice(client)), asyncio.run(twice(client))]

    assert texts == ["rock", "rock"]


def test_importing_any_module_of_models_loads_no_library() -> None:
    program = (
        "import sys, pkgutil, importlib, arena.models, arena.testing.fake_server\n"
        "for module in pkgutil.iter_modules(arena.models.__path__):\n"
        "    importlib.import_module(f'arena.models.{module.name}')\n"
        "outside = {name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names\n"
        "print(sorted(name for name in outside if not name.startswith(('_', 'arena', 'sitecustomize'))))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"
