"""Matches of a training run: planned, played into the run's one store under a tag, and read back by their keys.

A plan may be played any number of times: a match that is in the record is not played again, an open one is gone on
with. So a stage that was killed in the middle repeats nothing.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from arena.core.canonical import canonical, digest
from arena.core.errors import ArenaError
from arena.core.game import Game
from arena.core.match import Match
from arena.core.seeds import derive
from arena.models.names import AgentSpec, resolve
from arena.models.types import BudgetReached
from arena.registry import find_game, make_game
from arena.run.api import agent_json, open_matches
from arena.run.job import Job, play_job
from arena.run.keys import config_hash, deal_seed, match_key, match_seed
from arena.run.manifest import manifest_rows, session_row
from arena.run.plan import Planned
from arena.run.progress import Progress, Steps
from arena.run.rows import now_ms, plan_rows
from arena.run.settings import GamePlan, Limits, Policy, Settings
from arena.store.reader import Reader
from arena.store.schema import FILE
from arena.store.writer import Unit, Writer, create_run, open_run
from arena.training.alike import play_alike

Watch = Callable[[Progress | Steps], None]


class VoidMatches(ArenaError, RuntimeError):
    """Matches that a stage needs could not be finished; `arena resume` plays them on."""

    kind = "void"


@dataclass(frozen=True)
class Table:
    """Where and under which rules a run plays. `watch` shows progress."""

    folder: Path
    game: str
    set: Mapping[str, Any]
    seed: int
    budget: float | None = None
    watch: Watch | None = None
    policy: Policy = field(default_factory=Policy)

    def make(self, values: Mapping[str, Any] | None = None) -> tuple[Game, str]:
        return make_game(self.game, {**self.set, **(values or {})})

    def settings(self) -> Settings:
        """What the store's manifest says of the run as a whole."""
        return Settings(
            games=(GamePlan(self.game, dict(self.set), 1),),
            agents=(),
            seed=self.seed,
            schedule={"kind": "training"},
            policy=self.policy,
            limits=Limits(budget_usd=self.budget, allow_unpriced=True, void_wait_s=10.0),
        )

    def planned(
        self,
        tag: str,
        deal: int,
        index: int,
        seats: Callable[[Match], Mapping[str, str]],
        values: Mapping[str, Any] | None = None,
    ) -> Planned:
        """One match: the deal-th of the tag's own stream. `index` tells apart matches of one deal that must not share
        their other chance; policies that are compared share it. `seats` fills the table once the deal is known."""
        game, preset = self.make(values)
        config = game.config.as_json()
        seed_of_deal = deal_seed(derive(self.seed, stream_of(tag)), deal)
        seed = match_seed(seed_of_deal, index)
        seating = dict(seats(Match(game, seed, seed_of_deal)))
        config_sha256 = config_hash(config, self.policy.as_json())
        return Planned(
            number=0,
            key=match_key(game.full_name, config_sha256, seed_of_deal, seed, seating),
            game=game.full_name,
            where=find_game(self.game).where,
            preset=preset,
            config=config,
            config_sha256=config_sha256,
            deal_seed=seed_of_deal,
            seed=seed,
            seating=seating,
            deal_id=f"{game.name}/{preset}/{tag}/{deal}",
            block=deal + 1,
            tag=tag,
        )


def stream_of(tag: str) -> str:
    """The stream that a tag's deals come from. Streams of collect, eval and final never meet."""
    return f"deals {tag}"


def play(
    table: Table,
    plan: Sequence[Planned],
    *,
    copied: Mapping[str, Callable[[Planned], Unit]] | None = None,
    common: Mapping[str, str] | None = None,
) -> dict[str, int]:
    """Play what of the plan is not in the record; key -> match number for all of it.

    `copied`: by key, the rows that a match begins with. `common`: by key, the word that stands in the place of the key
    wherever chance is drawn from it; matches with one word draw alike.
    """
    plan = list({planned.key: planned for planned in plan}.values())
    writer = open_store(table.folder, table.settings(), plan)
    try:
        with Reader(table.folder) as reader:
            known = {row["key"]: row["match_id"] for row in reader.matches()}
            ids = {agent["name"]: number for number, agent in reader.agents().items()}
            run_id = reader.manifest()["run_id"]
        unit, stored = _agents(table, plan, ids)
        fresh = [planned for planned in plan if planned.key not in known]
        first = max(known.values(), default=0) + 1
        numbered = [replace(planned, number=first + i) for i, planned in enumerate(fresh)]
        known |= {planned.key: planned.number for planned in numbered}
        unit += plan_rows(numbered, ids)
        for planned in numbered if copied else ():
            unit += copied[planned.key](planned) if copied else []
        if unit:
            writer.put(unit).result()
        wanted = {planned.key for planned in plan}
        with Reader(table.folder) as reader:
            still = [p for p in open_matches(reader, table.settings()) if p.key in wanted]
            session = 1 + (reader.db.execute("SELECT MAX(session_id) FROM sessions").fetchone()[0] or 0)
            spent = reader.ledger()
        if still:
            _execute(table, writer, Job(
                str(table.folder), run_id, table.settings(), tuple(still), ids, stored, resumed=True,
                spent_usd=spent["cost_usd"] or 0.0, spent_tokens=spent["tokens_in"] + spent["tokens_out"],
            ), session, common or {})  # fmt: skip
        return {planned.key: known[planned.key] for planned in plan}
    finally:
        writer.close()


def _execute(table: Table, writer: Writer, job: Job, session: int, common: Mapping[str, str]) -> None:
    progress = Progress(planned=len(job.plan))
    writer.on_trouble = progress.say
    writer.put(session_row(session)).result()
    if table.watch is not None:
        table.watch(progress)
    try:
        if common:
            played = asyncio.run(play_alike(job, writer.put, progress, common))
        else:
            played = asyncio.run(play_job(job, writer.put, progress))
    finally:
        writer.put([("session_end", (now_ms(), 0, session))]).result()
    if played.status == "interrupted":
        raise KeyboardInterrupt
    if played.status == "budget":
        raise BudgetReached(
            "the budget of this run is used up", hint=f"arena resume {table.folder} --budget MORE goes on"
        )
    keys = {planned.key for planned in job.plan}
    with Reader(table.folder) as reader:
        rows = [row for row in reader.matches() if row["key"] in keys and row["status"] != "done"]
    if rows:
        why = next((row["reason"] for row in rows if row["reason"]), "no reason is known")
        failed = any(row["status"] == "failed" for row in rows)
        kind = ArenaError if failed else VoidMatches
        raise kind(
            f"{len(rows)} of {len(keys)} matches of {rows[0]['tag']} did not finish: {why}",
            hint=f"arena resume {table.folder} goes on",
        )


def open_store(folder: Path, settings: Settings, plan: Sequence[Planned]) -> Writer:
    """The run's store, made if need be; it begins with its manifest, so a store that exists can be read."""
    if not (folder / FILE).is_file():
        made = folder / ".store"  # a training run's folder holds more than its store, so it is made apart
        shutil.rmtree(made, ignore_errors=True)
        create_run(made, manifest_rows(settings, plan)).close()
        (made / FILE).replace(folder / FILE)
        shutil.rmtree(made)
    return open_run(folder)


def _agents(table: Table, plan: Sequence[Planned], ids: dict[str, int]) -> tuple[Unit, dict[str, dict[str, Any]]]:
    """Rows of agents that are new to the store, and what it keeps of every agent of the plan."""
    game = find_game(table.game).cls
    names = list(dict.fromkeys(name for planned in plan for name in planned.seating.values()))
    specs = {spec.agent.canonical: spec for spec in resolve([(None, name) for name in names], game)}
    unit: Unit = []
    stored: dict[str, dict[str, Any]] = {}
    for name, spec in specs.items():
        stored[name] = agent_json(spec.agent, game)
        if name not in ids:
            ids[name] = max(ids.values(), default=0) + 1
            unit.append(("agent", (ids[name], name, spec.agent.display, spec.agent.kind, canonical(stored[name]))))
    return unit, stored


def resolved(names: Iterable[str], game: type[Game]) -> list[AgentSpec]:
    """Agents by name; a UsageError holds all faults of all names."""
    return resolve(list(names), game)


def tag_hash(folder: Path, *tags: str) -> str:
    """The hash of all that was played under some tags: keys, records, evidence."""
    marks = ",".join("?" for _ in tags)
    query = f"SELECT key, record_hash, evidence_hash, status FROM matches WHERE tag IN ({marks}) ORDER BY key"  # noqa: S608
    if not (folder / FILE).is_file():
        return digest([])
    with Reader(folder) as reader:
        return digest([list(row) for row in reader.db.execute(query, tags)])
