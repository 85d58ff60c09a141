"""One byte form for one value."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given

from arena.core import Spoken
from arena.core.canonical import canonical, digest
from tests.strategies import json_values


def test_keys_are_sorted_and_nothing_is_spaced_or_escaped() -> None:
    value = {"b": [1, 2.5, True, None], "a": "Zürich\n", "ab": {"z": 1, "y": 2}}

    assert canonical(value) == '{"a":"Zürich\\n","ab":{"y":2,"z":1},"b":[1,2.5,true,null]}'


def test_numbers_are_exact_and_as_short_as_they_can_be() -> None:
    assert canonical([10**30, 0.1, 1e22, 1e-7, -0.0]) == "[1000000000000000000000000000000,0.1,1e+22,1e-07,-0.0]"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, object(), b"x", 1j])
def test_what_is_not_json_is_refused(value: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        canonical({"a": value})


def test_words_of_players_are_texts_like_any_other() -> None:
    assert canonical(Spoken("hi")) == '"hi"'


def test_a_digest_is_the_sha256_of_the_canonical_form() -> None:
    assert digest({"b": 1, "a": "ü"}) == sha256('{"a":"ü","b":1}'.encode()).hexdigest()


@given(json_values())
def test_a_value_comes_back(value: Any) -> None:
    assert json.loads(canonical(value)) == value
