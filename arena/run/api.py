"""Start a run, resume a run. What the command line calls, and what a program may call too."""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from arena.core.bots import is_control
from arena.core.canonical import canonical
from arena.core.errors import StoreError, UsageError
from arena.core.game import Game
from arena.models.ledger import price_of, refuse_unpriced
from arena.models.names import AgentName, AgentSpec, find_bot, parse_list, resolve
from arena.registry import find_game, load_game, load_version, require_trust, trust
from arena.run.batches import Batches
from arena.run.executors import EXECUTORS
from arena.run.job import Job, Played
from arena.run.manifest import manifest_rows, session_row
from arena.run.plan import Planned, Selected, make_plan
from arena.run.players import Person
from arena.run.progress import Progress
from arena.run.rows import now_ms, plan_rows
from arena.run.schedules import Posterior, find_schedule
from arena.run.settings import Limits, Settings
from arena.store.reader import Reader
from arena.store.schema import FILE
from arena.store.writer import Unit, Writer, create_run, open_run

Watch = Callable[[Progress], None]  # called when a run starts; a display polls what it is given

EXIT = {"complete": 0, "failed": 1, "void": 3, "budget": 4, "interrupted": 130}


@dataclass(frozen=True)
class RunResult:
    """How a run stands when its process ends."""

    run: str
    run_id: str
    status: str
    matches: Mapping[str, int]
    calls: int
    cost_usd: float | None
    unpriced_calls: int
    run_hash: str
    resume: str | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @property
    def exit_code(self) -> int:
        return EXIT[self.status]


def resolve_agents(names: Sequence[str], games: Sequence[str], *, ready: bool = True) -> list[AgentSpec]:
    """The agents of a run; every game must be able to seat them, and all faults are reported together."""
    specs: list[AgentSpec] = []
    for game in games:
        specs = resolve(list(names), find_game(game).cls, ready=ready)
    return specs


def agent_json(agent: AgentName, game: type[Game]) -> dict[str, Any]:
    """What the record keeps of an agent."""
    facts = agent.as_json()
    if agent.model is not None:
        given = {key: value for key, value in agent.model.options.items() if value is not None}
        facts |= {"model": agent.model.bare, "provider": agent.model.provider, "options": _plain(given)}
    elif agent.kind == "bot":
        facts["control"] = is_control(find_bot(agent.bot, game)[1])
    return facts


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value if isinstance(value, str | int | float | bool) else str(value) for key, value in options.items()}


def start(
    settings: Settings,
    specs: Sequence[AgentSpec],
    folder: Path,
    *,
    plan: Sequence[Planned] | None = None,
    parent: Mapping[str, Any] | None = None,
    copied: Callable[[Mapping[str, int]], Unit] | None = None,
    person: Person | None = None,
    watch: Watch | None = None,
    posterior: Posterior | None = None,
) -> RunResult:
    """Play a run into a folder. The folder of the same run is resumed; another run's is refused. `posterior` is for
    schedules that look at results."""
    if (folder / FILE).is_file():
        return _same_run(settings, folder, watch, posterior)
    _check_prices(settings, specs)
    for planned_game in settings.games:
        trust(planned_game.name)
    selected = [(spec.selector, spec.agent.canonical) for spec in specs]
    batches = None
    if plan is None:
        batches = _batches(settings, selected, folder, posterior)
        plan = batches.first() if batches else make_plan(settings, selected)
    whole = plan
    plan = [p for p in whole if settings.has_block(p.block)]
    agents = {spec.agent.canonical: spec for spec in specs}
    ids = {name: number for number, name in enumerate(agents, start=1)}
    unit = manifest_rows(settings, whole, parent)
    game = load_game(whole[0].where)
    stored = {name: agent_json(spec.agent, game) for name, spec in agents.items()}
    for name, spec in agents.items():
        unit.append(("agent", (ids[name], name, spec.agent.display, spec.agent.kind, canonical(stored[name]))))
    unit += plan_rows(plan, ids) + (copied(ids) if copied else [])
    writer = create_run(folder, unit, journal=settings.journal)
    try:
        with Reader(folder) as reader:
            run_id = reader.manifest()["run_id"]
        job = Job(str(folder), run_id, settings, tuple(plan), ids, stored, resumed=copied is not None)
        return _execute(job, writer, 1, person, watch, batches)
    finally:
        writer.close()


def resume(
    folder: Path,
    *,
    limits: Callable[[Limits], Limits] | None = None,
    executor: str | None = None,
    retry_failed: bool = False,
    accept_changes: bool = False,
    watch: Watch | None = None,
    person: Person | None = None,
    posterior: Posterior | None = None,
) -> RunResult:
    """Go on with a run from its folder alone. Only resources may change; a complete run is left as it is."""
    with Reader(folder) as reader:
        manifest = reader.manifest()
        settings = Settings.from_json(manifest["config"])
        agents = {agent["name"]: agent for agent in reader.agents().values()}
        stored = {name: json.loads(agent["spec"]) for name, agent in agents.items()}
        plan = open_matches(reader, settings, retry_failed=retry_failed)
        spent, (past, spent_s) = reader.ledger(), reader.sessions()
    if limits is not None:
        settings = replace(settings, limits=limits(settings.limits))
    if executor is not None:
        settings = replace(settings, executor=executor)  # type: ignore[arg-type]  # checked against EXECUTORS below
    if settings.executor not in EXECUTORS:
        raise UsageError(f"there is no executor {settings.executor!r}; there are {', '.join(EXECUTORS)}")
    selected = parse_list(list(settings.agents))
    batches = _batches(settings, selected, folder, posterior)
    if not plan and not (batches and batches.next()):
        return result_of(folder, "")
    writer = open_run(folder)
    try:
        writer.put([("note", (now_ms(), None, "resume", canonical(settings.as_json())))]).result()
        job = Job(
            str(folder),
            manifest["run_id"],
            settings,
            tuple(plan),
            {name: agent["agent_id"] for name, agent in agents.items()},
            stored,
            resumed=True,
            accept_changes=accept_changes,
            spent_usd=spent["cost_usd"] or 0.0,
            spent_tokens=spent["paid_tokens"],
            spent_s=spent_s,
            fingerprints={name: agent["fingerprint"] for name, agent in agents.items() if agent["fingerprint"]},
        )
        session = 1 + past
        return _execute(job, writer, session, person, watch, batches)
    finally:
        writer.close()


def open_matches(reader: Reader, settings: Settings, *, retry_failed: bool = False) -> list[Planned]:
    """The matches of a run that are not at their end."""
    seating: dict[int, dict[str, str]] = {}
    for row in reader.seats():
        seating.setdefault(row["match_id"], {})[row["seat"]] = row["agent"]
    for game in settings.games:
        require_trust(game.name)
    where = {find_game(g.name).cls.name: find_game(g.name).where for g in settings.games}
    wanted = {"planned", "running", "void", *(["failed"] if retry_failed else [])}
    found = [
        planned_of(row, seating[row["match_id"]], where)
        for row in reader.matches()
        if row["status"] in wanted and not (row["reason"] or "").startswith("context_length")
    ]
    for name, game_where in {(p.game, p.where) for p in found}:
        load_version(game_where, name)
    return found


def planned_of(row: Mapping[str, Any], seating: Mapping[str, str], where: Mapping[str, str]) -> Planned:
    """A match row as it was planned."""
    name = row["game"].rpartition("-v")[0]
    return Planned(
        number=row["match_id"],
        key=row["key"],
        game=row["game"],
        where=where.get(name, name),
        preset=row["preset"],
        config=json.loads(row["config"]),
        config_sha256=row["config_sha256"],
        deal_seed=int(row["deal_seed"]),
        seed=int(row["seed"]),
        seating=seating,
        deal_id=row["deal_id"],
        block=row["block"],
        batch_no=row["batch_no"],
        tag=row["tag"],
        parent_key=row["parent_key"],
        fork_turn=row["fork_turn"],
        branch=row["branch"],
        chance=row["chance"],
    )


def result_of(folder: Path, stopped: str) -> RunResult:
    """How the record says that a run stands; `stopped` is why this session ended early, if it did."""
    with Reader(folder) as reader:
        counts, ledger, manifest = reader.statuses(), reader.ledger(), reader.manifest()
        matches = {
            "planned": sum(counts.values()),
            "done": counts.get("done", 0),
            "void": counts.get("void", 0),
            "failed": counts.get("failed", 0),
        }
        if stopped in ("interrupted", "budget") and matches["done"] < matches["planned"]:
            status = stopped
        elif matches["failed"] or stopped == "failed":
            status = "failed"
        elif matches["void"]:
            status = "void"
        else:
            status = "complete" if matches["done"] == matches["planned"] else "interrupted"
        return RunResult(
            run=str(folder),
            run_id=manifest["run_id"],
            status=status,
            matches=matches,
            calls=ledger["calls"],
            cost_usd=ledger["cost_usd"],
            unpriced_calls=ledger["unpriced_calls"],
            run_hash=run_hash(reader),
            resume=_resume_line(folder, matches, sum(_is_too_long(row) for row in reader.matches())),
        )


def _is_too_long(row: Mapping[str, Any]) -> bool:
    """Whether a match is void for good: the same prompt would be too long again."""
    return row["status"] == "void" and (row["reason"] or "").startswith("context_length")


def _resume_line(folder: Path, matches: Mapping[str, int], too_long: int) -> str | None:
    """The command that goes on, if anything is left; failed matches are played again only when that is asked for."""
    is_open = matches["done"] + matches["failed"] + too_long < matches["planned"]
    if not is_open and not matches["failed"]:
        return None
    again = " --retry-failed" if matches["failed"] and not is_open else ""
    return f"arena resume {shlex.quote(str(folder))}{again}"


def run_hash(reader: Reader) -> str:
    """The hash of all that a run's results were computed from."""
    query = "SELECT key, record_hash, evidence_hash FROM matches WHERE status='done' ORDER BY key"
    return sha256(canonical([list(row) for row in reader.db.execute(query)]).encode()).hexdigest()


def _batches(
    settings: Settings, agents: Sequence[Selected], folder: Path, posterior: Posterior | None
) -> Batches | None:
    """The planner of a schedule that looks at results; None where everything is planned at once."""
    kind = str(settings.schedule.get("kind", "paired"))
    if kind == "fork" or not find_schedule(kind).looks:
        return None
    if settings.shard is not None:
        raise UsageError(f"the schedule {kind!r} looks at results, so it cannot be played in shards")
    if settings.executor != "async":
        raise UsageError(f"the schedule {kind!r} plays in one process", hint="--executor async")
    return Batches(settings, agents, folder, posterior)


def _execute(
    job: Job,
    writer: Writer,
    session: int,
    person: Person | None,
    watch: Watch | None,
    batches: Batches | None,
) -> RunResult:
    def more() -> list[Planned]:
        plan = batches.next() if batches else []
        if batches and batches.ended:
            progress.say(f"the schedule is finished: {batches.ended.why}")
        writer.put(plan_rows(plan, job.agent_ids)).result()
        return plan

    parts = job.settings.shards[1]
    job = replace(job, settings=replace(job.settings, limits=job.settings.limits.divided(parts)), share=parts)
    progress = Progress(planned=len(job.plan))
    writer.on_trouble = progress.say
    writer.put(session_row(session)).result()
    if watch is not None:
        watch(progress)
    status = "failed"
    if batches is not None and not job.plan:
        job = replace(job, plan=tuple(more()))
    try:
        play = EXECUTORS[job.settings.executor]
        played: Played = asyncio.run(play(job, writer, progress, person, more if batches else None))
        status = played.status
    except KeyboardInterrupt:
        status = "interrupted"
    except StoreError as error:  # what could not be written is lost; what was written is there
        progress.say(error.message)
        progress.say(f"{writer.lost_replies} replies that were paid for could not be written and are lost")
    finally:
        with suppress(StoreError):
            writer.put([("session_end", (now_ms(), EXIT.get(status or "complete"), session))]).result()
    return result_of(Path(job.folder), status)


def _check_prices(settings: Settings, specs: Sequence[AgentSpec]) -> None:
    """A budget cannot be kept for a model whose price nobody knows."""
    if settings.limits.budget_usd is not None and not settings.limits.allow_unpriced:
        models = [spec.agent.model for spec in specs if spec.agent.model is not None]
        refuse_unpriced((str(m), price_of(m, settings.models.get(m.bare))) for m in models)


def _difference(key: str, old: Any, new: Any) -> str:
    if key == "games" and [g["name"] for g in old] == [g["name"] for g in new]:
        for field in ("matches", "set"):
            if (was := [g[field] for g in old]) != (now := [g[field] for g in new]):
                return f"{field} {_few(was)}, not {_few(now)}"
    return f"another {key}" if isinstance(old, dict | list) else f"{key} {old}, not {new}"


def _few(values: list[Any]) -> str:
    return ", ".join(map(str, values))


def _same_run(settings: Settings, folder: Path, watch: Watch | None, posterior: Posterior | None) -> RunResult:
    with Reader(folder) as reader:
        manifest = reader.manifest()
    if manifest["config_sha256"] != settings.sha256():
        old, new = Settings.from_json(manifest["config"]).measured(), settings.measured()
        fields = [key for key in new if canonical(new[key]) != canonical(old.get(key))]
        raise UsageError(
            f"{folder} holds another run: {', '.join(_difference(key, old[key], new[key]) for key in fields)}",
            hint=f"choose another --out, or go on with that one: arena resume {folder}",
        )
    if manifest["config"]["shard"] != settings.shard:
        raise UsageError(f"{folder} holds shard {manifest['config']['shard'] or '1/1'}; choose another --out")
    return resume(
        folder, limits=lambda _: settings.limits, executor=settings.executor, watch=watch, posterior=posterior
    )
