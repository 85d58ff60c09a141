"""Redaction: canary keys in every form that they travel in, and nothing else touched."""

from __future__ import annotations

import base64
import json
import re
import traceback
from secrets import token_urlsafe
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.models.redact import Redactor, looks_like_key, masked
from arena.models.types import ProviderError, Response, Tokens

SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF, codec="utf-8"), min_size=8, max_size=60)


def forms(secret: str) -> dict[str, str]:
    """A secret as it may appear."""
    raw = secret.encode()
    return {
        "plain": secret,
        "url": quote(secret, safe=""),
        "url, slashes kept": quote(secret),
        "form": quote_plus(secret),
        "url, lower case": re.sub("%..", lambda found: found[0].lower(), quote(secret, safe="")),
        "base64": base64.b64encode(raw).decode(),
        "base64 for URLs": base64.urlsafe_b64encode(raw).decode(),
        "basic auth": base64.b64encode(b"me:" + raw).decode(),
        "basic auth, other offset": base64.b64encode(b"user:" + raw + b"!").decode(),
        "json": json.dumps(secret)[1:-1],
        "json, not ASCII": json.dumps(secret, ensure_ascii=False)[1:-1],
    }


@given(SECRETS)
def test_a_secret_is_found_in_every_form(secret: str) -> None:
    redactor = Redactor({"MY_API_KEY": secret})

    for form, text in forms(secret).items():
        cleaned = redactor.clean(f"before {text} after")
        assert "[redacted:MY_API_KEY]" in cleaned, form
        assert secret not in cleaned


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "hf_token", "DB_PASSWORD", "AWS_SECRET_ACCESS", "credential"])
def test_the_environments_secrets_are_known_by_their_names(name: str) -> None:
    canary = token_urlsafe(24)

    assert Redactor({name: canary}).clean(f"x{canary}y") == f"x[redacted:{name}]y"


def test_short_values_and_other_variables_are_left_alone() -> None:
    redactor = Redactor({"API_KEY": "short", "HOME": "/home/somebody", "EMPTY_TOKEN": ""})

    assert redactor.clean("short /home/somebody") == "short /home/somebody"


@pytest.mark.parametrize(
    "key",
    [
        "sk-0123456789abcdefghij",
        "sk-proj-abcDEF0123456789_-abcDEF",
        "sk-ant-api03-abcdef0123456789",
        "AIzaSyA0123456789abcdefghijklmnopqrstuv",
        "gsk_0123456789abcdefghijABCDEFGH",
        "hf_abcdefghijklmnopqrst0123",
        "ghp_0123456789abcdefghijABCDEFGHIJ",
        "github_pat_0123456789abcdefghijABCDEF",
        "xoxb-0123456789-abcdefghij",
        "AKIAIOSFODNN7EXAMPLE",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc-_DEF",
    ],
)
def test_what_looks_like_a_key_is_replaced_wherever_it_is(key: str) -> None:
    assert Redactor({}).clean(f"my key is {key}, right?") == "my key is [redacted:key], right?"
    assert looks_like_key(key)
    assert key not in masked(f"openai/{key}")


@pytest.mark.parametrize(
    "text",
    [
        "I task-force-ed them. A risk-averse player, sk-etchy at best.",
        "My authorization: none. Cookie: chocolate. Token of friendship = 1.",
        "player_3 votes for player_1; the eyJ is odd; ghosts; gsk; http://example.org/?key_env=X",
        "AKIA is short. Bearer of bad news. password",
    ],
)
def test_a_players_words_are_not_touched(text: str) -> None:
    assert Redactor({}).clean(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer CANARY",
        "'authorization': 'Bearer CANARY'",
        '{"x-api-key": "CANARY"}',
        "x-goog-api-key=CANARY",
        "Set-Cookie: id=CANARY; other=CANARY",
        "[('cookie', 'a=CANARY'), ('x', '1')]",
        "got Bearer CANARY9-0123456789",
        "https://h/v1?key=CANARY&x=1",
        "GET /v1?api_key=CANARY HTTP/1.1",
        "http://me:CANARY@h/v1",
        "https://CANARY@h/v1",
        "b'Authorization: Basic CANARY'",
    ],
)
def test_an_error_shows_no_header_query_or_user_info(text: str) -> None:
    cleaned = Redactor({}).clean_error(text)

    assert "CANARY" not in cleaned
    assert "[redacted:" in cleaned


def test_a_url_s_secrets_become_known() -> None:
    redactor = Redactor({})
    redactor.add_url("url", "http://user-name:pass-word@h/v1?key=query-value&n=1")

    assert redactor.clean("user-name pass-word query-value 1") == "[redacted:url] [redacted:url] [redacted:url] 1"


def test_a_reply_is_cleaned_in_all_its_parts() -> None:
    redactor = Redactor({"MY_KEY": "canary-0123"})
    response = Response(
        "so canary-0123",
        reasoning="hm canary-0123",
        parsed={"canary-0123": ["canary-0123", 3]},
        model="canary-0123",
        request_id="canary-0123",
        params={"user": "canary-0123"},
        tokens=Tokens((1,), (2,)),
    )

    cleaned = redactor.clean_response(response)

    assert "canary-0123" not in repr(cleaned)
    assert cleaned.tokens is None
    assert cleaned.text == "so [redacted:MY_KEY]"


def test_a_clean_reply_is_the_same_object() -> None:
    response = Response("fine", parsed={"a": [1, None, "b"]}, params={"seed": 1})

    assert Redactor({"MY_KEY": "canary-0123"}).clean_response(response) is response


def test_an_exception_behind_an_error_shows_no_secret() -> None:
    canary = "canary-0123"
    redactor = Redactor({"MY_KEY": canary})
    try:
        try:
            raise OSError(f"connect to http://h/?k={canary} failed")
        except OSError as inner:
            raise ProviderError("connection", f"no {canary} here", hint=f"set {canary}") from inner
    except ProviderError as error:
        redactor.clean_failure(error)

        assert canary not in "".join(traceback.format_exception(error))
        assert str(error) == error.message == "no [redacted:MY_KEY] here"


def test_a_harmless_exception_behind_an_error_is_kept() -> None:
    redactor = Redactor({"MY_KEY": "canary-0123"})
    try:
        raise ProviderError("connection", "refused") from OSError("errno 111")
    except ProviderError as error:
        redactor.clean_failure(error)

        assert isinstance(error.__cause__, OSError)


@given(st.text(max_size=300))
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    redactor = Redactor({"MY_KEY": "canary-0123"})

    assert redactor.clean_error(redactor.clean_error(text)) == redactor.clean_error(text)
