"""Matches for the recipe `makto-step` and their labels: what its tests share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from arena.core import Match
from arena.games.werewolf.recipes import Played, Sent, rows
from tests.games.werewolf.scripted import names, start, step

NINE = "wolf wolf wolf seer witch guard villager villager villager"
SEVEN = "wolf wolf seer guard villager villager villager"
LONG: dict[str, Any] = {"win": "all_dead", "rounds": 0, "vote_tie": "none"}  # no talk, and no early end


def sent(match: Match, *, trainee: str = "*", status: Callable[[int], str] = lambda turn: "legal") -> Played:
    """The match with a placeholder for what was sent and said."""
    turns = {
        t.turn: Sent(
            [{"role": "user", "content": f"turn {t.turn}"}], f"raw {t.turn}", status(t.turn), trainee in ("*", t.seat)
        )
        for t in match.turns
    }
    return Played("m1", match, turns)


def labels(match: Match, **options: Any) -> dict[tuple[str, str, int | None], list[tuple[bool, str]]]:
    """(seat, ask, night or day) -> its labels with their reasons; not resampled."""
    found: dict[tuple[str, str, int | None], list[tuple[bool, str]]] = {}
    for row in rows([sent(match)], resample=False, **options):
        when = row["night"] if row["night"] is not None else row["day"]
        found.setdefault((row["seat"], row["ask"], when), []).append((row["label"], row["reason"]))
    return found


def night(match: Match, **answers: Any) -> None:
    """One night: each seat's answer where it is asked, the fallback where none is given."""
    while not match.done and not {"vote", "speech"} & set(names(match).values()):
        asked = {seat.replace("player_", "p") for seat in match.pending()}
        step(match, **{p: answers[p] for p in asked if p in answers})


def day(match: Match, **ballots: Any) -> None:
    step(match, **ballots)


def vote_labels(match: Match, ask: str = "vote", **options: Any) -> dict[str, list[tuple[bool, str]]]:
    return {seat: found for (seat, name, _), found in labels(match, **options).items() if name == ask}


def run_off(*, speeches: bool = False) -> Match:
    """Day 1: player_0 (wolf) and player_6 tie; in the run-off the village exiles the wolf."""
    match = start(NINE, **{**LONG, "vote_tie": "pk", "rounds": int(speeches)})
    night(match)
    while "speech" in names(match).values():
        step(match)
    day(match, p3="player_0", p4="player_0", p5="player_6", p6="player_1", p1="player_6")
    while "speech_pk" in names(match).values():
        step(match)
    day(match, p3="player_0", p4="player_0", p5="player_6", p1="player_6", p7="player_0")
    return match


def spoken(deal: str = NINE, forms: Mapping[str, Any] | None = None, **ballots: str) -> Match:
    """A first day with a speech of each seat and these ballots."""
    match = start(deal, **{**LONG, "rounds": 1})
    night(match)
    while "speech" in names(match).values():
        (seat,) = match.pending()
        match.submit(seat, {"text": "Hello.", **(forms or {}).get(seat, {})})
    day(match, **ballots)
    return match


def speech_labels(match: Match, **options: Any) -> dict[str, list[tuple[bool, str]]]:
    return {seat: found for (seat, ask, _), found in labels(match, **options).items() if ask in ("speech", "speech_pk")}
