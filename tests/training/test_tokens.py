"""The token check and token streams, on the tiny model's own tokenizer and template."""

from __future__ import annotations

from typing import Any

import pytest

from arena.core import UsageError
from arena.core.errors import GameError
from arena.models.tiny import tiny_random
from arena.models.types import Tokens

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    pytest.importorskip("transformers")
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(tiny_random(0))


@pytest.fixture
def template(tokenizer: Any) -> Any:
    from arena.models.chat_template import ChatTemplate

    return ChatTemplate(tokenizer, "tiny")


def row(user: str = "rock?", said: str = "rock", turns: int = 0) -> dict[str, Any]:
    past = [m for i in range(turns) for m in ({"role": "user", "content": f"round {i}"}, message("assistant", "rock"))]
    prompt = [message("system", "rules"), *past, message("user", user)]
    return {
        "id": "m:0",
        "role": "player_0",
        "label": True,
        "prompt": prompt,
        "completion": [message("assistant", said)],
    }


def message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def test_rows_are_counted_as_the_trainer_will_read_them(tokenizer: Any) -> None:
    from arena.training.tokens import check_tokens

    found = check_tokens([row()], tokenizer, context=8192)

    assert found.lengths == [found.max_length]
    text = tokenizer.apply_chat_template([*row()["prompt"], *row()["completion"]], tokenize=False)
    assert found.longest == len(tokenizer(text, add_special_tokens=False)["input_ids"])


def test_rows_over_the_length_are_refused_above_one_percent(tokenizer: Any) -> None:
    from arena.training.tokens import check_tokens

    with pytest.raises(UsageError, match="1 of 2 rows have more than 60 tokens"):
        check_tokens([row(), row("x" * 200)], tokenizer, context=8192, max_length=60)


def test_dropped_rows_are_counted_by_label_and_role(tokenizer: Any) -> None:
    from arena.training.tokens import check_tokens

    found = check_tokens([row(), row("x" * 200)], tokenizer, context=8192, max_length=60, overflow="drop")

    assert len(found.rows) == 1
    assert found.dropped == {"over 60 tokens (desirable, player_0)": 1}


def test_shortening_keeps_the_rules_and_the_ask(tokenizer: Any) -> None:
    from arena.training.tokens import check_tokens

    found = check_tokens([row(turns=20)], tokenizer, context=8192, max_length=160, overflow="shorten")

    short = found.rows[0]["prompt"]
    assert found.shortened == 1
    assert short[0] == message("system", "rules")
    assert short[-1]["content"].endswith("rock?")
    assert "left out" in short[1]["content"]
    assert found.longest <= 160


def test_a_row_that_holds_a_special_tokens_text_is_left_out(tokenizer: Any) -> None:
    from arena.training.tokens import check_tokens

    found = check_tokens([row("he said <|end|> and left"), row()], tokenizer, context=8192)

    assert len(found.rows) == 1
    assert found.dropped == {"holds a special token's text (desirable, player_0)": 1}


def test_a_template_that_renders_a_prompt_differently_once_answered_is_an_error(tokenizer: Any) -> None:
    from copy import deepcopy

    from arena.training.tokens import check_tokens

    odd = deepcopy(tokenizer)
    odd.chat_template = "{{ messages|length }}" + odd.chat_template
    with pytest.raises(UsageError, match="not a prefix"):
        check_tokens([row()], odd, context=8192)


# --- streams --------------------------------------------------------------------------------------------------------


def drawn(ids: list[int], allowed: tuple[tuple[int, ...] | None, ...] = ()) -> Tokens:
    return Tokens((), tuple(ids), tuple(-0.5 for _ in ids), "sampled", allowed)


def test_a_stream_is_the_own_tokens_and_the_engines_in_turn(template: Any, tokenizer: Any) -> None:
    from arena.training.streams import Stream

    stream, ends = Stream(), [2]
    first = [message("system", "rules"), message("user", "throw")]
    prompt = stream.ask(template, first, ends)
    own = [*template.encode_text("r"), *template.encode_text("ock"), 2]  # not as the tokenizer would write it
    stream.answer(drawn(own), 0)
    second = [*first, message("assistant", "rock"), message("user", "again")]
    again = stream.ask(template, second, ends)
    stream.answer(drawn([5, 2]), 4)
    completion, logprobs, mask, _ = stream.row()

    assert prompt == template.encode(first)
    assert again[: len(prompt) + len(own)] == [*prompt, *own]
    assert tokenizer.decode(again) == tokenizer.decode(template.encode(second))
    assert again != template.encode(second)  # own tokens stay as they were drawn
    assert completion[: len(own)] == own
    assert mask == [1] * len(own) + [0] * (len(completion) - len(own) - 2) + [1, 1]
    assert [p for p, m in zip(logprobs, mask, strict=True) if m] == [-0.5] * (len(own) + 2)
    assert [(s.start, s.end, s.turn) for s in stream.spans] == [
        (0, len(own), 0),
        (len(completion) - 2, len(completion), 4),
    ]


def test_an_answer_that_was_cut_off_is_ended_by_the_engine(template: Any) -> None:
    from arena.training.streams import Stream

    stream = Stream()
    first = [message("system", "rules"), message("user", "throw")]
    stream.ask(template, first, [2])
    stream.answer(drawn([7, 8]), 0)
    stream.ask(template, [*first, message("assistant", "rock"), message("user", "again")], [2])

    assert stream.completion[:3] == [7, 8, 2]
    assert stream.mask[:3] == [1, 1, 0]


def test_a_history_that_was_rewritten_is_refused(template: Any) -> None:
    from arena.training.streams import Stream

    stream = Stream()
    first = [message("system", "rules"), message("user", "throw")]
    stream.ask(template, first, [2])
    stream.answer(drawn([7, 2]), 0)

    with pytest.raises(GameError, match="did not grow at their end"):
        stream.ask(template, [first[0], message("user", "shorter"), message("assistant", "x"), first[1]], [2])


def test_the_words_of_a_special_token_stay_words_in_engine_text(template: Any) -> None:
    from arena.training.streams import engine_ids

    first = [message("system", "rules"), message("user", "throw")]
    now = [*first, message("assistant", "rock"), message("user", "| <|end|>")]
    ids = engine_ids(template, first, now)

    assert ids.count(2) == 2  # the end of the own answer and of the user's message, not the quoted one
