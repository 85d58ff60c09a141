"""The public way into one match: make it, replay it, branch it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from arena.core.errors import ReplayMismatch, UsageError
from arena.core.game import Game
from arena.core.match import Match
from arena.core.record import replay
from arena.core.view import View
from arena.registry import make_game


def match(
    name: str | None = None,
    *,
    seed: int | None = None,
    deal_seed: int | None = None,
    record: Mapping[str, Any] | None = None,
    **config: Any,
) -> Match:
    """A match of `name` ("werewolf/makto9g"), ready to be played; `config` goes over the preset.

    `seed` sets both seeds unless `deal_seed` is given; without one it is drawn. With `record` the match is replayed
    from it (and `name` may be left out); a record of an unfinished match leaves it at its open asks.

        match = arena.match("matrix/ipd", seed=7)
        while not match.done:
            for seat, ask in match.pending().items():
                match.submit(seat, ask.sample(rng))
    """
    if record is not None:
        return _replayed(name, record)
    if name is None:
        raise UsageError("a match needs the name of a game")
    game, preset = make_game(name, config)
    return new_match(game, secrets.randbits(63) if seed is None else seed, deal_seed, preset=preset)


def new_match(
    game: Game, seed: int, deal_seed: int | None = None, *, preset: str = "", chance: tuple[int, int] | None = None
) -> Match:
    """A match of a game that is already made, with the prompt renderer in place."""
    return Match(game, seed, deal_seed, preset=preset, chance=chance, render=_render)


def fork(
    record: Mapping[str, Any],
    at: int,
    *,
    name: str | None = None,
    whole_batch: bool = False,
    chance: tuple[int, int] | None = None,
) -> Match:
    """The match of a record, back at the moment when turn `at` was asked.

    Asks of the same batch keep their recorded answers, so that only turn `at` is open; `whole_batch` opens them all.
    `chance` = (turn, branch) makes chance fresh from there on; `name` finds a game that lies in a folder.
    """
    turns = record["turns"]
    if not 0 <= at < len(turns):
        raise UsageError(f"turn {at} is not in this match; it has turns 0 to {len(turns) - 1}")
    batch = turns[at]["batch"]
    kept = [t for t in turns if t["batch"] < batch or (t["batch"] == batch and t["turn"] != at and not whole_batch)]
    branch = _fresh(name, record, chance or _chance_of(record))
    replay(branch, kept)
    return branch


def _replayed(name: str | None, record: Mapping[str, Any]) -> Match:
    again = _fresh(name, record, _chance_of(record))
    replay(again, record["turns"], forfeit=record.get("forfeit"))
    if record.get("payoffs") is not None and again.payoffs != record["payoffs"]:
        raise ReplayMismatch(f"{record['game']}: the record pays {record['payoffs']}, the replay {again.payoffs}")
    return again


def _chance_of(record: Mapping[str, Any]) -> tuple[int, int] | None:
    return (record["fork_turn"], record["branch"]) if "fork_turn" in record else None


def _fresh(name: str | None, record: Mapping[str, Any], chance: tuple[int, int] | None) -> Match:
    from arena.registry import find_game

    cls, preset, _ = find_game(name or record["game"])
    if f"{cls.name}-v{cls.version}" != record["game"]:
        raise ReplayMismatch(f"this is a record of {record['game']}, not of {cls.name}-v{cls.version}")
    game = cls(cls.config_type.make(record["config"]))
    return new_match(game, record["seed"], record["deal_seed"], preset=record.get("preset") or preset, chance=chance)


def _render(view: View) -> list[dict[str, str]]:
    from arena.prompt import messages

    return messages(view)
