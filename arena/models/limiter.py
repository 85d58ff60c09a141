"""Who may call next: one lane per endpoint and model, one cap over all of them. It queues and never rejects.

A lane lets a call start when its window has room (additive increase, multiplicative decrease), its buckets hold a
request and enough tokens, and the provider has not asked to wait. The oldest match goes first, over all lanes. A call
that waits, for its turn or for a retry, holds no slot.

After a pause that a provider asked for, one call goes alone; the rest follow when it has succeeded, so an outage
costs one call per pause and not a window of them. Provider headers stop a lane when nothing remains; they never set
its rate, since some providers count requests per day under the same name.
"""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from heapq import heappop, heappush
from random import Random
from typing import Literal, NamedTuple

DEFAULT_CAP = 64  # calls in flight to the servers of a run, where no concurrency is given
START, CEILING = 20, 100  # of a lane's window, where no concurrency is given
LONGEST_PAUSE_S = 600.0
_CUT = 0.7
_SLACK = 1e-6  # of a bucket: sums of floats

_RESET = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class Clock:
    """Time. Tests put another one in its place."""

    def now(self) -> float:
        """Seconds, from a clock that never jumps."""
        return time.monotonic()

    def wall_ms(self) -> int:
        """UTC milliseconds, for people who read the record."""
        return time.time_ns() // 1_000_000

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class Bucket:
    """A quota per minute, refilled continuously; at most ten seconds' worth is saved up."""

    def __init__(self, per_minute: float | None, now: float) -> None:
        self._rate = (per_minute or 0) / 60
        self.capacity = math.inf if per_minute is None else max(per_minute / 6, 1.0)
        self._level, self._at = self.capacity, now

    def level(self, now: float) -> float:
        if self.capacity == math.inf:
            return math.inf
        self._level = min(self.capacity, self._level + (now - self._at) * self._rate)
        self._at = now
        return self._level

    def take(self, amount: float) -> None:
        """May leave less than nothing: a call larger than the bucket starts when it is full."""
        self._level -= amount

    def give_back(self, amount: float) -> None:
        self._level = min(self.capacity, self._level + amount)

    def ready_in(self, amount: float, now: float) -> float:
        lacking = min(amount, self.capacity) - self.level(now)
        return 0.0 if lacking <= _SLACK else lacking / self._rate


class Ticket(NamedTuple):
    """Leave to make one call."""

    tokens: int
    at: float
    is_probe: bool
    was_full: bool  # the window was what limited


class Lane:
    """The queue of one model at one endpoint."""

    def __init__(
        self,
        limiter: Limiter,
        *,
        rpm: float | None = None,
        tpm: float | None = None,
        concurrency: int | None = None,
        fixed: bool = False,
        capped: bool = True,
    ) -> None:
        now = limiter.clock.now()
        self._limiter = limiter
        self._requests, self._tokens = Bucket(rpm, now), Bucket(tpm, now)
        cap = limiter.cap if capped and limiter.cap is not None else math.inf  # more than this a cut would not feel
        self.window = min(float(concurrency or START), cap)
        self._ceiling = min(float(concurrency or CEILING), cap)
        self._fixed, self.capped = fixed, capped
        self.in_flight = 0
        self.paused_until = now
        self._must_probe = self._probing = False
        self._cut_at = -math.inf
        self._served_full = 0  # successes since the window moved, while it was what limited
        self._queue: list[tuple[int, int, int, asyncio.Future[Ticket]]] = []  # (order, arrival, tokens, turn)

    async def enter(self, order: int, tokens: int) -> Ticket:
        """Wait for leave to make a call. `order` is the number of its match: older ones go first."""
        turn: asyncio.Future[Ticket] = asyncio.get_running_loop().create_future()
        heappush(self._queue, (order, self._limiter.next_arrival(), tokens, turn))
        self._limiter.serve()
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.leave(turn.result(), "cancelled")  # granted, but nobody is there any more
            raise

    def leave(
        self,
        ticket: Ticket,
        outcome: Literal["served", "pushed_back", "failed", "cancelled"],
        *,
        tokens: int | None = None,
        pause_s: float | None = None,
    ) -> None:
        """The call is over: `tokens` it really used, `pause_s` that the provider asked for."""
        self.in_flight -= 1
        self._limiter.left(self)
        self._tokens.give_back(ticket.tokens - (tokens or 0))
        if ticket.is_probe:
            self._probing = False
        if outcome == "served":
            self._must_probe = self._must_probe and not ticket.is_probe
            self._widen(ticket)
        elif outcome == "pushed_back":
            self._narrow(ticket)
        if pause_s is not None:
            self.pause(pause_s, probe=outcome != "served")
        self._limiter.serve()

    def pause(self, seconds: float, *, probe: bool) -> None:
        """Let nothing start for a while, and a little longer, so that not everybody comes back at once."""
        seconds = min(max(seconds, 0.0), LONGEST_PAUSE_S) * (1 + 0.1 * self._limiter.rng.random())
        self.paused_until = max(self.paused_until, self._limiter.clock.now() + seconds)
        self._must_probe = self._must_probe or probe

    def abort(self, error: Exception) -> None:
        """Every call that waits here fails with `error`."""
        queue, self._queue = self._queue, []
        for _, _, _, turn in queue:
            if not turn.done():
                turn.set_exception(error)

    def head(self) -> tuple[int, int] | None:
        """(order, arrival) of the call that is next here."""
        while self._queue and self._queue[0][3].done():
            heappop(self._queue)
        return self._queue[0][:2] if self._queue else None

    def ready_in(self, now: float) -> float | None:
        """Seconds until the next call may start; None = not before another one is over."""
        if self.in_flight >= int(self.window) or (self._must_probe and self._probing):
            return None
        tokens = self._queue[0][2]
        return max(self.paused_until - now, self._requests.ready_in(1, now), self._tokens.ready_in(tokens, now), 0.0)

    def grant(self, now: float) -> None:
        _, _, tokens, turn = heappop(self._queue)
        self._requests.take(1)
        self._tokens.take(tokens)
        self.in_flight += 1
        self._probing = self._probing or self._must_probe
        turn.set_result(Ticket(tokens, now, self._must_probe, self.in_flight >= int(self.window)))

    def _widen(self, ticket: Ticket) -> None:
        """One more after a whole window of successes, if the window was what limited."""
        self._served_full += ticket.was_full
        if self._served_full >= int(self.window) and not self._fixed:
            self.window, self._served_full = min(math.floor(self.window) + 1.0, self._ceiling), 0

    def _narrow(self, ticket: Ticket) -> None:
        """Fewer at a time, but once for all calls that were under way together."""
        self._served_full = 0
        if ticket.at >= self._cut_at and not self._fixed:
            self.window = max(1.0, self.window * _CUT)
            self._cut_at = self._limiter.clock.now()


class Limiter:
    """All lanes of a run. `cap` is the most calls in flight over the lanes that it covers."""

    def __init__(self, clock: Clock, *, cap: int | None = None, seed: int = 0) -> None:
        self.clock, self.rng = clock, Random(seed)
        self.cap = cap
        self._in_flight = 0
        self._lanes: list[Lane] = []
        self._arrivals = 0
        self._timer: asyncio.Task[None] | None = None
        self._timer_at = math.inf

    def lane(
        self,
        *,
        rpm: float | None = None,
        tpm: float | None = None,
        concurrency: int | None = None,
        fixed: bool = False,
        capped: bool = True,
    ) -> Lane:
        """`fixed`: the window never moves (a local model's queue). Not `capped`: the run's cap does not count it."""
        lane = Lane(self, rpm=rpm, tpm=tpm, concurrency=concurrency, fixed=fixed, capped=capped)
        self._lanes.append(lane)
        return lane

    def next_arrival(self) -> int:
        self._arrivals += 1
        return self._arrivals

    def left(self, lane: Lane) -> None:
        self._in_flight -= lane.capped

    def serve(self) -> None:
        """Let start whatever may, oldest match first; set a timer for what only time holds back."""
        now = self.clock.now()
        while True:
            best: Lane | None = None
            best_head, soonest = (0, 0), math.inf
            for lane in self._lanes:
                head = lane.head()
                if head is None or (lane.capped and self.cap is not None and self._in_flight >= self.cap):
                    continue
                wait = lane.ready_in(now)
                if wait is None:
                    continue
                if wait > 0:
                    soonest = min(soonest, wait)
                elif best is None or head < best_head:
                    best, best_head = lane, head
            if best is None:
                break
            self._in_flight += best.capped
            best.grant(now)
        if soonest < math.inf:
            self._wake_at(now + soonest)

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _wake_at(self, at: float) -> None:
        if self._timer is not None and not self._timer.done() and self._timer_at <= at:
            return
        self.close()
        self._timer_at = at
        self._timer = asyncio.create_task(self._wake(at))

    async def _wake(self, at: float) -> None:
        await self.clock.sleep(max(at - self.clock.now(), 0.0))
        self._timer = None
        self.serve()


def pause_of(headers: Mapping[str, str], wall_ms: int) -> float | None:
    """Seconds until an exhausted quota is filled again, by `x-ratelimit-remaining-*` and `-reset-*`."""
    pauses = []
    for name, value in headers.items():
        kind = name.lower().removeprefix("x-ratelimit-remaining")
        if kind != name.lower() and value.strip() in ("0", "0.0"):
            seconds = _reset_in(headers.get(f"x-ratelimit-reset{kind}", ""), wall_ms)
            if seconds is not None:
                pauses.append(seconds)
    return min(max(pauses), LONGEST_PAUSE_S) if pauses else None


def _reset_in(text: str, wall_ms: int) -> float | None:
    """Seconds from `6m0s`, `120ms`, `2.5`, a Unix time in seconds or milliseconds, or an ISO date."""
    text = text.strip()
    if _RESET.fullmatch(text) or (_RESET.match(text) and not _RESET.sub("", text)):
        return sum(float(number) * _SECONDS[unit] for number, unit in _RESET.findall(text))
    try:
        value = float(text)
    except ValueError:
        try:
            date = datetime.fromisoformat(text)
        except ValueError:
            return None
        date = date if date.tzinfo else date.replace(tzinfo=UTC)
        return max(date.timestamp() - wall_ms / 1000, 0.0)
    if not math.isfinite(value) or value < 0:
        return None
    for scale in (1000, 1):
        if value > 10**9 * scale:
            return max(value / scale - wall_ms / 1000, 0.0)
    return value
