"""Options of a name (`?key=value&…`): their types, the ones that every model has, and which part of a name owns a key.

A component (a method, the model, the agent, a bot) declares its options as key -> (type, default). Values arrive as
text and are parsed by that type once; `show` writes a value so that it parses back to itself, which canonical names
rely on. A key that two components declare must say whose it is: `klevel.k=2`, `model.temperature=0`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from inspect import Parameter
from typing import Any, NamedTuple

from arena.core.errors import nearest

Options = Mapping[str, tuple[type, Any]]


class Duration(float):
    """Seconds; written `200ms`, `2s` or `1m`."""

    __slots__ = ()


COMMON: Options = {
    "temperature": (float, None),
    "top_p": (float, None),
    "top_k": (int, None),
    "min_p": (float, None),
    "max_tokens": (int, None),  # None: room for what the ask allows
    "seed": (int, None),
    "stop": (str, None),
    "reasoning": (str, None),
    "timeout": (Duration, Duration(120)),
    "rpm": (int, None),
    "tpm": (int, None),
    "concurrency": (int, None),
    "key_env": (str, None),
    "price_in": (float, None),  # USD per million tokens
    "price_out": (float, None),
    "choice": (str, "auto"),
    "client": (str, None),
    "revision": (str, None),
}
AGENT: Options = {"memory": (str, "full")}

_INTEGER = re.compile(r"[+-]?[0-9]{1,18}\Z")
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,40}(?:\.[0-9]{0,40})?|\.[0-9]{1,40})(?:[eE][+-]?[0-9]{1,3})?\Z")
_DURATION = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,30})?)(ms|s|m)\Z")
_UNITS = {"ms": Decimal("0.001"), "s": Decimal(1), "m": Decimal(60)}
_WORDS = {
    int: "an integer",
    float: "a number",
    bool: "true or false",
    str: "text",
    Duration: "a time as 200ms, 2s or 1m",
}


class Component(NamedTuple):
    """A part of a name that declares options: a method's name, "model", "agent" or "bot"."""

    name: str
    options: Options


def parse(text: str, kind: type) -> Any:
    """`text` as a value of `kind`; ValueError says what it must be."""
    if kind is bool and text in ("true", "false"):
        return text == "true"
    if kind is int and _INTEGER.match(text):
        return int(text)
    if kind is float and _NUMBER.match(text) and math.isfinite(float(text)):
        return float(text) + 0.0  # -0 is 0
    if kind is Duration and (found := _DURATION.match(text)):
        return Duration(Decimal(found[1]) * _UNITS[found[2]])
    if kind is str:
        return text
    raise ValueError(f"must be {_WORDS.get(kind, kind.__name__)}, not {text!r}")


def show(value: Any) -> str:
    """The canonical spelling of an option's value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Duration):
        return _show_duration(value)
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def _show_duration(value: Duration) -> str:
    seconds = Decimal(float.__repr__(value))
    for unit in ("m", "s"):
        count = seconds / _UNITS[unit]
        if value and count == count.to_integral_value():
            return f"{int(count)}{unit}"
    return f"{(seconds * 1000).normalize():f}ms"


def defaults(options: Options) -> dict[str, Any]:
    return {key: default for key, (_, default) in options.items()}


def assign(
    components: Sequence[Component], given: Iterable[tuple[str, str]]
) -> tuple[dict[tuple[str, str], Any], list[str]]:
    """(component, key) -> value for every option given, and what is wrong with the rest."""
    found: dict[tuple[str, str], Any] = {}
    faults: list[str] = []
    for key, text in given:
        owners = _owners(components, key)
        if len(owners) != 1:
            faults.append(_whose(components, key, [owner for owner, _ in owners]))
            continue
        component, option = owners[0]
        slot = (component.name, option)
        if slot in found:
            faults.append(f"the option {key!r} is given twice")
            continue
        try:
            found[slot] = checked(component.name, option, parse(text, component.options[option][0]))
        except ValueError as error:
            faults.append(f"{key} {error}")
    return found, faults


def spelled(components: Sequence[Component], component: str, option: str) -> str:
    """An option's key as a canonical name writes it: bare where one component declares it."""
    return option if len(_owners(components, option)) == 1 else f"{component}.{option}"


def missing(components: Iterable[Component], found: Mapping[tuple[str, str], Any]) -> list[str]:
    """Options without a default that were not given."""
    return [
        f"{component.name} needs the option {key!r}"
        for component in components
        for key, (_, default) in component.options.items()
        if default is Parameter.empty and (component.name, key) not in found
    ]


def _owners(components: Sequence[Component], key: str) -> list[tuple[Component, str]]:
    owner, dot, rest = key.partition(".")
    qualified = [(c, rest) for c in components if dot and c.name == owner and rest in c.options]
    return qualified or [(c, key) for c in components if key in c.options]


def _whose(components: Sequence[Component], key: str, owners: Sequence[Component]) -> str:
    if owners:
        return f"the option {key!r} is ambiguous; write " + " or ".join(f"{owner.name}.{key}=…" for owner in owners)
    known = "; ".join(f"{c.name} has {', '.join(sorted(c.options)) or 'no options'}" for c in components)
    near = nearest(key.rpartition(".")[2], {option for c in components for option in c.options})
    meant = f" Did you mean {', '.join(near)}?" if near else ""
    return f"there is no option {key!r}.{meant} ({known or 'this name takes no options'})"


# --- values that their type alone does not settle -------------------------------------------------------------------


def checked(component: str, option: str, value: Any) -> Any:
    """The value, or ValueError with the reason why this option cannot have it."""
    rule = _RULES.get(option) if component in ("model", "agent") else None
    if rule is not None and (reason := rule(value)):
        raise ValueError(f"{reason}, not {show(value)!r}")
    return value


def _between(low: float, high: float = math.inf) -> Callable[[Any], str | None]:
    wanted = f"must be at least {low}" if high == math.inf else f"must be from {low} to {high}"
    return lambda value: None if low <= value <= high else wanted


def _one_of(*words: str) -> Callable[[Any], str | None]:
    return lambda value: None if value in words else f"must be one of {', '.join(words)}"


def _reasoning(value: str) -> str | None:
    known = value in ("none", "low", "medium", "high") or re.fullmatch("[0-9]{1,9}", value)
    return None if known else "must be none, low, medium, high or a number of tokens"


def _memory(value: str) -> str | None:
    known = value in ("full", "notes") or re.fullmatch(r"window=(0|[1-9][0-9]{0,5})", value)
    return None if known else "must be full, notes or window=N"


def _variable(value: str) -> str | None:
    known = re.fullmatch("[A-Za-z_][A-Za-z0-9_]{0,63}", value)
    return None if known else "must be the name of an environment variable"


_RULES: dict[str, Callable[[Any], str | None]] = {
    "temperature": _between(0, 100),
    "top_p": _between(0, 1),
    "top_k": _between(0),
    "min_p": _between(0, 1),
    "max_tokens": _between(1),
    "timeout": lambda value: None if value > 0 else "must be longer than nothing",
    "rpm": _between(1),
    "tpm": _between(1),
    "concurrency": _between(1),
    "price_in": _between(0),
    "price_out": _between(0),
    "key_env": _variable,
    "choice": _one_of("auto", "grammar", "score", "text"),
    "client": _one_of("openai", "litellm"),
    "reasoning": _reasoning,
    "memory": _memory,
}
