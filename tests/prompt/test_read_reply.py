"""From a reply to an answer: exactly one must be there; what is ambiguous is illegal, never guessed."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.core import Ask, Choice, Each, Flag, Form, IllegalAnswer, ListOf, Number, Range, Spoken, Subset, Text
from arena.core.canonical import canonical
from arena.prompt import read_reply, wire
from arena.prompt.read import MAX_REPLY, split_reasoning
from arena.testing.corpus import BOMBS, REPLIES, SPOOFS
from tests.strategies import Answered, answered, asks, names_of_seats

ALEX = {"player_0": "Alex", "player_1": "Blair"}
THROW = Choice("throw", ["rock", "paper", "scissors"])
VOTE = Choice("vote", ["player_0", "player_1", "nobody"])
BID = Range("bid", 0, 100)
PRICE = Number("price", 0, 1)
SPEECH = Text("speech", 20)
SPEAK = Form(
    "speak",
    Text("speech", 20),
    Choice("vote", ["player_0", "player_1"]),
    Range("trust", 0, 100),
    Each("suspicion", ["player_0", "player_1"], Range("level", 0, 9), optional=True),
    intent=[Choice("claim", ["none", "seer"])],
)


def read(ask: Ask, reply: str, names: dict[str, str] | None = None) -> Any:
    return read_reply(ask, reply, names or {}).answer


def reason(ask: Ask, reply: str, names: dict[str, str] | None = None) -> str:
    with pytest.raises(IllegalAnswer) as caught:
        read_reply(ask, reply, names or {})
    return caught.value.reason


# --- a lone ask: the whole reply ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    ["rock", "  rock\n", "Rock", "ROCK.", '"rock"', "'rock'", "`rock`", "**rock**", '"Rock".', "**Rock.**", "“rock”"],
)
def test_a_whole_reply_that_is_one_label_but_for_its_wrapping_is_that_label(reply: str) -> None:
    assert read(THROW, reply) == "rock"


@pytest.mark.parametrize(
    "reply",
    ["I choose rock", "rock, paper", "rock paper", "rocks", "rock!", "rock?", "- rock", "rock\npaper", "r ock", "null"],
)
def test_a_reply_with_anything_else_around_the_label_is_illegal(reply: str) -> None:
    assert reason(THROW, reply)


def test_labels_that_differ_only_by_case_are_told_apart_exactly_or_not_at_all() -> None:
    ask = Choice("unit", ["A", "a", "b"])

    assert [read(ask, reply) for reply in ("A", "a", "B")] == ["A", "a", "b"]
    assert "is not one of" in reason(Choice("unit", ["Aa", "aA"]), "AA")


def test_a_reply_names_seats_by_the_names_of_the_table_or_by_their_ids() -> None:
    assert [read(VOTE, reply, ALEX) for reply in ("Alex", "blair", "player_1", "nobody")] == [
        "player_0",
        "player_1",
        "player_1",
        "nobody",
    ]


def test_an_alias_is_another_way_to_write_a_label() -> None:
    ask = Choice("move", ["hold", "bet"], aliases={"check": "hold"})

    assert read(ask, "Check") == "hold"
    assert read(ask, '{"move": "check"}') == "hold"


@pytest.mark.parametrize(("reply", "answer"), [("50", 50), (" 50. ", 50), ('"50"', 50), ("+7", 7), ("007", 7)])
def test_a_whole_reply_that_is_an_integer_is_that_integer(reply: str, answer: int) -> None:
    assert read(BID, reply) == answer


@pytest.mark.parametrize("reply", ["50.0", "5e1", "fifty", "50%", "101", "-1", "1 000", "1_000", "٥", "50 or 60", ""])
def test_what_is_not_exactly_an_integer_of_the_range_is_illegal(reply: str) -> None:
    assert reason(BID, reply)


@pytest.mark.parametrize(("reply", "answer"), [("0.5", 0.5), ("1", 1), (".25", 0.25), ("0.5.", 0.5), ("`1.`", 1)])
def test_a_whole_reply_that_is_a_number_is_that_number(reply: str, answer: float) -> None:
    assert read(PRICE, reply) == answer


@pytest.mark.parametrize("reply", ["1.5", "nan", "inf", "1/2", "0,5", "half"])
def test_what_is_not_a_number_of_the_range_is_illegal(reply: str) -> None:
    assert reason(PRICE, reply)


def test_a_whole_reply_to_a_text_is_the_text() -> None:
    answer = read(SPEECH, "  I agree. \n")

    assert answer == "I agree."
    assert type(answer) is Spoken


@pytest.mark.parametrize(
    ("ask", "reply", "answer"),
    [
        (Flag("sure"), '{"sure": true}', True),
        (Subset("pick", ["a", "b"]), '{"pick": ["b", "A"]}', ["a", "b"]),
        (ListOf("path", Choice("step", ["n", "s"]), 0, 3), '{"path": ["n", "N"]}', ["n", "n"]),
        (Each("levels", ["player_0"], Range("level", 0, 9)), '{"levels": {"player_0": "3"}}', {"player_0": 3}),
    ],
)
def test_asks_with_parts_are_answered_by_an_object_with_their_name(ask: Ask, reply: str, answer: Any) -> None:
    assert read(ask, reply) == answer


@pytest.mark.parametrize("reply", ["true", "yes", '{"sure": "true"}', '{"sure": 1}', '{"certain": true}', "{}"])
def test_a_flag_is_answered_in_no_other_way(reply: str) -> None:
    assert reason(Flag("sure"), reply)


# --- one JSON object ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply",
    [
        '{"throw": "rock"}',
        'I think aloud, about {rocks} and "paper". {"throw": "Rock"}',
        '```json\n{"throw": "rock"}\n```',
        'Here:\n```\n{"throw": "rock"}\n```',
        '{"throw": "rock"}.',
        '{"throw": "rock"} and again {"throw": "rock"}',
    ],
)
def test_a_lone_ask_may_be_answered_by_one_object_with_its_name_after_any_text(reply: str) -> None:
    assert read(THROW, reply) == "rock"


@pytest.mark.parametrize(
    "reply",
    [
        '{"throw": "rock"} {"throw": "paper"}',
        '{"throw": "rock", "why": "it wins"}',
        '{"move": "rock"}',
        '{"throw": "rock"} That is my answer.',
        '{"throw": "rock"',
        '{"throw": ["rock"]}',
        '[{"throw": "rock"}, {"throw": "paper"}]',
        '{"throw": "rock", "throw": "paper"}',
        "{'throw': 'rock'}",
        '{"throw": rock}',
        '{"throw": null}',
        '{"throw": "rock or paper"}',
    ],
)
def test_two_answers_or_half_an_answer_are_none(reply: str) -> None:
    assert reason(THROW, reply)


@pytest.mark.parametrize(
    "reply", ['{"thoughts": {"throw": "rock"}', '{"rejected": [{"throw": "rock"}', '{"a": 1, "b": {"throw": "rock"}']
)
def test_an_object_inside_an_unclosed_object_is_no_answer(reply: str) -> None:
    assert reason(THROW, reply)


def test_quoting_the_answer_of_another_beside_ones_own_is_ambiguous() -> None:
    reply = 'player_1 wrote {"vote": "player_0"}, but I say {"vote": "player_1"}'

    assert reason(VOTE, reply) == "the reply holds two different JSON objects"


def test_a_form_is_one_object_and_missing_optional_keys_are_null() -> None:
    assert read(SPEAK, 'Well. {"trust": "50", "speech": "hi", "vote": "Player_1"}') == {
        "speech": "hi",
        "vote": "player_1",
        "trust": 50,
        "suspicion": None,
        "claim": None,
    }


def test_an_optional_object_over_seats_may_name_some_only() -> None:
    reply = '{"trust": 5, "speech": "", "vote": "Blair", "suspicion": {"Alex": "3"}}'

    assert read(SPEAK, reply, ALEX)["suspicion"] == {"player_0": 3}


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("", "the reply is empty"),
        ("hi", "the reply does not end with one JSON object"),
        ('{"speech": "hi", "vote": "player_1"}', "the field 'trust' is missing"),
        ('{"speech": "hi", "vote": "player_1", "trust": 1, "x": 1}', 'there is no field "x"'),
        ('{"speech": "hi", "vote": "player_1", "trust": "5.0"}', "is not an integer"),
        ('{"speech": "hi", "vote": "player_1", "trust": 5.5}', "is not an integer"),
        ('{"speech": 5, "vote": "player_1", "trust": 5}', "is not a text"),
        ('{"speak": {"speech": "hi", "vote": "player_1", "trust": 5}}', 'there is no field "speak"'),
        ('{"speech": "a"} {"speech": "b"}', "two different JSON objects"),
        ('{"speech": "hi"} more', "does not end with one JSON object"),
        ('{"speech": "hi", "vote": null, "trust": 5}', "is not one of the options"),
    ],
)
def test_a_form_says_why_a_reply_is_none(reply: str, why: str) -> None:
    assert why in reason(SPEAK, reply)


def test_what_was_read_is_kept_with_the_refusal() -> None:
    with pytest.raises(IllegalAnswer) as caught:
        read_reply(ListOf("path", Choice("step", ["n"]), 2, 2), '{"path": ["n"]}', {})

    assert caught.value.attempted == ["n"]


# --- texts over their cap, reasoning, size --------------------------------------------------------------------------


def test_a_text_over_its_cap_is_cut_and_marked() -> None:
    reading = read_reply(SPEECH, "x" * 50, {})

    assert reading.answer == "x" * 20
    assert reading.cut
    assert not read_reply(SPEECH, "x" * 20, {}).cut
    assert read_reply(SPEAK, json.dumps({"speech": "x" * 21, "vote": "player_0", "trust": 1}), {}).cut


def test_a_leading_thought_is_no_part_of_the_reply() -> None:
    assert split_reasoning("  <think>paper?\nno</think>\nrock") == ("paper?\nno", "\nrock")
    assert read(THROW, '<think>{"throw": "paper"}</think>rock') == "rock"
    assert read(SPEECH, "<think>quietly</think> hello") == "hello"


@pytest.mark.parametrize("reply", ["<think>rock", "rock<think>paper</think>", "<think>a</think><think>b</think>rock"])
def test_tags_elsewhere_are_left_alone(reply: str) -> None:
    assert reason(THROW, reply)


def test_a_thought_alone_is_an_empty_reply() -> None:
    assert reason(THROW, "<think>rock</think>") == "the reply is empty"


def test_a_reply_over_a_mebibyte_is_read_no_further() -> None:
    assert reason(SPEECH, "x" * (MAX_REPLY + 1)) == "the reply is longer than 1 MiB"
    assert read(SPEECH, "x" * MAX_REPLY) == "x" * 20


@pytest.mark.parametrize("value", ["1e999", "NaN", "Infinity", "-Infinity", "9" * 401])
def test_numbers_that_json_cannot_hold_are_illegal(value: str) -> None:
    assert reason(PRICE, f'{{"price": {value}}}')


def test_a_number_of_four_hundred_digits_is_illegal() -> None:
    assert reason(PRICE, f'{{"price": {"9" * 400}}}')


@pytest.mark.parametrize("value", ["1e999", '"\\ud800"', '["\\ud800"]'])
def test_what_was_attempted_can_always_be_stored(value: str) -> None:
    with pytest.raises(IllegalAnswer) as caught:
        read_reply(PRICE, f'{{"price": {value}}}', {})

    canonical(caught.value.attempted).encode()


# --- whatever comes -------------------------------------------------------------------------------------------------

SHAPES: list[Ask] = [THROW, BID, PRICE, SPEECH, SPEAK, Flag("sure"), Subset("pick", ["a"]), ListOf("l", BID, 0, 2)]


@pytest.mark.parametrize("ask", SHAPES, ids=lambda ask: ask.kind)
def test_no_reply_of_the_corpus_breaks_the_reader(ask: Ask) -> None:
    for reply in (*REPLIES, *SPOOFS):
        try:
            canonical(read_reply(ask, reply, {}).answer).encode()
        except IllegalAnswer:
            continue


@pytest.mark.parametrize("bomb", BOMBS, ids=range(len(BOMBS)))
def test_no_nesting_breaks_the_reader(bomb: str) -> None:
    assert reason(SPEAK, bomb)
    assert reason(THROW, bomb)


@given(asks(), st.text(st.characters(), max_size=200), names_of_seats())
def test_any_text_is_an_answer_or_illegal(ask: Ask, reply: str, names: dict[str, str]) -> None:
    try:
        answer = read_reply(ask, reply, names).answer
    except IllegalAnswer:
        return
    assert ask.check(answer) == answer


@given(asks(), st.text(st.sampled_from('{}[]":,.\\ ab1-e\n`<think>/'), max_size=60))
def test_anything_like_json_is_an_answer_or_illegal(ask: Ask, reply: str) -> None:
    try:
        answer = read_reply(ask, reply, {}).answer
    except IllegalAnswer:
        return
    assert ask.check(answer) == answer


@given(answered(), names_of_seats(), st.booleans())
def test_an_answer_reads_back_from_the_way_it_is_written(
    drawn: Answered, names: dict[str, str], as_object: bool
) -> None:
    ask, answer = drawn
    canon = ask.check(answer)
    reply = wire(ask, canon, names, as_object=as_object)

    assert read_reply(ask, reply, names).answer == canon
    assert read_reply(ask, f"<think>hm</think>\n{reply}\n", names).answer == canon


@pytest.mark.parametrize(
    ("ask", "answer"),
    [
        pytest.param(Choice("title", ["Mr.", "Mrs."]), "Mr.", id="a label that ends with a full stop"),
        pytest.param(Choice("grade", ["A*", "A"]), "A*", id="a label that ends with an asterisk"),
        pytest.param(Number("price", 0, 1), 0.00001, id="a number with an exponent"),
        pytest.param(Text("speech", 40), "<think>x</think>y", id="a text that begins with a thought"),
    ],
)
def test_a_strange_answer_reads_back_too(ask: Ask, answer: Any) -> None:
    assert read(ask, wire(ask, ask.check(answer), {})) == answer


GROWING = {
    "open braces": lambda n: "{" * n,
    "objects in objects": lambda n: '{"a":' * (n // 5),
    "empty objects": lambda n: "{}" * (n // 2),
    "open lists": lambda n: "[" * n,
    "open strings": lambda n: '{"' * (n // 2),
    "a long string": lambda n: '{"a": "' + "x" * n,
    "backslashes": lambda n: '{"a": "' + "\\" * n,
    "an open thought": lambda n: "<think>" * (n // 7),
    "spaces": lambda n: " " * n + "x",
    "quotes": lambda n: '"' * n,
    "stops": lambda n: "." * n,
    "digits": lambda n: "9" * n,
    "asterisks and stops": lambda n: "*." * (n // 2),
    "a list in many objects": lambda n: '{"a":' * 60 + "[" + "1," * (n // 2),
    "closing fences": lambda n: '{"throw": "rock"}' + "`" * n,
}


@pytest.mark.parametrize("shape", GROWING)
def test_reading_time_grows_no_faster_than_the_reply(shape: str) -> None:
    """Four times the reply takes about four times the CPU time; quadratic would be sixteen times. Below a quarter of
    a second nothing is concluded, so a loaded machine fails nothing."""

    def cpu_s(size: int) -> float:
        reply = GROWING[shape](size)
        begin = time.process_time()
        for ask in (THROW, SPEAK):
            with pytest.raises(IllegalAnswer):
                read_reply(ask, reply, {})
        return time.process_time() - begin

    whole = cpu_s(MAX_REPLY // 4)

    assert whole < 0.25 or whole < 12 * cpu_s(MAX_REPLY // 16)
