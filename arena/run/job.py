"""One process's share of a run, as plain JSON: what an executor hands to whoever plays it.

`play_job` is the whole of it, whether it runs in the process that owns the record or in a worker that sends units to
it. Only the run folder and names travel; players and clients are made where they are used.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from arena.core.canonical import canonical
from arena.models.names import AgentName
from arena.models.session import Session
from arena.registry import load_game
from arena.run.plan import Planned
from arena.run.players import ModelPlayer, Person, Player, make_player
from arena.run.rows import now_ms
from arena.run.runner import More, Progress, Runner
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
    plan: Sequence[Planned], agents: Mapping[str, Mapping[str, Any]], person: Person | None = None
) -> dict[tuple[str, str], Player]:
    """The players of every game of a plan, from the record: no file that a name stood for is read again."""
    players: dict[tuple[str, str], Player] = {}
    for where, name in dict.fromkeys((p.where, agent) for p in plan for agent in p.seating.values()):
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

    def note(kind: str, facts: dict[str, Any]) -> None:
        put([("note", (now_ms(), None, kind, canonical(facts)))])

    session = Session(
        limits=limits,
        models=settings.models,
        spent_usd=job.spent_usd,
        spent_tokens=job.spent_tokens,
        spent_s=job.spent_s,
        seed=settings.seed,
        note=note,
    )
    players = make_players(job.plan, job.agents, person)
    session.prepare([player.model for player in players.values() if isinstance(player, ModelPlayer)])
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
