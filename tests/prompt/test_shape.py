"""The shape of an answer, for clients that can enforce one, and the samples that a mock model answers with."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.core import Ask, Choice, Each, Flag, Form, ListOf, Number, Range, Rng, Subset, Text
from arena.prompt import read_reply, shape_of
from tests.strategies import asks, names_of_seats

ALEX = {"player_0": "Alex"}


@pytest.mark.parametrize(
    ("ask", "shape"),
    [
        (Choice("vote", ["player_0", "no"]), {"kind": "options", "options": ["Alex", "no"]}),
        (Range("bid", 0, 2), {"kind": "options", "options": ["0", "1", "2"]}),
        (Text("speech", 9), {"kind": "text", "max_chars": 9}),
        (
            Flag("sure"),
            {
                "kind": "schema",
                "schema": {
                    "type": "object",
                    "properties": {"sure": {"type": "boolean"}},
                    "required": ["sure"],
                    "additionalProperties": False,
                },
            },
        ),
    ],
)
def test_the_shape_of_a_lone_ask(ask: Ask, shape: object) -> None:
    assert shape_of(ask, ALEX).as_json() == shape


def test_a_wide_range_is_a_schema() -> None:
    schema = shape_of(Range("bid", 0, 1000), {}).schema

    assert schema is not None
    assert schema["properties"] == {"bid": {"type": "integer", "minimum": 0, "maximum": 1000}}


def test_the_schema_of_a_form_names_every_field_and_requires_the_obligatory_ones() -> None:
    ask = Form(
        "speak",
        Text("speech", 9),
        Number("price", 0, 1),
        Subset("pick", ["player_0", "b"], 1, 2),
        ListOf("path", Choice("step", ["n"]), 0, 3),
        Each("trust", ["player_0"], Range("level", 0, 9), optional=True),
        intent=[Flag("sure")],
    )
    schema = shape_of(ask, ALEX).schema

    assert schema == {
        "type": "object",
        "properties": {
            "speech": {"type": "string", "maxLength": 9},
            "price": {"type": "number", "minimum": 0, "maximum": 1},
            "pick": {
                "type": "array",
                "items": {"type": "string", "enum": ["Alex", "b"]},
                "minItems": 1,
                "maxItems": 2,
            },
            "path": {"type": "array", "items": {"type": "string", "enum": ["n"]}, "minItems": 0, "maxItems": 3},
            "trust": {
                "type": "object",
                "properties": {"Alex": {"type": "integer", "minimum": 0, "maximum": 9}},
                "required": [],
                "additionalProperties": False,
            },
            "sure": {"type": "boolean"},
        },
        "required": ["speech", "price", "pick", "path"],
        "additionalProperties": False,
    }


@given(asks(), names_of_seats(), st.integers(0, 2**32))
def test_a_sample_of_the_shape_is_a_legal_reply(ask: Ask, names: dict[str, str], seed: int) -> None:
    shape = shape_of(ask, names)
    assert shape.sample is not None
    reply = shape.sample(Rng(seed))

    assert ask.check(read_reply(ask, reply, names).answer) is not None
    json.dumps(shape.as_json())
