"""Common random numbers: matches of several candidates whose players draw as if they were one match.

A player's chance comes from its match's key: bots by their stream, models by their sample key. Here a word takes the
key's place, the same for the j-th continuation of every candidate, so that payoffs differ by the candidates alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from arena.core.asks import Answer, Ask
from arena.core.seeds import Rng, stream
from arena.core.view import View
from arena.models.session import Call, Session
from arena.models.types import Request
from arena.run.job import Job, Played, make_players
from arena.run.plan import Planned
from arena.run.players import BotPlayer, Player
from arena.run.progress import Progress
from arena.run.runner import Runner
from arena.store.writer import Unit


@dataclass(frozen=True)
class _AlikeBot(BotPlayer):
    """A bot whose stream is named by a word in place of its match's key."""

    word: str = field(default="")

    def answer(self, view: View, ask: Ask, rng: Rng) -> Answer:
        return super().answer(view, ask, stream("agent", self.word, view.seat, len(view.exchanges), ask.hash))


class _AlikeRunner(Runner):
    def __init__(self, common: Mapping[str, str], **parts: Any) -> None:
        super().__init__(**parts)
        self._common = common

    async def complete(self, model: Any, request: Request) -> Call:
        key, mark, rest = request.sample_key.partition("/")
        return await super().complete(model, replace(request, sample_key=f"{self._common.get(key, key)}{mark}{rest}"))

    def _seats(self, planned: Planned) -> dict[str, Player]:
        word = self._common.get(planned.key)
        found = super()._seats(planned)
        if word is None:
            return found
        return {
            seat: _AlikeBot(p.name, p.bot, p.options, word) if isinstance(p, BotPlayer) else p
            for seat, p in found.items()
        }


async def play_alike(
    job: Job, put: Callable[[Unit], Future[None]], progress: Progress, common: Mapping[str, str]
) -> Played:
    """As `arena.run.job.play_job`, for matches that share their players' chance."""
    settings = job.settings
    session = Session(
        limits=settings.limits, models=settings.models, spent_usd=job.spent_usd, spent_tokens=job.spent_tokens
    )
    runner = _AlikeRunner(
        common,
        run_id=job.run_id,
        folder=Path(job.folder),
        policy=settings.policy,
        limits=settings.limits,
        recording=settings.recording,
        players=make_players(job.plan, job.agents),
        agent_ids=job.agent_ids,
        session=session,
        put=put,
        progress=progress,
    )
    progress.models = session.state
    try:
        await runner.play(job.plan, resumed=job.resumed)
    finally:
        await session.aclose()
    if runner.fatal is not None:
        raise runner.fatal
    return Played(runner.stop_reason or "", "", tuple(session.state()))
