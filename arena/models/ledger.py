"""What calls cost, and the budget that no call may break.

A price is the name's own (`price_in`, `price_out`), else litellm's table, else what the provider reports; a model in
this process costs nothing; anything else is unpriced, which is never 0. Money is counted in whole units of 1e-12 USD
(a token at a millionth of a dollar per million), so that sums are exact and a budget is kept to the last unit.

litellm's table is read from its package's JSON file: importing litellm takes seconds, and its own cost function says
0.0 for a model that it does not know.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from heapq import heappop, heappush
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from arena.core.errors import UsageError
from arena.models.types import BudgetReached, Request, Response, Usage

if TYPE_CHECKING:
    from arena.models.limiter import Clock
    from arena.models.names import ModelName

PriceSource = Literal["option", "litellm", "reported", "local", "unpriced", "cache"]
_UNITS = 10**12  # of a dollar
_MOST_TOKENS = 10**9  # a usage above this is nonsense


class Price(NamedTuple):
    """Units of 1e-12 USD per token."""

    prompt: int
    completion: int
    cached: int
    source: PriceSource

    def units(self, usage: Usage) -> int:
        prompt, cached = usage.prompt or 0, min(usage.cached or 0, usage.prompt or 0)
        return (prompt - cached) * self.prompt + cached * self.cached + (usage.completion or 0) * self.completion


def price_of(name: ModelName, own: Mapping[str, Any] | None = None) -> Price | None:
    """The price per token, if it is known before the call. `own` are options that go over the name's."""
    options = {**name.options, **(own or {})}
    if name.client in ("hf", "gguf"):
        return Price(0, 0, 0, "local")
    if (given := (options.get("price_in"), options.get("price_out"))) != (None, None):
        prompt, completion = (round((value or 0.0) * 1e6) for value in given)
        return Price(prompt, completion, prompt, "option")
    if name.url or name.client == "mock":
        return None
    return _listed(name.provider, name.model)


def _listed(provider: str, model: str) -> Price | None:
    """litellm's price of a model. An entry of 0, or of an odd kind, or of another provider is no price."""
    table = _table()
    entry = table.get(f"{provider}/{model}") or table.get(model)
    if not isinstance(entry, dict) or not str(entry.get("litellm_provider", provider)).startswith(provider):
        return None
    prompt, completion = (_per_token(entry.get(f"{side}_cost_per_token")) for side in ("input", "output"))
    if prompt is None or completion is None or not (prompt or completion):
        return None
    cached = _per_token(entry.get("cache_read_input_token_cost"))
    return Price(prompt, completion, prompt if cached is None else cached, "litellm")


def _per_token(value: Any) -> int | None:
    known = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and 0 <= value < 1
    return round(value * _UNITS) if known else None


@cache
def _table() -> dict[str, Any]:
    spec = find_spec("litellm")
    for place in (spec and spec.submodule_search_locations) or ():
        try:
            table = json.loads(Path(place, "model_prices_and_context_window_backup.json").read_text("utf-8"))
        except (OSError, ValueError):
            continue
        return table if isinstance(table, dict) else {}
    return {}


def estimate_tokens(messages: Iterable[Mapping[str, str]]) -> int:
    """A prompt's tokens at four characters each, with four for each message's frame."""
    return sum([(len(message["content"]) + 3) // 4 + (4 if "role" in message else 0) for message in messages])


def checked_usage(usage: Usage, request: Request, response: Response) -> tuple[Usage, bool]:
    """The usage with estimates where the provider said nothing, or nonsense; and whether there are any."""

    def count(value: int | None) -> int | None:
        return value if isinstance(value, int) and 0 <= value <= _MOST_TOKENS else None

    prompt, completion = count(usage.prompt), count(usage.completion)
    cost = usage.cost_usd
    whole = replace(
        usage,
        prompt=estimate_tokens(request.messages) if prompt is None else prompt,
        completion=estimate_tokens([{"content": response.text}]) if completion is None else completion,
        cached=count(usage.cached),
        reasoning=count(usage.reasoning),
        cost_usd=cost if cost is not None and math.isfinite(cost) and cost >= 0 else None,
    )
    return whole, prompt is None or completion is None


def cost_of(price: Price | None, usage: Usage) -> tuple[int | None, PriceSource]:
    """The units that a call cost, or None, and how that is known."""
    if price is not None:
        return price.units(usage), price.source
    if usage.cost_usd is not None:
        return round(usage.cost_usd * _UNITS), "reported"
    return None, "unpriced"


def usd(units: int) -> float:
    return units / _UNITS


def dollars(units: int) -> str:
    """Money as it is printed: what was paid never looks like nothing."""
    if 0 < units < _UNITS // 100:
        return f"${max(usd(units), 0.0001):.4f}"
    return f"${usd(units):.2f}"


@dataclass
class Totals:
    """What a model's calls came to. `saved` is what calls from the cache cost when they were paid."""

    calls: int = 0
    cached: int = 0
    tokens_in: int = 0
    tokens_cached: int = 0
    tokens_out: int = 0
    units: int = 0
    saved: int = 0
    unpriced: int = 0
    estimated: int = 0

    def add(self, usage: Usage, units: int | None, *, estimated: bool) -> None:
        self.calls += 1
        self.tokens_in += usage.prompt or 0
        self.tokens_cached += usage.cached or 0
        self.tokens_out += usage.completion or 0
        self.units += units or 0
        self.unpriced += units is None
        self.estimated += estimated

    def add_cached(self, units: int | None) -> None:
        self.calls += 1
        self.cached += 1
        self.saved += units or 0

    @property
    def cost_usd(self) -> float | None:
        """None if nothing is priced and something is not: an unknown sum is not 0."""
        return None if self.unpriced and not self.units else usd(self.units)

    @property
    def text(self) -> str:
        """The cost as it is printed."""
        return cost_text(usd(self.units), self.unpriced)


def cost_text(known_usd: float, unpriced: int) -> str:
    """A cost as it is printed: an unpriced call is never 0."""
    known = dollars(round(known_usd * _UNITS))
    if not unpriced:
        return known
    calls = f"{unpriced} unpriced call" + "s" * (unpriced != 1)
    return f"≥ {known} + {calls}" if known_usd else f"unpriced ({calls})"


class Reservation(NamedTuple):
    """The worst that one call may cost, held until it is settled."""

    units: int
    tokens: int


def worst_case(price: Price | None, prompt: int, completion: int) -> Reservation:
    units = 0 if price is None else price.units(Usage(prompt, 0, completion))
    return Reservation(units, prompt + completion)


class Budget:
    """Dollars, tokens and seconds of a whole run. A call begins only if the worst that it can cost still fits.

    What does not fit waits while other calls hold reservations that may come back in part; when none does, the budget
    is used up for good, and no further call begins.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        limit_usd: float | None = None,
        tokens: int | None = None,
        wall_s: float | None = None,
        spent_usd: float = 0.0,
        spent_tokens: int = 0,
        spent_s: float = 0.0,
    ) -> None:
        self._clock, self._began = clock, clock.now() - spent_s
        self._most_units = None if limit_usd is None else math.floor(limit_usd * _UNITS + 0.5)
        self._most_tokens, self._wall_s = tokens, wall_s
        self.spent_units, self.spent_tokens = math.ceil(spent_usd * _UNITS - 0.5), spent_tokens
        self._held_units = self._held_tokens = self._held = 0
        self._waiting: list[tuple[int, int, Reservation, asyncio.Future[None]]] = []  # a heap: oldest match first
        self._arrivals = 0
        self.reached: str | None = None

    @property
    def has_money_limit(self) -> bool:
        return self._most_units is not None

    async def reserve(self, wanted: Reservation, order: int = 0) -> None:
        """Hold `wanted`, or raise BudgetReached."""
        self._check_time()
        if not self.reached and not self._waiting and self._short(wanted) is None:
            self._hold(wanted)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._arrivals += 1
        heappush(self._waiting, (order, self._arrivals, wanted, turn))
        self._serve()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.settle(wanted, 0, 0)  # granted, but nobody is there any more
            raise

    def settle(self, held: Reservation, units: int | None, tokens: int) -> None:
        """A call is over: what it really used; 0 if it failed."""
        self._held_units -= held.units
        self._held_tokens -= held.tokens
        self._held -= 1
        self.spent_units += units or 0
        self.spent_tokens += tokens
        if self._waiting:
            self._check_time()
            self._serve()

    def check_time(self) -> None:
        """BudgetReached once the run's time is over."""
        self._check_time()
        if self.reached:
            raise self._ended()

    def _ended(self) -> BudgetReached:
        return BudgetReached(self.reached or "", hint="`arena resume RUN --budget MORE` goes on from here")

    def _serve(self) -> None:
        """Grant what fits, in order; fail all that wait once the budget is used up."""
        while self._waiting:
            _, _, wanted, turn = self._waiting[0]
            if not turn.done():
                short = self._short(wanted)
                if not self.reached and short is not None:
                    if self._held:
                        return
                    self.reached = f"stopped by budget: {short}"
                if self.reached:
                    turn.set_exception(self._ended())
                else:
                    self._hold(wanted)
                    turn.set_result(None)
            heappop(self._waiting)

    def _hold(self, wanted: Reservation) -> None:
        self._held_units += wanted.units
        self._held_tokens += wanted.tokens
        self._held += 1

    def _short(self, wanted: Reservation) -> str | None:
        """Which limit `wanted` would break, as text; None if it fits."""
        units = self.spent_units + self._held_units + wanted.units
        if self._most_units is not None and units > self._most_units:
            return f"{dollars(self.spent_units)} of {dollars(self._most_units)}"
        if self._most_tokens is not None and self.spent_tokens + self._held_tokens + wanted.tokens > self._most_tokens:
            return f"{self.spent_tokens:,} of {self._most_tokens:,} tokens"
        return None

    def _check_time(self) -> None:
        if self._wall_s is not None and not self.reached and self._clock.now() - self._began >= self._wall_s:
            self.reached = f"stopped after {self._wall_s:g} s, the run's time"


def refuse_unpriced(names: Iterable[tuple[str, Price | None]]) -> None:
    """A budget in dollars cannot hold models of unknown price."""
    if unknown := [name for name, price in names if price is None]:
        raise UsageError(
            f"a budget needs prices, and the price of {', '.join(unknown)} is not known",
            hint="add ?price_in=USD&price_out=USD (per million tokens), or --allow-unpriced",
        )
