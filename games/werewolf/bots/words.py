"""How scripted players speak: a few fixed sentences that mean exactly their intent, and the way back.

They speak for themselves, in a player's words, so that players who read only the text (and scripted ones do) learn what
the form says. `heard` reads any player's text by the same sentences and finds nothing in others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

_CLAIM = re.compile(r"\bI am (?:the|a|an) (\w{1,20})\b", re.IGNORECASE)
_REPORT = re.compile(r"\bNight (\d{1,3}): (\w{1,20}) (?:is|was) (\w{1,20})\b", re.IGNORECASE)
_CALL = re.compile(r"\bVote for (\w{1,20})\b", re.IGNORECASE)


class Report(NamedTuple):
    """A result that somebody says to have: of night `night`, on `target`."""

    night: int
    target: str
    result: str


class Meaning(NamedTuple):
    """What a speech states."""

    claim: str | None = None
    reports: tuple[Report, ...] = ()
    vote_call: str | None = None


def text_of(meaning: Meaning, names: Mapping[str, str], max_chars: int) -> str:
    """The sentences of a meaning; the oldest reports are left out where they do not fit."""
    head = [f"I am the {meaning.claim}."] if meaning.claim else []
    tail = [f"Vote for {names[meaning.vote_call]}."] if meaning.vote_call else []
    reports = [f"Night {r.night}: {names[r.target]} is {r.result}." for r in meaning.reports]
    while True:
        text = " ".join([*head, *reports, *tail])
        if len(text) <= max_chars or not reports:
            return text[:max_chars]
        reports.pop(0)


def heard(text: str, seat_of: Mapping[str, str], roles: Iterable[str]) -> Meaning:
    """What a text states. `seat_of`: lower-case name -> seat."""
    claims = [word for word in map(str.lower, _CLAIM.findall(text)) if word in roles]
    reports = tuple(
        Report(int(night), seat_of[name.lower()], result.lower())
        for night, name, result in _REPORT.findall(text)
        if name.lower() in seat_of
    )
    calls = [seat_of[name.lower()] for name in _CALL.findall(text) if name.lower() in seat_of]
    return Meaning(claims[-1] if claims else None, reports, calls[-1] if calls else None)
