"""Asks: one question to one seat. Each kind knows its legal answers, draws one, and checks one.

An answer is plain JSON: a label, a number, a text, true or false, a list, or an object of these. `check` returns the
answer in its one canonical form (a subset in declared order, a form with every key) or raises `IllegalAnswer`, whose
reason shows nothing that the ask did not show. An ask never changes, so a game may use one object for many turns.

`fallback` is what is played when no legal answer comes. It may lie outside the legal set (None = a lost turn).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from functools import cached_property
from random import Random
from typing import Any, ClassVar

from arena.core.canonical import digest
from arena.core.errors import GameError, IllegalAnswer
from arena.core.text import spoken

Answer = Any  # JSON enters here: str, int, float, bool, None, list, dict
Rule = Callable[[Any], str | None]  # a cross-field rule: the reason why an answer is illegal, or None

_UNSET: Any = object()


class Ask:
    """What every kind has: a name (the word of its game's table of asks), a fallback, whether a form may omit it."""

    kind: ClassVar[str]
    options: tuple[str, ...] | None = None

    def __init__(self, name: str, fallback: Answer, *, optional: bool = False) -> None:
        self.name = name
        self.fallback = fallback
        self.optional = optional

    def check(self, answer: Answer) -> Answer:
        """The answer in canonical form, or IllegalAnswer."""
        raise NotImplementedError(type(self))

    def sample(self, rng: Random) -> Answer:
        """A legal answer: uniform over the labels of a choice and over the legal sets of a subset."""
        raise NotImplementedError(type(self))

    def legal_set(self) -> dict[str, Any]:
        """What makes an answer legal, as JSON: the part of the ask's identity beside its name and fallback."""
        raise NotImplementedError(type(self))

    def spec(self) -> dict[str, Any]:
        """The whole ask as JSON: what is stored with a turn and what its hash is computed from."""
        spec = {"name": self.name, "kind": self.kind, **self.legal_set(), "fallback": self.fallback}
        return spec | {"optional": True} if self.optional else spec

    @cached_property
    def hash(self) -> str:
        """The ask's identity in the record."""
        return digest(self.spec())[:32]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.spec()})"


class Choice(Ask):
    """One of labelled options. `aliases` are further ways to write a label that the prompt mentions."""

    kind = "choice"

    def __init__(
        self,
        name: str,
        options: Sequence[str],
        *,
        fallback: Answer = _UNSET,
        optional: bool = False,
        aliases: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.options = options if type(options) is tuple else tuple(options)
        if not self.options:
            raise GameError(f"ask {name!r} offers no option; a seat without a choice is not asked")
        self.fallback = self.options[0] if fallback is _UNSET else fallback
        self.optional = optional
        self.aliases = aliases or {}

    def check(self, answer: Answer) -> Answer:
        if type(answer) is str and answer in self.options:  # type: ignore[operator]  # a choice always has options
            return answer
        raise IllegalAnswer(f"{self.name}: {_shown(answer)} is not one of the options")

    def sample(self, rng: Random) -> Answer:
        options = self.options
        return options[int(rng.random() * len(options))]  # type: ignore[index, arg-type]

    def legal_set(self) -> dict[str, Any]:
        return {"options": list(self.options or ())}


class Range(Ask):
    """An integer from `low` to `high`."""

    kind = "integer"

    def __init__(self, name: str, low: int, high: int, *, fallback: Answer = _UNSET, optional: bool = False) -> None:
        if low > high:
            raise GameError(f"ask {name!r} has an empty range {low}..{high}")
        super().__init__(name, low if fallback is _UNSET else fallback, optional=optional)
        self.low, self.high = low, high

    def check(self, answer: Answer) -> Answer:
        if type(answer) is int and self.low <= answer <= self.high:
            return answer
        raise IllegalAnswer(f"{self.name}: {_shown(answer)} is not an integer from {self.low} to {self.high}")

    def sample(self, rng: Random) -> Answer:
        return self.low + int(rng.random() * (self.high - self.low + 1))

    def legal_set(self) -> dict[str, Any]:
        return {"low": self.low, "high": self.high}


class Number(Ask):
    """A finite number from `low` to `high`."""

    kind = "number"

    def __init__(
        self, name: str, low: float, high: float, *, fallback: Answer = _UNSET, optional: bool = False
    ) -> None:
        super().__init__(name, low if fallback is _UNSET else fallback, optional=optional)
        self.low, self.high = low, high

    def check(self, answer: Answer) -> Answer:
        if type(answer) in (int, float) and self.low <= answer <= self.high:  # a NaN is in no range
            return answer
        raise IllegalAnswer(f"{self.name}: {_shown(answer)} is not a number from {self.low} to {self.high}")

    def sample(self, rng: Random) -> Answer:
        return round(rng.uniform(self.low, self.high), 3)

    def legal_set(self) -> dict[str, Any]:
        return {"low": self.low, "high": self.high}


class Flag(Ask):
    """True or false."""

    kind = "flag"

    def __init__(self, name: str, *, fallback: Answer = False, optional: bool = False) -> None:
        super().__init__(name, fallback, optional=optional)

    def check(self, answer: Answer) -> Answer:
        if type(answer) is bool:
            return answer
        raise IllegalAnswer(f"{self.name}: {_shown(answer)} is not true or false")

    def sample(self, rng: Random) -> Answer:
        return rng.random() < 0.5

    def legal_set(self) -> dict[str, Any]:
        return {}


class Text(Ask):
    """Free text of at most `max_chars` code points. Its words are kept as `Spoken`."""

    kind = "text"
    _WORDS = (
        "",
        "yes",
        "no",
        "I agree.",
        "I propose a fair deal.",
        "We should wait and see.",
        "What do you think?",
        "Let us see who changes their mind.",
    )

    def __init__(self, name: str, max_chars: int = 600, *, fallback: Answer = "", optional: bool = False) -> None:
        super().__init__(name, fallback, optional=optional)
        self.max_chars = max_chars

    def check(self, answer: Answer) -> Answer:
        if not isinstance(answer, str):
            raise IllegalAnswer(f"{self.name}: {_shown(answer)} is not a text")
        if len(answer) > self.max_chars:
            raise IllegalAnswer(
                f"{self.name}: the text has {len(answer)} characters; at most {self.max_chars} are allowed"
            )
        return spoken(answer)

    def sample(self, rng: Random) -> Answer:
        return spoken(self._WORDS[int(rng.random() * len(self._WORDS))][: self.max_chars])

    def legal_set(self) -> dict[str, Any]:
        return {"max_chars": self.max_chars}


class Subset(Ask):
    """From `low` to `high` different labels; the order in which they are named does not count."""

    kind = "subset"

    def __init__(
        self,
        name: str,
        options: Sequence[str],
        low: int = 0,
        high: int | None = None,
        *,
        fallback: Answer = _UNSET,
        optional: bool = False,
    ) -> None:
        self.labels = tuple(options)
        self.low, self.high = low, len(self.labels) if high is None else min(high, len(self.labels))
        if self.low > self.high:
            raise GameError(f"ask {name!r} wants {low} of {len(self.labels)} labels")
        super().__init__(name, list(self.labels[:low]) if fallback is _UNSET else fallback, optional=optional)

    def check(self, answer: Answer) -> Answer:
        if not isinstance(answer, list) or not all(type(a) is str for a in answer):
            raise IllegalAnswer(f"{self.name}: {_shown(answer)} is not a list of labels")
        for label in answer:
            if label not in self.labels:
                raise IllegalAnswer(f"{self.name}: {_shown(label)} is not one of the options")
        if len(set(answer)) != len(answer):
            raise IllegalAnswer(f"{self.name}: a label is named twice")
        if not self.low <= len(answer) <= self.high:
            raise IllegalAnswer(f"{self.name}: {len(answer)} labels named; from {self.low} to {self.high} are allowed")
        return [label for label in self.labels if label in answer]

    def sample(self, rng: Random) -> Answer:
        n = len(self.labels)
        sizes = range(self.low, self.high + 1)
        size = rng.choices(sizes, weights=[math.comb(n, k) for k in sizes])[0]
        chosen = set(rng.sample(self.labels, size))
        return [label for label in self.labels if label in chosen]

    def legal_set(self) -> dict[str, Any]:
        return {"options": list(self.labels), "low": self.low, "high": self.high}


class ListOf(Ask):
    """From `low` to `high` answers of one kind, in order, repeats allowed."""

    kind = "list"

    def __init__(
        self, name: str, item: Ask, low: int, high: int, *, fallback: Answer = _UNSET, optional: bool = False
    ) -> None:
        super().__init__(name, [item.fallback] * low if fallback is _UNSET else fallback, optional=optional)
        self.item, self.low, self.high = item, low, high

    def check(self, answer: Answer) -> Answer:
        if not isinstance(answer, list):
            raise IllegalAnswer(f"{self.name}: {_shown(answer)} is not a list")
        if not self.low <= len(answer) <= self.high:
            raise IllegalAnswer(f"{self.name}: {len(answer)} entries; from {self.low} to {self.high} are allowed")
        return [self.item.check(entry) for entry in answer]

    def sample(self, rng: Random) -> Answer:
        return [self.item.sample(rng) for _ in range(self.low + int(rng.random() * (self.high - self.low + 1)))]

    def legal_set(self) -> dict[str, Any]:
        return {"item": self.item.spec(), "low": self.low, "high": self.high}


class Each(Ask):
    """One answer of one kind for each key, usually seats. An optional one may name some keys only."""

    kind = "each"

    def __init__(
        self, name: str, keys: Sequence[str], item: Ask, *, fallback: Answer = _UNSET, optional: bool = False
    ) -> None:
        self.keys = tuple(keys)
        super().__init__(
            name, dict.fromkeys(keys, item.fallback) if fallback is _UNSET else fallback, optional=optional
        )
        self.item = item

    def check(self, answer: Answer) -> Answer:
        if not isinstance(answer, dict):
            raise IllegalAnswer(f"{self.name}: {_shown(answer)} is not an object")
        for key in answer:
            if key not in self.keys:
                raise IllegalAnswer(f"{self.name}: {_shown(key)} is not one of the keys")
        if not self.optional and len(answer) != len(self.keys):
            missing = ", ".join(key for key in self.keys if key not in answer)
            raise IllegalAnswer(f"{self.name}: no value for {missing}")
        return {key: self.item.check(answer[key]) for key in self.keys if key in answer}

    def sample(self, rng: Random) -> Answer:
        return {key: self.item.sample(rng) for key in self.keys if not self.optional or rng.random() < 0.7}

    def legal_set(self) -> dict[str, Any]:
        return {"keys": list(self.keys), "item": self.item.spec()}


class Form(Ask):
    """Several answers at once, by name. `intent` fields say what the words mean; they may always be left out.

    `rule` is what must hold between fields (the reason when it does not); `draw` samples a legal answer where
    drawing field by field would seldom meet the rule.
    """

    kind = "form"

    def __init__(
        self,
        name: str,
        *fields: Ask,
        intent: Sequence[Ask] = (),
        rule: Rule | None = None,
        draw: Callable[[Random], Answer] | None = None,
        fallback: Answer = _UNSET,
        optional: bool = False,
    ) -> None:
        said = [copy(field) for field in intent]
        for field in said:
            field.optional = True
            field.__dict__.pop("hash", None)
        self.fields = (*fields, *said)
        self._names = frozenset(field.name for field in self.fields)
        self.intent = tuple(field.name for field in intent)
        self.rule, self._draw = rule, draw
        if fallback is _UNSET:
            fallback = {f.name: None if f.optional else f.fallback for f in self.fields}
        super().__init__(name, fallback, optional=optional)

    def check(self, answer: Answer) -> Answer:
        if not isinstance(answer, dict):
            raise IllegalAnswer(f"{self.name}: {_shown(answer)} is not an object")
        for key in answer:
            if key not in self._names:
                raise IllegalAnswer(f"{self.name}: there is no field {_shown(key)}")
        whole: dict[str, Any] = {}
        for field in self.fields:
            value = answer.get(field.name)
            if value is None and (field.optional or field.name not in answer):
                if not field.optional:
                    raise IllegalAnswer(f"{self.name}: the field {field.name!r} is missing")
                whole[field.name] = None
            else:
                whole[field.name] = field.check(value)
        if self.rule and (reason := self.rule(whole)):
            raise IllegalAnswer(f"{self.name}: {reason}")
        return whole

    def sample(self, rng: Random) -> Answer:
        if self._draw:
            return self.check(self._draw(rng))
        for _ in range(1000):
            answer = {f.name: None if f.optional and rng.random() < 0.3 else f.sample(rng) for f in self.fields}
            if not self.rule or self.rule(answer) is None:
                return answer
        raise GameError(f"ask {self.name!r}: no legal answer in 1000 draws; give its Form a `draw`")

    def legal_set(self) -> dict[str, Any]:
        return {"fields": [field.spec() for field in self.fields], "intent": list(self.intent)}


def _shown(answer: Answer) -> str:
    """A rejected answer in a message: at most 60 characters, on one line."""
    from arena.core.text import one_line

    try:
        text = one_line(repr(answer) if not isinstance(answer, str) else f'"{answer[:80]}"')
    except ValueError:  # an integer of more digits than Python will write
        text = "a very long number"
    return text if len(text) <= 60 else text[:57] + "…"
