"""Options: values by type, their canonical spelling, and whose key it is."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.models.options import COMMON, Component, Duration, assign, missing, parse, show, spelled

KLEVEL = Component("klevel", {"k": (int, 2), "rivals": (int, 0)})
VOTE = Component("vote", {"k": (int, 3)})
MODEL = Component("model", COMMON)


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("true", bool, True),
        ("false", bool, False),
        ("-3", int, -3),
        ("007", int, 7),
        ("0.70", float, 0.7),
        (".5", float, 0.5),
        ("1e-3", float, 0.001),
        ("2", float, 2.0),
        ("window=3", str, "window=3"),
        ("200ms", Duration, 0.2),
        ("2s", Duration, 2.0),
        ("1.5m", Duration, 90.0),
    ],
)
def test_a_value_is_read_by_its_declared_type(text: str, kind: type, value: object) -> None:
    assert parse(text, kind) == value
    assert type(parse(text, kind)) is kind


@pytest.mark.parametrize(
    ("text", "kind", "wanted"),
    [
        ("True", bool, "true or false"),
        ("1", bool, "true or false"),
        ("2.0", int, "an integer"),
        ("1_000", int, "an integer"),
        ("9" * 19, int, "an integer"),
        ("nan", float, "a number"),
        ("inf", float, "a number"),
        ("1e999", float, "a number"),
        ("0x10", int, "an integer"),
        ("200", Duration, "a time"),
        ("-1s", Duration, "a time"),
        ("2 s", Duration, "a time"),
        ("٣", int, "an integer"),
    ],
)
def test_a_value_of_another_type_says_what_is_wanted(text: str, kind: type, wanted: str) -> None:
    with pytest.raises(ValueError, match=f"must be {wanted}"):
        parse(text, kind)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (0.1, "0.1"),
        (1e22, "1e+22"),
        (True, "true"),
        (Duration(60), "1m"),
        (Duration(120), "2m"),
        (Duration(90), "90s"),
        (Duration(0.2), "200ms"),
        (Duration(0.0005), "0.5ms"),
        (Duration(0), "0ms"),
    ],
)
def test_a_value_has_one_spelling(value: object, text: str) -> None:
    assert show(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_survive_being_written(value: float) -> None:
    assert parse(show(value + 0.0), float) == value


@given(st.floats(0, 1e9).map(lambda s: Duration(round(s, 6))))
def test_times_survive_being_written(value: Duration) -> None:
    assert math.isclose(parse(show(value), Duration), value, rel_tol=1e-15)


def test_a_key_of_one_component_needs_no_owner() -> None:
    found, faults = assign([KLEVEL, MODEL], [("k", "3"), ("temperature", "0.5")])

    assert found == {("klevel", "k"): 3, ("model", "temperature"): 0.5}
    assert faults == []


def test_a_key_of_two_components_names_both_spellings() -> None:
    found, faults = assign([KLEVEL, VOTE, MODEL], [("k", "3")])

    assert found == {}
    assert faults == ["the option 'k' is ambiguous; write klevel.k=… or vote.k=…"]


def test_a_qualified_key_is_its_owners() -> None:
    found, _ = assign([KLEVEL, VOTE, MODEL], [("klevel.k", "4"), ("vote.k", "5"), ("model.seed", "1")])

    assert found == {("klevel", "k"): 4, ("vote", "k"): 5, ("model", "seed"): 1}
    assert spelled([KLEVEL, VOTE, MODEL], "vote", "k") == "vote.k"
    assert spelled([KLEVEL, VOTE, MODEL], "klevel", "rivals") == "rivals"


def test_an_unknown_key_lists_the_keys_of_each_component() -> None:
    _, faults = assign([KLEVEL, MODEL], [("rival", "1")])

    assert "Did you mean rivals?" in faults[0]
    assert "klevel has k, rivals" in faults[0]
    assert "model has choice, client" in faults[0]


def test_a_key_given_twice_is_a_fault_however_it_is_spelled() -> None:
    _, faults = assign([KLEVEL], [("k", "1"), ("klevel.k", "2")])

    assert faults == ["the option 'klevel.k' is given twice"]


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("temperature", "-0.1"),
        ("top_p", "1.5"),
        ("max_tokens", "0"),
        ("timeout", "0s"),
        ("rpm", "0"),
        ("choice", "guess"),
        ("client", "curl"),
        ("reasoning", "lots"),
        ("key_env", "MY KEY"),
        ("price_in", "-1"),
    ],
)
def test_a_value_out_of_bounds_is_a_fault_of_that_key(key: str, text: str) -> None:
    found, faults = assign([MODEL], [(key, text)])

    assert found == {}
    assert faults[0].startswith(f"{key} must")


@pytest.mark.parametrize("text", ["none", "low", "high", "2048"])
def test_reasoning_is_a_word_or_a_number_of_tokens(text: str) -> None:
    assert assign([MODEL], [("reasoning", text)]) == ({("model", "reasoning"): text}, [])


def test_an_option_without_default_must_be_given() -> None:
    def bot(*, strength: int) -> None: ...

    from arena.core.bots import options_of

    component = Component("bot", options_of(bot))

    assert missing([component], {}) == ["bot needs the option 'strength'"]
    assert missing([component], {("bot", "strength"): 1}) == []
