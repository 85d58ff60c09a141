"""Both HTTP clients against one server: every fault ends in the right word, and nothing leaks or prints."""

from __future__ import annotations

import asyncio
import json
import traceback
from collections.abc import Callable
from secrets import token_hex
from typing import Any

import pytest

from arena.models.litellm_client import LiteLLMClient
from arena.models.names import ModelName
from arena.models.openai_client import OpenAIClient
from arena.models.types import Capabilities, ProviderError, Request, Response, Sampling
from arena.prompt.shape import Shape
from arena.testing.broken_replies import NAMES as BROKEN
from arena.testing.fake_model import Reply
from arena.testing.fake_server import serving

CANARY = f"canary/{token_hex(12)}+x"  # as a key may look, other characters than a URL's included
PROMPT = 'Choose.\nAnswer with one of: "rock" | "paper" | "scissors"'
Client = OpenAIClient | LiteLLMClient
CLIENTS: list[Callable[[ModelName], Client]] = [OpenAIClient, LiteLLMClient]

pytestmark = [
    # raised inside litellm where a hostile body meets the SDK's types
    pytest.mark.filterwarnings("ignore:Pydantic serializer warnings"),
    pytest.mark.parametrize("make", CLIENTS, ids=["direct", "litellm"]),
]


def request(**changed: Any) -> Request:
    sampling = Sampling(temperature=0.5, max_tokens=16, seed=changed.pop("seed", None))
    messages = ({"role": "system", "content": "You play."}, {"role": "user", "content": PROMPT})
    return Request(messages, sampling=sampling, call_key="key-1", **({"timeout_s": 20.0} | changed))


def ask(make: Callable[[ModelName], Client], url: str, wanted: Request, **options: Any) -> Response:
    async def once() -> Response:
        client = make(ModelName("openai", "fake-1", url=url, options=options))
        try:
            return await client.complete(wanted)
        finally:
            await client.aclose()

    return asyncio.run(once())


def fail(make: Callable[[ModelName], Client], url: str, wanted: Request, **options: Any) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        ask(make, url, wanted, **options)
    return caught.value


def test_a_reply_with_usage_model_and_parameters(make: Callable[[ModelName], Client]) -> None:
    with serving(rpm=60) as server:
        response = ask(make, server.url, request(seed=3))
        headers, body = server.seen[0]

    assert response.text in ("rock", "paper", "scissors")
    assert (response.finish, response.model, response.request_id) == ("stop", "fake-1", "req-1")
    assert response.usage.prompt is not None
    assert response.usage.prompt > 10
    assert response.params == {"temperature": 0.5, "seed": 3, "max_tokens": 16}
    assert response.headers["x-ratelimit-limit-requests"] == "60"
    assert headers["idempotency-key"] == "key-1"
    assert headers["authorization"] == "Bearer none"
    assert body["messages"][0] == {"role": "system", "content": "You play."}
    assert not body.get("stream")


FAULTS: list[tuple[dict[str, Any], str, int | None, bool]] = [
    ({"connection": "@1"}, "connection", None, True),
    ({"auth": "@1"}, "auth", 401, False),
    ({"not_found": "@1"}, "not_found", 404, False),
    ({"quota": "@1"}, "quota", 429, False),
    ({"rate_limit": "@1"}, "rate_limit", 429, True),
    ({"overloaded": "@1"}, "overloaded", 503, True),
    ({"server": "@1"}, "server", 500, True),
    ({"context": 3}, "context_length", 400, False),
    ({"supports": "-temperature"}, "bad_request", 400, False),
]


@pytest.mark.parametrize(("options", "kind", "status", "retryable"), FAULTS)
def test_every_fault_has_its_kind_and_is_tried_once(
    make: Callable[[ModelName], Client], options: dict[str, Any], kind: str, status: int | None, retryable: bool
) -> None:
    with serving(**options) as server:
        error = fail(make, server.url, request())
        requests = server.counts.requests

    assert (error.kind, error.status, error.retryable) == (kind, status, retryable)
    assert (error.provider, error.model) == ("openai", "fake-1")
    assert requests == 1
    assert error.parameter == ("temperature" if kind == "bad_request" else None)


def test_the_time_to_wait_is_passed_up_and_not_waited(make: Callable[[ModelName], Client]) -> None:
    with serving(rate_limit="@1", retry_after="37") as server:
        error = fail(make, server.url, request())

    assert error.retry_after_s == 37.0


def test_a_hanging_server_is_a_timeout_at_the_deadline(make: Callable[[ModelName], Client]) -> None:
    with serving(hang="@1") as server:
        error = fail(make, server.url, request(timeout_s=0.3))

    assert error.kind == "timeout"
    assert "0.3 s" in error.message


def test_a_refused_connection_is_a_connection_error(make: Callable[[ModelName], Client]) -> None:
    with serving() as server:
        url = server.url
    error = fail(make, url, request())

    assert error.kind == "connection"


def test_an_unknown_host_is_a_connection_error(make: Callable[[ModelName], Client]) -> None:
    assert fail(make, "http://no-such-host.invalid/v1", request()).kind == "connection"


def test_tls_to_a_server_without_it_is_a_connection_error(make: Callable[[ModelName], Client]) -> None:
    with serving() as server:
        error = fail(make, server.url.replace("http:", "https:"), request())

    assert error.kind == "connection"


LYING_EXTRAS = {"odd_usage", "usage_list"}  # a good answer with bad extras


@pytest.mark.parametrize("broken", [name for name in BROKEN if name not in LYING_EXTRAS])
def test_no_broken_reply_becomes_an_answer(make: Callable[[ModelName], Client], broken: str) -> None:
    with serving(protocol="@1", broken=broken) as server:
        error = fail(make, server.url, request(timeout_s=1.0 if broken == "drip" else 20.0))

    expected = {
        "drip": {"timeout"},
        "html_502": {"server"},
        "redirect": {"not_found"},
        "short_body": {"protocol", "connection"},
        "error_in_200": {"server", "protocol"},
    }
    assert error.kind in expected.get(broken, {"protocol"})
    assert len(error.message) < 700
    assert "Traceback" not in error.message


@pytest.mark.parametrize("broken", sorted(LYING_EXTRAS))
def test_a_lying_usage_is_no_usage(make: Callable[[ModelName], Client], broken: str) -> None:
    with serving(protocol="@1", broken=broken) as server:
        if make is LiteLLMClient:  # litellm refuses the whole reply
            assert fail(make, server.url, request()).kind == "protocol"
            return
        response = ask(make, server.url, request())

    assert response.text == "rock"
    assert (response.usage.completion, response.usage.cost_usd) == (None, None)


@pytest.mark.parametrize(
    ("flaw", "finish"), [("refuse", "refusal"), ("filter", "filter"), ("truncate", "length"), ("empty", "stop")]
)
def test_a_flaw_of_the_model_is_data(make: Callable[[ModelName], Client], flaw: str, finish: str) -> None:
    with serving(**{flaw: "@1"}) as server:
        response = ask(make, server.url, request())

    assert response.finish == finish
    assert response.text == "" if flaw in ("empty", "filter") else response.text


def test_an_azure_filter_error_is_the_providers_refusal(
    make: Callable[[ModelName], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    message = "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."
    said = {"message": message, "code": "content_filter", "type": "invalid_request_error", "param": "prompt"}
    with serving(server="@1") as server:
        monkeypatch.setattr(server.model, "refusal", lambda fault, call: Reply(400, {"error": said}, {}))
        response = ask(make, server.url, request())

    assert (response.finish, response.text) == ("filter", "")


def test_a_schema_is_sent_where_it_is_kept_and_the_reply_comes_back_bare(make: Callable[[ModelName], Client]) -> None:
    async def once(url: str) -> Response:
        client = make(ModelName("openai", "fake-1", url=url))
        client.adopt(Capabilities(schema="strict", source="probed"))
        try:
            return await client.complete(request(shape=Shape("options", options=("rock", "paper"))))
        finally:
            await client.aclose()

    with serving() as server:
        response = asyncio.run(once(server.url))
        sent = server.seen[0][1]["response_format"]

    assert response.text == response.parsed
    assert response.text in ("rock", "paper")
    assert sent["json_schema"]["schema"]["properties"]["answer"]["enum"] == ["rock", "paper"]


def test_without_the_capability_or_with_choice_text_no_schema_is_sent(make: Callable[[ModelName], Client]) -> None:
    async def once(url: str, **options: Any) -> None:
        client = make(ModelName("openai", "fake-1", url=url, options=options))
        if options:
            client.adopt(Capabilities(schema="strict"))
        try:
            await client.complete(request(shape=Shape("options", options=("rock", "paper"))))
        finally:
            await client.aclose()

    with serving() as server:
        asyncio.run(once(server.url))
        asyncio.run(once(server.url, choice="text"))
        sent = [body for _, body in server.seen]

    assert all("response_format" not in body for body in sent)


@pytest.mark.parametrize(
    "options",
    [{"auth": "@1"}, {"not_found": "@1"}, {"rate_limit": "@1"}, {"server": "@1"}, {"supports": "-temperature"},
     {"context": 3}, {"connection": "@1"}, {"hang": "@1"}, {"protocol": "@1", "broken": "half_json"}],
)  # fmt: skip
def test_a_key_is_sent_and_never_seen_again(
    make: Callable[[ModelName], Client],
    options: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MY_KEY", CANARY)
    with serving(leak=True, **options) as server:
        error = fail(make, server.url, request(timeout_s=0.5 if "hang" in options else 20.0), key_env="MY_KEY")
        sent = server.seen[0][0]["authorization"]

    told = "".join(traceback.format_exception(error)) + repr(vars(error)) + "".join(capfd.readouterr())
    assert sent == f"Bearer {CANARY}"
    assert CANARY not in told
    assert CANARY[:20] not in told


def test_the_key_of_a_request_id_is_redacted(
    make: Callable[[ModelName], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MY_KEY", CANARY)
    with serving(leak=True) as server:
        response = ask(make, server.url, request(), key_env="MY_KEY")

    assert CANARY not in str(response.request_id)
    assert CANARY not in json.dumps(dict(response.headers))


def test_a_url_gets_no_key_that_the_name_does_not_say(
    make: Callable[[ModelName], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    with serving() as server:
        ask(make, server.url, request())
        headers = dict(server.seen[0][0])

    assert headers["authorization"] == "Bearer none"
    assert CANARY not in str(headers)


def test_netrc_is_not_read(make: Callable[[ModelName], Client], monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login me password {CANARY}\n", "utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with serving() as server:
        ask(make, server.url, request())

    assert server.seen[0][0]["authorization"] == "Bearer none"


def test_nothing_is_printed_whatever_happens(
    make: Callable[[ModelName], Client], capfd: pytest.CaptureFixture[str]
) -> None:
    for options in ({}, {"auth": "@1"}, {"server": "@1"}, {"protocol": "@1", "broken": "html"}, {"not_found": "@1"}):
        with serving(**options) as server:
            try:
                ask(make, server.url, request())
            except ProviderError:
                continue

    assert capfd.readouterr() == ("", "")


def test_64_calls_at_once_are_not_mixed_up(make: Callable[[ModelName], Client]) -> None:
    async def many(url: str) -> list[Response]:
        client = make(ModelName("openai", "fake-1", url=url))
        try:
            return await asyncio.gather(*(client.complete(_numbered(n)) for n in range(64)))
        finally:
            await client.aclose()

    with serving(kind="echo", latency="lognormal:20ms:1") as server:
        replies = asyncio.run(many(server.url))
        peak = server.counts.in_flight_max

    assert [reply.text for reply in replies] == [f"number {n}" for n in range(64)]
    assert peak > 32


def _numbered(n: int) -> Request:
    return Request(({"role": "user", "content": f"number {n}"},), call_key=f"key-{n}", timeout_s=30.0)


def test_cancelling_a_call_is_no_provider_error(make: Callable[[ModelName], Client]) -> None:
    async def once(url: str) -> None:
        client = make(ModelName("openai", "fake-1", url=url))
        task = asyncio.create_task(client.complete(request()))
        while not server.counts.requests and not task.done():
            await asyncio.sleep(0.01)
        task.cancel()
        try:
            await task
        finally:
            await client.aclose()

    with serving(hang="@1") as server, pytest.raises(asyncio.CancelledError):
        asyncio.run(once(server.url))
