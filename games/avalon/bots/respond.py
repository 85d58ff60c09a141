"""From what a player thinks to the answers of each ask: shared by all scripted players.

Their words are their own and mean what the form beside them says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from arena.core import Answer, Ask, Form, Rng
from arena.games.avalon.bots.notes import Notes
from arena.games.avalon.bots.sets import members
from arena.games.avalon.rules import APPROVE, FAIL, REJECT, SUCCESS


class Style(NamedTuple):
    """How a player decides. Chances are P(evil) by seat number; `says` is what it tells others of them."""

    propose: Callable[[Notes, Rng], int]
    approves: Callable[[Notes, Rng], bool]
    says: Callable[[Notes, Rng], Sequence[float]]
    believes: Callable[[Notes], Sequence[float]]
    fails: Callable[[Notes], bool]
    merlin: Callable[[Notes], Sequence[float]]
    inspect: Callable[[Notes, Sequence[int], Rng], int]
    stab: Callable[[Notes, Sequence[int], Rng], int]


def respond(n: Notes, ask: Ask, rng: Rng, style: Style) -> Answer:
    """The answer to `ask` in this style."""
    match ask.name:
        case "speech":
            return _speech(n, ask, style.says(n, rng))
        case "propose":
            return [n.seats[i] for i in members(style.propose(n, rng))]
        case "team_vote":
            return APPROVE if style.approves(n, rng) else REJECT
        case "quest":
            return FAIL if style.fails(n) else SUCCESS
        case "lady" | "assassinate":
            pick = style.inspect if ask.name == "lady" else style.stab
            return n.seats[pick(n, n.numbers(ask.options or ()), rng)]
        case "beliefs":
            return _beliefs(n, ask, style)
    return ""  # evil_talk: it has nothing to add


def _speech(n: Notes, ask: Ask, chances: Sequence[float]) -> Answer:
    """One line that names whom it suspects, and the same as a form."""
    suspects = [n.seats[i] for i, p in enumerate(chances) if p > 0.5 and i != n.me]
    text = f"I suspect {' and '.join(suspects)}." if suspects else "I suspect nobody yet."
    most = ask.fields[0].max_chars if isinstance(ask, Form) and hasattr(ask.fields[0], "max_chars") else len(text)
    return {"text": text[:most], "claim": "good", "suspicion": _percent(n, chances)}


def _beliefs(n: Notes, ask: Ask, style: Style) -> Answer:
    answer: dict[str, Any] = {"evil": _percent(n, style.believes(n))}
    field = next((f for f in ask.fields if f.name == "merlin"), None) if isinstance(ask, Form) else None
    if field is not None:
        merlin = style.merlin(n)
        answer["merlin"] = {seat: round(100 * merlin[n.seats.index(seat)]) for seat in field.fallback}
    return answer


def _percent(n: Notes, chances: Sequence[float]) -> dict[str, int]:
    return {seat: round(100 * p) for i, (seat, p) in enumerate(zip(n.seats, chances, strict=True)) if i != n.me}
