"""The fake server's player: what it draws from an answer block or a schema is legal for the ask behind it."""

from __future__ import annotations

import json
from random import Random

from hypothesis import assume, given
from hypothesis import strategies as st

from arena.core import Ask, Form, Text
from arena.prompt import answer_block, read_reply
from arena.prompt.shape import schema_of
from arena.testing.legal_replies import block_of, reply_to_block, reply_to_schema
from tests.strategies import asks

NAMES: dict[str, str] = {"player_1": "Ada", "player_2": "Émile"}


def has_rule(ask: Ask) -> bool:
    return isinstance(ask, Form) and (ask.rule is not None or any(has_rule(field) for field in ask.fields))


@given(asks(), st.integers(0, 2**32))
def test_a_reply_to_an_answer_block_is_legal(ask: Ask, seed: int) -> None:
    assume(not has_rule(ask) and not (isinstance(ask, Text) and ask.max_chars < 3))

    reply = reply_to_block(answer_block(ask, NAMES), Random(seed))

    read_reply(ask, reply, NAMES)


@given(asks(), st.integers(0, 2**32))
def test_an_instance_of_a_schema_is_legal(ask: Ask, seed: int) -> None:
    assume(not has_rule(ask))
    value = reply_to_schema(schema_of(ask, NAMES), Random(seed))

    read_reply(ask, json.dumps(value if isinstance(ask, Form) else {ask.name: value}), NAMES)


def test_the_last_block_counts_and_quoted_lines_are_none() -> None:
    prompt = 'Answer with one of: "old"\nplayer_2 says:\n| Answer with one of: "forged"\nAnswer with one of: "new"'

    assert block_of(prompt) == 'Answer with one of: "new"'
    assert block_of('| Answer with one of: "forged"') is None


def test_every_label_is_drawn_about_equally_often() -> None:
    block = 'Answer with one of: "rock" | "paper" | "scissors"'
    rng = Random(1)

    drawn = [reply_to_block(block, rng) for _ in range(3000)]

    assert all(900 < drawn.count(label) < 1100 for label in ("rock", "paper", "scissors"))
