"""The answer block: the last lines of the last user message, in one grammar for all games.

Tests, fake servers and parsers depend on these exact words, so they stand here and not in a template. Labels are shown
by the names of the table; a value nests on one line wherever a value may stand.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from arena.core.asks import Ask, Choice, Each, Flag, Form, ListOf, Number, Range, Subset, Text
from arena.core.errors import GameError

Names = Mapping[str, str]


def answer_block(ask: Ask, names: Names, *, as_object: bool = False) -> str:
    """How to answer `ask`, for a model; `as_object` asks for one JSON object even where a bare value would do."""
    match ask:
        case _ if as_object:
            pass
        case Choice():
            return f"Answer with one of: {_labels(ask.options or (), names)}"
        case Range():
            return f"Answer with an integer from {ask.low} to {ask.high}"
        case Number():
            return f"Answer with a number from {ask.low:g} to {ask.high:g}"
        case Text():
            return f"Answer with text, at most {ask.max_chars} characters."
    fields = ask.fields if isinstance(ask, Form) else (ask,)
    lines = [f"- {json.dumps(field.name)}: {_value(field, names)}{_left_out(field)}" for field in fields]
    return "\n".join(["Answer with one JSON object:", *lines])


def _value(ask: Ask, names: Names) -> str:
    match ask:
        case Choice():
            return f"one of {_labels(ask.options or (), names)}"
        case Range():
            return f"integer from {ask.low} to {ask.high}"
        case Number():
            return f"number from {ask.low:g} to {ask.high:g}"
        case Text():
            return f"text, at most {ask.max_chars} characters"
        case Flag():
            return "true or false"
        case Subset():
            return f"list of {ask.low} to {ask.high} of {_labels(ask.labels, names)}"
        case ListOf():
            return f"list of {ask.low} to {ask.high} of {_value(ask.item, names)}"
        case Each():
            return f"for each of {_labels(ask.keys, names)}: {_value(ask.item, names)}"
        case Form():
            inside = (f"{json.dumps(f.name)}: {_value(f, names)}{_left_out(f)}" for f in ask.fields)
            return "{" + ", ".join(inside) + "}"
    raise GameError(f"ask {ask.name!r} is of a kind that the answer block does not know: {type(ask).__name__}")


def _labels(labels: Iterable[str], names: Names) -> str:
    return " | ".join(json.dumps(names.get(label, label), ensure_ascii=False) for label in labels)


def _left_out(ask: Ask) -> str:
    return " (may be left out)" if ask.optional else ""
