"""Our own loop over a batch: the tokens that `generate` would draw, in fewer and smaller passes of the model."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("llguidance")

from arena.models import prefixes  # noqa: E402
from arena.models.hf_decode import roomy_layer  # noqa: E402
from arena.models.hf_engine import Engine  # noqa: E402
from arena.models.hf_rows import Answer, Job  # noqa: E402
from arena.prompt.shape import Shape  # noqa: E402
from tests.models.local_models import passes_of, tiny_engine  # noqa: E402

pytestmark = pytest.mark.models

FORM = Shape(
    "schema",
    schema={
        "type": "object",
        "properties": {
            "a_rather_long_name_of_a_field": {"enum": ["yes", "no"]},
            "another_long_name_of_a_field": {"enum": ["yes", "no"]},
        },
        "required": ["a_rather_long_name_of_a_field", "another_long_name_of_a_field"],
        "additionalProperties": False,
    },
)


def answers(model: Engine, *jobs: Job) -> list[Answer]:
    for job in jobs:
        model.encode(job)
    found = model.run(jobs)
    assert all(isinstance(one, Answer) for one in found), found
    return found  # type: ignore[return-value]  # just asserted


def text_jobs(temperature: float) -> list[Job]:
    lengths = {"Name a city.": 3, "Say something long about a game of many rounds.": 24, "Go.": 9, "Why?": 1}
    return [
        Job(({"role": "user", "content": text},), "text", None, None, seed=n, temperature=temperature, max_tokens=size,
            keep_tokens=True)
        for n, (text, size) in enumerate(lengths.items())
    ]  # fmt: skip


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_it_draws_what_generate_draws(temperature: float, monkeypatch: pytest.MonkeyPatch) -> None:
    ours = answers(tiny_engine(), *text_jobs(temperature))
    monkeypatch.setattr(prefixes, "plain_cache", lambda _model: None)
    theirs = answers(tiny_engine(), *text_jobs(temperature))

    for a, b in zip(ours, theirs, strict=True):
        assert a.tokens is not None
        assert b.tokens is not None
        assert (a.text, a.finish, a.tokens.completion) == (b.text, b.finish, b.tokens.completion)
        assert a.tokens.logprobs == pytest.approx(b.tokens.logprobs, abs=1e-4)


def test_an_answer_does_not_depend_on_who_leaves_the_batch() -> None:
    together = answers(tiny_engine(), *text_jobs(1.0))
    alone = [answers(tiny_engine(), job)[0] for job in text_jobs(1.0)]

    assert [a.tokens and a.tokens.completion for a in together] == [a.tokens and a.tokens.completion for a in alone]


def test_rows_that_are_done_leave_the_batch() -> None:
    model = tiny_engine()
    seen = passes_of(model)
    answers(model, *text_jobs(0.0))

    drawing = [rows for rows, tokens in seen if tokens == 1]
    assert drawing[0] == 4
    assert drawing[-1] == 1
    assert drawing == sorted(drawing, reverse=True)


def test_tokens_without_a_choice_are_not_asked_for() -> None:
    model = tiny_engine()
    seen = passes_of(model)
    job = Job(
        ({"role": "user", "content": "Answer."},), "grammar", FORM, None, seed=1, max_tokens=200, keep_tokens=True
    )
    (found,) = answers(model, job)

    assert found.finish == "stop"
    assert found.tokens is not None
    tokens: Any = found.tokens
    free = [n for n, allowed in enumerate(tokens.allowed) if allowed is None or len(allowed) != 1]
    assert len(free) < len(tokens.completion) / 2
    assert len(seen) <= len(free) + 1
    assert all(logprob == 0.0 for n, logprob in enumerate(tokens.logprobs) if n not in free)
    assert sum(width for _, width in seen) <= len(tokens.prompt) + len(tokens.completion)


def test_a_roomy_layer_holds_what_a_plain_one_holds() -> None:
    from transformers.cache_utils import DynamicLayer

    plain, roomy = DynamicLayer(), roomy_layer()()
    for step in range(90):
        new = torch.randn(3 if step < 40 else 2, 2, 1 + step % 3, 4)
        if step == 40:
            for layer in (plain, roomy):
                layer.batch_select_indices(torch.tensor([0, 2]))
        for layer in (plain, roomy):
            layer.update(new, -new)

    assert torch.equal(plain.keys, roomy.keys)
    assert torch.equal(plain.values, roomy.values)
    assert roomy.get_seq_length() == plain.get_seq_length()
