"""What if, from this state: branches of a recorded match.

The prefix is copied from the record and costs nothing; in the batch of the chosen turn only that turn is asked anew
(the other decided answers of its batch are kept), so one state gets N answers. Each branch has its own key, hence its
own samples. Chance after the fork is common to all branches, or fresh in each.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from arena.core.canonical import canonical
from arena.core.errors import ReplayMismatch, UsageError
from arena.core.match import Match
from arena.core.record import audience_text, replay
from arena.models.names import AgentSpec, resolve
from arena.play import new_match
from arena.registry import load_game, load_version
from arena.run.api import RunResult, Watch, planned_of, start
from arena.run.keys import config_hash, match_key
from arena.run.plan import Planned
from arena.run.replayed import games_of, replayed
from arena.run.rows import Decision, event_rows, turn_row
from arena.run.settings import GamePlan, Settings
from arena.store.reader import Reader
from arena.store.writer import Unit


def fork_run(
    run: Path,
    match: str,
    at: str,
    branches: int,
    *,
    agents: Sequence[str] = (),
    set_: Mapping[str, Any] | None = None,
    whole_batch: bool = False,
    chance: str = "common",
    out: Path | None = None,
    watch: Watch | None = None,
) -> RunResult:
    """Play `branches` matches from the moment when turn `at` of a recorded match was asked."""
    if chance not in ("common", "fresh"):
        raise UsageError(f"--chance is common or fresh, not {chance!r}")
    with Reader(run) as reader:
        manifest = reader.manifest()
        row = reader.find_match(match)
        turn = find_turn(reader, row, at)
        old = Settings.from_json(manifest["config"])
        if row["chance"] == "fresh":
            raise UsageError("a branch with fresh chance cannot be forked; fork the match that it came from")
        where = games_of(manifest)
        seats = {seat["seat"]: seat["agent"] for seat in reader.match_seats(row["match_id"])}
        source = planned_of(row, seats, where)
        specs, seating = _seating(seats, agents, source)
        game = load_version(source.where, source.game)
        config = game.config_type.make({**source.config, **(set_ or {})}).as_json()
        prefix = _Prefix(reader, row, turn, whole_batch)
        prefix.play_into(new_match(game(game.config_type.make(config)), source.seed, source.deal_seed))
    settings = replace(
        old,
        games=(GamePlan(f"{source.where}/{source.preset}", dict(set_ or {}), branches),),
        agents=tuple(dict.fromkeys(seating.values())),
        seed=source.seed,
        shard=None,
        schedule={"kind": "fork", "parent": source.key, "at": turn, "whole_batch": whole_batch, "chance": chance},
    )
    plan = [_branch(source, settings, config, seating, turn, i, chance) for i in range(branches)]
    folder = out or run / "forks" / f"m{source.number}-t{turn}-{branches}"
    parent = {"run_id": manifest["run_id"], "match": source.key, "turn": turn}

    def copied(ids: Mapping[str, int]) -> Unit:
        return [r for planned in plan for r in prefix.rows(planned, game)]

    return start(settings, specs, folder, plan=plan, parent=parent, copied=copied, watch=watch)


def find_turn(reader: Reader, row: Mapping[str, Any], at: str) -> int:
    """The turn that `--at` means: its number, or the name of a phase (the first turn in it)."""
    turns = reader.stored_match(row["match_id"]).turns
    if at.isascii() and at.isdecimal():
        if int(at) >= len(turns):
            raise UsageError(f"match {row['match_id']} has turns 0 to {len(turns) - 1}, not {at}")
        return int(at)
    match = replayed(reader, row)
    phases = {t.turn: match.game.phase_name(t.turn, match.events[: t.events]) for t in match.turns}
    for turn, phase in phases.items():
        if phase == at:
            return turn
    known = ", ".join(dict.fromkeys(p for p in phases.values() if p)) or "none"
    raise UsageError(f"--at is a turn's number or the name of a phase (this match has: {known}), not {at!r}")


class _Prefix:
    """The recorded turns before a fork, as every branch begins with them."""

    def __init__(self, reader: Reader, row: Mapping[str, Any], at: int, whole_batch: bool) -> None:
        stored = reader.stored_match(row["match_id"])
        raw = {r["turn"]: r for r in reader.rows("turns", row["match_id"])}
        batch = stored.turns[at].batch
        self.turns = [
            t
            for t in stored.turns
            if t.batch < batch or (t.batch == batch and t.turn != at and not whole_batch and t.applied)
        ]
        self.raw = [raw[t.turn] for t in self.turns]
        told = [r for r in reader.rows("events", row["match_id"]) if r["batch"] < batch]
        self.events = [(r["kind"], r["audience"], r["facts"]) for r in told]
        self.batch = batch

    def play_into(self, match: Match) -> Match:
        """The match at the fork; a config under which the prefix does not replay is refused."""
        try:
            for t in self.turns:
                item = {"turn": t.turn, "seat": match.seats[t.seat_no], "ask_hash": t.ask_hash, "answer": t.answer}
                replay(match, [item | {"fallback": t.fallback}])
        except ReplayMismatch as error:
            raise UsageError(f"the prefix does not replay under these settings: {error.message}") from error
        now = [(e.kind, audience_text(e.audience), canonical(e.facts)) for e in match.events]
        if now != self.events:
            raise UsageError(f"under these settings the past of match {match.game.name} would be another one")
        return match

    def rows(self, planned: Planned, game: Any) -> Unit:
        """The prefix as rows of a branch: no calls, no cost."""
        chance = (planned.fork_turn or 0, planned.branch or 0) if planned.chance == "fresh" else None
        made = game(game.config_type.make(planned.config))
        match = self.play_into(new_match(made, planned.seed, planned.deal_seed, chance=chance))
        asks = {t.turn: t.ask for t in match.turns} | {
            len(match.turns) + i: ask for i, ask in enumerate(match.opened().values())
        }
        unit: Unit = []
        for t, raw in zip(self.turns, self.raw, strict=True):
            decision = Decision(
                turn=t.turn,
                batch=t.batch,
                seat=match.seats[t.seat_no],
                ask=asks[t.turn],
                answer=t.answer,
                status=raw["status"],
                fallback=t.fallback,
                reason=t.reason,
                reasks=raw["reasks"],
                memo=t.memo,
                origin="copied",
            )
            unit.append(turn_row(planned.number, match, decision, applied=t.batch < self.batch))
        return unit + event_rows(planned.number, match, 0)


def _seating(
    seats: Mapping[str, str], agents: Sequence[str], source: Planned
) -> tuple[list[AgentSpec], dict[str, str]]:
    """Who plays on: the recorded agents, or those named in their place (all seats, or `player_2=NAME`)."""
    game = load_game(source.where)
    named = resolve(list(agents), game) if agents else []
    seating = dict(seats)
    for spec in named:
        if spec.selector is not None and spec.selector not in seating:
            raise UsageError(f"there is no seat {spec.selector!r}; there are {', '.join(seating)}")
        seating |= {seat: spec.agent.canonical for seat in seating if spec.selector in (None, seat)}
    if sum(spec.selector is None for spec in named) > 1:
        raise UsageError("--agents names one agent for all seats, or one for each seat that changes (player_2=NAME)")
    return resolve(list(dict.fromkeys(seating.values())), game), seating


def _branch(
    source: Planned,
    settings: Settings,
    config: Mapping[str, Any],
    seating: Mapping[str, str],
    turn: int,
    branch: int,
    chance: str,
) -> Planned:
    config_sha256 = config_hash(config, settings.policy.as_json())
    fork = {"parent": source.key, "at": turn, "branch": branch}
    return replace(
        source,
        number=branch + 1,
        key=match_key(source.game, config_sha256, source.deal_seed, source.seed, seating, fork),
        config=json.loads(json.dumps(config)),
        config_sha256=config_sha256,
        seating=seating,
        block=branch + 1,
        batch_no=0,
        parent_key=source.key,
        fork_turn=turn,
        branch=branch,
        chance=chance,
    )
