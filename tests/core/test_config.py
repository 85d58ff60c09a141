"""Configurations: frozen, checked when they are made, hashable, documented."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Mapping
from typing import Any, Literal

import pytest

from arena.core import Config, ConfigError, option
from arena.core.canonical import canonical
from arena.core.config import Frozen


class DiceConfig(Config):
    dice: int = option(3, "dice in each hand", low=1, high=10)
    talk: bool = option(True, "players may talk")
    odds: float = option(0.5, "how often", low=0, high=1)
    mode: Literal["fast", "slow"] = option("fast", "pace")
    faces: tuple[int, ...] = option((1, 6), "faces of a die")
    pair: tuple[int, str] = option((1, "a"), "a number and a word")
    prices: Mapping[str, int] = option(Frozen({"a": 1}), "price of each good")
    cap: int | None = option(None, "most rounds")
    extra: Any = option(None, "anything")
    deal: str | None = option(None, "a fixed deal", secret=True)

    def check(self) -> None:
        if self.mode == "slow" and not self.talk:
            raise ConfigError("mode slow needs talk")


def test_a_config_has_its_defaults() -> None:
    assert DiceConfig.make({}).as_json() == {
        "dice": 3,
        "talk": True,
        "odds": 0.5,
        "mode": "fast",
        "faces": [1, 6],
        "pair": [1, "a"],
        "prices": {"a": 1},
        "cap": None,
        "extra": None,
        "deal": None,
    }


def test_equal_configs_are_one_key() -> None:
    one = DiceConfig.make({"prices": {"b": 2, "a": 1}, "faces": [1, 2], "extra": {"deep": [1, {"x": 2}]}})
    two = DiceConfig.make({"extra": {"deep": [1, {"x": 2}]}, "faces": (1, 2), "prices": {"a": 1, "b": 2}})

    assert one == two
    assert hash(one) == hash(two)
    assert len({one, two, DiceConfig.make({})}) == 2


def test_a_config_does_not_change() -> None:
    config = DiceConfig.make({})

    with pytest.raises(AttributeError):
        config.dice = 4  # type: ignore[misc]  # that it is refused is the point
    with pytest.raises(TypeError, match="does not change"):
        config.prices["a"] = 2  # type: ignore[index]
    with pytest.raises(TypeError, match="does not change"):
        config.prices.update({"a": 2})  # type: ignore[attr-defined]


def test_the_order_of_a_mapping_survives_the_record() -> None:
    config = DiceConfig.make({"prices": {"b": 1, "a": 2}})
    again = DiceConfig.make(json.loads(canonical(config.as_json())))

    assert list(again.prices) == list(config.prices)


def test_a_mapping_of_a_config_is_not_merged_in_place() -> None:
    prices: Any = DiceConfig.make({}).prices

    with pytest.raises(TypeError):
        prices |= {"a": 2}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"dice": 0}, "dice must be at least 1 and at most 10, not 0"),
        ({"dice": 11}, "dice must be at least 1 and at most 10, not 11"),
        ({"dice": 3.0}, "dice must be an integer, not 3.0"),
        ({"dice": True}, "dice must be an integer, not True"),
        ({"dice": "3"}, "dice must be an integer, not '3'"),
        ({"talk": 1}, "talk must be true or false, not 1"),
        ({"odds": float("nan")}, "odds must be a number, not nan"),
        ({"odds": True}, "odds must be a number, not True"),
        ({"mode": "medium"}, "mode must be one of fast, slow, not 'medium'"),
        ({"faces": 3}, "faces must be a list of an integer, not 3"),
        ({"faces": [1, "2"]}, "faces[1] must be an integer, not '2'"),
        ({"pair": [1]}, "pair must hold 2 values, not 1"),
        ({"prices": {"a": "b"}}, "prices.a must be an integer, not 'b'"),
        ({"cap": "none"}, "cap must be an integer or null, not 'none'"),
        ({"extra": [float("inf")]}, "a number must be finite, not inf"),
        ({"mode": "slow", "talk": False}, "mode slow needs talk"),
    ],
)
def test_a_wrong_value_is_refused_by_name(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        DiceConfig.make(values)

    assert caught.value.message == message


def test_an_integer_too_large_for_a_number_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="odds"):
        DiceConfig.make({"odds": 10**400})


def test_an_unknown_field_names_the_nearest() -> None:
    with pytest.raises(ConfigError) as caught:
        DiceConfig.make({"dise": 3})

    assert caught.value.message == "there is no config field 'dise'. Nearest: dice, odds, mode."


def test_a_field_may_not_hide_a_method_of_config() -> None:
    with pytest.raises(TypeError, match="secret"):

        class Broken(Config):
            secret: str = option("", "hides Config.secret")  # type: ignore[assignment]  # mypy sees it too


def test_a_whole_number_is_a_number() -> None:
    odds = DiceConfig.make({"odds": 1}).odds

    assert odds == 1.0
    assert type(odds) is float


def test_a_config_comes_back_from_its_json() -> None:
    config = DiceConfig.make({"prices": {"b": 2}, "extra": [1, {"x": [None, "y"]}], "cap": 5})

    assert DiceConfig.make(config.as_json()) == config


def test_a_config_survives_pickle_and_copy() -> None:
    config = DiceConfig.make({"prices": {"b": 2}})

    assert pickle.loads(pickle.dumps(config)) == config
    assert copy.deepcopy(config) == config


def test_secret_fields_are_known_by_name() -> None:
    assert DiceConfig.secret() == {"deal"}
    assert Config.secret() == frozenset()


def test_a_config_describes_every_field() -> None:
    described = {field["name"]: field for field in DiceConfig.describe()}

    assert described["dice"] == {
        "name": "dice",
        "type": "an integer",
        "default": 3,
        "doc": "dice in each hand",
        "low": 1,
        "high": 10,
    }
    assert described["faces"]["type"] == "a list of an integer"
    assert described["pair"]["type"] == "a list of 2 values"
    assert described["prices"]["type"] == "a table of an integer"
    assert described["cap"]["type"] == "an integer or null"
    assert "secret" not in described["deal"]


def test_a_type_that_configs_do_not_know_is_a_fault_of_the_game() -> None:
    class Odd(Config):
        when: complex = option(1j, "no JSON has this")

    with pytest.raises(TypeError, match="when has a type that configs do not know"):
        Odd.make({})


def test_a_config_without_fields_is_a_config() -> None:
    assert Config().as_json() == {}
    assert Config.describe() == []


def test_configs_without_fields_are_equal() -> None:
    assert Config.make({}) == Config.make({})
