"""A key is sent to its server and found nowhere else: not in the record, not on the screen, not in any file."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest

from arena.cli import main
from arena.models import limiter
from arena.testing.fake_server import FakeServer, serving

FAULTS: list[dict[str, str]] = [
    {},  # the server repeats the key in request ids and headers
    {"kind": "echo"},
    {"auth": "@1"},
    {"not_found": "@1"},
    {"rate_limit": "@1"},
    {"quota": "@1"},
    {"server": "@1"},
    {"connection": "@1"},
    {"hang": "@1"},
    {"context": "3"},
    {"supports": "-temperature,-seed"},
    {"protocol": "@1", "broken": "half_json"},
    {"protocol": "@1", "broken": "html_502"},
    {"protocol": "@1", "broken": "no_http"},
]


@pytest.fixture
def canary(monkeypatch: pytest.MonkeyPatch) -> str:
    """A key of this run of the tests, with characters that change when it is written elsewhere."""
    key = f"canary/{secrets.token_hex(12)}+=x"
    monkeypatch.setenv("MY_KEY", key)
    return key


def _forms(key: str) -> dict[str, bytes]:
    return {
        "plain": key.encode(),
        "in a URL": quote(key, safe="").encode(),
        "base64": base64.b64encode(key.encode()).rstrip(b"=")[:-2],
        "JSON": json.dumps(key)[1:-1].encode(),
        "its beginning": key[:20].encode(),
    }


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[FakeServer]:
    async def at_once(self: limiter.Clock, seconds: float) -> None:
        await asyncio.sleep(0)

    monkeypatch.setattr(limiter.Clock, "sleep", at_once)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("ARENA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ARENA_CACHE", str(tmp_path / "replies.sqlite"))  # the reply cache is an artefact too
    with serving(leak=True) as made:
        yield made


def _found(folder: Path, key: str, shown: str) -> list[str]:
    """Where the key stands."""
    places = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    places["the screen"] = shown.encode()
    return [
        f"{form} in {place}" for form, text in _forms(key).items() for place, data in places.items() if text in data
    ]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: "-".join(f"{k}={v}" for k, v in f.items()) or "none")
@pytest.mark.parametrize("client", ["openai", "litellm"])
def test_whatever_happens_the_key_is_in_no_artefact(
    fault: dict[str, str],
    client: str,
    canary: str,
    server: FakeServer,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    server.reset(**{key: int(value) if key == "context" else value for key, value in fault.items()})
    timeout = "200ms" if "hang" in fault else "20s"
    agent = f"openai/fake-1@{server.url}?key_env=MY_KEY&client={client}&timeout={timeout}"

    shown = []
    run = ["tournament", "kuhn", "--agents", f"{agent},bot/tight", "--matches", "2", "--out", "r"]
    for words in (
        ["play", "kuhn", "--agents", f"{agent},bot/tight", "--json", "--set", "void.passes=0"],
        [*run, "--set", "void.passes=0"],
        ["resume", "r"],
        ["show", "r", "1", "--prompts"],
        ["show", "r", "--json"],
        ["leaderboard", "r"],
        ["export", "r", "--out", "tables", "--times"],
        ["export", "r", "--out", "matches.jsonl"],
        ["runs", "."],
        ["doctor"],
    ):
        with pytest.raises(SystemExit):
            main(words)
        captured = capfd.readouterr()
        shown.append(captured.out + captured.err)
    sent = {headers.get("authorization") for headers, _ in server.seen}

    assert sent == {f"Bearer {canary}"}, "the key went to its server"
    assert _found(tmp_path, canary, "".join(shown)) == []
    assert (tmp_path / "r" / "run.sqlite").exists()


def test_a_bug_of_ours_shows_no_key(
    canary: str, server: FakeServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from arena.models.openai_client import OpenAIClient

    async def broken(self: OpenAIClient, request: object) -> object:
        raise RuntimeError(f"GET http://h/v1?key={os.environ['MY_KEY']} with {os.environ['MY_KEY']!r}")

    monkeypatch.setattr(OpenAIClient, "complete", broken)
    with pytest.raises(SystemExit):
        main(
            ["tournament", "kuhn", "--agents", f"openai/x@{server.url}?key_env=MY_KEY,bot/tight", "--out", "r"]
            + ["--matches", "2"]
        )
    captured = capfd.readouterr()

    assert "RuntimeError" in (tmp_path / "r" / "errors.log").read_text()
    assert _found(tmp_path, canary, captured.out + captured.err) == []


@pytest.mark.parametrize("debug", [False, True])
def test_a_key_that_was_typed_by_mistake_is_not_repeated(
    debug: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    key = f"sk-{secrets.token_hex(20)}"
    (tmp_path / "run.toml").write_text(f'game = "kuhn"\nagents = ["openai/m?api_key={key}"]\n')
    shown = ""
    for words in (
        ["play", "kuhn", "--agents", f"openai/m?key={key}"],
        ["play", "kuhn", "--agents", f"openai/m@https://me:{key}@h/v1"],
        ["play", "kuhn", "--agents", f"openai/m@https://h/v1?key={key}"],
        ["play", "kuhn", "--agents", f"openai/m?key_env={key}"],
        ["tournament", "run.toml"],
    ):
        with pytest.raises(SystemExit) as ended:
            main([*words, "--json"])
        assert ended.value.code == 2, words
        captured = capfd.readouterr()
        shown += captured.out + captured.err

    assert key not in shown
    assert [p.name for p in tmp_path.iterdir()] == ["run.toml"]
