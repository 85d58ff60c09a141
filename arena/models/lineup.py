"""The models of a run: each with its client, its place in the queue, its price, and what it came to.

Names that differ in options only share one endpoint: one limit, one circuit. A local model's queue is its batcher's,
so its lane is only bounded, and the run's cap counts it only where the user gave a concurrency.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from arena.core.errors import UsageError
from arena.models.cache import model_key
from arena.models.circuit import Circuit
from arena.models.ledger import Price, Totals, price_of, usd
from arena.models.limiter import Lane, Limiter
from arena.models.names import ModelName
from arena.models.options import COMMON, parse, show
from arena.models.patience import without
from arena.models.types import ModelClient, Request

_LOCAL_AHEAD = 4  # batches that may wait in front of a local model
_FROM_RUN_FILE = ("rpm", "tpm", "concurrency", "price_in", "price_out")


@dataclass
class Model:
    """One model of the run."""

    name: ModelName
    client: ModelClient
    lane: Lane
    circuit: Circuit
    price: Price | None
    totals: Totals = field(default_factory=Totals)
    dropped: set[str] = field(default_factory=set)  # parts of requests that the provider refused: learned
    latencies: deque[float] = field(default_factory=lambda: deque(maxlen=101))
    waiting: int = 0
    in_flight: int = 0
    is_in_trouble: bool = False  # its first call failed, and somebody was told
    _key: asyncio.Future[str] | None = None
    _probed: asyncio.Future[None] | None = None

    async def once_probed(self, probe: Callable[[Model], Coroutine[Any, Any, None]]) -> None:
        """What this endpoint can do is asked once, where it is not known; every call waits for that."""
        if self._probed is None and getattr(self.client, "wants_probe", False):
            self._probed = asyncio.ensure_future(probe(self))
        if self._probed is not None and not self._probed.done():
            await asyncio.shield(self._probed)

    def effective(self, request: Request) -> Request:
        """The request without what this provider was found to refuse."""
        for part in self.dropped:
            request = without(request, part)
        return request

    async def cache_key(self) -> str:
        """The model's part of every cache key; asked for once."""

        async def ask() -> str:
            return model_key(self.name, await self.client.identity())

        if self._key is None:
            self._key = asyncio.ensure_future(ask())
        return await asyncio.shield(self._key)

    @property
    def latency_s(self) -> float | None:
        return median(self.latencies) if self.latencies else None

    def state(self, now: float) -> dict[str, Any]:
        """What it is doing and what it came to, as JSON."""
        totals, wait, text = self.totals, self.lane.paused_until - now, self.circuit.text()
        return {
            "model": str(self.name),
            "state": f"waits {wait:.0f} s, as the provider asks" if text == "ok" and wait > 0 else text,
            "in_flight": self.in_flight,
            "waiting": self.waiting,
            "window": int(self.lane.window),
            "calls": totals.calls,
            "cached": totals.cached,
            "tokens_in": totals.tokens_in,
            "tokens_cached": totals.tokens_cached,
            "tokens_out": totals.tokens_out,
            "cost_usd": totals.cost_usd,
            "cost": totals.text,
            "unpriced_calls": totals.unpriced,
            "saved_usd": usd(totals.saved),
            "latency_s": self.latency_s,
        }


class Models:
    """Makes each model when its name first comes up."""

    def __init__(
        self,
        limiter: Limiter,
        make: Callable[[ModelName], ModelClient],
        *,
        own: Mapping[str, Mapping[str, Any]],
        concurrency: int | None,
        share: int = 1,
    ) -> None:
        self._limiter, self._make, self._concurrency, self._share = limiter, make, concurrency, share
        self._own = {name: _typed(name, options) for name, options in own.items()}
        self._models: dict[ModelName, Model] = {}
        self._endpoints: dict[tuple[str, ...], tuple[Lane, Circuit]] = {}
        self.local_at_once = 0  # calls that fill a batch of every local model

    def __iter__(self) -> Iterator[Model]:
        return iter(self._models.values())

    def get(self, name: ModelName) -> Model:
        model = self._models.get(name)
        if model is None:
            own = self._own.get(name.canonical) or self._own.get(name.bare) or {}
            client = self._make(name)
            lane, circuit = self._endpoint(name, client, {**name.options, **own})
            model = self._models[name] = Model(name, client, lane, circuit, price_of(name, own))
        return model

    def _endpoint(self, name: ModelName, client: ModelClient, options: Mapping[str, Any]) -> tuple[Lane, Circuit]:
        key = (name.provider, name.url or "", str(options.get("key_env")), name.model, name.adapter or "")
        if key not in self._endpoints:
            batch = client.capabilities().batch
            lane = self._lane(options) if batch is None else self._local_lane(batch)
            self._endpoints[key] = (lane, Circuit(self._limiter.clock))
        return self._endpoints[key]

    def _local_lane(self, batch: int) -> Lane:
        self.local_at_once += batch
        return self._limiter.lane(concurrency=_LOCAL_AHEAD * batch, fixed=True, capped=self._concurrency is not None)

    def _lane(self, options: Mapping[str, Any]) -> Lane:
        """A model's limits; where several sessions keep them together, this one's part of them."""
        rpm, tpm, own = (options.get(key) for key in ("rpm", "tpm", "concurrency"))
        given = [n for n in (own and max(1, own // self._share), self._concurrency) if n]
        return self._limiter.lane(
            rpm=rpm and rpm / self._share,
            tpm=tpm and tpm / self._share,
            concurrency=min(given) if given else None,
        )


def _typed(name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a run file's [models."NAME"] table."""
    found = {}
    for key, value in options.items():
        if key not in _FROM_RUN_FILE:
            raise UsageError(f'[models."{name}"] has no option {key!r}; it takes {", ".join(_FROM_RUN_FILE)}')
        try:
            found[key] = parse(show(value), COMMON[key][0])
        except ValueError as error:
            raise UsageError(f'[models."{name}"]: {key} {error}') from error
    return found
