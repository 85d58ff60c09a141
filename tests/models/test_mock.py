"""The mock provider: every kind, every fault, and that order changes nothing."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given

from arena.core.asks import Ask, Choice, Form, Range, Text
from arena.core.errors import UsageError
from arena.core.seeds import Rng
from arena.models.ledger import estimate_tokens
from arena.models.mock import FAULTS, MockClient
from arena.models.names import parse_name
from arena.models.types import ProviderError, Request, Response, Sampling
from arena.prompt.block import answer_block
from arena.prompt.read import read_reply
from arena.prompt.shape import shape_of
from arena.testing.fake_clock import FakeClock
from tests.run.playing import play
from tests.strategies import asks

VOTE = Choice("vote", ["player_1", "player_2", "none"])
SPEECH = Form("turn", Text("speech", 100), Choice("claim", ["seer", "none"]))


def mock(text: str, clock: FakeClock | None = None) -> MockClient:
    name = parse_name(f"mock/{text}").model
    assert name is not None
    return MockClient(name, sleep=clock.sleep) if clock else MockClient(name)


def request(ask: Ask = VOTE, *, key: str = "m/player_0/0/r0/act/0/0", shaped: bool = True, **more: Any) -> Request:
    prompt = f"What now?\n{answer_block(ask, {})}"
    return Request(
        messages=({"role": "system", "content": "rules"}, {"role": "user", "content": prompt}),
        shape=shape_of(ask, {}) if shaped else None,
        sample_key=key,
        call_key=key,
        **more,
    )


def reply(client: MockClient, asked: Request) -> Response:
    return asyncio.run(client.complete(asked))


def outcome(client: MockClient, asked: Request) -> str:
    try:
        response = reply(client, asked)
    except ProviderError as error:
        return error.kind
    return response.finish if response.finish != "stop" else response.text


# --- kinds -----------------------------------------------------------------------------------------------------------


@given(asks())
def test_a_legal_reply_is_legal_for_every_ask_with_a_shape(ask: Ask) -> None:
    text = reply(mock("legal"), request(ask)).text

    answer = read_reply(ask, text, {}).answer
    assert ask.check(answer) == answer


@pytest.mark.parametrize("ask", [VOTE, SPEECH, Range("bid", 0, 9), Text("words", 40)])
def test_a_legal_reply_needs_no_shape_where_the_prompt_says_how_to_answer(ask: Ask) -> None:
    for n in range(20):
        text = reply(mock("legal"), request(ask, shaped=False, key=f"m/player_0/{n}/r0/act/0/0")).text

        answer = read_reply(ask, text, {}).answer
        assert ask.check(answer) == answer


def test_a_legal_reply_is_uniform() -> None:
    client = mock("legal")
    seen = [reply(client, request(key=f"m/player_0/{n}/r0/act/0/0")).text for n in range(3000)]

    for label in VOTE.options or ():
        assert 900 < seen.count(label) < 1100


def test_a_reply_depends_on_the_sample_key_and_the_seed_alone() -> None:
    keys = [f"m/player_{n % 3}/{n}/r0/act/0/0" for n in range(60)]
    forward, backward = mock("legal?seed=5"), mock("legal?seed=5")
    one = {key: reply(forward, request(key=key)).text for key in keys}
    two = {key: reply(backward, request(key=key)).text for key in reversed(keys)}

    assert one == two
    assert {key: reply(mock("legal?seed=6"), request(key=key)).text for key in keys} != one
    assert len(set(one.values())) == 3


def test_fixed_and_echo_say_what_they_are_told() -> None:
    assert reply(mock("fixed?text=a%20b"), request()).text == "a b"
    assert reply(mock("echo"), request()).text == request().messages[-1]["content"]


def script(tmp_path: Path, *lines: dict[str, Any]) -> str:
    path = tmp_path / "script.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return f"script?file={path}"


def test_a_script_answers_by_the_first_line_that_holds(tmp_path: Path) -> None:
    client = mock(
        script(
            tmp_path,
            {"when": {"contains": "nowhere"}, "reply": "no"},
            {"when": {"seat": "player_1"}, "reply": "by seat"},
            {"when": {"turn": 7}, "reply": "by turn"},
            {"when": {"match": 3}, "reply": {"by": "match"}},
            {"when": {"contains": "What now"}, "reply": "by text"},
        )
    )

    assert reply(client, request(key="m/player_1/0/r0/act/0/0")).text == "by seat"
    assert reply(client, request(key="m/player_0/7/r0/act/0/0")).text == "by turn"
    assert reply(client, request(order=3)).text == '{"by": "match"}'
    assert reply(client, request()).text == "by text"


def test_a_list_of_replies_is_used_up_in_order_in_each_match(tmp_path: Path) -> None:
    client = mock(script(tmp_path, {"reply": ["one", "two"]}, {"reply": "rest"}))
    turns = [f"m/player_0/{n}/r0/act/0/0" for n in range(3)]

    assert [reply(client, request(key=key, order=1)).text for key in turns] == ["one", "two", "rest"]
    assert [reply(client, request(key=key, order=2)).text for key in turns] == ["one", "two", "rest"]
    assert reply(client, request(key=turns[0], order=1)).text == "one"  # a retry


def test_a_script_without_an_answer_is_fatal_and_names_the_request(tmp_path: Path) -> None:
    client = mock(script(tmp_path, {"when": {"seat": "player_9"}, "reply": "x"}))

    with pytest.raises(ProviderError, match=r"mock_miss.*m/player_0/0") as caught:
        reply(client, request())

    assert not caught.value.retryable


@pytest.mark.parametrize(
    "line", ["nonsense", "[]", '{"when": {}}', '{"when": {"colour": 1}, "reply": "x"}', '{"when": 3, "reply": ""}']
)
def test_a_broken_script_names_its_line(tmp_path: Path, line: str) -> None:
    (tmp_path / "s.jsonl").write_text(f'{{"reply": "fine"}}\n{line}\n')

    with pytest.raises(UsageError, match="line 2"):
        mock(f"script?file={tmp_path / 's.jsonl'}")


def test_a_recorded_run_answers_by_match_seat_turn_and_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    play(tmp_path / "run", ["bot/tight"], matches=1)
    recorded = {"old/player_0/0/r0/act/0/0": "by key", "4/player_0/1/r0/act/0/0": "by number"}
    monkeypatch.setattr("arena.store.reader.recorded_replies", lambda run: recorded if run.name == "run" else {})
    client = mock(f"replay?run={tmp_path / 'run'}")

    assert reply(client, request(key="old/player_0/0/r0/act/0/0")).text == "by key"
    assert reply(client, request(key="new/player_0/1/r0/act/0/0", order=4)).text == "by number"
    with pytest.raises(ProviderError, match="mock_miss"):
        reply(client, request(key="new/player_0/2/r0/act/0/0", order=4))


def test_chaos_meets_every_fault_and_still_answers() -> None:
    client = mock("chaos")
    ends = [outcome(client, request(SPEECH, key=f"m/player_0/{n}/r0/act/0/0")) for n in range(1500)]

    assert set(FAULTS) <= set(ends)
    assert {"refusal", "length", "", "I would rather not answer that."} <= set(ends)
    assert sum(end.startswith("{") for end in ends) > 1100


# --- faults ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", sorted(FAULTS))
def test_a_fault_comes_at_its_rate_and_on_every_nth_call(kind: str) -> None:
    client, nth = mock(f"legal?{kind}=0.25"), mock(f"legal?{kind}=@3")
    ends = [outcome(client, request(key=f"m/player_0/{n}/r0/act/0/0")) for n in range(400)]
    counted = [outcome(nth, request(key=f"m/player_0/{n}/r0/act/0/0")) for n in range(9)]

    assert 70 < ends.count(kind) < 130
    assert [end == kind for end in counted] == [False, False, True] * 3


def test_a_fault_looks_at_the_attempt_and_the_answer_does_not() -> None:
    keys = [f"m/player_0/{n}/r0/act/0/0" for n in range(50)]

    def answers(client: MockClient) -> dict[str, tuple[int, str]]:
        found = {}
        for key in keys:
            tries = 1
            while (text := outcome(client, request(key=key))) == "server":
                tries += 1
            found[key] = (tries, text)
        return found

    clean, faulty, again = (answers(mock(f"legal?server={rate}")) for rate in ("0", "0.5", "0.5"))

    assert {key: text for key, (_, text) in faulty.items()} == {key: text for key, (_, text) in clean.items()}
    assert faulty == again
    assert max(tries for tries, _ in faulty.values()) > 2


def test_a_rate_limit_says_how_long_to_wait() -> None:
    with pytest.raises(ProviderError) as caught:
        reply(mock("legal?rate_limit=1&retry_after=2s"), request())

    assert (caught.value.kind, caught.value.status, caught.value.retry_after_s) == ("rate_limit", 429, 2.0)
    assert caught.value.retryable


def test_a_hang_ends_at_the_deadline() -> None:
    clock = FakeClock()

    async def main() -> float:
        began = clock.now()
        with pytest.raises(ProviderError, match="no reply within 30 s") as caught:
            await mock("legal?hang=1", clock).complete(replace(request(), timeout_s=30.0))
        assert caught.value.kind == "timeout"
        return clock.now() - began

    assert clock.run(main()) == 30


@pytest.mark.parametrize(("option", "low", "high"), [("200ms", 0.2, 0.2), ("lognormal:200ms:0.5", 0.03, 1.2)])
def test_latency_passes_on_the_given_clock(option: str, low: float, high: float) -> None:
    clock = FakeClock()

    async def main() -> list[float]:
        client = mock(f"legal?latency={option}", clock)
        return [(await client.complete(request(key=f"m/a/{n}/x"))).latency_s for n in range(50)]

    latencies = clock.run(main())

    assert all(low <= latency <= high for latency in latencies)
    assert clock.now() == pytest.approx(1000 + sum(latencies))


@pytest.mark.parametrize(
    ("option", "finish", "text"),
    [("refuse=1", "refusal", "I cannot help with that."), ("empty=1", "stop", ""), ("truncate=1", "length", None)],
)
def test_flaws_are_replies(option: str, finish: str, text: str | None) -> None:
    response = reply(mock(f"legal?{option}"), request(SPEECH))

    assert response.finish == finish
    assert text is None or response.text == text
    assert response.parsed is None


def test_an_illegal_reply_is_illegal() -> None:
    from arena.core.errors import IllegalAnswer

    for ask in (VOTE, SPEECH, Range("bid", 0, 9)):
        with pytest.raises(IllegalAnswer):
            read_reply(ask, reply(mock("legal?illegal=1"), request(ask)).text, {})


def test_a_fence_breaker_speaks_as_the_engine_inside_a_legal_form() -> None:
    answer = read_reply(SPEECH, reply(mock("legal?fence=1"), request(SPEECH)).text, {}).answer

    assert "player_0 says:" in answer["speech"]


@pytest.mark.parametrize("shaped", [True, False])
def test_a_long_reply_passes_every_cap(shaped: bool) -> None:
    response = reply(mock("legal?long=1000000"), request(SPEECH, shaped=shaped))

    assert len(json.loads(response.text)["speech"]) == 1_000_000
    assert reply(mock("legal?long=50"), request(VOTE, shaped=shaped)).text in (VOTE.options or ())
    assert reply(mock("legal?long=50"), request(Text("t", 10), shaped=shaped)).text == "x" * 50


def test_a_dead_model_stays_dead() -> None:
    client = mock("legal?fail_after=3")
    ends = [outcome(client, request(key=f"m/player_0/{n}/r0/act/0/0")) for n in range(6)]

    assert [end == "connection" for end in ends] == [False] * 3 + [True] * 3


def test_a_long_prompt_does_not_fit() -> None:
    size = estimate_tokens(request().messages)

    assert outcome(mock(f"legal?context={size}"), request()) in (VOTE.options or ())
    assert outcome(mock(f"legal?context={size - 1}"), request()) == "context_length"


def test_usage_is_what_the_budget_estimates() -> None:
    asked = request()
    response = reply(mock("fixed?text=12345678"), asked)

    assert (response.usage.prompt, response.usage.completion) == (estimate_tokens(asked.messages), 2)
    assert reply(mock("fixed?tokens=none"), asked).usage.prompt is None


def test_the_counter_file_has_a_line_for_every_served_call(tmp_path: Path) -> None:
    client = mock(f"legal?server=@2&count_file={tmp_path / 'count'}")
    for n in range(6):
        outcome(client, request(key=f"m/player_0/{n}/r0/act/0/0", order=n))

    assert (tmp_path / "count").read_text().split() == [f"m/player_0/{n}/r0/act/0/0" for n in (0, 2, 4)]


# --- capabilities ----------------------------------------------------------------------------------------------------


def test_what_it_does_not_support_is_declared_and_refused_by_name() -> None:
    client = mock("legal?supports=-schema%2C-seed%2C-logprobs")
    can = client.capabilities()

    assert (can.schema, can.seed, can.logprobs) == ("none", False, False)
    for asked, parameter in (
        (replace(request(), sampling=Sampling(seed=1)), "seed"),
        (replace(request(), want_logprobs=True), "logprobs"),
    ):
        with pytest.raises(ProviderError) as caught:
            reply(client, asked)
        assert (caught.value.kind, caught.value.parameter) == ("bad_request", parameter)
    assert reply(client, request(SPEECH)).parsed is None


def test_an_enforced_shape_comes_parsed() -> None:
    response = reply(mock("legal"), request(SPEECH))

    assert response.parsed == json.loads(response.text)


def test_tokens_are_kept_where_they_are_wanted() -> None:
    response = reply(mock("fixed?text=ab"), replace(request(), keep_tokens=True))

    assert response.tokens is not None
    assert response.tokens.completion == (97, 98)
    assert len(response.tokens.logprobs) == 2
    assert reply(mock("fixed?text=ab"), request()).tokens is None


@pytest.mark.parametrize(
    "text",
    [
        "nothing",
        "legal?server=2",
        "legal?server=@0",
        "legal?server=x",
        "legal?latency=fast",
        "legal?latency=lognormal:1s",
        "legal?supports=-sight",
        "script",
        "replay",
    ],
)
def test_a_mock_that_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        mock(text)


def test_a_sampled_shape_is_drawn_from_the_games_own_ask() -> None:
    drawn = []

    def sample(rng: Random) -> str:
        drawn.append(isinstance(rng, Rng))
        return "mine"

    shape = replace(shape_of(VOTE, {}), sample=sample)

    assert reply(mock("legal"), replace(request(), shape=shape)).text == "mine"
    assert drawn == [True]
