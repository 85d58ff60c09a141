"""Probing: what a server says it can do is not believed, what its replies show is; six small calls, kept for a week."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from arena.models.folders import cache_folder, data_folder
from arena.models.names import ModelName
from arena.models.openai_client import OpenAIClient
from arena.models.probe import MOST_CALLS, MOST_TOKENS, _keeps, probe
from arena.models.types import Capabilities, ProviderError, Request, Response
from arena.testing.fake_server import FakeServer, serving

DAY = 24 * 3600.0


def probed(url: str, folder: Path, at: float = 1000.0, sent: list[Request] | None = None) -> Capabilities:
    async def once() -> Capabilities:
        client = OpenAIClient(ModelName("openai", "fake-1", url=url))

        async def ask(request: Request) -> Response:
            if sent is not None:
                sent.append(request)
            return await client.complete(request)

        try:
            found = await probe(client, ask, folder=folder, now=lambda: at)
            assert client.capabilities() == found
            assert not client.wants_probe
            return found
        finally:
            await client.aclose()

    return asyncio.run(once())


def test_a_server_that_can_do_everything(tmp_path: Path) -> None:
    sent: list[Request] = []
    with serving(context=4096) as server:
        found = probed(server.url, tmp_path, sent=sent)

    assert (found.schema, found.seed, found.logprobs, found.context) == ("strict", True, True, 4096)
    assert found.source == "probed"
    assert len(sent) <= MOST_CALLS
    assert all(request.sampling.max_tokens <= MOST_TOKENS for request in sent)
    assert len({request.call_key for request in sent}) == len(sent)


@pytest.mark.parametrize(
    ("options", "missing"),
    [
        ({"ignores": "schema"}, {"schema": "none"}),
        ({"ignores": "logprobs"}, {"logprobs": False}),
        ({"ignores": "seed"}, {"seed": False}),
        ({"ignores": "schema,seed,logprobs"}, {"schema": "none", "seed": False, "logprobs": False}),
        ({"supports": "-schema"}, {"schema": "none"}),
        ({"supports": "-logprobs"}, {"logprobs": False}),
        ({"supports": "-seed"}, {"seed": False}),
        ({"kind": "fixed", "text": "hello"}, {"schema": "none", "seed": False}),
        ({"kind": "fixed", "text": '{"hello": "there"}'}, {"schema": "json", "seed": False}),
    ],
)
def test_what_is_refused_or_ignored_is_found_out(
    options: dict[str, Any], missing: dict[str, Any], tmp_path: Path
) -> None:
    with serving(**options) as server:
        found = probed(server.url, tmp_path)
        served = server.counts.served

    everything = {"schema": "strict", "seed": True, "logprobs": True}
    assert {key: getattr(found, key) for key in everything} == everything | missing
    assert served <= MOST_CALLS


@pytest.mark.parametrize(
    ("text", "finish", "kept"),
    [
        ('{"q": "no"}', "stop", True),
        ('{\n  "q"\n:\n\n "ay"}', "stop", True),
        ('{\n\n   "q":\n\n', "length", True),
        ("{\n\n\n\n", "length", None),
        ("", "length", None),
        ("", "stop", False),
        ('{"hello": ', "length", False),
        ('{"q": "hello', "length", False),
        ("Hello there, ", "length", False),
        ('{"q": "no", "x": 1}', "stop", False),
    ],
)
def test_a_reply_that_was_cut_off_counts_as_far_as_it_goes(text: str, finish: Any, kept: bool | None) -> None:
    assert _keeps(Response(text, finish)) is kept


def test_what_was_found_is_kept_for_seven_days(tmp_path: Path) -> None:
    with serving() as server:
        first = probed(server.url, tmp_path)
        asked = server.counts.requests
        again = probed(server.url, tmp_path, at=1000 + 6.9 * DAY)
        unchanged = server.counts.requests
        probed(server.url, tmp_path, at=1000 + 7.1 * DAY)
        renewed = server.counts.requests

    assert first == again
    assert (unchanged, renewed) == (asked, 2 * asked)


def test_another_served_model_at_the_same_place_is_asked_anew(tmp_path: Path) -> None:
    with serving(model="a") as server:
        probed(server.url, tmp_path)
        server.reset(model="b", ignores="schema")
        found = probed(server.url, tmp_path)

    assert found.schema == "none"


def test_a_damaged_entry_is_no_entry(tmp_path: Path) -> None:
    with serving() as server:
        first = probed(server.url, tmp_path)
        for file in tmp_path.iterdir():
            file.write_text('{"at": 1000, "capabilities": {"schema": "strict", "wings": true}}', "utf-8")
        again = probed(server.url, tmp_path)

    assert first == again


def test_a_failing_server_is_no_finding(tmp_path: Path) -> None:
    with serving(overloaded="@3") as server, pytest.raises(ProviderError) as caught:
        probed(server.url, tmp_path)

    assert caught.value.kind == "overloaded"
    assert list(tmp_path.iterdir()) == []


def test_a_list_of_models_that_fails_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_list(self: FakeServer, method: str, path: str, body: bytes) -> Any:
        from arena.testing.fake_model import Reply

        return Reply(500, {"detail": "no such folder"}, {})

    monkeypatch.setattr(FakeServer, "_page", no_list)
    with serving() as server:
        found = probed(server.url, tmp_path)

    assert (found.schema, found.context) == ("strict", None)


def test_a_template_without_a_system_role_is_asked_without_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(supports="-none") as server:
        fault, refusal = server.model.fault, server.model.refusal
        monkeypatch.setattr(
            server.model, "fault", lambda c: "unsupported" if c.body["messages"][0]["role"] == "system" else fault(c)
        )

        def named(fault: str, call: Any) -> Any:
            reply = refusal(fault, call)
            reply.body["error"] = {"message": "System role not supported", "type": "invalid_request_error"}
            return reply

        monkeypatch.setattr(server.model, "refusal", named)
        found = probed(server.url, tmp_path)
        served = server.counts.served

    assert not found.system_role
    assert found.schema == "strict"
    assert served <= MOST_CALLS


def test_the_folders_follow_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "c"))
    monkeypatch.setenv("ARENA_HOME", str(tmp_path / "home"))

    assert cache_folder().is_relative_to(Path.home()) or cache_folder() == tmp_path / "c" / "parley-arena"
    assert data_folder() == tmp_path / "home"
