"""From a reply to an answer. Exactly one answer must be there: what is ambiguous is illegal, never guessed.

A lone choice, number or text may be the whole reply; anything may be one JSON object at the end of the reply, bare or
in one fence, with text before it (so that a model may think aloud). Text after the object, two different objects, a
repeated key or an unknown key make the reply illegal. Reads in time linear in the reply.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from arena.core.asks import Answer, Ask, Choice, Each, Form, ListOf, Number, Range, Subset, Text
from arena.core.errors import IllegalAnswer
from arena.core.text import spoken

Names = Mapping[str, str]

MAX_REPLY = 1 << 20
_MAX_DEPTH, _MAX_OBJECTS, _MAX_DIGITS = 32, 64, 400
_OPENING = re.compile(r'\{\s*["}]')
_THOUGHT = re.compile(r"\s*<think>(.*?)</think>", re.DOTALL)
_INTEGER = re.compile(r"[+-]?[0-9]{1,400}\Z")
_NUMBER = re.compile(r"[+-]?([0-9]{1,200}(\.[0-9]{0,200})?|\.[0-9]{1,200})([eE][+-]?[0-9]{1,3})?\Z")


class Reading(NamedTuple):
    """A legal answer, and whether a text in it was cut to its cap."""

    answer: Answer
    cut: bool = False


def split_reasoning(reply: str) -> tuple[str | None, str]:
    """A leading <think>…</think>, and the rest. Tags elsewhere are left alone."""
    if found := _THOUGHT.match(reply):
        return found.group(1).strip(), reply[found.end() :]
    return None, reply


def read_reply(ask: Ask, reply: str, names: Names) -> Reading:
    """The one legal answer in `reply`; IllegalAnswer says in engine words why there is none."""
    if len(reply) > MAX_REPLY:
        raise IllegalAnswer("the reply is longer than 1 MiB")
    text = split_reasoning(reply)[1].strip()
    if not text:
        raise IllegalAnswer("the reply is empty")
    reader = _Reader(names)
    objects = _objects_at_end(text)
    if isinstance(ask, Form):
        value = reader.value(ask, _only(objects))
    elif objects and all(isinstance(found, dict) and set(found) == {ask.name} for found in objects):
        value = reader.value(ask, _only(objects)[ask.name])
    elif isinstance(ask, Choice | Range | Number | Text):
        value = reader.bare(ask, text)
    else:
        value = reader.value(ask, _only(objects, ask.name)[ask.name])
    try:
        return Reading(ask.check(value), reader.cut)
    except IllegalAnswer as error:
        raise IllegalAnswer(error.reason, _clean(value)) from None


class _Reader:
    """Turns wire values into answers: names into labels, "50" into 50, long texts into cut ones."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.cut = False

    def bare(self, ask: Ask, text: str) -> Answer:
        if isinstance(ask, Text):
            return self.value(ask, text)
        if isinstance(ask, Choice) and (label := self.label(text, ask.options or (), ask.aliases)) in (
            ask.options or ()
        ):
            return label  # before its marks are taken off: a label may end in one
        return self.value(ask, text.strip().strip("\"'`*“”").removesuffix(".").strip("\"'`*“” \n\t"))

    def value(self, ask: Ask, value: Any) -> Answer:
        match ask:
            case Choice():
                return self.label(value, ask.options or (), ask.aliases)
            case Subset() if isinstance(value, list):
                return [self.label(entry, ask.labels) for entry in value]
            case Range() if isinstance(value, str) and _INTEGER.match(value.strip()):
                return int(value)
            case Number() if isinstance(value, str) and _NUMBER.match(value.strip()):
                return float(value)
            case Text() if isinstance(value, str) and len(value) > ask.max_chars:
                self.cut = True
                return value[: ask.max_chars]
            case ListOf() if isinstance(value, list):
                return [self.value(ask.item, entry) for entry in value]
            case Each() if isinstance(value, dict):
                return self.each(ask, value)
            case Form() if isinstance(value, dict):
                by_name = {field.name: field for field in ask.fields}
                return {
                    key: self.value(by_name[key], entry) if key in by_name and entry is not None else entry
                    for key, entry in value.items()
                }
        return value

    def each(self, ask: Each, value: dict[str, Any]) -> Answer:
        whole = {self.label(key, ask.keys): self.value(ask.item, entry) for key, entry in value.items()}
        if len(whole) != len(value):
            raise IllegalAnswer(f"{ask.name}: a key stands twice, by two of its names")
        return whole

    def label(self, value: Any, labels: Iterable[str], aliases: Names | None = None) -> Any:
        """The label that `value` means: exactly, or but for case; by its own word, its shown name or an alias."""
        if type(value) is int:
            value = str(value)
        if not isinstance(value, str):
            return value
        ways = [(self.names.get(label, label), label) for label in labels]
        ways += [(label, label) for label in labels]
        ways += [(way, label) for way, label in (aliases or {}).items()]
        wanted = value.strip()
        exact = {label for way, label in ways if way == wanted}
        folded = {label for way, label in ways if way.casefold() == wanted.casefold()}
        found = exact or folded
        return found.pop() if len(found) == 1 else value


def _only(objects: list[Any], key: str | None = None) -> Any:
    if not objects:
        raise IllegalAnswer("the reply does not end with one JSON object")
    if any(found != objects[0] for found in objects):
        raise IllegalAnswer("the reply holds two different JSON objects")
    if key is not None and set(objects[0]) != {key}:
        raise IllegalAnswer(f"the JSON object must have the one key {key!r}")
    return objects[0]


def _objects_at_end(text: str) -> list[Any]:
    """The top-level JSON objects of a reply whose last one ends it; [] if text follows the last one.

    A brace with a quote behind it begins an object; one that cannot be read to its end leaves the reply without an
    answer, since what stands inside it is not at the top. So no part of the reply is read twice.
    """
    found: list[Any] = []
    end = 0
    for _ in range(_MAX_OBJECTS):
        opening = _OPENING.search(text, end)
        if opening is None:
            break
        try:
            value, end = _DECODER.raw_decode(text, opening.start())
        except _Ambiguous as error:
            raise IllegalAnswer(str(error)) from None
        except (ValueError, RecursionError):
            raise IllegalAnswer("a JSON object of the reply cannot be read to its end") from None
        if _is_deep(value):
            raise IllegalAnswer("the JSON object is nested too deeply")
        found.append(value)
    else:
        raise IllegalAnswer("the reply holds too many objects to be one answer")
    after = text[end:].strip()
    return found if found and after in ("", ".", "```", "`", "```.") else []


class _Ambiguous(ValueError):
    pass


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    whole = dict(pairs)
    if len(whole) != len(pairs):
        raise _Ambiguous("a key of the JSON object stands twice")
    return whole


def _integer(text: str) -> int:
    if len(text) > _MAX_DIGITS:
        raise _Ambiguous("a number of the JSON object is too long")
    return int(text)


def _real(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise _Ambiguous("a number of the JSON object is too large")
    return value


def _constant(text: str) -> float:
    raise ValueError(f"{text} is not a JSON number")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_int=_integer, parse_float=_real, parse_constant=_constant, strict=False
)


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [
            entry
            for outer in level
            for entry in (outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ())
            if isinstance(entry, dict | list)
        ]
        if not level:
            return False
    return True


def _clean(value: Any) -> Any:
    """A rejected answer as JSON that can be kept: no lone surrogates."""
    match value:
        case str():
            return str(spoken(value))
        case list():
            return [_clean(entry) for entry in value]
        case dict():
            return {str(spoken(key)): _clean(entry) for key, entry in value.items()}
    return value
