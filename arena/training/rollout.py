"""The rollout engine: many real matches at once, the live policy in its seats, rows of exact tokens out.

The trainer hands over slot names, already repeated; one row comes back for each, in order. Matches are those of the
engine (the same runner, prompts, parser, statuses), with one difference: no answer is asked for twice, since a re-ask
is not part of the history that the next ask shows. Everything is a function of the slots, the step and the weights.

What was played is kept in memory and put into the run's record when a checkpoint is written, so the record never holds
a step that a resumed training will play again under other weights.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from arena.core.canonical import canonical
from arena.core.game import Game
from arena.core.match import Match
from arena.core.record import record, replay
from arena.models.names import ModelName, parse_name
from arena.models.session import Session
from arena.models.types import BudgetReached
from arena.play import new_match
from arena.registry import find_game, make_game
from arena.run.api import agent_json
from arena.run.keys import config_hash, match_key
from arena.run.live import LiveMatch
from arena.run.plan import Planned
from arena.run.players import ModelPlayer, Player, make_player
from arena.run.progress import Progress
from arena.run.rows import plan_rows
from arena.run.runner import Runner
from arena.run.settings import Limits, Policy, Recording
from arena.store.reader import Reader, StoredMatch
from arena.store.writer import Unit
from arena.training.live import LIVE, LiveEngine, RolloutSession, frozen_of_base
from arena.training.play import Table, open_store
from arena.training.population import LIVE as LIVE_SEAT
from arena.training.prefix import Prefix
from arena.training.streams import Stream

POLICY = Policy(reasks=0)
SERIES = 1_000_000  # match numbers of rollouts: apart from those of the stages, iteration by iteration and role by role


@dataclass
class Rollout:
    """One row: a seat's match. `reward` None = void, or never asked."""

    slot: str
    group: int
    seat: str
    role: str
    prompt_ids: list[int]
    completion_ids: list[int]
    logprobs: list[float]
    mask: list[int]
    allowed: list[tuple[int, ...] | None]
    reward: float | None = None
    payoff: float | None = None
    welfare: float | None = None
    status: str = "void"
    illegal: int = 0
    spans: list[tuple[int, int, str]] = field(default_factory=list)  # start, end, kind of ask
    turn_rewards: list[float] = field(default_factory=list)


class _Runner(Runner):
    """Keeps the matches that it makes."""

    def __init__(self, **parts: Any) -> None:
        super().__init__(**parts)
        self.matches: dict[int, Match] = {}
        self.prefixes: dict[str, Prefix] = {}  # match key -> what it begins with

    def _new_match(self, planned: Planned) -> Match:
        self.matches[planned.number] = super()._new_match(planned)
        return self.matches[planned.number]

    def game(self, planned: Planned) -> Game:
        return self._game(planned)

    async def _stored(self, live: LiveMatch) -> StoredMatch | None:
        prefix = self.prefixes.get(live.planned.key)
        return prefix.stored(live.match.seats) if prefix is not None else None


class RolloutEngine:
    def __init__(
        self, told: Mapping[str, Any], slots: Sequence[Mapping[str, Any]], model: Any, base: Path, device: str,
        *, seed: int, generations: int, illegal_penalty: float, prune: float, wants_turns: bool,
    ) -> None:  # fmt: skip
        self._told, self._slots = told, {slot["id"]: slot for slot in slots}
        self._seed, self._generations = seed, generations
        self._penalty, self._prune, self._wants_turns = illegal_penalty, prune, wants_turns
        self._engine = LiveEngine(base, model, device)
        self._game, self._preset = make_game(told["game"], told["set"])
        self._where = find_game(told["game"]).where
        cls = type(self._game)
        agents = {name: parse_name(name, cls) for name in told["opponents"]}
        live = replace(parse_name(told["model"], cls), canonical=LIVE_SEAT, display=LIVE_SEAT)
        self._agents = {LIVE_SEAT: live, **agents}
        self._players: dict[str, Player] = {name: make_player(agent, cls) for name, agent in self._agents.items()}
        own = self._players[LIVE_SEAT]
        assert isinstance(own, ModelPlayer)
        self._players[LIVE_SEAT] = replace(own, model=LIVE)
        self._frozen = frozen_of_base([a.model for a in agents.values() if a.model is not None], base)
        self._units: list[tuple[list[Planned], Unit]] = []
        self._spent_usd = float(told.get("spent_usd") or 0.0)

    # --- a step -------------------------------------------------------------------------------------------------------

    def play(self, ids: Sequence[str], step: int) -> list[Rollout]:
        """One row for each slot id, which come in groups of `generations`."""
        plan, places = self._plan(ids, step)
        again = {key: self._slots[slot] for _, slot, key, _ in places if "turns" in self._slots[slot]}
        runner, session, unit = asyncio.run(self._run(plan, again))
        self._engine.weights_changed()  # by the step that follows
        if runner.stop_reason == "budget":
            raise BudgetReached("the budget of this run is used up")
        if runner.fatal is not None:
            raise runner.fatal
        self._units.append((plan, unit))
        self._spent_usd += session.spent_usd
        statuses = _statuses(unit)
        by_key = {planned.key: planned for planned in plan}
        rows = []
        for group, slot, key, seat in places:
            planned = by_key[key]
            match = runner.matches.get(planned.number)
            stream = session.streams.get((key, seat), Stream())
            rows.append(self._row(slot, group, seat, match, stream, statuses.get(planned.number, {})))
        return rows

    def _plan(self, ids: Sequence[str], step: int) -> tuple[list[Planned], list[tuple[int, str, str, str]]]:
        plan: dict[str, Planned] = {}
        places = []
        for position, slot_id in enumerate(ids):
            group, copy = divmod(position, self._generations)
            slot = self._slots[slot_id]
            seats = slot["seats"]
            number, seat = (copy // len(seats), seats[copy % len(seats)]) if slot["self_play"] else (copy, seats[0])
            planned = self._planned(slot, step, group, number, len(plan), len(ids))
            plan.setdefault(planned.key, planned)
            places.append((group, slot_id, planned.key, seat))
        return list(plan.values()), places

    def _planned(self, slot: Mapping[str, Any], step: int, group: int, number: int, index: int, most: int) -> Planned:
        config_sha256 = config_hash(slot["config"], POLICY.as_json())
        fork = {"rollout": self._told["tag"], "step": step, "group": group, "copy": number, "slot": slot["id"]}
        if self._told.get("role"):  # of several that train on one iteration's deals
            fork["role"] = self._told["role"]
        game = self._game.full_name
        deal, seed = slot["deal_seed"], slot["seed"]
        return Planned(
            number=SERIES * self._told["series"] + step * most + index + 1,
            key=match_key(game, config_sha256, deal, seed, slot["seating"], fork),
            game=game,
            where=self._where,
            preset=self._preset,
            config=slot["config"],
            config_sha256=config_sha256,
            deal_seed=deal,
            seed=seed,
            seating=slot["seating"],
            deal_id=f"{self._game.name}/{self._preset}/{self._told['tag']}/{slot['deal']}",
            block=slot["deal"] + 1,
            tag=self._told["tag"],
            **(_branch(slot, step * most + index) if "turns" in slot else {}),
        )

    async def _run(
        self, plan: Sequence[Planned], again: Mapping[str, Mapping[str, Any]]
    ) -> tuple[_Runner, RolloutSession, Unit]:
        """`again`: by match key, the slots whose matches begin as the record has them."""
        limits = Limits(void_passes=0, budget_usd=self._told.get("budget"), allow_unpriced=True, max_failed=len(plan))
        session = RolloutSession(
            self._engine,
            self._frozen,
            Session(limits=limits, spent_usd=self._spent_usd),
            choice=self._told["choice"],
            limit=self._told["context"],
            min_p=self._prune,
            seed=self._seed,
            batch=max(8, len(plan)),
            once={key: (slot["at"], self._model(slot["snapshot"])) for key, slot in again.items()},
        )
        unit: Unit = []

        def keep(rows: Unit) -> Future[None]:
            unit.extend(rows)
            done: Future[None] = Future()
            done.set_result(None)
            return done

        runner = _Runner(
            run_id=f"rollout {self._told['tag']}",
            folder=Path(self._told["run"]),
            policy=POLICY,
            limits=limits,
            recording=Recording(),
            players={(self._where, name): player for name, player in self._players.items()},
            agent_ids={name: number for number, name in enumerate(self._agents)},
            session=session,
            put=keep,
            progress=Progress(planned=len(plan)),
        )
        for planned in plan:
            if (slot := again.get(planned.key)) is not None:
                runner.prefixes[planned.key] = prefix = Prefix(slot["turns"], slot["at"])
                unit += prefix.rows(planned, runner.game(planned))[0]
        try:
            await runner.play(plan, resumed=bool(again))
        finally:
            await session.aclose()
        return runner, session, unit

    def _model(self, name: str) -> ModelName:
        model = self._agents[name].model
        assert model is not None
        return model

    # --- a row --------------------------------------------------------------------------------------------------------

    def _row(
        self, slot: str, group: int, seat: str, match: Match | None, stream: Stream, statuses: Mapping[int, str]
    ) -> Rollout:
        completion, logprobs, mask, allowed = stream.row()
        role = (match and (match.roles.get(seat) or match.sides.get(seat))) or seat
        row = Rollout(slot, group, seat, role, stream.prompt, completion, logprobs, mask, allowed)
        if not completion:  # never asked: one end token that counts nowhere
            end = self._engine.ends[0]
            row.prompt_ids = row.prompt_ids or [end]
            row.completion_ids, row.logprobs, row.mask, row.allowed = [end], [0.0], [0], [None]
        if match is None or match.payoffs is None:
            return row
        low, high = self._told["bounds"]
        asked = {span.turn for span in stream.spans}
        own = {turn.turn: turn for turn in match.turns if turn.turn in asked}
        row.illegal = sum(statuses.get(turn, "legal") not in ("legal", "repaired") for turn in own)
        row.payoff, row.status = match.payoffs[seat], "done"
        scale = (high - low) or 1.0
        row.welfare = sum((x - low) / scale for x in match.payoffs.values())
        if stream.spans:
            row.reward = (row.payoff - low) / scale - self._penalty * row.illegal
        row.spans = [(s.start, s.end, own[s.turn].ask.name) for s in stream.spans if s.turn in own]
        row.turn_rewards = self._progress(match, seat) if self._wants_turns else [0.0] * len(row.spans)
        return row

    def _progress(self, match: Match, seat: str) -> list[float]:
        """What each own turn gained, by the game's declared `progress` of the seat's view; 0 where it declares none."""
        again = new_match(match.game, match.seed, match.deal_seed, preset=match.preset, chance=match.chance)
        values: list[float] = []
        for turn in record(match)["turns"]:
            if turn["seat"] == seat:
                values.append(match.game.progress(again.view(seat)) or 0.0)
            replay(again, [turn])
        values.append(match.game.progress(again.view(seat)) or 0.0)
        return [b - a for a, b in pairwise(values)]

    # --- the record ---------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Put what was played since the last time into the run's store. Matches that it holds already stay as they
        are: a training that was killed after its last flush plays them again."""
        if not self._units:
            return
        folder = Path(self._told["run"])
        settings = Table(folder, self._told["game"], self._told["set"], self._seed).settings()
        writer = open_store(folder, settings, self._units[0][0])
        try:
            with Reader(folder) as reader:
                ids = {agent["name"]: number for number, agent in reader.agents().items()}
                known = {row["match_id"] for row in reader.matches()}
            agents: Unit = []
            for name, agent in self._agents.items():
                if name not in ids:
                    ids[name] = max(ids.values(), default=0) + 1
                    facts = canonical(agent_json(agent, type(self._game)))
                    agents.append(("agent", (ids[name], name, agent.display, agent.kind, facts)))
            writer.put(agents).result() if agents else None
            own = dict(enumerate(self._agents))
            for plan, unit in self._units:
                fresh = [planned for planned in plan if planned.number not in known]
                kept = _only(unit, {planned.number for planned in fresh}, {n: ids[name] for n, name in own.items()})
                if fresh:
                    writer.put([*plan_rows(fresh, ids), *kept]).result()
        finally:
            writer.close()
        self._units.clear()


def _branch(slot: Mapping[str, Any], branch: int) -> dict[str, Any]:
    """Where a match leaves the recorded one; chance after that is its own."""
    return {"parent_key": slot["trunk"], "fork_turn": slot["at"], "branch": branch, "chance": "fresh"}


_MATCH_LAST = ("match_start", "match_end", "match_status", "applied")


def _statuses(unit: Unit) -> dict[int, dict[int, str]]:
    """Match number -> turn -> status, from the rows of its turns (their columns begin: match, turn, batch, seat, kind,
    ask hash, ask, status)."""
    found: dict[int, dict[int, str]] = {}
    for name, values in unit:
        if name == "turn":
            found.setdefault(values[0], {})[values[1]] = values[7]
    return found


def _only(unit: Unit, numbers: set[int], agents: Mapping[int, int]) -> Unit:
    """The rows of these matches, with the agents' numbers of the store; prompts are shared, so all of them stay."""
    kept: Unit = []
    for name, values in unit:
        if name == "call":
            if values[1] in numbers:
                kept.append((name, (*values[:7], agents[values[7]], *values[8:])))
        elif name in ("turn", "event"):
            if values[0] in numbers:
                kept.append((name, values))
        elif name == "message" or _number(name, values) in numbers:
            kept.append((name, values))
    return kept


def _number(name: str, values: Sequence[Any]) -> Any:
    """The match that a row of another table is of."""
    if name == "applied":
        return values[0]
    if name == "seat_end":
        return values[-2]
    return values[-1] if name in _MATCH_LAST else None


def void_share(rows: Sequence[Rollout]) -> float:
    return Counter(row.status for row in rows)["void"] / max(len(rows), 1)
