"""One process's share of a run, as plain JSON: what an executor hands to whoever plays it.

`play_job` is the whole of it, whether it runs in the process that owns the record or in a worker that sends units to
it. Only the run folder and names travel; players and clients are made where they are used.
"""

from __future__ import annotations

import asyncio
import secrets
import shlex
import signal
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from itertools import product
from pathlib import Path
from typing import Any

from arena.core.canonical import canonical
from arena.core.errors import UsageError
from arena.models.cache import model_key
from arena.models.names import AgentName, ModelName
from arena.models.session import Call, Session
from arena.models.types import Request
from arena.registry import load_game
from arena.run.keys import prompt_chain
from arena.run.plan import Planned
from arena.run.players import ModelPlayer, Person, Player, make_player
from arena.run.progress import Progress
from arena.run.rows import Place, call_rows, now_ms
from arena.run.runner import More, Runner
from arena.run.settings import Settings
from arena.store.writer import Unit

GRACE_S = 10.0  # what calls in flight get after the first interrupt


@dataclass(frozen=True)
class Job:
    """`spent_usd` and `spent_tokens` are what earlier sessions of the run used of its budget."""

    folder: str
    run_id: str
    settings: Settings
    plan: tuple[Planned, ...]
    agent_ids: Mapping[str, int]
    agents: Mapping[str, Mapping[str, Any]]  # canonical name -> what the record keeps of the agent
    resumed: bool = False
    accept_changes: bool = False
    spent_usd: float = 0.0
    spent_tokens: int = 0
    spent_s: float = 0.0
    share: int = 1  # how many jobs keep the models' limits together
    fingerprints: Mapping[str, str] = field(default_factory=dict)  # agent -> who its model was when the run began

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"settings": self.settings.as_json(), "plan": [asdict(p) for p in self.plan]}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Job:
        plan = tuple(Planned(**p) for p in data["plan"])
        return cls(**{**data, "settings": Settings.from_json(data["settings"]), "plan": plan})


@dataclass(frozen=True)
class Played:
    """How a job ended. `session` rows tell what each model did, for the last screen."""

    status: str
    message: str = ""
    models: tuple[dict[str, Any], ...] = ()


def make_players(
    plan: Sequence[Planned],
    agents: Mapping[str, Mapping[str, Any]],
    person: Person | None = None,
    *,
    everybody: bool = False,
) -> dict[tuple[str, str], Player]:
    """The players of every game of a plan, from the record: no file that a name stood for is read again. `everybody`:
    also those whom only a later batch may seat."""
    players: dict[tuple[str, str], Player] = {}
    seated = [(p.where, agent) for p in plan for agent in p.seating.values()]
    for where, name in product({p.where: p for p in plan}, agents) if everybody else dict.fromkeys(seated):
        game = load_game(where)
        players[where, name] = make_player(AgentName.from_json(agents[name], game), game, person)
    return players


async def play_job(
    job: Job,
    put: Callable[[Unit], Future[None]],
    progress: Progress,
    person: Person | None = None,
    more: More | None = None,
) -> Played:
    """Play a job's matches; units go to `put`. Interrupts stop it softly once, at once the second time."""
    settings, limits = job.settings, job.settings.limits
    players = make_players(job.plan, job.agents, person, everybody=more is not None)
    models = {player.name: player.model for player in players.values() if isinstance(player, ModelPlayer)}
    session = _session(job, put, progress, models)
    try:
        session.prepare(list(models.values()))
        await _identify(job, session, models, put)
    except BaseException:
        await session.aclose()
        raise
    runner = Runner(
        run_id=job.run_id,
        folder=Path(job.folder),
        policy=settings.policy,
        limits=limits,
        recording=settings.recording,
        players=players,
        agent_ids=job.agent_ids,
        session=session,
        put=put,
        progress=progress,
        accept_changes=job.accept_changes,
    )
    progress.models = session.state
    progress.spent_usd, progress.budget_usd = job.spent_usd, limits.budget_usd
    playing = asyncio.ensure_future(runner.play(job.plan, resumed=job.resumed, more=more))
    restore = _listen(runner, playing, progress)
    try:
        await playing
    except asyncio.CancelledError:
        runner.stop("interrupted")
    finally:
        restore()
        await session.aclose()
    if runner.fatal is not None:
        raise runner.fatal
    return Played(runner.stop_reason or "", "", tuple(session.state()))


def _session(
    job: Job, put: Callable[[Unit], Future[None]], progress: Progress, models: Mapping[str, ModelName]
) -> Session:
    """The job's access to its models; what it learns of them is noted, and said where somebody waits for it."""
    settings = job.settings

    def note(kind: str, facts: dict[str, Any]) -> None:
        put([("note", (now_ms(), None, kind, canonical(facts)))])
        if kind in ("trouble", "circuit_open"):
            said = "does not answer yet" if kind == "trouble" else "is given up for now"
            progress.say(f"{facts['model']} {said}: {facts['error']}")

    def probed(name: ModelName, request: Request, call: Call) -> None:
        """A probe's calls are paid, so they are rows like any other; they belong to no match."""
        agent = next(agent for agent, model in models.items() if model == name)
        links = prompt_chain(request.messages)
        place = Place(f"{request.sample_key}/{name}", "probe", job.agent_ids[agent])
        asked = canonical(request.sampling.as_json())
        rows = call_rows(secrets.token_hex(16), place, links[-1].hash, asked, request, call, thoughts=True)
        put([*(("message", tuple(link)) for link in links), *rows])

    return Session(
        limits=settings.limits,
        models=settings.models,
        spent_usd=job.spent_usd,
        spent_tokens=job.spent_tokens,
        spent_s=job.spent_s,
        seed=settings.seed,
        note=note,
        probed=probed,
        share=job.share,
    )


async def _identify(
    job: Job, session: Session, models: Mapping[str, ModelName], put: Callable[[Unit], Future[None]]
) -> None:
    """Who each model is beyond its name goes into the record; one name is one model for the whole run."""
    for agent, model in models.items():
        identity = await session.identity(model)
        fingerprint, known = sha256(model_key(model, identity).encode()).hexdigest(), job.fingerprints.get(agent)
        if known not in (None, fingerprint) and not job.accept_changes:
            error = UsageError(
                f"{agent} is not the model that this run began with: its files or its server changed",
                hint="--accept-changes goes on with the new one and notes it",
            )
            error.resume = f"arena resume {shlex.quote(job.folder)} --accept-changes"
            raise error
        if known != fingerprint:
            put([("identity", (canonical(identity), fingerprint, job.agent_ids[agent]))])
        if known not in (None, fingerprint):
            facts = {"agent": agent, "was": known, "is": fingerprint, "identity": identity}
            put([("note", (now_ms(), None, "accepted_changes", canonical(facts)))])


def _listen(runner: Runner, playing: asyncio.Future[None], progress: Progress) -> Callable[[], None]:
    """First signal: no new calls, a while for those in flight. Second: at once; the record is consistent anyway."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        if runner.stopping:
            playing.cancel()
            return
        progress.say(f"finishing the calls in flight ({GRACE_S:.0f} s); press again to stop at once")
        runner.stop("interrupted")
        loop.call_later(GRACE_S, playing.cancel)

    return listen(stop)


def listen(stop: Callable[[], None]) -> Callable[[], None]:
    """Call `stop` at every signal to end; what is returned takes the handlers away."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    try:
        for number in signals:
            loop.add_signal_handler(number, stop)
    except (ValueError, RuntimeError, NotImplementedError):  # not the main thread: whoever owns it stops us
        return lambda: None

    def restore() -> None:
        for number in signals:
            loop.remove_signal_handler(number)

    return restore
