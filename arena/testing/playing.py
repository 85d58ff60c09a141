"""Matches played by drawn answers: what every check plays.

An answer depends only on a seed, the seat, and how many answers that seat gave before; so the order in which seats
answer, or other matches played in between, cannot change it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NoReturn

from arena.core.asks import Answer, Ask
from arena.core.canonical import digest
from arena.core.match import Match
from arena.core.record import record_hash
from arena.core.seeds import Rng, stream
from arena.play import new_match
from arena.registry import find_game, game_names, make_game


class Fault(AssertionError):
    """A game breaks a promise. The message says which, where, and what was expected."""


def fault(name: str, where: str, what: str) -> NoReturn:
    raise Fault(f"{name}, {where}: {what}")


def presets_of(name: str) -> list[str]:
    """`game/preset` for every preset of a game; a name that holds a preset stands for itself."""
    cls, preset, where = find_game(name)
    return [name] if name.rstrip("/") != where else [f"{where}/{p}" for p in cls.presets or (preset,)]


def every_preset() -> list[str]:
    """`game/preset` for every registered game and each of its presets."""
    return [full for game in game_names() for full in presets_of(game)]


def start(name: str, seed: int) -> Match:
    """A fresh match of `game[/preset]`."""
    game, preset = make_game(name)
    return new_match(game, seed, preset=preset)


def chance_of(seed: int, match: Match, seat: str) -> Rng:
    """The stream from which `seat` draws its next answer."""
    return stream("conformance", seed, seat, len(match.view(seat).exchanges))


def drawn(seed: int, match: Match, seat: str, ask: Ask, lost: float = 0.0) -> tuple[Answer, bool]:
    """What `seat` plays: a legal answer, or for a share `lost` of the turns the fallback; and whether it is that."""
    rng = chance_of(seed, match, seat)
    if lost and rng.random() < lost:
        return ask.fallback, True
    return match.check(seat, ask.sample(rng)), False


def steps(match: Match, seed: int, *, asks: int | None = None, lost: float = 0.0) -> Iterator[dict[str, Ask]]:
    """Play `match` on by drawn answers; yields the open asks before each batch is answered.

    It stops when the match is over, or at the first batch after `asks` turns. A share `lost` of the turns is lost.
    """
    while not match.done and (asks is None or len(match.turns) < asks):
        open_now = match.pending()
        yield open_now
        for seat, ask in open_now.items():
            answer, fallback = drawn(seed, match, seat, ask, lost)
            match.take(seat, answer, fallback=fallback)


def play(match: Match, seed: int, *, asks: int | None = None, lost: float = 0.0) -> Match:
    """`match`, played on by drawn answers."""
    for _ in steps(match, seed, asks=asks, lost=lost):
        pass
    return match


def fingerprint(match: Match) -> str:
    """One value for all that must be equal when the same match is played again: the record, and every view."""
    views = {
        seat: [[event.audience, event.kind, event.facts] for event in match.view(seat).events] for seat in match.seats
    }
    return digest({"record": record_hash(match), "views": views})


def spread(count: int, most: int) -> list[int]:
    """At most `most` of the numbers 0 to count - 1, evenly spread, the first and the last among them."""
    if count <= most:
        return list(range(count))
    return sorted({round(i * (count - 1) / max(1, most - 1)) for i in range(most)})
