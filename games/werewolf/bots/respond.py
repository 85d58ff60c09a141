"""From a style of play to an answer: what every scripted player does alike, whatever it thinks."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from arena.core import Answer, Ask, Form, Rng
from arena.games.werewolf.asks import ABSTAIN, NONE, OVER
from arena.games.werewolf.bots.notes import Notes
from arena.games.werewolf.bots.words import Meaning, text_of

Pick = Callable[[Notes, list[str], Rng], str]
SPEECHES = ("speech", "speech_pk", "last_words", "talk")


class Style(NamedTuple):
    """How a player decides. Each pick chooses among legal seats, never itself, never nobody."""

    kill: Pick
    check: Pick
    guard: Pick
    vote: Pick
    poison: Callable[[Notes, list[str], Rng], str | None]  # None: keep it
    meaning: Callable[[Notes, Rng], Meaning]  # what its next speech says
    suspicion: Callable[[Notes], dict[str, int]]  # P(wolf side) in percent, of some others


def respond(n: Notes, ask: Ask, rng: Rng, style: Style) -> Answer:
    """The answer of a player of this style."""
    if ask.name in SPEECHES:
        return _speech(n, ask, rng, style)
    if ask.name == "witch":
        return _witch(n, ask, rng, style)
    if ask.name == "whisper":
        return OVER
    if ask.name == "bid":
        return {"level": 3 if n.checked and not n.own.claim else 2 if not n.spoke_today else 1, "reason": None}
    if ask.name == "beliefs":
        return ask.fallback | {s: p for s, p in style.suspicion(n).items() if s in ask.fallback}
    picks = {"wolf_kill": style.kill, "check": style.check, "guard": style.guard}
    pick = picks.get(ask.name, style.vote)  # a hunter shoots whom it would vote for
    return _picked(n, ask, rng, pick) if ask.options else ask.fallback


def seats_of(n: Notes, options: Sequence[str]) -> list[str]:
    """The options that are other seats."""
    return [option for option in options if option not in (NONE, ABSTAIN, n.me)]


def _picked(n: Notes, ask: Ask, rng: Rng, pick: Pick) -> str:
    seats = seats_of(n, ask.options or ())
    return pick(n, seats, rng) if seats else str(ask.sample(rng))


def _witch(n: Notes, ask: Ask, rng: Rng, style: Style) -> Answer:
    """Heals in night 0; later poisons whom its style suspects enough."""
    assert isinstance(ask, Form)
    acts = ask.fields[0].options or ()
    if n.day == 0 and "heal" in acts:
        return {"act": "heal"}
    if n.day > 0 and "poison" in acts:
        target = style.poison(n, seats_of(n, n.alive), rng)
        if target is not None:
            return {"act": "poison", "target": target}
    return {"act": "pass"}


def _speech(n: Notes, ask: Ask, rng: Rng, style: Style) -> Answer:
    assert isinstance(ask, Form)
    fields = {field.name: field for field in ask.fields}
    meaning = style.meaning(n, rng)
    if ask.name == "talk" and not _is_news(n, meaning):
        return {"text": OVER}
    if meaning.vote_call not in (fields["vote_call"].options or ()):
        meaning = meaning._replace(vote_call=None)
    intent: dict[str, Any] = {
        "claim": meaning.claim,
        "reports": [report._asdict() for report in meaning.reports[-10:]] or None,
        "vote_call": meaning.vote_call,
        "suspicion": {s: p for s, p in style.suspicion(n).items() if s != n.me} or None,
    }
    return {"text": text_of(meaning, n.names, fields["text"].max_chars), **intent}  # type: ignore[attr-defined]


def _is_news(n: Notes, meaning: Meaning) -> bool:
    """Whether a talker has something to say that it has not said yet."""
    return (
        (meaning.claim is not None and meaning.claim != n.own.claim)
        or any(report not in n.own.reports for report in meaning.reports)
        or (meaning.vote_call is not None and meaning.vote_call != n.calls.get(n.me))
    )
