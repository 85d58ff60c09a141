"""The questions of the game. Places are offered in order of their number, with letters as aliases."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from string import ascii_uppercase
from typing import Any

from arena.core import Ask, Choice, Form, Range, Text
from arena.games.nyc.rules import CLASSES, NONE, UNKNOWN

SILENCE = {"boards": UNKNOWN, "fastest": UNKNOWN, "go": NONE, "text": ""}  # keys in the order of a stored record


def letters(places: Sequence[str]) -> dict[str, str]:
    """A, B, C … for the places in the order offered."""
    return dict(zip(ascii_uppercase, places, strict=False))


def move_ask(places: Sequence[str], elicit_trust: bool, with_tip: bool) -> Ask:
    """Where to go next; after a tip, with `elicit_trust`, also how likely its adviser is Red."""
    if not elicit_trust:
        return Choice("move", places, fallback=None, aliases=letters(places))
    to = Choice("to", places, aliases=letters(places))
    return Form("move", to, *([Range("p_red", 0, 100)] if with_tip else []), fallback=None)


def advise_ask(places: Sequence[str], max_chars: int) -> Ask:
    """A place to point to, or none; words; and what the words claim of the street: a claim left out is `unknown`."""
    boards, fastest = (*CLASSES, UNKNOWN), ("yes", "no", UNKNOWN)
    go = Choice("go", (*places, NONE), aliases=letters(places))
    text = Text("text", max_chars)

    def draw(rng: Random) -> dict[str, Any]:
        answer = {"go": go.sample(rng), "text": text.sample(rng)}
        if answer["go"] == NONE:
            return answer
        return answer | {"boards": boards[int(rng.random() * 4)], "fastest": fastest[int(rng.random() * 3)]}

    return Form(
        "advise",
        go,
        text,
        intent=[Choice("boards", boards), Choice("fastest", fastest)],
        rule=_claims_need_a_place,
        draw=draw,
        fallback=SILENCE,
    )


def _claims_need_a_place(answer: dict[str, Any]) -> str | None:
    claimed = [key for key in ("boards", "fastest") if answer[key] not in (None, UNKNOWN)]
    if answer["go"] != NONE or not claimed:
        return None
    return f"with go none nothing can be claimed: {' and '.join(claimed)} must be unknown"
