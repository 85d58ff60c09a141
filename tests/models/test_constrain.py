"""Constrained answers: a grammar's output always reads as an answer, and options are weighed exactly."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from arena.core import Ask, Choice, Form, Number, Range, Subset, Text
from arena.models.constrain import Grammars, NoGrammar, draw_option, option_scores
from arena.models.tiny import tiny_random
from arena.prompt import read_reply, shape_of
from arena.prompt.shape import Shape
from tests.strategies import asks

torch = pytest.importorskip("torch")
pytest.importorskip("llguidance")
transformers = pytest.importorskip("transformers")
pytestmark = pytest.mark.models

VOCABULARY, END = 322, 2


@pytest.fixture(scope="module", autouse=True)
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARENA_HOME", str(tmp_path_factory.mktemp("home")))
        folder = tiny_random(0)
    _TINY["tokenizer"] = transformers.AutoTokenizer.from_pretrained(folder)
    _TINY["model"] = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    _TINY["grammars"] = Grammars(_TINY["tokenizer"], VOCABULARY, [END])
    yield
    _TINY.clear()


_TINY: dict[str, Any] = {}


def walk(shape: Shape, seed: int, most: int = 1500) -> str | None:
    """A reply that a model with random logits would give; None if it had not ended by then."""
    rng, mask = Random(seed), _TINY["grammars"].mask(shape)
    ids: list[int] = []
    while len(ids) < most:
        token = rng.choice([int(i) for i in mask.allowed().nonzero()[0]])
        if token == END:
            return str(_TINY["tokenizer"].decode(ids, skip_special_tokens=True))
        mask.take(token)
        ids.append(token)
    return None


def has_rule(ask: Ask) -> bool:
    return isinstance(ask, Form) and (ask.rule is not None or any(has_rule(field) for field in ask.fields))


def repeats_labels(ask: Ask) -> bool:
    """A schema cannot say that the labels of a subset differ (`uniqueItems` is not supported); the parser can."""
    return "'kind': 'subset'" in repr(ask)


@settings(max_examples=60)
@given(asks(), st.integers(0, 2**32))
def test_whatever_a_grammar_lets_through_is_a_legal_answer(ask: Ask, seed: int) -> None:
    assume(not has_rule(ask) and not repeats_labels(ask) and not isinstance(ask, Text))
    shape = shape_of(ask, {})
    assume(shape.kind != "text")

    reply = walk(shape, seed)

    assume(reply is not None)
    assert reply is not None
    read_reply(ask, reply, {})


@pytest.mark.parametrize(
    "ask",
    [
        Choice("throw", ["rock", "paper", "rocket"]),
        Choice("said", ['say "hi" now', "a\\b", "x | y", "Zürich", "no deal", "日本", "1", "10"]),
        Range("offer", 0, 100),
        Range("offer", -3, 5000),
        Number("share", 0, 1),
        Form("turn", Text("speech", 20), Choice("vote", ["player_1", "player_2"]), Range("sure", 0, 9, optional=True)),
        Form("turn", Choice("a", ["x"]), Form("inner", Number("n", -1, 1), Text("t", 3, optional=True))),
    ],
    ids=["labels", "odd labels", "small range", "range", "number", "form", "nested"],
)
def test_twenty_random_walks_are_twenty_answers(ask: Ask) -> None:
    replies = [walk(shape_of(ask, {}), seed) for seed in range(20)]

    for reply in replies:
        assert reply is not None
        read_reply(ask, reply, {})
    assert len(set(replies)) > 1


def test_json_is_written_as_the_history_writes_it() -> None:
    shape = shape_of(Form("turn", Range("a", 0, 9), Subset("b", ["x", "y"], 2, 2)), {})

    reply = walk(shape, 1)

    assert reply is not None
    assert reply == json.dumps(json.loads(reply))


def test_a_text_field_keeps_its_cap() -> None:
    shape = shape_of(Form("turn", Text("speech", 7)), {})

    lengths = {len(json.loads(walk(shape, seed) or "{}")["speech"]) for seed in range(30)}

    assert max(lengths) == 7


def test_a_schema_that_no_grammar_expresses_says_so() -> None:
    with pytest.raises(NoGrammar):
        _TINY["grammars"].mask(Shape("schema", schema={"type": "no such type"}))


def test_a_whole_answer_allows_only_the_end() -> None:
    mask = _TINY["grammars"].mask(Shape("options", options=("rock",)))
    for token in _TINY["tokenizer"]("rock").input_ids:
        assert mask.allowed()[token]
        mask.take(token)

    assert mask.allowed().nonzero()[0].tolist() == [END]


# --- score ----------------------------------------------------------------------------------------------------------

LABELS = ["rock", "paper", "1", "10", "100", "a long option with words", "é", "rocket"]


def ids_of(labels: list[str]) -> list[list[int]]:
    return [[*_TINY["tokenizer"](label).input_ids, END] for label in labels]


def brute_force(prompt: list[int], option: list[int]) -> float:
    """Sum of log-probabilities from whole passes, one a token, without any cache."""
    total = 0.0
    with torch.inference_mode():
        for at in range(len(option)):
            logits = _TINY["model"](input_ids=torch.tensor([prompt + option[:at]])).logits[0, -1].double()
            total += float(torch.log_softmax(logits, -1)[option[at]])
    return total


@settings(max_examples=8)
@given(
    st.lists(st.integers(4, VOCABULARY - 1), min_size=1, max_size=40),
    st.lists(st.sampled_from(LABELS), min_size=1, unique=True),
)
def test_scores_equal_brute_force_enumeration(prompt: list[int], labels: list[str]) -> None:
    options = ids_of(labels)

    with torch.inference_mode():
        scores = option_scores(_TINY["model"], prompt, options).tolist()

    assert scores == pytest.approx([brute_force(prompt, option) for option in options], abs=1e-5)


def test_more_options_than_go_at_once_are_scored_alike() -> None:
    options = ids_of([str(n) for n in range(100)])
    prompt = _TINY["tokenizer"]("How many?").input_ids

    with torch.inference_mode():
        scores = option_scores(_TINY["model"], prompt, options).tolist()

    for n in (0, 31, 32, 63, 64, 99):
        assert scores[n] == pytest.approx(brute_force(prompt, options[n]), abs=1e-5)


def test_without_the_end_one_and_ten_would_not_be_comparable() -> None:
    """P("1") + P("10") + … of all continuations is at most 1 only when each has its end."""
    options = ids_of(["1", "10", "100"])
    prompt = _TINY["tokenizer"]("How many?").input_ids
    with torch.inference_mode():
        scores = option_scores(_TINY["model"], prompt, options)
        first = torch.log_softmax(_TINY["model"](input_ids=torch.tensor([prompt])).logits[0, -1].double(), -1)

    assert float(scores.exp().sum()) < float(first[options[0][0]].exp())


@given(
    st.lists(st.floats(-30, 0), min_size=1, max_size=6),
    st.sampled_from([0.0, 0.3, 1.0, 2.0]),
    st.integers(0, 2**32),
)
def test_a_draw_as_a_walk_over_tokens_has_the_probability_of_the_option(
    scores: list[float], temperature: float, seed: int
) -> None:
    options = [[1, 2], [1, 0, 2], [1, 0, 0, 2], [3, 2], [3, 3, 2], [4, 2]][: len(scores)]
    rng = Random(seed)
    noise = [-math.log(rng.expovariate(1)) for _ in options]

    drawn = draw_option(scores, options, temperature, noise)

    if temperature == 0:
        assert scores[drawn.option] == max(scores)
        return
    total = math.log(sum(math.exp(s / temperature) for s in scores))
    assert sum(drawn.logprobs) == pytest.approx(scores[drawn.option] / temperature - total, abs=1e-9)
    assert len(drawn.allowed) == len(options[drawn.option])
    assert all(token in allowed for token, allowed in zip(options[drawn.option], drawn.allowed, strict=True))


def test_draws_follow_the_weights() -> None:
    options = [[1, 2], [3, 2], [4, 2]]
    scores = [math.log(0.2), math.log(0.5), math.log(0.3)]
    rng = Random(3)

    drawn = [
        draw_option(scores, options, 1.0, [-math.log(rng.expovariate(1)) for _ in options]).option for _ in range(4000)
    ]

    assert [round(drawn.count(i) / 4000, 1) for i in range(3)] == [0.2, 0.5, 0.3]
