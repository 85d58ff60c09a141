"""Checks of the record: the same answers give the same match, from any point, among any others, in any order."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

import arena.play
from arena.core.canonical import canonical
from arena.core.match import Match
from arena.core.record import record, record_hash, replay
from arena.play import new_match
from arena.registry import find_game, game_names, make_game
from arena.testing.playing import chance_of, fault, fingerprint, play, spread, start, steps

Record = Mapping[str, Any]


def check_determinism(name: str, seeds: Sequence[int] = (1, 2), asks: int | None = 400) -> None:
    """Matches of one game object, played by turns and read between turns, equal those played alone."""
    before = random.getstate()
    alone = [fingerprint(play(start(name, seed), seed, asks=asks, lost=0.1)) for seed in seeds]
    if random.getstate() != before:
        fault(name, f"seeds {tuple(seeds)}", "the game drew from Python's global random; use table.rng")

    game, preset = make_game(name)
    matches = [new_match(game, seed, preset=preset) for seed in seeds]
    flows = [steps(match, seed, asks=asks, lost=0.1) for match, seed in zip(matches, seeds, strict=True)]
    while flows:
        flows = [flow for flow in flows if next(flow, None) is not None]
        for match in matches:
            _look_around(match)
    for seed, match, wanted in zip(seeds, matches, alone, strict=True):
        if fingerprint(match) != wanted:
            fault(name, f"seed {seed}", "the match came out differently when others were played in between")


def check_replay_and_fork(name: str, seed: int = 3, asks: int | None = 200, points: int = 12) -> None:
    """A record gives the match again; so do any prefix of it and the rest, and a fork at any turn and the rest.

    `points` is the most prefixes and the most forks that are tried, spread evenly over the match.
    """
    match = play(start(name, seed), seed, asks=asks, lost=0.1)
    stored = json.loads(canonical(record(match)))
    turns = stored["turns"]
    wanted, where = fingerprint(match), find_game(name).where

    again = arena.play.match(where, record=stored)
    if fingerprint(again) != wanted or record_hash(again) != stored["record_hash"] or again.payoffs != match.payoffs:
        fault(name, f"seed {seed}", "the record does not give the match again")
    for length in spread(len(turns) + 1, points):
        cut = stored | {"turns": turns[:length], "payoffs": None}
        part = arena.play.match(where, record=cut)
        replay(part, turns[length:])
        if fingerprint(part) != wanted:
            fault(name, f"seed {seed}, turn {length}", "a prefix of the record and the rest give another match")
    asked = _messages_when_asked(name, seed, asks)
    for at in spread(len(turns), points):
        _check_fork(name, seed, stored, at, wanted, asked[at])


def _check_fork(name: str, seed: int, stored: Record, at: int, wanted: str, messages: str) -> None:
    turns = stored["turns"]
    turn, where = turns[at], f"seed {seed}, fork at turn {at}"
    branch = _fork(name, stored, at)
    if list(branch.pending()) != [turn["seat"]]:
        fault(name, where, f"{turn['seat']} must be asked alone, not {list(branch.pending())}")
    if canonical(branch.view(turn["seat"]).messages()) != messages:
        fault(name, where, f"{turn['seat']} reads something else than in the match")
    replay(branch, [turn, *(t for t in turns if t["batch"] > turn["batch"])])
    if fingerprint(branch) != wanted:
        fault(name, where, "the recorded answers after the fork give another match")
    whole = _fork(name, stored, at, whole_batch=True)
    batch = [t["seat"] for t in turns if t["batch"] == turn["batch"]]
    if list(whole.pending()) != batch:
        fault(name, where, f"the whole batch is {batch}, not {list(whole.pending())}")
    whole.close()


def _fork(name: str, stored: Record, at: int, *, whole_batch: bool = False) -> Match:
    """`arena.fork`; a game that is given as a folder is not found by the name in its record, so there by hand."""
    where = find_game(name).where
    if where in game_names():
        return arena.play.fork(stored, at, whole_batch=whole_batch)
    turns = stored["turns"]
    batch = turns[at]["batch"]
    kept = [t for t in turns if t["batch"] < batch or (t["batch"] == batch and t["turn"] != at and not whole_batch)]
    return arena.play.match(where, record={**stored, "turns": kept, "payoffs": None})


def check_simultaneous(name: str, seeds: Sequence[int] = (4, 5), asks: int | None = 300, looks: int = 20) -> None:
    """In a batch every seat is asked once, in seat order; the order of the answers changes no byte of the record, and
    no seat sees anything of an answer before all are in (looked at in the first `looks` batches of several seats)."""
    for seed in seeds:
        wanted = fingerprint(play(start(name, seed), seed, asks=asks))
        match = start(name, seed)
        left = looks
        while not match.done and (asks is None or len(match.turns) < asks):
            batch = match.pending()
            if list(batch) != [seat for seat in match.seats if seat in batch]:
                fault(name, f"seed {seed}, turn {len(match.turns)}", f"asks are not in seat order: {list(batch)}")
            answers = {seat: ask.sample(chance_of(seed, match, seat)) for seat, ask in batch.items()}
            several = len(batch) > 1 and left > 0
            left -= several
            before = {seat: _all_of(match, seat) for seat in match.seats} if several else {}
            for seat in reversed(batch):
                for other in batch if several else ():
                    if other in match.pending() and _all_of(match, other) != before[other]:
                        fault(
                            name,
                            f"seed {seed}, turn {len(match.turns)}",
                            f"{other} saw something before all answers were in",
                        )
                match.submit(seat, answers[seat])
        _check_batches(name, seed, match)
        if fingerprint(match) != wanted:
            fault(name, f"seed {seed}", "the order in which simultaneous answers were given changed the record")


def _check_batches(name: str, seed: int, match: Match) -> None:
    batches: dict[int, list[str]] = {}
    for number, turn in enumerate(match.turns):
        if turn.turn != number:
            fault(name, f"seed {seed}, turn {number}", f"the turn is numbered {turn.turn}")
        batches.setdefault(turn.batch, []).append(turn.seat)
    for batch, seats in batches.items():
        if len(set(seats)) != len(seats):
            fault(name, f"seed {seed}, batch {batch}", f"a seat was asked twice at once: {seats}")


def _look_around(match: Match) -> None:
    """What a curious reader does between turns; it must change nothing."""
    for seat in match.seats:
        view = match.view(seat)
        _ = (view.events, view.ask, view.rules, view.names, view.last("any"))
    _ = (match.pending(), match.roles, match.sides)


def _all_of(match: Match, seat: str) -> str:
    view = match.view(seat)
    ask = match.pending().get(seat)
    events = [[event.audience, event.kind, event.facts] for event in view.events]
    return canonical([events, view.messages(), None if ask is None else ask.spec(), len(view.exchanges)])


def _messages_when_asked(name: str, seed: int, asks: int | None) -> list[str]:
    """For each turn, what its seat read when it was asked."""
    match, found = start(name, seed), []
    for batch in steps(match, seed, asks=asks, lost=0.1):
        found += [canonical(match.view(seat).messages()) for seat in batch]
    return found
