"""A recorded match, played again by the engine: for transcripts, metrics, plots, and for proving the record right."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.core.canonical import canonical
from arena.core.errors import ArenaError, ReplayMismatch
from arena.core.match import Match
from arena.core.record import Chain, audience_text, header, items, replay
from arena.play import new_match
from arena.registry import find_game, load_game, require_trust
from arena.run.keys import prompt_chain
from arena.run.rows import Evidence, evidence_hash
from arena.store.reader import Reader


@dataclass(frozen=True)
class Difference:
    """Where a stored match is not what the engine makes of its answers."""

    match: int
    turn: int | None
    what: str


def games_of(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Game name -> the name to find it by, for the games of a run."""
    found = {}
    for game in manifest["config"]["games"]:
        require_trust(game["name"])
        cls, _, where = find_game(game["name"])
        found[cls.name] = where
    return found


def replayed(reader: Reader, row: Mapping[str, Any], where: Mapping[str, str] | None = None) -> Match:
    """The match of a row, replayed as far as its answers were applied."""
    name = row["game"].rpartition("-v")[0]
    cls = load_game((where if where is not None else games_of(reader.manifest())).get(name, name))
    if f"{cls.name}-v{cls.version}" != row["game"]:
        raise ReplayMismatch(
            f"match {row['match_id']} is of {row['game']}; this is {cls.name}-v{cls.version}",
            hint="install the release that has it",
        )
    chance = (row["fork_turn"] or 0, row["branch"] or 0) if row["chance"] == "fresh" else None
    game = cls(cls.config_type.make(json.loads(row["config"])))
    match = new_match(game, int(row["seed"]), int(row["deal_seed"]), preset=row["preset"], chance=chance)
    stored = reader.stored_match(row["match_id"])
    turns = [
        {"turn": t.turn, "seat": match.seats[t.seat_no], "ask_hash": t.ask_hash, "answer": t.answer}
        | {"fallback": t.fallback}
        for t in stored.turns
        if t.applied
    ]
    replay(match, turns, forfeit=json.loads(row["outcome"] or "{}").get("forfeit"))
    return match


def verify(reader: Reader) -> Iterator[Difference]:
    """Replays every finished match and recomputes every hash: the first difference of each match that has one."""
    where = games_of(reader.manifest())
    for row in reader.matches():
        if row["status"] == "done":
            try:
                what = _first_difference(reader, row, replayed(reader, row, where))
            except ArenaError as error:
                what = (None, error.message)
            if what is not None:
                yield Difference(row["match_id"], *what)


def _first_difference(reader: Reader, row: Mapping[str, Any], match: Match) -> tuple[int | None, str] | None:
    number = row["match_id"]
    stored = [(r["kind"], r["audience"], r["facts"]) for r in reader.rows("events", number)]
    now = [(e.kind, audience_text(e.audience), canonical(e.facts)) for e in match.events]
    for seq, (old, new) in enumerate(zip(stored, now, strict=False)):
        if old != new:
            return _turn_before(match, seq), f"event {seq} ({old[0]}) differs"
    if len(stored) != len(now):
        return None, f"{len(stored)} events are stored, the engine tells {len(now)}"
    if canonical(match.payoffs) != row["payoffs"]:
        return None, f"payoffs are stored as {row['payoffs']}, the engine pays {canonical(match.payoffs)}"
    turns = reader.rows("turns", number)
    by_number = {t.turn: t for t in match.turns}
    for turn in turns:
        known = by_number.get(turn["turn"])
        if known is not None and canonical(known.ask.spec()) != turn["ask"]:
            return turn["turn"], "the stored ask differs from the one its hash names"
    chain = Chain(header(match))
    for item in items(match):
        chain.add(item)
    if chain.value != row["record_hash"]:
        return None, "the record hash differs"
    return _calls_differ(reader, row, match, {t["turn"]: t["status"] for t in turns})


def _calls_differ(
    reader: Reader, row: Mapping[str, Any], match: Match, statuses: Mapping[int, str]
) -> tuple[int | None, str] | None:
    evidence = []
    for call in reader.rows("calls", row["match_id"]):
        if prompt_chain(reader.prompt(call["prompt"]))[-1].hash != call["prompt"]:
            return call["turn"], f"the prompt of call {call['path']} differs from its hash"
        status = statuses.get(call["turn"], "")
        evidence.append(Evidence(call["turn"], call["path"], call["prompt"], call["reply"], call["finish"], status))
    if evidence_hash(match, evidence) != row["evidence_hash"]:
        return None, "the evidence hash differs: a reply, a prompt or a turn status was changed"
    return None


def _turn_before(match: Match, seq: int) -> int | None:
    """The last turn decided before that event was told."""
    return max((t.turn for t in match.turns if t.events <= seq), default=None)


@contextmanager
def metrics_of(run: Path) -> Iterator[Callable[[int], Mapping[str, float | None]]]:
    """A function from a match's number to its game's figures, computed by replay."""
    with Reader(run) as reader:
        where = games_of(reader.manifest())

        def figures(number: int) -> Mapping[str, float | None]:
            return replayed(reader, reader.find_match(str(number)), where).metrics()

        yield figures
