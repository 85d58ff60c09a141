"""Matches with a known deal, driven answer by answer: what the tests of this folder share."""

from __future__ import annotations

from collections import Counter
from typing import Any

import arena
from arena.core import Ask, Event, Match, Rng, stream

QUIET: dict[str, Any] = {"rounds": 0, "vote_tie": "none"}  # no talk, and a vote without ballots exiles nobody
SEVEN = "wolf wolf seer villager villager villager villager"
PEACE = {"first_night_kill": False, "first_night_seer": False}  # the match begins with the first day's talk


def start(deal: str, *, seed: int = 1, **config: Any) -> Match:
    """A match in which player_0, player_1, … hold the roles of `deal`, words between spaces."""
    cards = deal.split()
    return arena.match("werewolf/makto9g", seed=seed, roles=dict(Counter(cards)), deal=cards, **config)


def step(match: Match, **answers: Any) -> Match:
    """Answer the open asks: p0=… for player_0; the others give the ask's fallback, which is legal here."""
    for seat, ask in list(match.pending().items()):
        match.submit(seat, answers.pop(seat.replace("player_", "p"), ask.fallback))
    assert not answers, f"not asked: {answers}"
    return match


def until(match: Match, *names: str) -> dict[str, Ask]:
    """Play on by fallbacks until one of these asks is open."""
    while not match.done and not any(ask.name in names for ask in match.pending().values()):
        step(match)
    return dict(match.pending())


def names(match: Match) -> dict[str, str]:
    """Who is asked what now."""
    return {seat: ask.name for seat, ask in match.pending().items()}


def ask_of(match: Match, seat: str) -> Any:
    return match.pending()[seat]


def events(match: Match, *kinds: str) -> list[Event]:
    return [event for event in match.events if event.kind in kinds]


def facts(match: Match, kind: str) -> list[dict[str, Any]]:
    return [event.facts for event in match.events if event.kind == kind]


def seen(match: Match, seat: str, kind: str) -> list[dict[str, Any]]:
    """The facts of a kind that reached a seat."""
    return [event.facts for event in match.view(seat).events if event.kind == kind]


def random_match(match: Match, seed: int = 0) -> Match:
    """Played to its end by random players."""
    rng: Rng = stream(seed, "players")
    while not match.done:
        for seat, ask in list(match.pending().items()):
            match.submit(seat, ask.sample(rng))
    return match


def order(match: Match) -> list[str]:
    """The speakers in the order announced last."""
    seats: list[str] = facts(match, "order")[-1]["seats"]
    return seats


def at_vote(deal: str = SEVEN, **config: Any) -> Match:
    """A match at its first vote, with nobody dead and nothing said."""
    match = start(deal, **PEACE, **{"rounds": 0, **config})
    assert set(names(match).values()) == {"vote"}
    return match
