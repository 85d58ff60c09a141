"""A match as text for people: what was told, to whom, and every turn that did not go well."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from arena.core.events import NOBODY, Event
from arena.core.match import Match
from arena.core.text import one_line, sanitise
from arena.prompt.render import spectator_line


def transcript(match: Match, turns: Iterable[Mapping[str, Any]] = (), *, view: str = "omniscient") -> Iterator[str]:
    """The lines of a match. `view`: "omniscient", "public", or a seat; `turns` are the record's rows, for statuses."""
    troubles = _troubles(match, turns, view)
    for seq, event in enumerate(match.events):
        yield from troubles.pop(seq, ())
        if _shown(event, view) and (text := spectator_line(match, event)):
            yield from _labelled(event, text, view, match.names)
    for rest in troubles.values():
        yield from rest
    if match.payoffs is not None:
        yield "payoffs: " + ", ".join(f"{match.names.get(s, s)} {payoff:g}" for s, payoff in match.payoffs.items())


def _shown(event: Event, view: str) -> bool:
    if view == "omniscient":
        return event.audience != NOBODY
    return event.audience == "*" if view == "public" else event.reaches(view)


def _labelled(event: Event, text: str, view: str, names: Mapping[str, str]) -> Iterator[str]:
    """Private facts are marked with those who heard them, by the names that the table reads."""
    heard = event.audience if view == "omniscient" and isinstance(event.audience, tuple) else ()
    label = f"[{', '.join(names.get(seat, seat) for seat in heard)}] " if heard else ""
    for line in sanitise(text).split("\n"):
        yield label + line


def _troubles(match: Match, turns: Iterable[Mapping[str, Any]], view: str) -> dict[int, list[str]]:
    """Event number -> the lines about turns before it that ended in anything but a plain legal answer. A reason may
    name what was asked, so a seat sees its own and the public none."""
    told = {turn.turn: turn.events for turn in match.turns}
    found: dict[int, list[str]] = {}
    for row in turns:
        if row["status"] != "legal" and view in ("omniscient", match.seats[row["seat_no"]]):
            end = "" if row["status"] == "repaired" else f" -> played instead: {one_line(str(row['answer']))}"
            reason = one_line(row["reason"] or "")
            seat = match.seats[row["seat_no"]]
            line = f"({match.names.get(seat, seat)}, turn {row['turn']}: {row['status']}: {reason}{end})"
            found.setdefault(told.get(row["turn"], len(match.events)), []).append(line)
    return found
