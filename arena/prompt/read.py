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

Names = Mapping[str, str]

MAX_REPLY = 1 << 20
_MAX_DEPTH, _MAX_OBJECTS, _MAX_DIGITS = 32, 64, 400
_THOUGHT = re.compile(r"\s*<think>(.*?)</think>", re.DOTALL)
_INTEGER = re.compile(r"[+-]?[0-9]{1,400}\Z")
_NUMBER = re.compile(r"[+-]?([0-9]{1,200}(\.[0-9]{0,200})?|\.[0-9]{1,200})\Z")


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
        raise IllegalAnswer(error.reason, value) from None


class _Reader:
    """Turns wire values into answers: names into labels, "50" into 50, long texts into cut ones."""

    def __init__(self, names: Names) -> None:
        self.names = names
        self.cut = False

    def bare(self, ask: Ask, text: str) -> Answer:
        if isinstance(ask, Text):
            return self.value(ask, text)
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
                return {self.label(key, ask.keys): self.value(ask.item, entry) for key, entry in value.items()}
            case Form() if isinstance(value, dict):
                by_name = {field.name: field for field in ask.fields}
                return {
                    key: self.value(by_name[key], entry) if key in by_name and entry is not None else entry
                    for key, entry in value.items()
                }
        return value

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
    """The top-level JSON objects of a reply whose last one ends it; [] if text follows the last one."""
    found: list[Any] = []
    end = position = 0
    for _ in range(_MAX_OBJECTS):
        start = text.find("{", position)
        if start < 0:
            break
        try:
            value, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError) as error:
            if isinstance(error, _Ambiguous):
                raise IllegalAnswer(str(error)) from None
            position = start + 1
            continue
        if _depth(value) > _MAX_DEPTH:
            raise IllegalAnswer("the JSON object is nested too deeply")
        found.append(value)
        position = end
    else:
        raise IllegalAnswer("the reply holds too many braces to be one answer")
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


def _constant(text: str) -> float:
    raise ValueError(f"{text} is not a JSON number")


_DECODER = json.JSONDecoder(object_pairs_hook=_pairs, parse_int=_integer, parse_constant=_constant, strict=False)


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max((_depth(entry) for entry in inner), default=0)
