"""The fake server: what tests of clients and crashes rely on."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from arena.testing.fake_server import serving

ROCK = {"role": "user", "content": 'Choose.\nAnswer with one of: "rock" | "paper" | "scissors"'}


def post(url: str, *, key: str | None = None, **body: Any) -> tuple[int, dict[str, Any], dict[str, str]]:
    headers = {"Content-Type": "application/json"} | ({"Idempotency-Key": key} if key else {})
    data = json.dumps({"model": "fake-1", "messages": [ROCK], **body}).encode()
    request = urllib.request.Request(f"{url}/chat/completions", data, headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as reply:
            return reply.status, json.load(reply), dict(reply.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error), dict(error.headers)


def text(body: dict[str, Any]) -> str:
    return str(body["choices"][0]["message"]["content"])


def page(url: str) -> dict[str, Any]:
    with urllib.request.urlopen(url, timeout=10) as reply:
        found: dict[str, Any] = json.load(reply)
        return found


def test_a_legal_answer_is_one_of_the_options_and_depends_on_seed_and_key_alone() -> None:
    with serving(seed=1) as server:
        first = [text(post(server.url, key=f"k{n}")[1]) for n in range(12)]
        again = [text(post(server.url, key=f"k{n}")[1]) for n in reversed(range(12))]
    with serving(seed=2) as server:
        other = [text(post(server.url, key=f"k{n}")[1]) for n in range(12)]

    assert set(first) <= {"rock", "paper", "scissors"}
    assert first == again[::-1]
    assert first != other


def test_the_count_shows_what_was_served_twice() -> None:
    with serving() as server:
        for key in ("a", "b", "a"):
            post(server.url, key=key)
        count = page(server.url.replace("/v1", "/count"))

    assert count["served"] == 3
    assert count["keys"] == {"a": 2, "b": 1}
    assert count["repeated"] == {"a": 2}
    assert count["in_flight_max"] == 1


def test_a_schema_is_kept_and_can_be_ignored() -> None:
    schema = {"type": "object", "properties": {"q": {"type": "string", "enum": ["no"]}}, "required": ["q"]}
    wanted = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    with serving() as server:
        kept = text(post(server.url, response_format=wanted)[1])
    with serving(ignores="schema") as server:
        ignored = text(post(server.url, response_format=wanted)[1])

    assert json.loads(kept) == {"q": "no"}
    assert ignored in ("rock", "paper", "scissors")


def test_every_nth_call_meets_the_fault_and_a_retry_passes() -> None:
    with serving(rate_limit="@2", retry_after="3") as server:
        replies = [post(server.url, key="same") for _ in range(4)]
        count = server.counts.as_json()

    assert [status for status, _, _ in replies] == [200, 429, 200, 429]
    assert replies[1][2]["retry-after"] == "3"
    assert replies[1][1]["error"]["code"] == "rate_limit_exceeded"
    assert (count["requests"], count["served"], count["errors"]) == (4, 2, {"rate_limit": 2})


def test_more_than_rpm_calls_a_minute_get_a_429_with_headers() -> None:
    with serving(rpm=2) as server:
        replies = [post(server.url, key=str(n)) for n in range(3)]

    assert [status for status, _, _ in replies] == [200, 200, 429]
    assert replies[0][2]["x-ratelimit-remaining-requests"] == "1"
    assert replies[2][2]["x-ratelimit-remaining-requests"] == "0"


def test_reset_clears_the_counters_and_changes_the_behaviour() -> None:
    with serving(server="@1") as server:
        before = post(server.url)[0]
        reset = urllib.request.Request(
            server.url.replace("/v1", "/reset"), b'{"server": "0", "kind": "fixed", "text": "hi"}'
        )
        with urllib.request.urlopen(reset, timeout=10):
            pass
        after = post(server.url)

    assert before == 500
    assert text(after[1]) == "hi"
    assert server.counts.requests == 1


def test_a_script_answers_by_the_first_line_that_fits(tmp_path: Path) -> None:
    script = tmp_path / "script.jsonl"
    lines = [{"when": {"contains": "Choose"}, "reply": ["rock", "paper"]}, {"reply": "scissors"}]
    script.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    with serving(kind="script", script=str(script)) as server:
        replies = [text(post(server.url)[1]) for _ in range(3)]

    assert replies == ["rock", "paper", "scissors"]


def test_served_calls_are_in_the_count_file_and_failed_ones_are_not(tmp_path: Path) -> None:
    counted = tmp_path / "count"
    with serving(overloaded="@2", count_file=str(counted)) as server:
        for key in ("a", "b", "c"):
            post(server.url, key=key)

    assert counted.read_text("utf-8").split() == ["a", "c"]


def test_unknown_words_are_refused() -> None:
    with pytest.raises(ValueError, match="none of legal, fixed"):
        serving(kind="leagl").__enter__()
    with pytest.raises(ValueError, match="broken"):
        serving(broken="nothing of the sort").__enter__()


def test_as_a_program_it_prints_its_url() -> None:
    command = [sys.executable, "-m", "arena.testing.fake_server", "--kind", "fixed", "--text", "rock"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            reply = text(post(url)[1])
            listed = page(f"{url}/models")
        finally:
            process.kill()

    assert reply == "rock"
    assert listed["data"][0]["id"] == "fake-1"
