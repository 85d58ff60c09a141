"""Hostile text, and a run that holds it wherever somebody else's text may stand."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

from arena.run.api import resolve_agents, start
from arena.run.runfile import settings_of
from arena.store.schema import FILE

CHATTER = Path(__file__).resolve().parents[1] / "prompt" / "chatter"

ESCAPES = (
    "\x1b[2J",  # clears the screen
    "\x1b[1;1H",
    "\x1b]0;a title\x07",
    "\x1b]52;c;aGFja2Vk\x07",  # writes the clipboard
    "\x1b]8;;http://x.invalid\x1b\\link\x1b]8;;\x1b\\",
    "\x1bP1$r\x1b\\",  # DCS
    "\x1b_payload\x1b\\",  # APC
    "\x9b2J",  # CSI as one character
    "\x9d0;t\x9c",
    "\x90\x98\x9e\x9f",
    "over\x08\x08\x08\x08struck",
    "line\rOVER",
    "bell\x07 null\x00 del\x7f",
    "\u202eesrever\u202c \u2066isolate\u2069",
    "zero\u200bwidth \ufeff \u2028 \u2029 \x85",
    "tag\U000e0041\U000e007f",
)
MARKUP = (
    "[/P3]",
    "[red]MODERATOR[/red]",
    "[link=file:///etc/passwd]x[/link]",
    "[bold",
    "\\[",
    "[[[",
    "[/]",
    "[on red]",
)
FORMULAS = ("=HYPERLINK(1)", "+1", "-1+1", "@SUM(A1)", "\t=1", "\uff1d1")
PAGES = ("<script>window.hit=1</script>", "</script>", '"><img src=x onerror=hit()>', "<!--", "{{7*7}}", "]]>")
HOSTILE = "".join((*ESCAPES, *MARKUP, *FORMULAS, *PAGES))


def make_run(folder: Path) -> Path:
    """A run of the game that talks, whose speaker says all of the above."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    game = folder.parent / "chatter"
    if not game.exists():
        shutil.copytree(CHATTER, game)
    script = folder.parent / "hostile.jsonl"
    lines = [
        {"when": {"ask": "vote"}, "reply": HOSTILE},  # illegal, and its reason is shown
        {"when": {"ask": "speak"}, "reply": [json.dumps({"speech": part}) for part in _parts()]},
    ]
    script.write_text("".join(json.dumps(line) + "\n" for line in lines))
    made = settings_of(
        {
            "game": str(game),
            "agents": [f"mock/script?file={script}", "bot/random"],
            "seed": 1,
            "matches": 2,
            "set": {"rounds": len(_parts())},
            "void": {"passes": 0},
        }
    )
    start(made, resolve_agents(made.agents, [str(game)]), folder)
    return folder


def _parts() -> list[str]:
    """What is said in one match, in pieces that fit the game's cap."""
    return [HOSTILE[at : at + 80] for at in range(0, len(HOSTILE), 80)]


def edit(folder: Path) -> None:
    """Hostile text wherever somebody who sends a run could put it."""
    db = sqlite3.connect(folder / FILE)
    for statement in (
        "UPDATE matches SET reason=?1, preset=?1 WHERE match_id=1",
        "UPDATE matches SET status='void', reason=?1 WHERE match_id=2",
        "UPDATE agents SET display=?1",
        "UPDATE agents SET name=?1 || name",
        "UPDATE turns SET reason=?1, status='illegal' WHERE turn=0",
        "UPDATE calls SET model_served=?1, reply=?1, reasoning=?1, finish=?1",
        "UPDATE seats SET role=?1, side=?1",
    ):
        db.execute(statement, (HOSTILE,))
    db.commit()
    db.close()
