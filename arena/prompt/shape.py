"""The shape of an answer, for clients that can enforce one: closed options, or a JSON schema, or free text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

from arena.core.asks import Ask, Choice, Each, Flag, Form, ListOf, Number, Range, Subset, Text
from arena.prompt.wire import wire


@dataclass(frozen=True)
class Shape:
    """`options`: the reply is one of them, as text. `schema`: the reply is one JSON value of it. Neither: free text.

    `sample` draws a legal reply (the mock model answers with it); it is no part of a request's identity.
    """

    kind: Literal["options", "schema", "text"]
    options: tuple[str, ...] = ()
    schema: dict[str, Any] | None = None
    max_chars: int | None = None
    sample: Callable[[Random], str] | None = None

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = {"kind": self.kind}
        if self.options:
            found["options"] = list(self.options)
        if self.schema is not None:
            found["schema"] = self.schema
        if self.max_chars is not None:
            found["max_chars"] = self.max_chars
        return found


def shape_of(ask: Ask, names: Mapping[str, str]) -> Shape:
    def sample(rng: Random) -> str:
        return wire(ask, ask.sample(rng), names)

    if isinstance(ask, Choice):
        return Shape("options", options=tuple(names.get(o, o) for o in ask.options or ()), sample=sample)
    if isinstance(ask, Text):
        return Shape("text", max_chars=ask.max_chars, sample=sample)
    if isinstance(ask, Range) and ask.high - ask.low < 256:
        return Shape("options", options=tuple(str(n) for n in range(ask.low, ask.high + 1)), sample=sample)
    if isinstance(ask, Form):
        return Shape("schema", schema=schema_of(ask, names), sample=sample)
    schema = {
        "type": "object",
        "properties": {ask.name: schema_of(ask, names)},
        "required": [ask.name],
        "additionalProperties": False,
    }
    return Shape("schema", schema=schema, sample=sample)


def schema_of(ask: Ask, names: Mapping[str, str]) -> dict[str, Any]:
    """The JSON schema of an answer. What a schema cannot say (a form's rule) the parser still checks."""

    def shown(labels: tuple[str, ...]) -> list[str]:
        return [names.get(label, label) for label in labels]

    match ask:
        case Choice():
            return {"type": "string", "enum": shown(ask.options or ())}
        case Range():
            return {"type": "integer", "minimum": ask.low, "maximum": ask.high}
        case Number():
            return {"type": "number", "minimum": ask.low, "maximum": ask.high}
        case Text():
            return {"type": "string", "maxLength": ask.max_chars}
        case Flag():
            return {"type": "boolean"}
        case Subset():
            items = {"type": "string", "enum": shown(ask.labels)}
            return {"type": "array", "items": items, "minItems": ask.low, "maxItems": ask.high}
        case ListOf():
            return {
                "type": "array",
                "items": schema_of(ask.item, names),
                "minItems": ask.low,
                "maxItems": ask.high,
            }
        case Each():
            properties = {key: schema_of(ask.item, names) for key in shown(ask.keys)}
            required = [] if ask.optional else list(properties)
            return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
        case Form():
            return {
                "type": "object",
                "properties": {field.name: schema_of(field, names) for field in ask.fields},
                "required": [field.name for field in ask.fields if not field.optional],
                "additionalProperties": False,
            }
    raise TypeError(f"no schema for {type(ask).__name__}")
