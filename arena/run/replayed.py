"""A recorded match, played again by the engine: for transcripts, metrics, plots, and for proving the record right."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.core.canonical import canonical, digest
from arena.core.errors import ArenaError
from arena.core.match import Match
from arena.core.record import audience_text, record_hash, replay
from arena.play import new_match
from arena.registry import find_game, load_version, require_trust
from arena.run.keys import config_hash, match_key, prompt_chain
from arena.run.rows import STATUSES, Evidence, evidence_hash, outcome_of
from arena.run.settings import Policy, Settings
from arena.store.reader import Reader

# Tags of a training run whose matches have keys that name more than a row holds: candidate, step, attempt.
KEYED_BY_MORE = ("forks/", "rollout/")


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
    cls = load_version((where if where is not None else games_of(reader.manifest())).get(name, name), row["game"])
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
    manifest = reader.manifest()
    where, rows = games_of(manifest), reader.matches()
    settings = Settings.from_json(manifest["config"])
    if settings.sha256() != manifest["config_sha256"]:
        yield Difference(0, None, "the configuration is not that of its hash")
    is_training = settings.schedule.get("kind") == "training"  # its matches are planned as it goes
    is_whole = settings.shard is None and not is_training
    if is_whole and [row["match_id"] for row in rows] != list(range(1, len(rows) + 1)):
        yield Difference(0, None, "a match of the plan is missing")
    static = is_whole and all(row["batch_no"] == 0 for row in rows)
    if static and digest([row["key"] for row in rows]) != manifest["plan_hash"]:
        yield Difference(0, None, "the matches are not those of the plan")
    for row in rows:
        try:
            is_keyed = not (is_training and row["tag"].startswith(KEYED_BY_MORE))
            what = _identity_differs(reader, row, settings.policy) if is_keyed else None
            if what is None and row["status"] == "done":
                what = _first_difference(reader, row, replayed(reader, row, where))
        except ArenaError as error:
            what = (None, error.message)
        if what is not None:
            yield Difference(row["match_id"], *what)


def _identity_differs(reader: Reader, row: Mapping[str, Any], policy: Policy) -> tuple[int | None, str] | None:
    """Whether the match's key is that of its game, config, seeds and seating."""
    seating = {seat["seat"]: seat["agent"] for seat in reader.match_seats(row["match_id"])}
    config_sha256 = config_hash(json.loads(row["config"]), policy.as_json())
    fork = row["parent_key"] and {"parent": row["parent_key"], "at": row["fork_turn"], "branch": row["branch"]}
    key = match_key(row["game"], config_sha256, int(row["deal_seed"]), int(row["seed"]), seating, fork)
    if config_sha256 != row["config_sha256"] or key != row["key"]:
        return None, "its key is not that of its game, config, seeds and seating"
    return None


def _seats_differ(reader: Reader, row: Mapping[str, Any], match: Match, turns: list[dict[str, Any]]) -> str | None:
    """Whether the seats' rows say what the replay and the turns say."""
    for number, seat in enumerate(reader.match_seats(row["match_id"])):
        name = match.seats[number]
        said = {s: seat[f"n_{s}"] for s in STATUSES}
        counted = {s: sum(t["seat_no"] == number and t["status"] == s for t in turns) for s in STATUSES}
        if seat["seat"] != name or seat["payoff"] != (match.payoffs or {}).get(name):
            return (
                f"{name} is stored with the payoff {seat['payoff']}, the engine pays {(match.payoffs or {}).get(name)}"
            )
        if (seat["role"], seat["side"]) != (match.roles.get(name), match.sides.get(name)):
            return f"{name} is stored with another role or side than it held"
        if said != counted:
            return f"{name}'s turn statuses are stored as {said}, its turns say {counted}"
        if seat["agent_kind"] == "bot" and any(
            t["seat_no"] == number and t["status"] != "legal" and t["origin"] == "asked" for t in turns
        ):
            return f"{name} is a bot, whose turns are legal"
    outcome = canonical(outcome_of(match))
    return None if row["outcome"] == outcome else f"the outcome is stored as {row['outcome']}, it is {outcome}"


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
    if row["turns"] != len(match.turns):
        return None, f"{row['turns']} turns are stored, the engine plays {len(match.turns)}"
    if what := _seats_differ(reader, row, match, turns):
        return None, what
    by_number = {t.turn: t for t in match.turns}
    for turn in turns:
        known = by_number.get(turn["turn"])
        if known is not None and canonical(known.ask.spec()) != turn["ask"]:
            return turn["turn"], "the stored ask differs from the one its hash names"
    if record_hash(match) != row["record_hash"]:
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
