"""Nothing talks to the network but the model calls that the operator named."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any, NoReturn

import pytest

from arena.cli import COMMANDS, main
from arena.testing.fake_server import serving
from tests.run.playing import play

# What needs no model: each of these makes no connection and asks for no address.
QUIET = {
    "play": ["play kuhn --agents mock/legal,bot/tight --seed 1"],
    "tournament": [
        "tournament kuhn --agents mock/legal,bot/tight --matches 4 --out t",
        "tournament kuhn --agents openai/gpt-5-mini,anthropic/claude-x,bot/tight --matches 4 --dry-run",
        "tournament kuhn --agents openai/m@http://models.invalid/v1,bot/tight --matches 4 --dry-run",
    ],
    "resume": ["resume run"],
    "merge": ["merge run run --out merged"],
    "runs": ["runs ."],
    "show": ["show run", "show run 1 --prompts", "show run --verify", "show asked", "show asked 1 --prompts"],
    "leaderboard": ["leaderboard run", "leaderboard run --method elo --out board", "leaderboard --check board"],
    "fork": ["fork run 1 --at 0 --out f"],
    "export": ["export asked --out x.jsonl", "export asked --out tables", "export asked --format kto --out k.jsonl"],
    "train": ["train kto --help"],
    "compare": ["compare run run --agents bot/kuhn-tight,bot/kuhn-tight"],
    "detect": ["detect asked --positive bot --out s.csv", "detect asked --positive bot --answers s.csv"],
    "games": ["games", "games kuhn --json"],
    "agents": ["agents"],
    "ratings": ["ratings"],
    "new": ["new game quiet", "new agent calm"],
    "doctor": ["doctor", "doctor --json"],
}


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of a mock, and one of a served model that is gone by now."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARENA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY"):
        monkeypatch.setenv(name, "canary-not-a-real-key")
    play(tmp_path / "run", ["mock/legal", "bot/tight"], matches=4)
    with serving() as server:
        play(tmp_path / "asked", [f"openai/fake-1@{server.url}", "bot/tight"], matches=2)
    return tmp_path


def _no_sockets(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """From now on every connection and every look-up of an address fails, and is listed."""
    tried: list[Any] = []

    def refuse(*args: Any, **_: Any) -> NoReturn:
        tried.append(args)
        raise OSError("the tests have no network")

    for name in ("connect", "connect_ex", "sendto", "bind"):
        monkeypatch.setattr(socket.socket, name, refuse)
    for name in ("getaddrinfo", "gethostbyname", "create_connection"):
        monkeypatch.setattr(socket, name, refuse)
    return tried


def test_every_command_is_tried() -> None:
    assert set(QUIET) == set(COMMANDS)


@pytest.mark.parametrize("command", QUIET)
def test_what_names_no_model_connects_to_nothing(
    command: str, runs: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tried = _no_sockets(monkeypatch)

    for words in QUIET[command]:
        with pytest.raises(SystemExit):
            main(words.split())
        err = capsys.readouterr().err
        assert tried == [], words
        assert "this is a bug" not in err, words


def test_a_run_talks_to_the_named_place_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    reached: list[Any] = []
    connect = socket.socket.connect

    def noted(self: socket.socket, address: Any) -> None:
        reached.append(address)
        connect(self, address)

    with serving() as server:
        monkeypatch.setattr(socket.socket, "connect", noted)
        result = play(tmp_path / "run", [f"openai/fake-1@{server.url}", "bot/tight"], matches=2)
        port = int(server.url.rpartition(":")[2].partition("/")[0])

        assert result.status == "complete"
        assert server.counts.served > 0
        assert {a for a in reached if isinstance(a, tuple)} <= {("127.0.0.1", port)}


def test_a_redirect_is_not_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its target would get the key."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("MY_KEY", "canary-not-a-real-key")
    from arena.testing import broken_replies

    with serving() as other:
        place = f"location: {other.url}/chat/completions"
        reply = broken_replies._http(b"", place, status="307 Temporary Redirect")
        monkeypatch.setitem(broken_replies._FIXED, "redirect", lambda: reply)
        with serving(protocol="@1", broken="redirect") as server:
            agents = [f"openai/fake-1@{server.url}?key_env=MY_KEY", "bot/tight"]
            result = play(tmp_path / "run", agents, matches=2)

        assert result.status == "void"
        assert other.counts.requests == 0
