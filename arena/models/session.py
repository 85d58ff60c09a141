"""One run's access to models: cache, budget, limiter, client, redaction, in this order, once.

    session = Session(limits=limits)
    call = await session.complete(name, request)       # Call, or ProviderError, or BudgetReached

Retries live here and nowhere else. A call is tried up to 8 times within 10 minutes of its first failure; waiting
holds no slot. A model that fails on and on is given up for a while (its circuit opens), one that refuses for good (a
wrong key) for the rest of the run: its calls then fail at once, so that matches are set aside and not queued up.
Simulated models use the reply cache only where ARENA_CACHE names one, so that tests count calls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, Protocol, cast

from arena.models.cache import ReplyCache, open_cache, reply_key
from arena.models.circuit import PARKING, CallFailed, FailedTry, SetAside
from arena.models.clients import make_client
from arena.models.ledger import (
    Budget,
    PriceSource,
    Reservation,
    checked_usage,
    cost_of,
    estimate_tokens,
    refuse_unpriced,
    usd,
    worst_case,
)
from arena.models.limiter import DEFAULT_CAP, Clock, Limiter, Ticket, pause_of
from arena.models.lineup import Model, Models
from arena.models.names import ModelName
from arena.models.patience import Attempts, refused_part
from arena.models.redact import Redactor
from arena.models.types import BudgetReached, Halted, ModelClient, ProviderError, Request, Response

_PUSHES_BACK = frozenset({"rate_limit", "overloaded", "timeout"})


class Limits(Protocol):
    """What a run may use; None = no limit."""

    @property
    def concurrency(self) -> int | None: ...
    @property
    def budget_usd(self) -> float | None: ...
    @property
    def tokens(self) -> int | None: ...
    @property
    def wall_s(self) -> float | None: ...
    @property
    def allow_unpriced(self) -> bool: ...


@dataclass(frozen=True)
class Call:
    """A reply and what it took. `cost_usd` None = unpriced; a reply from the cache costs 0 here and was paid before.
    `params` are the parameters that were really sent; `estimated`: the provider told no usage, tokens are estimates."""

    response: Response
    cached: bool
    cost_usd: float | None
    price_source: PriceSource
    tries: int
    errors: tuple[FailedTry, ...]
    queue_ms: int
    latency_ms: int
    started_ms: int
    params: Mapping[str, Any]
    estimated: bool = False


class Session:
    """Model access for one run. `models` holds options that a run file sets for a model, by its name."""

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        models: Mapping[str, Mapping[str, Any]] | None = None,
        spent_usd: float = 0.0,
        spent_tokens: int = 0,
        spent_s: float = 0.0,
        seed: int = 0,
        clock: Clock | None = None,
        cache: ReplyCache | Literal["environment"] | None = "environment",
        redactor: Redactor | None = None,
        make: Callable[[ModelName, Redactor], ModelClient] = make_client,
        note: Callable[[str, dict[str, Any]], None] | None = None,
        probed: Callable[[ModelName, Request, Call], None] | None = None,
        share: int = 1,
    ) -> None:
        """`note(kind, facts)` hears what belongs into the run's notes: a capability learned, a circuit opened;
        `probed` hears every call of a probe. `share`: this is one of so many sessions that keep a model's limits
        together."""
        self._clock = clock or Clock()
        self._redactor = redactor or Redactor()
        self._note = note or (lambda kind, facts: None)
        self._probed = probed or (lambda name, request, call: None)
        self._allow_unpriced = limits.allow_unpriced if limits else False
        self._budget = Budget(
            self._clock,
            limit_usd=limits.budget_usd if limits else None,
            tokens=limits.tokens if limits else None,
            wall_s=limits.wall_s if limits else None,
            spent_usd=spent_usd,
            spent_tokens=spent_tokens,
            spent_s=spent_s,
        )
        self._concurrency = limits.concurrency if limits else None
        self._cap = self._concurrency or max(1, DEFAULT_CAP // share)
        self._limiter = Limiter(self._clock, cap=self._cap, seed=seed)
        self._models = Models(
            self._limiter,
            lambda name: make(name, self._redactor),
            own=models or {},
            concurrency=self._concurrency,
            share=share,
        )
        self._cache = open_cache() if cache == "environment" else cache
        self._under_way: dict[str, asyncio.Future[Call]] = {}
        self._halted = asyncio.Event()

    @property
    def at_once(self) -> int:
        """Calls to keep matches ready for: those allowed, or what servers may take and a batch of each local model."""
        return self._cap if self._concurrency else self._cap + self._models.local_at_once

    # --- for the runner ----------------------------------------------------------------------------------------------

    async def complete(self, name: ModelName, request: Request) -> Call:
        """One reply: from the cache, or paid for. Raises the last ProviderError when patience ends, BudgetReached when
        the budget does not hold the call."""
        model = self._models.get(name)
        cache = self._cache
        if cache is None or (name.provider == "mock" and not cache.is_asked_for):
            return await self._call(model, request)
        key = reply_key(await model.cache_key(), model.effective(request))
        while True:
            if (found := cache.get(key)) is not None:
                return self._from_cache(model, found)
            if (other := self._under_way.get(key)) is None:
                break
            await asyncio.wait([other])
            if not other.cancelled():
                return self._shared(model, other)
        mine: asyncio.Future[Call] = asyncio.get_running_loop().create_future()
        self._under_way[key] = mine
        try:
            call = await self._call(model, request)
            cache.put(key, call.response)
            mine.set_result(call)
            return call
        except (ProviderError, BudgetReached) as error:
            mine.set_exception(error)
            mine.exception()  # seen, even if nobody else wants this reply
            raise
        finally:
            mine.cancel()
            del self._under_way[key]

    def stop(self) -> None:
        """No new request: what waits ends with Halted, what is in flight goes on."""
        self._halted.set()
        for model in self._models:
            model.lane.abort(Halted())

    def prepare(self, names: list[ModelName]) -> None:
        """Make the clients now, so that a missing package or price is said before the first match."""
        models = [self._models.get(name) for name in names]
        if self._budget.has_money_limit and not self._allow_unpriced:
            refuse_unpriced((str(model.name), model.price) for model in models)

    def latency_s(self, name: ModelName) -> float | None:
        """The median seconds of a model's latest replies; None while there is none."""
        return self._models.get(name).latency_s

    def check_time(self) -> None:
        """BudgetReached when the run's time is over: for matches that ask no model."""
        self._budget.check_time()

    def state(self) -> list[dict[str, Any]]:
        """A row for each model, as JSON: what it is doing and what it came to."""
        return [model.state(self._clock.now()) for model in self._models]

    def redact(self, text: str) -> str:
        """Text of an exception or a log without secrets."""
        return self._redactor.clean_error(text)

    async def identity(self, name: ModelName) -> dict[str, Any]:
        """Who a model is beyond its name, for the record."""
        found: dict[str, Any] = self._redactor.clean_json(await self._models.get(name).client.identity())
        return found

    async def aclose(self) -> None:
        """Close clients and cache. Trouble in closing is noted: it spoils no run."""
        self._limiter.close()
        closing = [model.client.aclose() for model in self._models]
        for trouble in await asyncio.gather(*closing, return_exceptions=True):
            if isinstance(trouble, BaseException):
                self._note("close", {"error": self.redact(f"{type(trouble).__name__}: {trouble}")})
        if self._cache is not None:
            self._cache.close()
            if self._cache.trouble:
                self._note("cache", {"error": self.redact(self._cache.trouble)})

    # --- one call ----------------------------------------------------------------------------------------------------

    async def _call(self, model: Model, request: Request) -> Call:
        """Try until there is a reply, or no hope."""
        await model.once_probed(self._probe)
        attempts = Attempts()
        while True:
            if self._halted.is_set():
                raise Halted
            is_probe = model.circuit.admit(attempts.failures)
            sent = model.effective(request)
            try:
                return await self._try(model, sent, attempts, is_probe=is_probe)
            except SetAside:
                raise model.circuit.refusal(attempts.failures) from None
            except ProviderError as error:
                pause = self._weigh(model, sent, error, attempts)
            finally:
                if is_probe:
                    model.circuit.probe_over()
            if pause:
                await self._sleep(model, pause)

    async def _probe(self, model: Model) -> None:
        """A few short calls that show what an unknown endpoint can do. They are paid and limited as any other; if they
        fail, the endpoint counts as able to do nothing special, and the next real call says what is wrong."""
        from arena.models.probe import probe

        spent: list[Call] = []

        async def ask(request: Request) -> Response:
            patience = float(model.name.options.get("timeout") or request.timeout_s)
            request = replace(request, timeout_s=min(patience, request.timeout_s))
            spent.append(await self._try(model, request, Attempts(), is_probe=False))
            self._probed(model.name, request, spent[-1])
            return spent[-1].response

        try:
            found = await probe(cast(Any, model.client), ask)
        except (ProviderError, BudgetReached) as error:
            self._note("probe", {"model": str(model.name), "failed": error.kind, "calls": len(spent)})
            return
        except SetAside:  # given up meanwhile, by another agent's call
            return
        facts = {"schema": found.schema, "seed": found.seed, "logprobs": found.logprobs, "context": found.context}
        self._note("probe", {"model": str(model.name), "calls": len(spent), **facts})

    async def _try(self, model: Model, request: Request, attempts: Attempts, *, is_probe: bool) -> Call:
        """One try, with a slot and a reservation that are given back however it ends."""
        asked = self._clock.now()
        if self._budget.has_money_limit and model.price is None and not self._allow_unpriced:
            refuse_unpriced([(str(model.name), None)])
        held = worst_case(model.price, estimate_tokens(request.messages), request.sampling.max_tokens)
        ticket = await self._wait(model, request.order, held, is_probe=is_probe)
        started, started_ms = self._clock.now(), self._clock.wall_ms()
        attempts.queue_s += started - asked
        units: int | None = None
        used = 0
        try:
            response, estimated = await self._send(model, request, ticket)
            usage = response.usage
            units, source = cost_of(model.price, usage)
            used = (usage.prompt or 0) + (usage.completion or 0)
        finally:
            self._budget.settle(held, units, used)
        latency = self._clock.now() - started
        model.totals.add(usage, units, estimated=estimated)
        model.latencies.append(latency)
        return Call(
            response=self._redactor.clean_response(response),
            cached=False,
            cost_usd=None if units is None else usd(units),
            price_source=source,
            tries=len(attempts.failures) + 1,
            errors=tuple(attempts.failures),
            queue_ms=round(attempts.queue_s * 1000),
            latency_ms=round(latency * 1000),
            started_ms=started_ms,
            params=dict(response.params) or request.sampling.as_json(),
            estimated=estimated,
        )

    async def _wait(self, model: Model, order: int, held: Reservation, *, is_probe: bool) -> Ticket:
        """Wait for the budget, then for a slot. The reservation is held on return, and only then."""
        model.waiting += 1
        try:
            await self._budget.reserve(held, order)
            try:
                ticket = await model.lane.enter(order, held.tokens)
                if self._halted.is_set():
                    model.lane.leave(ticket, "cancelled")
                    raise Halted
                if model.circuit.is_open and not is_probe:  # given up while this call waited
                    model.lane.leave(ticket, "cancelled")
                    raise SetAside
                return ticket
            except BaseException:
                self._budget.settle(held, None, 0)
                raise
        finally:
            model.waiting -= 1

    async def _send(self, model: Model, request: Request, ticket: Ticket) -> tuple[Response, bool]:
        """The reply, and whether its tokens are estimates. The lane and the circuit learn how it went."""
        outcome: Literal["served", "pushed_back", "failed", "cancelled"] = "cancelled"
        pause: float | None = None
        used: int | None = None
        model.in_flight += 1
        try:
            response = await model.client.complete(request)
            usage, estimated = checked_usage(response.usage, request, response)
            used = (usage.prompt or 0) + (usage.completion or 0)
            outcome, pause = "served", pause_of(response.headers, self._clock.wall_ms())
        except ProviderError as error:
            outcome = "pushed_back" if error.kind in _PUSHES_BACK else "failed"
            pause = error.retry_after_s
            raise
        finally:
            model.in_flight -= 1
            model.lane.leave(ticket, outcome, tokens=used, pause_s=pause)
        model.circuit.succeeded()
        return replace(response, usage=usage), estimated

    def _weigh(self, model: Model, sent: Request, error: ProviderError, attempts: Attempts) -> float:
        """Seconds to wait before the next try; raises if there is none."""
        now = self._clock.now()
        self._redactor.clean_failure(error)
        attempts.add(error, now, self._clock.wall_ms())
        if error.retryable and not model.totals.calls and not model.is_in_trouble:
            model.is_in_trouble = True
            self._note("trouble", {"model": str(model.name), "kind": error.kind, "error": error.message})
        if error.kind == "timeout" and sent.on_clock:
            raise CallFailed(error, attempts.failures) from error
        if part := refused_part(error, sent):
            attempts.forgive()
            if part not in model.dropped:
                model.dropped.add(part)
                self._note("capability", {"model": str(model.name), "dropped": part, "error": error.message})
            return 0.0
        if error.kind in PARKING:
            model.circuit.park(error)
            self._set_aside(model, "parked", error)
        elif error.retryable and model.circuit.failed(error):
            self._set_aside(model, "circuit_open", error)
        if not error.retryable or model.circuit.is_open or attempts.are_used_up(now):
            raise CallFailed(error, attempts.failures) from error
        # A provider that said how long stops the lane, for all calls of this model.
        return 0.0 if error.retry_after_s is not None else attempts.back_off_s(self._limiter.rng)

    def _set_aside(self, model: Model, kind: str, error: ProviderError) -> None:
        """The model is given up: whatever waits for it fails now."""
        self._note(kind, {"model": str(model.name), "kind": error.kind, "error": error.message})
        model.lane.abort(SetAside())

    async def _sleep(self, model: Model, seconds: float) -> None:
        """Back off, but not beyond the moment when the model is given up."""
        sleeping = asyncio.ensure_future(self._clock.sleep(seconds))
        given_up = asyncio.ensure_future(model.circuit.opened.wait())
        halted = asyncio.ensure_future(self._halted.wait())
        try:
            await asyncio.wait({sleeping, given_up, halted}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for waiting in (sleeping, given_up, halted):
                waiting.cancel()

    # --- replies that were had before ---------------------------------------------------------------------------------

    def _from_cache(self, model: Model, response: Response) -> Call:
        units, _ = cost_of(model.price, response.usage)
        model.totals.add_cached(units)
        return Call(
            response=response,
            cached=True,
            cost_usd=0.0,
            price_source="cache",
            tries=0,
            errors=(),
            queue_ms=0,
            latency_ms=0,
            started_ms=self._clock.wall_ms(),
            params=response.params,
        )

    def _shared(self, model: Model, other: asyncio.Future[Call]) -> Call:
        """The outcome of the same call, made by somebody else."""
        error = other.exception()
        if isinstance(error, ProviderError):
            raise CallFailed(error)
        if isinstance(error, BudgetReached):
            raise BudgetReached(error.message, hint=error.hint)
        return self._from_cache(model, other.result().response)
