"""A game's configuration: frozen, validated when it is made, hashable, and documented field by field.

    class DiceConfig(Config):
        dice: int = option(3, "dice in each hand", low=1, high=10)

Values arrive from TOML, JSON and `--set key=value`; lists become tuples and objects `Frozen` mappings at once, so
nothing behind a config checks or copies again. A cross-field rule goes into `check`.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
import sys
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, Self, Union, dataclass_transform

from arena.core.errors import ConfigError, nearest


class Frozen(dict[str, Any]):
    """A mapping that cannot change, so that a config stays hashable."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(sorted(self.items())))

    def _refuse(self, *_: object, **__: object) -> typing.NoReturn:
        raise TypeError("a config does not change")

    __setitem__ = __delitem__ = update = pop = popitem = clear = setdefault = __ior__ = _refuse

    def __reduce__(self) -> tuple[type, tuple[dict[str, Any]]]:
        return Frozen, (dict(self),)


def option(default: Any, doc: str, *, low: float | None = None, high: float | None = None, secret: bool = False) -> Any:
    """A field with its one-line meaning and bounds. A `secret` field is in no view (a forced deal, a control)."""
    return dataclasses.field(default=default, metadata={"doc": doc, "low": low, "high": high, "secret": secret})


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(option, dataclasses.field))
class Config:
    """The base of all configs. `Config()` itself has no field."""

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.as_json() == other.as_json()

    def __hash__(self) -> int:
        return hash(type(self))

    def __init_subclass__(cls) -> None:
        if hidden := sorted(set(inspect.get_annotations(cls)) & set(dir(Config))):
            raise TypeError(f"{cls.__name__}: {', '.join(hidden)} is a word of Config and cannot be a field")
        dataclasses.dataclass(frozen=True, kw_only=True)(cls)

    def __post_init__(self) -> None:
        for name, kind in _kinds(type(self)).items():
            field = self.__dataclass_fields__[name]  # type: ignore[attr-defined]
            value = _coerce(getattr(self, name), kind, name)
            low, high = field.metadata.get("low"), field.metadata.get("high")
            if value is not None and ((low is not None and value < low) or (high is not None and value > high)):
                bounds = " and ".join(
                    [f"at least {low}"] * (low is not None) + [f"at most {high}"] * (high is not None)
                )
                raise ConfigError(f"{name} must be {bounds}, not {value}")
            object.__setattr__(self, name, value)
        self.check()

    def check(self) -> None:
        """Rules that hold between fields: raise ConfigError, naming the field."""

    @classmethod
    def make(cls, values: Mapping[str, Any]) -> Self:
        """A config from untrusted keys; an unknown key names the nearest one."""
        for key in values:
            if key not in _kinds(cls):
                near = nearest(key, _kinds(cls))
                raise ConfigError(
                    f"there is no config field {key!r}." + (f" Nearest: {', '.join(near)}." if near else "")
                )
        return cls(**values)

    def as_json(self) -> dict[str, Any]:
        return {name: _plain(getattr(self, name)) for name in _kinds(type(self))}

    @classmethod
    def secret(cls) -> frozenset[str]:
        return _secret(cls)

    @classmethod
    def describe(cls) -> list[dict[str, Any]]:
        """Name, type, default, bounds and meaning of every field: for `arena games NAME` and the docs."""
        return [
            {
                "name": name,
                "type": _word(kind),
                "default": _plain(cls.__dataclass_fields__[name].default),  # type: ignore[attr-defined]
                **{k: v for k, v in cls.__dataclass_fields__[name].metadata.items() if v is not None and k != "secret"},  # type: ignore[attr-defined]
            }
            for name, kind in _kinds(cls).items()
        ]


def _secret(cls: Any) -> frozenset[str]:
    """The secret fields; worked out once a class."""
    if cls is Config:
        return frozenset()
    if "_secrets" not in cls.__dict__:
        fields = cls.__dataclass_fields__.items()
        cls._secrets = frozenset(name for name, field in fields if field.metadata.get("secret"))
    found: frozenset[str] = cls._secrets
    return found


def _kinds(cls: Any) -> dict[str, Any]:
    """Field -> type; worked out once a class."""
    if cls is Config:
        return {}
    if "_kinds" in cls.__dict__:
        return dict(cls._kinds)
    hints = typing.get_type_hints(cls)
    cls._kinds = {f.name: hints[f.name] for f in dataclasses.fields(cls)}
    return dict(cls._kinds)


def _coerce(value: Any, kind: Any, name: str) -> Any:
    """`value` as `kind`, or a ConfigError that names the field. Only lossless steps: list to tuple, int to float."""
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (Union, types.UnionType):
        for arm in args:
            try:
                return _coerce(value, arm, name)
            except ConfigError:
                continue
    elif origin is Literal:
        if any(value == a and type(value) is type(a) for a in args):
            return value
    elif kind is Any:
        return _freeze(value)
    elif kind is None or kind is types.NoneType:
        if value is None:
            return None
    elif kind is float:
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max:
            return float(value)
    elif kind in (int, str, bool):
        if type(value) is kind:
            return value
    elif origin is tuple:
        if isinstance(value, list | tuple):
            if args and args[-1] is not Ellipsis and len(value) != len(args):
                raise ConfigError(f"{name} must hold {len(args)} values, not {len(value)}")
            inner = [args[0]] * len(value) if args and args[-1] is Ellipsis else args
            return tuple(_coerce(v, k, f"{name}[{i}]") for i, (v, k) in enumerate(zip(value, inner, strict=True)))
    elif origin in (Mapping, dict) or (isinstance(origin, type) and issubclass(origin, Mapping)):
        if isinstance(value, Mapping):
            return Frozen({k: _coerce(v, args[1], f"{name}.{k}") for k, v in _in_order(value)})
    else:
        raise TypeError(f"config field {name} has a type that configs do not know: {kind}")
    raise ConfigError(f"{name} must be {_word(kind)}, not {value!r}")


def _in_order(value: Mapping[Any, Any]) -> list[tuple[str, Any]]:
    """Entries by key: a record sorts keys, and a config must read the same before and after."""
    return sorted((str(key), entry) for key, entry in value.items())


def _freeze(value: Any) -> Any:
    if isinstance(value, Mapping):
        return Frozen({k: _freeze(v) for k, v in _in_order(value)})
    if isinstance(value, list | tuple):
        return tuple(_freeze(v) for v in value)
    if isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"a number must be finite, not {value}")
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, tuple) else value


def _word(kind: Any) -> str:
    origin, args = typing.get_origin(kind), typing.get_args(kind)
    if origin in (Union, types.UnionType):
        return " or ".join(_word(a) for a in args)
    if origin is Literal:
        return "one of " + ", ".join(map(str, args))
    if origin is tuple:
        return f"a list of {_word(args[0])}" if args[-1] is Ellipsis else f"a list of {len(args)} values"
    if origin is not None:
        return f"a table of {_word(args[1])}"
    words = {int: "an integer", float: "a number", str: "text", bool: "true or false", types.NoneType: "null"}
    return words.get(kind, "any value")
