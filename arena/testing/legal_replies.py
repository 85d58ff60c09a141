"""Random legal replies from what a model is shown: the answer block of a prompt, or a JSON schema.

The fake server knows no ask, as a real one does not; it reads the same words as a model and answers by them. What only
a game's rule forbids can still come out (a form's cross-field rule is not in its answer block).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

Draw = Callable[[Random], Any]
WORDS = ("yes", "no", "I agree.", "Let us wait and see.", "That is a fair deal.")

_INTEGER = re.compile(r"(?:an )?integer from (-?\d+) to (-?\d+)")
_NUMBER = re.compile(r"(?:a )?number from (\S+) to ([-+.\w]*\w)")
_TEXT = re.compile(r"text, at most (\d+) characters\.?")
_LIST = re.compile(r"list of (\d+) to (\d+) of ")
_LEFT_OUT = " (may be left out)"
_DECODER = json.JSONDecoder()


def block_of(prompt: str) -> str | None:
    """The last answer block of a user message: from its last engine line that begins with `Answer with `."""
    lines = prompt.split("\n")
    for at in range(len(lines) - 1, -1, -1):
        if lines[at].startswith("Answer with "):
            return "\n".join(lines[at:])
    return None


def reply_to_block(block: str, rng: Random, words: Sequence[str] = WORDS) -> str:
    """A random legal reply to an answer block, in the form that the block asks for."""
    head, *fields = block.split("\n")
    if head == "Answer with one JSON object:":
        found: dict[str, Any] = {}
        for line in fields:
            if not line.startswith("- "):
                break
            name, value, optional = _Block(line[2:], words).field()
            if not (optional and rng.random() < 0.3):
                found[name] = value(rng)
        return json.dumps(found, ensure_ascii=False)
    answer = _Block(head.removeprefix("Answer with "), words).value()(rng)
    return answer if isinstance(answer, str) else json.dumps(answer)


class _Block:
    """A recursive-descent reader of one line of an answer block (arena.prompt.block writes it)."""

    def __init__(self, text: str, words: Sequence[str]) -> None:
        self.text, self.words, self.at = text, words, 0

    def field(self) -> tuple[str, Draw, bool]:
        name = self._string()
        self._skip(": ")
        value = self.value()
        return name, value, self._skip(_LEFT_OUT)

    def value(self) -> Draw:
        if self._skip("one of: ") or self._skip("one of "):
            return _one_of(self._labels())
        if self._skip("true or false"):
            return lambda rng: rng.random() < 0.5
        if found := self._match(_INTEGER):
            low, high = int(found[1]), int(found[2])
            return lambda rng: rng.randint(low, high)
        if found := self._match(_NUMBER):
            least, most = float(found[1]), float(found[2])
            return lambda rng: round(rng.uniform(least, most), 3)
        if found := self._match(_TEXT):
            return _text(int(found[1]), self.words)
        if found := self._match(_LIST):
            return self._list(int(found[1]), int(found[2]))
        if self._skip("for each of "):
            keys = self._labels()
            self._skip(": ")
            each = self.value()
            return lambda rng: {key: each(rng) for key in keys}
        if self._skip("{"):
            return self._object()
        raise ValueError(f"not an answer block: {self.text[self.at :]!r}")

    def _list(self, low: int, high: int) -> Draw:
        if self.text.startswith('"', self.at):  # bare labels: a subset, every label at most once
            labels = self._labels()
            return lambda rng: rng.sample(labels, rng.randint(low, min(high, len(labels))))
        item = self.value()
        return lambda rng: [item(rng) for _ in range(rng.randint(low, high))]

    def _object(self) -> Draw:
        fields = [self.field()]
        while self._skip(", "):
            fields.append(self.field())
        self._skip("}")
        return lambda rng: {name: draw(rng) for name, draw, optional in fields if not (optional and rng.random() < 0.3)}

    def _labels(self) -> list[str]:
        labels = [self._string()]
        while self._skip(" | "):
            labels.append(self._string())
        return labels

    def _string(self) -> str:
        label, self.at = _DECODER.raw_decode(self.text, self.at)
        return str(label)

    def _skip(self, word: str) -> bool:
        found = self.text.startswith(word, self.at)
        self.at += len(word) * found
        return found

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        if found := pattern.match(self.text, self.at):
            self.at = found.end()
        return found


def reply_to_schema(schema: dict[str, Any], rng: Random, words: Sequence[str] = WORDS) -> Any:
    """A random instance of the schemas that asks have: enums, numbers, strings, booleans, arrays, objects, null."""
    if options := schema.get("enum"):
        return options[rng.randrange(len(options))]
    if ways := schema.get("anyOf"):
        return reply_to_schema(ways[rng.randrange(len(ways))], rng, words)
    match schema.get("type"):
        case "integer":
            return rng.randint(schema.get("minimum", 0), schema.get("maximum", 100))
        case "number":
            return round(rng.uniform(schema.get("minimum", 0), schema.get("maximum", 1)), 3)
        case "boolean":
            return rng.random() < 0.5
        case "null":
            return None
        case "array":
            items, low = schema["items"], schema.get("minItems", 0)
            size = rng.randint(low, max(low, min(schema.get("maxItems", 3), 64)))
            options = items.get("enum")
            if options and low <= len(options):  # perhaps a subset: no label twice
                return rng.sample(options, min(size, len(options)))
            return [reply_to_schema(items, rng, words) for _ in range(size)]
        case "object":
            required = schema.get("required", [])
            return {
                name: reply_to_schema(inner, rng, words)
                for name, inner in schema.get("properties", {}).items()
                if name in required or rng.random() < 0.7
            }
    return _text(schema.get("maxLength", 600), words)(rng)


def _one_of(labels: list[str]) -> Draw:
    return lambda rng: labels[rng.randrange(len(labels))]


def _text(cap: int, words: Sequence[str]) -> Draw:
    return lambda rng: words[rng.randrange(len(words))][:cap]
