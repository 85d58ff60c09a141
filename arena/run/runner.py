"""Plays a plan: matches of bots one after another, matches with models thousands at a time, all into one record.

What ends a match early is data: a provider that cannot be had sets it aside as `void` (and it is played on later from
its open turn), a bug makes it `failed`; other matches go on. The run stops early only for the user, the budget, or too
many failures, and always at a point from which `arena resume` goes on.
"""

from __future__ import annotations

import asyncio
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any, Literal

from arena.core.errors import StoreError, UsageError
from arena.core.game import Game
from arena.core.match import Match
from arena.models.types import BudgetReached, Halted, ProviderError, Request
from arena.play import new_match
from arena.registry import load_game
from arena.run.admission import Admission
from arena.run.context import Stopped
from arena.run.keys import Link
from arena.run.live import LiveMatch
from arena.run.match_task import play_bots, play_match
from arena.run.plan import Planned
from arena.run.players import BotPlayer, ModelPlayer, Player
from arena.run.progress import Progress, Tally
from arena.run.rows import Ledger, bot_match_unit
from arena.run.settings import Limits, Policy, Recording
from arena.store.reader import Reader, StoredMatch
from arena.store.writer import Unit

if TYPE_CHECKING:
    from arena.models.session import Call, Session

RunStatus = Literal["complete", "interrupted", "budget", "void", "failed"]
Players = Mapping[tuple[str, str], Player]  # (where the game is found, canonical name) -> player

More = Callable[[], list[Planned]]

_SLICE_S = 0.005  # CPU that bots may take before other work gets its turn
_UNITS_AHEAD = 256  # units of bot matches that may wait for the disk


class Runner:
    """One process's share of a run. `commit` puts units on disk: a writer's, or a pipe to the process that has it."""

    def __init__(
        self,
        *,
        run_id: str,
        folder: Path,
        policy: Policy,
        limits: Limits,
        recording: Recording,
        players: Players,
        agent_ids: Mapping[str, int],
        session: Session,
        put: Callable[[Unit], Future[None]],
        progress: Progress | None = None,
        accept_changes: bool = False,
    ) -> None:
        self.run_id, self.folder = run_id, folder
        self.policy, self.limits, self.recording = policy, limits, recording
        self.players, self.agent_ids, self.session, self.put = players, agent_ids, session, put
        self.progress = progress or Progress()
        self.accept_changes = accept_changes
        self.stop_reason: RunStatus | None = None
        self.fatal: StoreError | UsageError | None = None
        self.parked: dict[str, ProviderError] = {}
        self._known_links: set[str] = set()
        self._open_calls = 0
        self._games: dict[tuple[str, str], Game] = {}
        self._reader: Reader | None = None
        self._room = asyncio.Event()
        self._tallies: dict[str, Tally] = {}
        self._said_slow = False
        self.progress.tallies = lambda: self._tallies
        self.stopped = asyncio.Event()

    # --- for the parts of a match ------------------------------------------------------------------------------------

    @property
    def stopping(self) -> bool:
        return self.stop_reason is not None

    async def commit(self, unit: Unit) -> None:
        await asyncio.shield(asyncio.wrap_future(self.put(unit)))
        if len(self._known_links) > 200_000:
            self._known_links.clear()
        self._known_links.update(values[0] for name, values in unit if name == "message")

    async def complete(self, model: Any, request: Request) -> Call:
        """One call through the session; counted, so that admission knows how much is on its way."""
        self._open_calls += 1
        try:
            return await self.session.complete(model, request)
        finally:
            self._open_calls -= 1
            self._room.set()

    def new_links(self, links: Sequence[Link]) -> Unit:
        """The rows of those parts of a prompt that the record has not seen."""
        return [("message", tuple(link)) for link in links if link.hash not in self._known_links]

    # --- playing a plan ----------------------------------------------------------------------------------------------

    async def play(self, plan: Sequence[Planned], *, resumed: bool = False, more: More | None = None) -> None:
        """Play these matches, as far as they go; a resumed run looks for what earlier sessions left of them. `more`
        plans the next batch when these are done."""
        while plan and not self.stopping:
            bots = [p for p in plan if self._is_bots_only(p)]
            others = [p for p in plan if not self._is_bots_only(p)]
            await asyncio.gather(self._play_bots(bots), self._play_models(others, resumed))
            plan = more() if more is not None and not self.stopping else []
            self.progress.planned += len(plan)

    def stop(self, reason: RunStatus) -> None:
        """No new call, no new match."""
        if self.stop_reason is None:
            self.stop_reason = reason
            self.stopped.set()
            self.session.stop()
        self._room.set()

    def park(self, agent: str, error: ProviderError) -> None:
        """A model that will refuse every call (a wrong key, a wrong name): its matches are not even tried."""
        if agent not in self.parked:
            self.parked[agent] = error
            self.progress.say(f"{agent} is parked: {error.message}")

    async def _play_bots(self, plan: Iterable[Planned]) -> None:
        """One after another, never two at once; whole matches wait for the disk, not this loop."""
        waiting: deque[Future[None]] = deque()
        since = process_time()
        for planned in plan:
            if self.stopping:
                break
            try:
                self.session.check_time()
                match = self._new_match(planned)
                play_bots(match, self._seats(planned), planned.key)
                waiting.append(self.put(bot_match_unit(planned, match)))
                self._count(planned, match, Ledger())
            except BudgetReached as error:
                self.progress.say(error.message)
                self.stop("budget")
            except StoreError:
                raise
            except Exception as error:
                self._failed(planned, error)
            if process_time() - since > _SLICE_S:
                await asyncio.sleep(0)
                since = process_time()
            while len(waiting) > _UNITS_AHEAD:
                await asyncio.shield(asyncio.wrap_future(waiting.popleft()))
        for future in waiting:
            await asyncio.shield(asyncio.wrap_future(future))

    async def _play_models(self, plan: Sequence[Planned], resumed: bool) -> None:
        queue, passes = list(plan), 0
        while queue and not self.stopping:
            void = await self._pass(queue, resumed or passes > 0)
            queue = [p for p in void if not self._why_not(p)]
            if not queue or passes >= self.limits.void_passes or self.stopping:
                break
            passes += 1
            self.progress.say(
                f"{len(queue)} matches wait for a model; pass {passes} in {self.limits.void_wait_s:.0f} s"
            )
            await self._wait(self.limits.void_wait_s)
            self.progress.void -= len(queue)

    async def _pass(self, plan: Sequence[Planned], recorded: bool) -> list[Planned]:
        """Each match once, as many at a time as there is room for; the ones that ended void."""
        void: list[Planned] = []
        tasks: set[asyncio.Task[None]] = set()
        limits = self.limits
        is_limited = (limits.budget_usd, limits.tokens, limits.wall_s) != (None, None, None)
        # Where a limit may cut the run short, the cut falls as it would in the plan.
        waiting = Admission(plan, (lambda _: 0.0) if is_limited else self._seconds)
        while waiting:
            while not self.stopping and self._is_full(len(tasks)):
                self._room.clear()
                await self._room.wait()
            if self.stopping:
                break
            planned = waiting.next()
            task = asyncio.create_task(self._play_one(planned, recorded, void))
            tasks.add(task)
            task.add_done_callback(tasks.discard)
            task.add_done_callback(lambda _: self._room.set())
            await asyncio.sleep(0)
        if tasks:
            await asyncio.gather(*tasks)
        return void

    def _is_full(self, live: int) -> bool:
        """A match has a call on its way, or soon will. A local model counts from when the session has it."""
        ahead = 1.5 * self.session.at_once
        return live >= min(self.limits.live_matches, max(2, ahead)) or self._open_calls >= ahead

    async def _play_one(self, planned: Planned, recorded: bool, void: list[Planned]) -> None:
        if why := self._why_not(planned):
            await self._set_aside(planned, why, void)
            return
        self.progress.live += 1
        try:
            live = LiveMatch(self, planned, self._new_match(planned), self._seats(planned))
            await play_match(live, await self._stored(live) if recorded else None)
            self._count(planned, live.match, live.ledger)
        except (Stopped, Halted):
            pass  # the record holds the open turn
        except BudgetReached as error:
            if not self.stopping:
                self.progress.say(error.message)
            self.stop("budget")
        except ProviderError as error:
            await self._set_aside(planned, error, void)
        except (StoreError, UsageError) as error:
            self.fatal = self.fatal or error
            self.stop("failed")
        except Exception as error:
            self._failed(planned, error)
        finally:
            self.progress.live -= 1

    def _count(self, planned: Planned, match: Match, ledger: Ledger) -> None:
        """A finished match, for the display."""
        self.progress.done += 1
        for seat, payoff in (match.payoffs or {}).items():
            turns = sum(ledger.statuses.get(seat, {}).values())
            agent = planned.seating[seat]
            own = Tally(1, payoff, payoff * payoff, turns, ledger.lost(seat))
            self._tallies[agent] = own.plus(self._tallies.get(agent, Tally()))

    async def _set_aside(self, planned: Planned, error: ProviderError, void: list[Planned]) -> None:
        await self.commit([("match_status", ("void", f"{error.kind}: {error.message}", planned.number))])
        self.progress.void += 1
        if error.kind != "context_length":  # that would fail again
            void.append(planned)

    def _failed(self, planned: Planned, error: Exception) -> None:
        """A bug of a game or an agent: this match stops, others go on; too many of them stop the run."""
        self.progress.failed += 1
        trace = self.session.redact("".join(traceback.format_exception(error)))
        with (self.folder / "errors.log").open("a", encoding="utf-8") as log:
            log.write(f"match {planned.number} ({planned.key})\n{trace}\n")
        reason = self.session.redact(f"{type(error).__name__}: {error}")[:2000]
        self.put([("match_status", ("failed", reason, planned.number))])
        self.progress.say(f"match {planned.number} failed: {reason}")
        if self.progress.failed > max(self.limits.max_failed, self.progress.planned // 20):
            self.stop("failed")

    def _seconds(self, planned: Planned) -> float:
        """What a match is expected to take; a model that was not heard yet counts as a second."""
        models = {p.name: p.model for p in self._seats(planned).values() if isinstance(p, ModelPlayer)}
        latency = max((self.session.latency_s(model) or 1.0 for model in models.values()), default=0.0)
        try:
            return self._game(planned).typical()[0] * latency
        except Exception:  # a bug of the game: its matches will say so
            return 10 * latency

    def slow_step(self, planned: Planned, seconds: float) -> None:
        """A game step held up every other match: said once, with the game's name."""
        if not self._said_slow:
            self._said_slow = True
            self.progress.say(
                f"a step of {planned.game} took {seconds * 1000:.0f} ms (match {planned.number}) and held up all other "
                "matches; --executor processes helps where a game's CPU is the limit"
            )

    def _why_not(self, planned: Planned) -> ProviderError | None:
        """The error of a parked model that sits in this match."""
        for agent in planned.seating.values():
            if agent in self.parked:
                return self.parked[agent]
        return None

    async def _wait(self, seconds: float) -> None:
        """Sleep, but not through a stop."""
        until = asyncio.get_running_loop().time() + seconds
        while not self.stopping and (left := until - asyncio.get_running_loop().time()) > 0:
            await asyncio.sleep(min(left, 0.2))

    def _is_bots_only(self, planned: Planned) -> bool:
        """Bots alone, from the first turn on: a match that is played in one go, not one with a copied beginning."""
        return planned.parent_key is None and all(isinstance(p, BotPlayer) for p in self._seats(planned).values())

    def _seats(self, planned: Planned) -> dict[str, Player]:
        return {seat: self.players[planned.where, agent] for seat, agent in planned.seating.items()}

    async def _stored(self, live: LiveMatch) -> StoredMatch | None:
        """What the record already holds of a match. One that was void is begun anew where the run says so: what there
        is of it is set aside, with its cost."""
        number = live.planned.number
        if self._reader is None:
            self._reader = Reader(self.folder)
        stored = self._reader.stored_match(number)
        live.execution = stored.execution
        is_anew = self.limits.void_restart and stored.status == "void" and live.planned.parent_key is None
        if not (is_anew and (stored.turns or stored.calls)):
            return stored
        live.execution += 1
        tables = ("calls", "turns", "events")
        aside: Unit = [(f"{what}_{table}", (number,)) for table in tables for what in ("supersede", "drop")]
        await self.commit([*aside, ("execution", (live.execution, number))])
        return None

    def _game(self, planned: Planned) -> Game:
        key = (planned.where, planned.config_sha256)
        if key not in self._games:
            cls = load_game(planned.where)
            self._games[key] = cls(cls.config_type.make(planned.config))
        return self._games[key]

    def _new_match(self, planned: Planned) -> Match:
        chance = (planned.fork_turn or 0, planned.branch or 0) if planned.chance == "fresh" else None
        return new_match(self._game(planned), planned.seed, planned.deal_seed, preset=planned.preset, chance=chance)
