"""The JSON of chat completions: what is sent, and how little of what comes back is believed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.core import Choice, Each, Form, ListOf, Range, Subset, Text
from arena.models.chat import Unreadable, body_error, decode, enforce, read_completion, read_usage
from arena.models.types import Capabilities, Usage
from arena.prompt import read_reply, shape_of
from tests.strategies import json_values

STRICT = Capabilities(schema="strict")


def completion(**message: Any) -> dict[str, Any]:
    finish = message.pop("finish", "stop")
    return {"choices": [{"message": {"role": "assistant", **message}, "finish_reason": finish}], "model": "m-1"}


def test_a_plain_reply() -> None:
    response = read_completion(completion(content="rock") | {"id": "x", "usage": {"prompt_tokens": 3}})

    assert (response.text, response.finish, response.model, response.request_id) == ("rock", "stop", "m-1", "x")
    assert response.usage == Usage(prompt=3)


@pytest.mark.parametrize(
    ("finish", "ours"),
    [("stop", "stop"), (None, "stop"), ("eos", "stop"), ("length", "length"), ("max_tokens", "length"),
     ("content_filter", "filter"), ("refusal", "refusal"), ("tool_calls", "stop"), (7, "stop")],
)  # fmt: skip
def test_how_a_reply_ended(finish: Any, ours: str) -> None:
    assert read_completion(completion(content="x", finish=finish)).finish == ours


def test_a_refusal_field_is_a_refusal_with_its_words() -> None:
    response = read_completion(completion(content=None, refusal="I cannot help with that."))

    assert (response.finish, response.text) == ("refusal", "I cannot help with that.")


def test_reasoning_is_kept_apart_by_either_name() -> None:
    assert read_completion(completion(content="a", reasoning_content="hm")).reasoning == "hm"
    assert read_completion(completion(content="a", reasoning="hm")).reasoning == "hm"
    assert read_completion(completion(content="a", reasoning={"x": 1})).reasoning is None


def test_no_text_is_empty_only_where_something_says_why() -> None:
    assert read_completion(completion(content=None, finish="length")).text == ""
    assert read_completion(completion(finish="length")).text == ""
    assert read_completion(completion(content=None, reasoning="long thoughts")).text == ""
    with pytest.raises(Unreadable, match="no text"):
        read_completion(completion(content=None))


def test_a_list_of_parts_is_joined() -> None:
    parts = [{"type": "text", "text": "ro"}, {"type": "text", "text": "ck"}]

    assert read_completion(completion(content=parts)).text == "rock"


def test_lone_surrogates_do_not_enter() -> None:
    response = read_completion(decode(json.dumps(completion(content="a\ud800b"))))

    assert response.text == "a\ufffdb"
    response.text.encode()


@given(json_values())
def test_any_json_is_a_response_or_unreadable(value: Any) -> None:
    for body in (value, {"choices": value}, {"choices": [value]}, {"choices": [{"message": value}]}):
        try:
            read_completion(body)
        except Unreadable:
            continue


@given(st.binary(max_size=200))
def test_any_bytes_decode_or_are_unreadable(raw: bytes) -> None:
    try:
        decode(raw)
    except Unreadable as error:
        assert "no JSON" in str(error)


@pytest.mark.parametrize(
    "value", [None, [], {"prompt_tokens": -1}, {"prompt_tokens": "7"}, {"prompt_tokens": True}, {"cost": float("nan")},
              {"cost": -1}, {"prompt_tokens": 1 << 60}, {"prompt_tokens_details": 3}, {"cost": "1"}],
)  # fmt: skip
def test_nonsense_is_no_usage(value: Any) -> None:
    assert read_usage(value) == Usage()


def test_a_whole_usage() -> None:
    found = read_usage(
        {
            "prompt_tokens": 10,
            "completion_tokens": 4,
            "prompt_tokens_details": {"cached_tokens": 8},
            "completion_tokens_details": {"reasoning_tokens": 2},
            "cost": 0.25,
        }
    )

    assert found == Usage(prompt=10, cached=8, completion=4, reasoning=2, cost_usd=0.25)


def test_an_error_in_a_good_body_is_an_error() -> None:
    assert body_error({"error": {"code": 502, "message": "x"}}) == (502, '{"error": {"code": 502, "message": "x"}}')
    assert body_error({"error": "x"}) == (None, '{"error": "x"}')
    assert body_error({"choices": [1], "error": None}) is None


def test_logprobs_come_with_ids_only_where_the_server_gives_them() -> None:
    entries = [{"token": "a", "logprob": -1, "id": 5}, {"token": "b", "logprob": -2.5, "id": 6}]
    body = completion(content="ab")
    body["choices"][0]["logprobs"] = {"content": entries}

    with_ids = read_completion(body).tokens
    for entry in entries:
        del entry["id"]
    without = read_completion(body).tokens

    assert with_ids is not None
    assert (with_ids.completion, with_ids.logprobs, with_ids.of) == ((5, 6), (-1.0, -2.5), "model")
    assert without is not None
    assert (without.completion, without.logprobs) == ((), (-1.0, -2.5))


# --- shapes ---------------------------------------------------------------------------------------------------------


def test_options_travel_in_an_object_and_come_back_bare() -> None:
    enforced = enforce(shape_of(Choice("throw", ["rock", "paper"]), {}), STRICT)
    assert enforced is not None

    schema = enforced.response_format["json_schema"]["schema"]
    response = read_completion(completion(content='{\n "answer": "rock"}'), enforced)

    assert schema["properties"] == {"answer": {"type": "string", "enum": ["rock", "paper"]}}
    assert (response.text, response.parsed) == ("rock", "rock")


@pytest.mark.parametrize("text", ["rock", '{"answer": "lizard"}', "{", "[]", '{"answer": "rock", "x": 1}'])
def test_a_server_that_does_not_keep_the_schema_is_left_to_the_parser(text: str) -> None:
    enforced = enforce(shape_of(Choice("throw", ["rock", "paper"]), {}), STRICT)

    response = read_completion(completion(content=text), enforced)

    assert (response.text, response.parsed) == (text, None)


def test_a_cut_off_reply_is_left_as_it_is() -> None:
    enforced = enforce(shape_of(Choice("throw", ["rock", "paper"]), {}), STRICT)

    response = read_completion(completion(content='{"answer": "ro', finish="length"), enforced)

    assert (response.text, response.finish) == ('{"answer": "ro', "length")


def test_nothing_is_enforced_without_the_capability_or_for_free_text() -> None:
    choice = shape_of(Choice("throw", ["rock", "paper"]), {})

    assert enforce(choice, Capabilities()) is None
    assert enforce(choice, Capabilities(schema="json")) is None
    assert enforce(shape_of(Text("talk"), {}), STRICT) is None
    assert enforce(None, STRICT) is None


FORM = Form(
    "turn",
    Text("speech", 60),
    Subset("suspects", ["player_1", "player_2"], optional=True),
    Each("suspicion", ["player_1", "player_2"], Range("x", 0, 100), optional=True),
    ListOf("reports", Form("report", Range("night", 0, 3), Choice("target", ["a", "b"], optional=True)), 0, 2),
)


def test_openais_strict_mode_requires_every_property_and_knows_no_length() -> None:
    enforced = enforce(shape_of(FORM, {}), STRICT, all_required=True)
    assert enforced is not None

    text = json.dumps(enforced.response_format)
    schema = enforced.response_format["json_schema"]["schema"]

    assert schema["required"] == ["speech", "suspects", "suspicion", "reports"]
    assert "maxLength" not in text
    assert schema["properties"]["suspicion"]["anyOf"][1] == {"type": "null"}


def test_nulls_that_stand_for_left_out_fields_go() -> None:
    enforced = enforce(shape_of(FORM, {}), STRICT, all_required=True)
    reply = {
        "speech": "hi",
        "suspects": None,
        "suspicion": {"player_1": 7, "player_2": None},
        "reports": [{"night": 1, "target": None}],
    }

    response = read_completion(completion(content=json.dumps(reply)), enforced)

    assert response.parsed == {"speech": "hi", "suspicion": {"player_1": 7}, "reports": [{"night": 1}]}
    assert read_reply(FORM, response.text, {}).answer["suspicion"] == {"player_1": 7}
