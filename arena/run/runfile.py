"""The tournament file: TOML in, settings out. The border where somebody else's text comes in.

Every key has a default but `game` and `agents`. Unknown keys are errors that name the nearest one; there is no code,
no import, no environment and no other file in it. Size, depth and counts are bounded before anything is built.
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from arena.core.errors import UsageError, nearest
from arena.core.seeds import derive
from arena.run.settings import GamePlan, Limits, Policy, Recording, Settings

_MAX_BYTES, _MAX_DEPTH, _MAX_KEYS = 1 << 20, 8, 10_000


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


Count = Annotated[int, Field(ge=0, le=2**53)]
Positive = Annotated[int, Field(ge=1, le=2**53)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False, strict=False)]
Money = Annotated[float, Field(ge=0, allow_inf_nan=False, strict=False)]


class GameEntry(_Part):
    game: str
    set: dict[str, Any] = {}
    matches: Positive | None = None


class AgentEntry(_Part):
    name: str
    sides: list[str] = []
    weight: Annotated[float, Field(gt=0, allow_inf_nan=False, strict=False)] = 1.0


class ScheduleEntry(_Part):
    kind: str = "paired"
    seating: Literal["sides", "mixed"] = "sides"
    pin: dict[str, str] = {}
    batch: Positive = 4
    goal: Literal["top1", "edges"] = "top1"
    stop: Literal["matches", "p_top1", "anytime"] = "matches"
    no_model_on_both_sides: bool = True


class IllegalEntry(_Part):
    reasks: Annotated[int, Field(ge=0, le=10)] = 1
    then: Literal["fallback", "forfeit"] = "fallback"
    forfeit_after: Positive = 1


class VoidEntry(_Part):
    passes: Count = 2
    wait_s: Money = 60.0
    restart: bool = False


class ClockEntry(_Part):
    turn_s: Seconds | None = None
    match_s: Seconds | None = None


class LimitsEntry(_Part):
    concurrency: Positive | None = None
    live_matches: Positive = 4096
    budget_usd: Money | None = None
    tokens: Positive | None = None
    wall_s: Seconds | None = None
    max_failed: Count = 10
    allow_unpriced: bool = False


class RecordEntry(_Part):
    reasoning: bool = True
    keep_tokens: bool = False
    keep_logprobs: bool = False


class StoreEntry(_Part):
    journal: Literal["wal", "delete"] = "wal"


class ExecutorEntry(_Part):
    kind: Literal["async", "processes"] = "async"
    workers: Annotated[int, Field(ge=1, le=256)] = 2
    shard: Annotated[str | None, Field(pattern=r"^[1-9]\d{0,3}/[1-9]\d{0,3}$")] = None


class ModelEntry(_Part):
    rpm: Positive | None = None
    tpm: Positive | None = None
    concurrency: Positive | None = None
    price_in: Money | None = None
    price_out: Money | None = None


class RunFile(_Part):
    """The whole file. `arena tournament --help` and docs/tournaments.md list these keys."""

    schema_: Literal[1] = Field(1, alias="schema")
    game: str | None = None
    games: list[GameEntry] = []
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    matches: Positive = 100
    agents: list[str | AgentEntry] = []
    set: dict[str, Any] = {}
    schedule: ScheduleEntry = ScheduleEntry()
    illegal: IllegalEntry = IllegalEntry()
    void: VoidEntry = VoidEntry()
    clock: ClockEntry = ClockEntry()
    limits: LimitsEntry = LimitsEntry()
    record: RecordEntry = RecordEntry()
    store: StoreEntry = StoreEntry()
    executor: ExecutorEntry = ExecutorEntry()
    models: dict[str, ModelEntry] = {}


def read_toml(path: Path) -> dict[str, Any]:
    """A run file as plain values, within its bounds."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    if len(data) > _MAX_BYTES:
        raise UsageError(f"{path} is larger than 1 MiB")
    if max((line.count(b"[") + line.count(b"{") + line.count(b".") for line in data.splitlines()), default=0) > 2000:
        raise UsageError(f"{path} is nested too deeply")
    try:
        values = tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: {str(error)[:300] or 'nested too deeply'}") from error
    _bounded(values, str(path))
    return values


def settings_of(values: Mapping[str, Any], source: str = "the command line") -> Settings:
    """Settings from a run file's values; the agents' names are resolved later, with the games."""
    try:
        file = RunFile.model_validate(values)
    except ValidationError as error:
        raise UsageError(f"{source}: {_first(error)}", hint="docs/tournaments.md lists every key") from None
    if not file.agents:
        raise UsageError(f"{source} names no agents", hint="--agents A,B")
    if (file.game is None) == (not file.games):
        raise UsageError(f"{source}: give either game or [[games]]")
    games = file.games or [GameEntry(game=file.game or "", set={}, matches=None)]
    share = -(-file.matches // len(games))
    return Settings(
        games=tuple(GamePlan(g.game, {**file.set, **g.set}, g.matches or share) for g in games),
        agents=(
            *(name for agent in file.agents for name in _names(agent)),
            *(f"{slot}={name}" for slot, name in file.schedule.pin.items()),
        ),
        seed=file.seed if file.seed is not None else _drawn_seed(),
        schedule=_schedule(file),
        policy=Policy(**file.illegal.model_dump(), **file.clock.model_dump()),
        limits=Limits(
            **file.limits.model_dump(), **{f"void_{key}": value for key, value in file.void.model_dump().items()}
        ),
        recording=Recording(file.record.reasoning, file.record.keep_tokens, file.record.keep_logprobs),
        models={name: entry.model_dump(exclude_none=True) for name, entry in file.models.items()},
        journal=file.store.journal,
        executor=file.executor.kind,
        workers=file.executor.workers,
        shard=_shard(file),
    )


def _names(agent: str | AgentEntry) -> list[str]:
    """An agent as the command line names it; one that holds only some sides, once for each."""
    if isinstance(agent, str):
        return [agent]
    return [f"{side}={agent.name}" for side in agent.sides] or [agent.name]


def _shard(file: RunFile) -> str | None:
    which, _, number = (file.executor.shard or "1/1").partition("/")
    if int(which) > int(number):
        raise UsageError(f"shard {file.executor.shard}: there are shards 1/{number} to {number}/{number}")
    if int(number) > 1 and file.seed is None:
        raise UsageError("a shard needs a seed: all shards of a run have the same", hint="--seed N")
    return file.executor.shard if int(number) > 1 else None


def put_keys(values: dict[str, Any], pairs: list[str]) -> dict[str, Any]:
    """`--set key=value` on a run file's values: a plain key is a field of the game's config, a dotted one a key of the
    file. A value that parses as JSON is read as JSON, else it is text."""
    merged: dict[str, Any] = json.loads(json.dumps(values))
    for pair in pairs:
        key, mark, text = pair.partition("=")
        if not mark or not key:
            raise UsageError(f"--set {pair!r}: write key=value")
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            value = text
        path = key.split(".") if "." in key else ["set", key]
        place = merged
        for word in path[:-1]:
            place = place.setdefault(word, {})
            if not isinstance(place, dict):
                raise UsageError(f"--set {key}: {word} is not a table")
        place[path[-1]] = value
    _bounded(merged, "--set")
    return merged


def _schedule(file: RunFile) -> dict[str, Any]:
    weights = {a.name: a.weight for a in file.agents if isinstance(a, AgentEntry) and a.weight != 1.0}
    return file.schedule.model_dump() | ({"weights": weights} if weights else {})


def _drawn_seed() -> int:
    import secrets

    return derive("run", secrets.randbits(64))


def _first(error: ValidationError) -> str:
    """The first fault, in a sentence: where, what, and the nearest right key."""
    fault = error.errors()[0]
    path = [str(word) for word in fault["loc"]]
    where = ".".join(path)
    if fault["type"] == "extra_forbidden":
        model: Any = RunFile
        for word in path[:-1]:
            field = model.model_fields.get(word) if hasattr(model, "model_fields") else None
            model = field.annotation if field is not None else None
        known = [f.alias or name for name, f in model.model_fields.items()] if hasattr(model, "model_fields") else []
        near = nearest(path[-1], known)
        return f"there is no key {where!r}." + (f" Did you mean {', '.join(near)}?" if near else "")
    return f"{where}: {fault['msg'].lower()} (given: {str(fault.get('input'))[:60]!r})"


def _bounded(value: Any, source: str, depth: int = 0) -> int:
    """The number of keys; too deep, too many, or too large an integer is an error."""
    if depth > _MAX_DEPTH:
        raise UsageError(f"{source} is nested more than {_MAX_DEPTH} deep")
    if isinstance(value, float) and not math.isfinite(value):
        raise UsageError(f"{source} holds a number that is not finite")
    if value is not None and not isinstance(value, str | bool | int | float | dict | list):
        raise UsageError(f"{source} holds a {type(value).__name__}; write it as text")
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**63:
        raise UsageError(f"{source} holds an integer of more than 64 bits")
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    count = len(inner) + sum(_bounded(entry, source, depth + 1) for entry in inner)
    if count > _MAX_KEYS:
        raise UsageError(f"{source} holds more than {_MAX_KEYS} values")
    return count
