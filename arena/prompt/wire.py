"""An answer as a model would write it: what a seat's own past answers look like in its messages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from arena.core.asks import Answer, Ask, Choice, Each, Form, ListOf, Number, Range, Subset, Text


def wire(ask: Ask, answer: Answer, names: Mapping[str, str], *, as_object: bool = False) -> str:
    """The shortest text that reads back as `answer`, or one JSON object. A lost turn is `null`."""
    if answer is None:
        return "null"
    if not as_object:
        if isinstance(ask, Choice):
            return names.get(answer, answer)
        if isinstance(ask, Range | Number):
            return json.dumps(answer)
        if isinstance(ask, Text) and _is_plain(answer):
            return str(answer)
    value = _shown(ask, answer, names)
    whole = value if isinstance(ask, Form) else {ask.name: value}
    return json.dumps(whole, ensure_ascii=False, separators=(", ", ": "))


def _is_plain(text: str) -> bool:
    """Whether a text reads back as itself when it is the whole reply."""
    return text.strip() == text != "" and "{" not in text and not text.startswith("<think>")


def _shown(ask: Ask, answer: Answer, names: Mapping[str, str]) -> Any:
    """The answer with labels as the table's names, optional fields that were left out dropped."""
    match ask:
        case Choice() if isinstance(answer, str):
            return names.get(answer, answer)
        case Subset() if isinstance(answer, list):
            return [names.get(label, label) for label in answer]
        case ListOf() if isinstance(answer, list):
            return [_shown(ask.item, entry, names) for entry in answer]
        case Each() if isinstance(answer, dict):
            return {names.get(key, key): _shown(ask.item, value, names) for key, value in answer.items()}
        case Form() if isinstance(answer, dict):
            given = [field for field in ask.fields if answer.get(field.name) is not None]
            return {field.name: _shown(field, answer[field.name], names) for field in given}
    return answer
