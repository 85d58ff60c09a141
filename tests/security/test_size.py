"""No reply floods another seat, the record or the processor."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from arena.core.asks import Choice, Form, ListOf, Number, Range, Text
from arena.core.errors import IllegalAnswer
from arena.core.text import LINE_BREAKS, quoted, sanitise
from arena.models.redact import Redactor, looks_like_key, masked
from arena.prompt.read import MAX_REPLY, read_reply, split_reasoning
from arena.store.reader import Reader
from tests.run.playing import play, rows
from tests.security.hostile import CHATTER

MEGABYTE = 1 << 20


def _chatter(folder: Path) -> str:
    shutil.copytree(CHATTER, folder / "chatter")
    return str(folder / "chatter")


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARENA_HOME", str(tmp_path / "home"))


def test_a_megabyte_of_speech_costs_the_listener_its_cap(tmp_path: Path) -> None:
    game = _chatter(tmp_path)
    lengths = {}
    for name, long in (("short", 1), ("long", MEGABYTE - 4096)):
        agents = [f"player_0=mock/legal?long={long}", "player_1=mock/legal"]
        assert play(tmp_path / name, agents, game=game, matches=1, set={"rounds": 1}).status == "complete"
        (call,) = rows(tmp_path / name, "SELECT prompt FROM calls WHERE seat_no=1")
        with Reader(tmp_path / name) as reader:
            lengths[name] = sum(len(m["content"]) for m in reader.prompt(call["prompt"]))

    (turn,) = rows(tmp_path / "long", "SELECT * FROM turns WHERE ask_kind='speak'")
    assert turn["status"] == "legal"
    assert "truncated_text" in turn["reason"]
    assert lengths["long"] - lengths["short"] <= 80 + 100  # the game's cap is 80


def test_a_reply_of_more_than_a_megabyte_is_not_read(tmp_path: Path) -> None:
    game = _chatter(tmp_path)
    agents = [f"player_0=mock/legal?long={MEGABYTE + 1}", "player_1=mock/legal"]

    play(tmp_path / "r", agents, game=game, matches=1, set={"rounds": 1})

    (turn,) = rows(tmp_path / "r", "SELECT * FROM turns WHERE ask_kind='speak'")
    assert (turn["status"], turn["fallback"]) == ("illegal", 1)
    assert "longer than 1 MiB" in turn["reason"]


def test_long_replies_do_not_pile_up_in_memory(tmp_path: Path) -> None:
    """Twenty replies of nearly a megabyte: the process grows by less than they take."""
    code = """
        import resource, sys
        from tests.run.playing import play
        def used():
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        def run(name, long):
            agents = [f"player_0=mock/legal?long={long}", "player_1=bot/random"]
            play(name, agents, game=sys.argv[1], matches=4, set={"rounds": 5}, limits={"concurrency": 1})
        from pathlib import Path
        run(Path(sys.argv[2]) / "warm", 1_000_000)
        before = used()
        run(Path(sys.argv[2]) / "long", 1_000_000)
        print(used() - before)
    """
    words = [sys.executable, "-c", textwrap.dedent(code), _chatter(tmp_path), str(tmp_path)]
    root = str(Path(__file__).resolve().parents[2])

    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=root)

    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 20 << 20


NUMBERS = [Range("n", 0, 100), Number("n", 0, 1)]


@pytest.mark.parametrize("ask", NUMBERS, ids=["integer", "number"])
@pytest.mark.parametrize("digits", [401, 100_000])
def test_a_long_number_is_no_number(ask: Range | Number, digits: int) -> None:
    for text in ("9" * digits, json.dumps("9" * digits), f'{{"n": {"9" * digits}}}'):
        with pytest.raises(IllegalAnswer):
            read_reply(ask, text, {})


def test_deep_and_wide_json_is_no_answer() -> None:
    ask = Form("turn", ListOf("xs", Choice("x", ["a", "b"]), 0, 4), Text("say", 100))
    for text in (
        '{"xs": ' + "[" * 40 + "]" * 40 + "}",
        '{"xs": ' + "[" * 300_000,
        '{"a":' * 200_000,
        json.dumps({"xs": ["a"] * 20_000, "say": ""}),
        json.dumps(dict.fromkeys(map(str, range(50_000)), 1)),
    ):
        with pytest.raises(IllegalAnswer):
            read_reply(ask, text, {})


HOSTILE = {
    "braces": "{" * MEGABYTE,
    "open objects": '{"' * (MEGABYTE // 2),
    "objects": '{"a":1}' * (MEGABYTE // 7),
    "nearly objects": '{"a":1' * (MEGABYTE // 6),
    "brackets": "[" * MEGABYTE,
    "backslashes": '{"a":"' + "\\" * (MEGABYTE - 8),
    "quotes": '"' * MEGABYTE,
    "thoughts": "<think>" * (MEGABYTE // 7),
    "closed thoughts": "<think></think>" * (MEGABYTE // 15),
    "spaces": " " * MEGABYTE + "x",
    "white lines": "\n \t" * (MEGABYTE // 3),
    "fences": "```" * (MEGABYTE // 3),
    "sorry": "I'm sorry" * (MEGABYTE // 9),
    "digits": "9" * MEGABYTE,
    "marks": "a" + "\u0336" * (MEGABYTE - 1),
    "line breaks": "\r" * MEGABYTE,
    "invisible": "\u200b" * MEGABYTE,
    "schemes": "a://" * (MEGABYTE // 4),
    "keys": "sk-" * (MEGABYTE // 3),
    "tokens": "-eyJ" * (MEGABYTE // 4),
    "prefixes": "gsk_" * (MEGABYTE // 4),
    "bearers": "bearer " * (MEGABYTE // 7),
    "slashes": "-xox-AKIA/" * (MEGABYTE // 10),
    "queries": "?key=" * (MEGABYTE // 5),
    "headers": "authorization:" * (MEGABYTE // 14),
    "cookies": "cookie=" * (MEGABYTE // 7),
    "addresses": "a@" * (MEGABYTE // 2),
    "base64": "QUFB" * (MEGABYTE // 4),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_reading_is_linear_in_a_hostile_megabyte(text: str) -> None:
    """Whatever reads somebody else's text, on a megabyte against an eighth of it: no more than about eight times the
    time. Anything quadratic takes sixty-four times."""
    redactor = Redactor({"MY_KEY": "canary-0123456789"})
    ask = Form("turn", Text("say", 600), Choice("vote", ["a", "b"]))

    def seconds(words: str) -> float:
        started = time.process_time()
        for read in (
            lambda: read_reply(ask, words[:MAX_REPLY], {}),
            lambda: read_reply(Choice("vote", ["a", "b"]), words[:MAX_REPLY], {}),
            lambda: split_reasoning(words),
            lambda: sanitise(words),
            lambda: quoted(words, 600),
            lambda: LINE_BREAKS.sub("\n", words),
            lambda: redactor.clean(words),
            lambda: redactor.clean_error(words),
            lambda: masked(words),
            lambda: looks_like_key(words),
        ):
            try:
                read()
            except IllegalAnswer:
                continue
        return time.process_time() - started

    small = max(seconds(text[: len(text) // 8]), 0.004)
    whole = seconds(text)

    assert whole < 32 * small
