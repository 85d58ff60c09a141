"""What a provider says in place of an answer, as one kind of error."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from arena.models.http_errors import (
    Refused,
    cause_chain,
    clean,
    is_filtered,
    kind_of_cause,
    provider_error,
    retry_after_s,
)
from arena.models.redact import Redactor
from arena.models.types import ProviderError


def error_of(status: int, body: str, **headers: str) -> ProviderError:
    said = Refused(status, body, {name.replace("_", "-"): value for name, value in headers.items()})
    return provider_error(said, provider="openai", model="m", redactor=Redactor({}))


def body(message: str, type: str = "", code: str | None = None, param: str | None = None) -> str:
    return json.dumps({"error": {"message": message, "type": type, "code": code, "param": param}})


KINDS = [
    (429, body("Rate limit reached", "requests", "rate_limit_exceeded"), "rate_limit"),
    (429, body("You exceeded your current quota, please check your plan", "insufficient_quota"), "quota"),
    (429, body("Request too large for gpt-4 on tokens per min (TPM): Limit 10000, Requested 15000"), "context_length"),
    (429, body("Too many tokens, please wait before trying again."), "rate_limit"),  # Bedrock's throttling
    (402, body("This request requires more credits"), "billing"),
    (400, body("Your credit balance is too low to access the API"), "billing"),
    (503, body("The engine is currently overloaded"), "overloaded"),
    (529, body("Overloaded", "overloaded_error"), "overloaded"),
    (503, body("Loading model"), "overloaded"),
    (500, body("Overloaded", "overloaded_error"), "overloaded"),
    (500, body("Internal error"), "server"),
    (502, "<html><head><title>502 Bad Gateway</title></head></html>", "server"),
    (504, "", "server"),
    (409, body("conflict"), "server"),
    (408, body("timed out"), "timeout"),
    (401, body("Incorrect API key provided"), "auth"),
    (403, body("Country not supported"), "auth"),
    (400, body("API key not valid. Please pass a valid API key. Invalid argument."), "auth"),  # Gemini's 400
    (404, body("The model `x` does not exist", code="model_not_found"), "not_found"),
    (400, body("The model `x` does not exist"), "not_found"),
    (404, "", "not_found"),
    (307, "", "not_found"),
    (400, body("something is wrong", "invalid_request_error"), "bad_request"),
    (422, json.dumps({"detail": [{"loc": ["body", "x"], "msg": "Extra inputs are not permitted"}]}), "bad_request"),
    (200, "", "protocol"),
]

CONTEXT = [
    body("This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens."),
    body("the request exceeds the available context size. try increasing it", "exceed_context_size_error"),
    body("prompt is too long: 210000 tokens > 200000 maximum"),
    body("input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000"),
    body("The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."),
    body("The decoder prompt (length 5000) is longer than the maximum model length of 4096."),
    body("'max_tokens' is too large: 5000. This model's maximum context length is 4096 tokens and your request has 9"),
    body("Please reduce the length of the messages or completion.", code="context_length_exceeded"),
    body("too many tokens: total tokens 9000 exceeds 8192"),
]

PARAMETERS = [
    (
        body("Unsupported value: 'temperature' does not support 0.2 with this model.", param="temperature"),
        "temperature",
    ),
    (body("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."), "max_tokens"),
    (body("Unrecognized request argument supplied: top_k"), "top_k"),
    (body("Invalid schema for response_format 'answer'", param="response_format"), "response_format"),
    (body("Invalid schema", param="response_format.json_schema"), "response_format"),
    (body("anthropic does not support parameters: ['seed'], for model=claude"), "seed"),
    (body("This model does not support logprobs"), "logprobs"),
    (body("reasoning_effort is not supported"), "reasoning"),
    (body("`top_p` and `temperature` cannot both be specified"), "top_p"),
    (json.dumps({"detail": "min_p: Extra inputs are not permitted"}), "min_p"),
    (body("messages: roles must alternate", "invalid_request_error"), None),
    (body("unsupported message type"), None),
]


@pytest.mark.parametrize(("status", "text", "kind"), KINDS)
def test_status_and_words_give_the_kind(status: int, text: str, kind: str) -> None:
    assert error_of(status, text).kind == kind


@pytest.mark.parametrize("text", CONTEXT)
def test_every_spelling_of_too_long_is_context_length_and_keeps_its_numbers(text: str) -> None:
    error = error_of(400, text)

    assert error.kind == "context_length"
    assert not error.retryable
    assert json.loads(text)["error"]["message"][:40] in error.message


@pytest.mark.parametrize(("text", "parameter"), PARAMETERS)
def test_a_bad_request_names_the_parameter_that_may_be_dropped(text: str, parameter: str | None) -> None:
    error = error_of(400, text)

    assert (error.kind, error.parameter) == ("bad_request", parameter)


def test_a_quota_with_a_time_to_wait_is_a_rate_limit() -> None:
    text = body("You exceeded your current quota, please check your plan and billing details. Retry in 13.5s.")

    error = error_of(429, text)

    assert (error.kind, error.retry_after_s) == ("rate_limit", 13.5)


NOW = datetime(2026, 11, 1, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("headers", "text", "seconds"),
    [
        ({"Retry-After": "2"}, "", 2.0),
        ({"retry-after-ms": "1500", "retry-after": "9"}, "", 1.5),
        ({"retry-after": "Sun, 01 Nov 2026 12:00:30 GMT"}, "", 30.0),
        ({"retry-after": "Sun, 01 Nov 2026 11:00:00 GMT"}, "", 0.0),
        ({"retry-after": "1000000000"}, "", 600.0),
        ({"retry-after": "-5"}, "", 0.0),
        ({"retry-after": "nan"}, "", None),
        ({"retry-after": "soon"}, "", None),
        ({"x-ratelimit-remaining-tokens": "0", "x-ratelimit-reset-tokens": "1m3s"}, "", 63.0),
        ({"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "120ms"}, "", 0.12),
        ({"x-ratelimit-remaining-requests": "5", "x-ratelimit-reset-requests": "8s"}, "", None),
        ({}, "Please try again in 6.2s.", 6.2),
        ({}, '"retryDelay": "13s"', 13.0),
        ({}, "no word of time", None),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], text: str, seconds: float | None) -> None:
    assert retry_after_s(headers, text, now=NOW) == seconds


def test_a_filtered_prompt_is_the_providers_refusal() -> None:
    azure = body("The response was filtered due to Azure's content management policy.", code="content_filter")

    assert is_filtered(Refused(400, azure))
    assert not is_filtered(Refused(500, azure))
    assert not is_filtered(Refused(400, body("bad temperature")))


def test_a_message_holds_no_secret_no_escape_and_no_page() -> None:
    redactor = Redactor({})
    redactor.add("MY_KEY", "canary-0123456789")
    said = Refused(500, body("bad key canary-0123456789 \x1b[2J\u202e at http://user:pw12345678@h/v1\n" + "x" * 2000))

    error = provider_error(said, provider="openai", model="m", redactor=redactor)

    assert "canary" not in error.message
    assert "pw12345678" not in error.message
    assert "\x1b" not in error.message
    assert "\u202e" not in error.message
    assert "\n" not in error.message
    assert len(error.message) < 600


def test_a_page_is_told_by_its_title() -> None:
    assert "'502 Bad Gateway'" in error_of(502, "<html><title>502 Bad Gateway</title>" + "x" * 9999).message


@pytest.mark.parametrize(
    "text", ["null", "[]", "7", '"text"', "[[[", '{"error": []}', '{"error": {"message": {"a": 1}}}']
)
def test_any_body_gives_an_error(text: str) -> None:
    assert error_of(500, text).kind == "server"


def test_the_deepest_cause_counts() -> None:
    class APITimeoutError(Exception):
        pass

    try:
        try:
            raise ConnectionResetError("reset")
        except ConnectionResetError as inner:
            raise APITimeoutError("timed out") from inner
    except APITimeoutError as error:
        found, chain = kind_of_cause(error), cause_chain(error)

    assert found == "connection"
    assert len(chain) == 2
    assert kind_of_cause(TimeoutError()) == "timeout"
    assert kind_of_cause(ValueError()) is None


def test_cleaning_is_quick_on_hostile_text() -> None:
    text = "eyJ" * 5000 + "a://" * 5000 + "?key=" * 5000

    assert len(clean(text, Redactor({}))) <= 500
