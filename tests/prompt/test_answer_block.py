"""The answer block: the exact words that every game, model server and parser relies on."""

from __future__ import annotations

import pytest
from hypothesis import given

from arena.core import Ask, Choice, Each, Flag, Form, ListOf, Number, Range, Subset, Text
from arena.prompt import answer_block
from tests.strategies import asks, names_of_seats

ALEX = {"player_0": "Alex", "player_1": "Blair"}


@pytest.mark.parametrize(
    ("ask", "block"),
    [
        (Choice("throw", ["rock", "paper", "scissors"]), 'Answer with one of: "rock" | "paper" | "scissors"'),
        (Range("bid", 0, 100), "Answer with an integer from 0 to 100"),
        (Number("price", 0, 1), "Answer with a number from 0 to 1"),
        (Number("price", 0.25, 2.5), "Answer with a number from 0.25 to 2.5"),
        (Text("speech", 600), "Answer with text, at most 600 characters."),
        (Flag("sure"), 'Answer with one JSON object:\n- "sure": true or false'),
        (
            Subset("suspects", ["player_1", "player_2"], 0, 2),
            'Answer with one JSON object:\n- "suspects": list of 0 to 2 of "player_1" | "player_2"',
        ),
    ],
)
def test_the_block_of_a_lone_ask(ask: Ask, block: str) -> None:
    assert answer_block(ask, {}) == block


def test_the_block_of_a_form() -> None:
    seats = ["player_1", "player_2"]
    ask = Form(
        "speak",
        Text("speech", 600),
        Choice("claim", ["none", "seer", "villager"]),
        Subset("suspects", seats, 0, 2),
        Each("suspicion", seats, Range("level", 0, 100)),
        Flag("sure", optional=True),
        ListOf("reports", Form("report", Range("night", 0, 3), Choice("target", seats)), 0, 4, optional=True),
    )

    assert answer_block(ask, {}) == (
        "Answer with one JSON object:\n"
        '- "speech": text, at most 600 characters\n'
        '- "claim": one of "none" | "seer" | "villager"\n'
        '- "suspects": list of 0 to 2 of "player_1" | "player_2"\n'
        '- "suspicion": for each of "player_1" | "player_2": integer from 0 to 100\n'
        '- "sure": true or false (may be left out)\n'
        '- "reports": list of 0 to 4 of {"night": integer from 0 to 3, "target": one of "player_1" | "player_2"}'
        " (may be left out)"
    )


def test_intents_may_be_left_out() -> None:
    ask = Form("speak", Text("speech", 9), intent=[Choice("claim", ["none"])])

    assert answer_block(ask, {}).endswith('- "claim": one of "none" (may be left out)')


def test_a_block_shows_the_names_of_the_table() -> None:
    seats = ["player_0", "player_1", "nobody"]

    assert answer_block(Choice("vote", seats), ALEX) == 'Answer with one of: "Alex" | "Blair" | "nobody"'
    assert 'for each of "Alex" | "Blair" | "nobody"' in answer_block(Each("s", seats, Flag("x")), ALEX)


def test_a_lone_ask_may_be_asked_as_an_object() -> None:
    assert answer_block(Choice("throw", ["rock"]), {}, as_object=True) == (
        'Answer with one JSON object:\n- "throw": one of "rock"'
    )


@given(asks(), names_of_seats())
def test_a_block_has_a_line_for_each_field_and_no_other(ask: Ask, names: dict[str, str]) -> None:
    lines = answer_block(ask, names).split("\n")

    assert lines[0].startswith("Answer with ")
    assert len(lines) == (1 if lines[0] != "Answer with one JSON object:" else 1 + len(getattr(ask, "fields", [ask])))
