"""No untrusted byte reaches the terminal as control, and untrusted text is never markup."""

from __future__ import annotations

import json
import os
import pty
import shutil
import subprocess
import sys
import unicodedata
from functools import partial
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any

import pytest
from rich.console import Console

from arena.cli import COMMANDS, main
from arena.cli.display import Display
from arena.run.progress import Progress
from arena.testing.fake_model import Reply
from arena.testing.fake_server import serving
from tests.security.hostile import ESCAPES, HOSTILE, MARKUP, edit, make_run

# Every command, with words that make it show what somebody else wrote. A new command must be added here.
SURFACES = {
    "play": ["play ./chatter --agents mock/script?file=hostile.jsonl,bot/random --seed 1"],
    "tournament": ["tournament ./chatter --agents mock/script?file=hostile.jsonl,bot/random --matches 2 --out t"],
    "resume": ["resume run", "resume \x1b[2J"],
    "merge": ["merge run run --out merged"],
    "runs": ["runs .", "runs . --json"],
    "show": [
        "show run",
        "show run 1",
        "show run 1 --view player_1",
        "show run 1 --prompts",
        "show run 1 --json",
        "show edited",
        "show edited 1",
        "show edited 1 --prompts",
        "show edited --verify",
        "show edited --json",
        "show edited 1 --json",
        "show edited --verify --json",
    ],
    "leaderboard": ["leaderboard run", "leaderboard edited", "leaderboard edited --json"],
    "fork": ["fork run 1 --at 0 --out f", "fork edited 1 --at 0 --out f2"],
    "export": ["export edited --out x.jsonl", "export edited --out x.jsonl --json", "export \x1b[2J --out x.jsonl"],
    "train": ["train \x1b[2J[red]x", "train kto --recipe \x1b[2J"],
    "compare": ["compare run edited", "compare run \x1b]0;t\x07"],
    "detect": [
        "detect run --positive bot --out s.csv",
        "detect edited --positive bot --out e.csv --json",
        "detect edited --positive bot --negative \x1b[2J[/x] --out e2.csv",
    ],
    "games": ["games ./chatter", "games \x1b[2J[/x]", "games ./chatter --json"],
    "agents": ["agents"],
    "ratings": ["ratings"],
    "new": ["new game \x1b[2J", "new \x9b2J x"],
    "doctor": ["doctor"],
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a run of hostile words, the same run edited to be worse, their game and their script."""
    folder = tmp_path_factory.mktemp("hostile")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARENA_HOME", str(folder / "home"))
        make_run(folder / "run")
    shutil.copytree(folder / "run", folder / "edited")
    edit(folder / "edited")
    return folder


@pytest.fixture
def here(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARENA_HOME", str(made / "home"))
    monkeypatch.setenv("NO_COLOR", "1")
    return tmp_path


def _control(text: str) -> list[str]:
    """What a terminal might obey, or show in another order or not at all."""
    return sorted({repr(c) for c in text if c not in "\n\t" and unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp")})


def test_every_command_is_a_surface() -> None:
    assert set(SURFACES) == set(COMMANDS)


@pytest.mark.parametrize("command", SURFACES)
def test_nothing_that_was_written_by_others_controls_the_terminal(
    command: str, here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    capfd.readouterr()
    for words in SURFACES[command]:
        with pytest.raises(SystemExit):
            main(words.split(" "))
        out, err = capfd.readouterr()

        assert _control(out + err) == [], words
        assert "this is a bug" not in err, words
        assert "Traceback" not in err, words
        if words.endswith("--json"):
            json.loads(out)


def test_the_words_themselves_are_shown(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["show", "run", "1"])
    shown = capfd.readouterr().out.replace("\n", "")

    for text in ("a title", "payload", "[/P3]", "[red]MODERATOR[/red]", "=HYPERLINK(1)", "<script>"):
        assert text in shown.replace("| ", "")


def test_what_a_server_says_of_its_trouble_is_shown_without_control(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with serving(auth="@1") as server:
        monkeypatch.setattr(
            server.model, "refusal", lambda fault, call: Reply(401, {"error": {"message": HOSTILE}}, {})
        )
        with pytest.raises(SystemExit) as ended:
            agents = f"openai/fake-1@{server.url},bot/nash"
            main(["tournament", "kuhn", "--agents", agents, "--matches", "2", "--out", "r", "--set", "void.passes=0"])
    out, err = capfd.readouterr()

    assert ended.value.code == 3
    assert "a title" in err
    assert _control(out + err) == []


def test_a_terminal_gets_no_payload_from_the_live_display(here: Path) -> None:
    """The same through a pseudo-terminal, where rich draws: its own sequences only."""
    parent, child = pty.openpty()
    words = ["tournament", "./chatter", "--agents", "mock/script?file=hostile.jsonl,bot/broken", "--display", "rich"]
    environ = {k: v for k, v in os.environ.items() if k not in ("CI", "NO_COLOR")} | {
        "TERM": "xterm",
        "COLUMNS": "80",
        "PYTHONPATH": str(Path(__file__).resolve().parents[2]),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", _DISPLAYING, *words], stdin=child, stdout=child, stderr=child, env=environ, cwd=here
    )
    os.close(child)
    shown = b""
    while True:
        try:
            piece = os.read(parent, 65536)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        shown += piece
    os.close(parent)

    assert process.wait() == 0
    text = shown.decode()
    assert "payload" in text, "the display showed what was said"
    assert "MODERATOR[/red]" in text
    for escape in ESCAPES:
        if any(c in escape for c in "\x1b\x9b\x9d\x90\x07\x08\u202e"):
            assert escape not in text
    assert "\x1b]" not in text, "no title, no link, no clipboard"
    assert not {"\x9b", "\x9d", "\x90", "\x07", "\x08", "\u202e"} & set(text)
    assert "\x1b[2J" not in text


def row(text: str) -> dict[str, Any]:
    """What a session tells of a model, with `text` wherever a name or a server's words stand."""
    counts = dict.fromkeys(("in_flight", "waiting", "calls", "tokens_in", "tokens_out"), 0)
    return counts | {"model": text, "state": text, "cost": text, "cost_usd": None, "latency_s": None}


def _rows(text: str) -> list[dict[str, Any]]:
    return [row(text)]


_DISPLAYING = """
import threading
from arena.cli.display import Display
from arena.run.progress import Progress
from tests.security.hostile import HOSTILE, MARKUP
from tests.security.test_terminal import row

progress = Progress(planned=3)
from arena.run.progress import Tally
progress.models = lambda: [row(HOSTILE)]
progress.tallies = lambda: {HOSTILE: Tally(2, 1.0, 1.0, 4, 1)}
for text in (HOSTILE, *MARKUP):
    progress.say(text)
drawn = threading.Event()
with Display("rich", HOSTILE) as display:
    inner = display._picture
    def picture(*args):
        drawn.set()
        return inner(*args)
    display._picture = picture
    display.watch(progress)
    assert drawn.wait(20)
"""


def test_markup_of_others_is_text_in_the_live_display() -> None:
    display = Display("rich", "a run")
    rng = Random(7)
    for _ in range(300):
        text = "".join(rng.choice((*MARKUP, *"[]/\\ab=#", "bold", "link")) for _ in range(rng.randrange(1, 12)))
        progress = Progress(planned=1)
        progress.models = partial(_rows, text)
        progress.say(text)
        out = StringIO()
        console = Console(file=out, width=400, markup=False, highlight=False, color_system=None)

        console.print(display._picture(progress, 0.0))

        assert text.strip() in out.getvalue()
