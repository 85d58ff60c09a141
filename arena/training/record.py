"""Played matches as recipes see them: replayed by the engine, with what each model seat was sent and answered.

A match whose record does not replay to the same events, payoffs and hashes is refused and counted: labels computed
from edited or damaged logs would be poison. Nothing of a match is read before that check.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from arena.core.canonical import digest
from arena.core.errors import ArenaError, ReplayMismatch
from arena.core.match import Match
from arena.core.record import record_hash
from arena.prompt import wire
from arena.run.keys import prompt_chain
from arena.run.replayed import games_of, replayed
from arena.run.rows import Evidence, evidence_hash
from arena.store.reader import Reader

Message = Mapping[str, str]


@dataclass(frozen=True)
class Sent:
    """One turn of a model's seat: the prompt of the original ask, the raw reply to it, the accepted answer in wire
    format, and how it ended. `as_sent` and `last_reply` include re-asks. None = no such call is in the record."""

    turn: int
    seat: str
    ask: str
    status: str
    fallback: bool
    prompt: tuple[Message, ...]
    first_reply: str
    accepted: str
    as_sent: tuple[Message, ...]
    last_reply: str


@dataclass(frozen=True)
class Played:
    """One finished match. `agents`: seat -> canonical name; `models`: the seats that a model holds; `fork`: (key of
    the parent, turn, branch, candidate) where the match is a branch."""

    run: str
    number: int
    key: str
    tag: str
    deal: str
    match: Match
    agents: Mapping[str, str]
    models: Collection[str]
    roles: Mapping[str, str]
    sent: Mapping[int, Sent]
    fork: Mapping[str, Any] | None = None
    weights: Mapping[str, str] = field(default_factory=dict)  # seat -> hash of its model's files, where they are known

    @property
    def payoffs(self) -> Mapping[str, float]:
        return self.match.payoffs or {}

    def names(self, seat: str) -> Collection[str]:
        """Every word that selects this seat: its id, role and side."""
        return {word for word in (seat, self.roles.get(seat), self.match.sides.get(seat)) if word}


@dataclass
class Refused:
    """Matches that gave nothing, and why."""

    unfinished: int = 0
    altered: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {"unfinished": self.unfinished, "altered": list(self.altered)}


def read_played(run: Path, *, tags: Sequence[str] | None = None, refused: Refused | None = None) -> Iterator[Played]:
    """The finished matches of a run, in order, those of `tags` alone where given. What is left out goes to
    `refused`."""
    refused = refused if refused is not None else Refused()
    with Reader(run) as reader:
        manifest = reader.manifest()
        where = games_of(manifest)
        agents = reader.agents()
        models = {a["name"] for a in agents.values() if a["kind"] == "model"}
        direct = {a["name"] for a in agents.values() if _is_direct(a)}
        weights = {a["name"]: sha256 for a in agents.values() if (sha256 := _weights(a)) is not None}
        for row in reader.matches():
            if tags is not None and row["tag"] not in tags:
                continue
            if row["status"] != "done":
                refused.unfinished += 1
                continue
            try:
                match = _proved(reader, row, where)
            except ArenaError as error:
                refused.altered.append(f"match {row['match_id']}: {error.message}")
                continue
            seating = {s["seat"]: s["agent"] for s in reader.match_seats(row["match_id"])}
            yield Played(
                run=manifest["run_id"],
                number=row["match_id"],
                key=row["key"],
                tag=row["tag"],
                deal=row["deal_id"],
                match=match,
                agents=seating,
                models=frozenset(seat for seat, agent in seating.items() if agent in models),
                roles=match.roles,
                sent={s.turn: s for s in _sent(reader, row["match_id"], match, seating, models, direct)},
                fork=_fork(row),
                weights={seat: weights[agent] for seat, agent in seating.items() if agent in weights},
            )


def _proved(reader: Reader, row: Mapping[str, Any], where: Mapping[str, str]) -> Match:
    """The match of a row, replayed, if its record and all that was said to whom still have their hashes."""
    match = replayed(reader, row, where)
    if record_hash(match) != row["record_hash"]:
        raise ReplayMismatch("the record hash differs")
    statuses = {turn["turn"]: turn["status"] for turn in reader.rows("turns", row["match_id"])}
    evidence = []
    for call in reader.rows("calls", row["match_id"]):
        if prompt_chain(reader.prompt(call["prompt"]))[-1].hash != call["prompt"]:
            raise ReplayMismatch(f"the prompt of turn {call['turn']} differs from its hash")
        status = statuses.get(call["turn"], "")
        evidence.append(Evidence(call["turn"], call["path"], call["prompt"], call["reply"], call["finish"], status))
    if evidence_hash(match, evidence) != row["evidence_hash"]:
        raise ReplayMismatch("a reply, a prompt or a turn status was changed")
    return match


def _fork(row: Mapping[str, Any]) -> dict[str, Any] | None:
    if row["parent_key"] is None:
        return None
    return {"parent": row["parent_key"], "turn": row["fork_turn"], "branch": row["branch"]}


def _weights(agent: Mapping[str, Any]) -> str | None:
    """The hash of the files behind a model, its adapter's among them; None for one that is reached from afar."""
    identity = json.loads(agent["identity"] or "{}")
    if not identity.get("files"):
        return None
    return digest([identity["files"], identity.get("adapter")])[:16]


def _is_direct(agent: Mapping[str, Any]) -> bool:
    """Whether a model answers without a method around it, so that its wire answer is all of its reply."""
    expanded = json.loads(agent["spec"]).get("expanded", "")
    head = expanded.partition("/")[0]
    return ":" not in head


def _sent(
    reader: Reader, number: int, match: Match, seating: Mapping[str, str], models: Collection[str], direct: set[str]
) -> Iterator[Sent]:
    calls: dict[int, list[dict[str, Any]]] = {}
    for call in reader.rows("calls", number):
        if "/act/" in call["path"]:
            calls.setdefault(call["turn"], []).append(call)
    for row in reader.rows("turns", number):
        seat = match.seats[row["seat_no"]]
        own = sorted(calls.get(row["turn"], ()), key=lambda call: _order(call["path"]))
        if seating[seat] not in models or not own or row["turn"] >= len(match.turns) or row["origin"] == "copied":
            continue
        first = [call for call in own if call["path"].startswith("r0/")][-1]
        turn = match.turns[row["turn"]]
        shown = wire(turn.ask, turn.answer, match.names)
        yield Sent(
            turn=row["turn"],
            seat=seat,
            ask=row["ask_kind"],
            status=row["status"],
            fallback=bool(row["fallback"]),
            prompt=tuple(reader.prompt(first["prompt"])),
            first_reply=first["reply"],
            accepted=shown if seating[seat] in direct else own[-1]["reply"],
            as_sent=tuple(reader.prompt(own[-1]["prompt"])),
            last_reply=own[-1]["reply"],
        )


def _order(path: str) -> tuple[int, int, int]:
    attempt, _, sample, k = path.split("/")
    return int(attempt[1:]), int(sample), int(k)
