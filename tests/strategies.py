"""Hypothesis strategies, all of them: a feature that can be generated joins here.

`asks()` draws asks of every kind, nested; `answered()` an ask with a legal answer; `json_values()` what else may come.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from arena.core import Answer, Ask, Choice, Each, Flag, Form, ListOf, Number, Range, Rng, Subset, Text

NAMES = ("move", "speech", "claim", "vote", "suspects", "suspicion", "sure", "reports", "amount", "target")
SEATS = ("player_0", "player_1", "player_2", "player_3")

# Labels as games write them: seats, words, numbers, orders. They differ by more than case.
LABELS = (*SEATS, "rock", "paper", "none", "0", "1", "17", "A PAR - BUR", "x-y_z", "no deal", "Zürich", "0.5", "yes")


class Answered(NamedTuple):
    ask: Ask
    answer: Answer


def labels(least: int = 1) -> SearchStrategy[list[str]]:
    return st.lists(st.sampled_from(LABELS), min_size=least, max_size=6, unique=True)


@st.composite
def leaves(draw: st.DrawFn, name: str | None = None, *, optional: bool = False) -> Ask:
    """An ask without parts."""
    name = name or draw(st.sampled_from(NAMES))
    kind = draw(st.sampled_from((Choice, Range, Number, Flag, Text, Subset)))
    if kind is Choice:
        return Choice(name, draw(labels()), optional=optional)
    if kind is Range:
        low = draw(st.integers(-(10**6), 10**6))
        return Range(name, low, low + draw(st.integers(0, 10**6)), optional=optional)
    if kind is Number:
        low = draw(st.integers(-1000, 1000))
        return Number(name, low, low + draw(st.integers(0, 1000)), optional=optional)
    if kind is Flag:
        return Flag(name, optional=optional)
    if kind is Text:
        return Text(name, draw(st.integers(0, 600)), optional=optional)
    options = draw(labels())
    most = draw(st.integers(0, len(options)))
    return Subset(name, options, draw(st.integers(0, most)), most, optional=optional)


@st.composite
def asks(draw: st.DrawFn, depth: int = 2, name: str | None = None, *, optional: bool = False) -> Ask:
    """An ask of any kind; forms, lists and objects hold further asks down to `depth`."""
    name = name or draw(st.sampled_from(NAMES))
    kind = draw(st.sampled_from(("leaf", "list", "each", "form"))) if depth else "leaf"
    if kind == "list":
        low = draw(st.integers(0, 2))
        item = draw(asks(depth - 1, "entry"))
        return ListOf(name, item, low, low + draw(st.integers(0, 3)), optional=optional)
    if kind == "each":
        return Each(name, draw(labels()), draw(asks(depth - 1, "entry")), optional=optional)
    if kind == "form":
        names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
        fields = [draw(asks(depth - 1, field, optional=draw(st.booleans()))) for field in names]
        intents = draw(st.integers(0, len(fields) - 1))
        cut = len(fields) - intents
        return Form(name, *fields[:cut], intent=fields[cut:], optional=optional)
    return draw(leaves(name, optional=optional))


@st.composite
def answered(draw: st.DrawFn, depth: int = 2) -> Answered:
    """An ask and a legal answer to it, drawn by `sample`."""
    ask = draw(asks(depth))
    return Answered(ask, ask.sample(Rng(draw(st.integers(0, 2**32)))))


def json_values() -> SearchStrategy[Any]:
    """Any value that JSON can hold, lone surrogates and huge numbers included."""
    leaf = (
        st.none()
        | st.booleans()
        | st.integers(-(10**300), 10**300)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(), max_size=30)
        | st.sampled_from((*LABELS, *NAMES))
    )
    keys = st.sampled_from((*NAMES, *LABELS)) | st.text(max_size=5)
    return st.recursive(
        leaf, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4), max_leaves=12
    )


def names_of_seats() -> SearchStrategy[dict[str, str]]:
    """How a table may call its seats; often not at all."""
    called = st.permutations(("Alex", "Blair", "Casey", "Drew"))
    return st.just({}) | called.map(lambda names: dict(zip(SEATS, names, strict=True)))
